"""The two files that the worker's page is made of: the label category file and the worker template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..rules import labels as label_rules
from ..rules import template as template_rules
from ..rules.findings import Findings
from ..rules.places import Place
from .access import Reader, ReadError
from .plan import Plan

FILE_BYTES_MAX: Final = 10 * 1024 * 1024


def read_categories(reader: Reader, plan: Plan, findings: Findings) -> list[str] | None:
    """The labels of the job's category file; None if they can't be known."""
    data = _file(reader, plan.categories, label_rules.CHECK, "the label category file", findings)
    return None if data is None else label_rules.parse_categories(data, findings, automated=plan.automated)


def check_template(
    reader: Reader, plan: Plan, first: Mapping[str, Any], labels: list[str] | None, findings: Findings
) -> None:
    """Read the job's template, and check it with the first object."""
    data = _file(reader, plan.template, template_rules.CHECK, "the worker template", findings)
    if data is not None:
        template_rules.check(data, first, labels, findings)


def _file(reader: Reader, place: Place | None, check: str, what: str, findings: Findings) -> bytes | None:
    if place is None:
        findings.error(check, f"{what} must be an object's S3 URI, s3://bucket/key")
        return None
    try:
        return reader.whole(place, limit=FILE_BYTES_MAX)
    except ReadError as error:
        findings.error(check, f"{what} must be readable", f"{place} ({error})")
        return None
