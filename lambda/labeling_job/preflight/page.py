"""The two files that the worker's page is made of: the label category file and the worker template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import BOOTSTRAP_KEY
from ..limits import VERDICTS_MAX
from ..rules import labels as label_rules
from ..rules import template as template_rules
from ..rules.places import Place
from .access import KEY_DENIED, ReadError
from .inspection import Inspection

FILE_BYTES_MAX: Final = 10 * 1024 * 1024


def read_categories(inspection: Inspection) -> list[str] | None:
    """The labels of the job's category file; None if they can't be known."""
    plan, what = inspection.plan, "the label category file"
    data = _file(inspection, plan.categories, label_rules.CHECK, what)
    if data is None:
        return None
    names = label_rules.parse_categories(data, inspection.findings, automated=plan.automated)
    if plan.is_verification and len(names or ()) > VERDICTS_MAX:
        rule = f"a verification must have at most {VERDICTS_MAX} verdicts, which are its labels"
        inspection.error(label_rules.CHECK, rule, len(names or ()))
    return names


def check_template(inspection: Inspection, first: Mapping[str, Any], labels: list[str] | None) -> None:
    """Read the job's template, and check it with the first object."""
    data = _file(inspection, inspection.plan.template, template_rules.CHECK, "the worker template")
    if data is not None:
        task_type = inspection.plan.task_type
        template_rules.check(data, first, labels, inspection.findings, task_type=task_type)


def _file(inspection: Inspection, place: Place | None, check: str, what: str) -> bytes | None:
    if place is None:
        inspection.error(check, f"{what} must be an object's S3 URI, s3://bucket/key")
        return None
    try:
        return inspection.reader.whole(place, limit=FILE_BYTES_MAX)
    except ReadError as error:
        why = f"; {BOOTSTRAP_KEY}" if error.kind == KEY_DENIED else ""
        inspection.error(check, f"{what} must be readable{why}", f"{place} ({error})")
        return None
