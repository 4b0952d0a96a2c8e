"""The label category file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ..limits import (
    AUTOMATED_LABELING_LABELS_MAX,
    CATEGORY_DOCUMENT_VERSION,
    LABEL_NAME_MAX,
)
from .access import Reader, ReadError
from .findings import Findings
from .plan import Plan

FILE_BYTES_MAX = 10 * 1024 * 1024
_CHECK = "category-file"
_BACKGROUND = "BACKGROUND"


def read_categories(reader: Reader, plan: Plan, findings: Findings) -> list[str] | None:
    """The labels of the job's category file; None if they can't be known."""
    if plan.categories is None:
        findings.error(_CHECK, "the label category file must be an object's S3 URI, s3://bucket/key")
        return None
    try:
        data = reader.whole(plan.categories, limit=FILE_BYTES_MAX)
    except ReadError as error:
        findings.error(_CHECK, "the label category file must be readable", f"{plan.categories} ({error})")
        return None
    return parse_categories(data, findings, automated=plan.automated)


def parse_categories(data: bytes, findings: Findings, *, automated: bool) -> list[str] | None:
    """The labels in the file's order; None if it isn't of the form that the service needs."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        findings.error(_CHECK, "the label category file must be JSON in UTF-8", error)
        return None
    if not isinstance(document, dict):
        findings.error(_CHECK, "the label category file must hold a JSON object", type(document).__name__)
        return None
    version = document.get("document-version")
    if version != CATEGORY_DOCUMENT_VERSION:
        rule = f'the label category file must have "document-version": "{CATEGORY_DOCUMENT_VERSION}"'
        findings.error(_CHECK, rule, repr(version)[:60])
    labels = document.get("labels")
    if not isinstance(labels, list) or not labels:
        findings.error(_CHECK, 'the label category file must list at least one label in "labels"')
        return None
    names = [entry.get("label") if isinstance(entry, dict) else None for entry in labels]
    for rule, got in _problems(labels, names, automated):
        findings.error(_CHECK, rule, got)
    return [name for name in names if isinstance(name, str)]


def check_classes(labels: Iterable[str], classes: Iterable[str], findings: Findings) -> None:
    """Adjustment and verification: a class of the earlier labels that has no label can't be shown."""
    lost = sorted(set(classes) - {*labels, _BACKGROUND})
    if lost:
        rule = "the label category file must have all labels of the earlier job; add them"
        findings.error("prior-labels", rule, ", ".join(map(repr, lost)))


def _problems(labels: list[object], names: list[object], automated: bool) -> Iterator[tuple[str, str]]:
    for entry, name in zip(labels, names, strict=True):
        if not isinstance(name, str) or not name:
            yield 'each label must be {"label": "its name"}', repr(entry)[:60]
        elif len(name) > LABEL_NAME_MAX:
            yield f"a label must have at most {LABEL_NAME_MAX} characters", f"{name[:40]!r}… has {len(name)}"
        elif name.upper() == _BACKGROUND:
            yield "a label must not be BACKGROUND, which the service writes for unpainted pixels", repr(name)
    texts = [name for name in names if isinstance(name, str)]
    if len(set(texts)) < len(texts):
        seen: set[str] = set()
        twice = next(name for name in texts if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        yield "labels must be unique", repr(twice)
    if automated and len(names) > AUTOMATED_LABELING_LABELS_MAX:
        yield f"automated labeling takes at most {AUTOMATED_LABELING_LABELS_MAX} labels", str(len(names))
