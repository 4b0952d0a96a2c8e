"""The labels of a job, in the construct's own arguments and in a label category file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from ..limits import AUTOMATED_LABELING_LABELS_MAX, CATEGORY_DOCUMENT_VERSION, LABEL_NAME_MAX
from . import strict_json
from .findings import Findings, clipped

CHECK = "category-file"
#: What the service calls the pixels that nobody painted.
BACKGROUND = "BACKGROUND"
#: Categories of characters that no page shows: controls, halves of surrogate pairs, separators of lines.
_UNSHOWN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_names(names: Sequence[object], findings: Findings, *, automated: bool) -> None:
    """Hold label names against "Input Data Quotas", and against what a reader of masks can tell apart."""
    for name in names:
        for rule in _broken(name):
            findings.error(CHECK, rule, clipped(repr(name), 60))
    if not names:
        findings.error(CHECK, "there must be at least one label")
    seen: set[object] = set()
    for name in (name for name in names if isinstance(name, str)):
        if name in seen:
            findings.error(CHECK, "labels must be unique", repr(name))
        seen.add(name)
    if automated and len(names) > AUTOMATED_LABELING_LABELS_MAX:
        rule = f"automated labeling takes at most {AUTOMATED_LABELING_LABELS_MAX} labels"
        findings.error(CHECK, rule, f"{len(names):,}")


def _broken(name: object) -> Iterable[str]:
    if not isinstance(name, str) or not name:
        yield "a label must be a name of at least one character"
        return
    if len(name) > LABEL_NAME_MAX:
        yield f"a label must have at most {LABEL_NAME_MAX} characters"
    if name.upper() == BACKGROUND:
        yield f"a label must not be {BACKGROUND}, which the service writes for unpainted pixels; leave it out"
    if name != name.strip():
        yield "a label must have no white space around it, which nobody sees; drop it"
    if not _UNSHOWN.isdisjoint(map(unicodedata.category, name)):
        yield "a label must have no control characters or line breaks, which no page shows; drop them"


def parse_categories(data: bytes, findings: Findings, *, automated: bool) -> list[str] | None:
    """The labels in the file's order; None if it isn't of the form that the service needs."""
    try:
        document = strict_json.parse(data.decode("utf-8-sig"))
    except ValueError as error:
        findings.error(CHECK, "the label category file must be JSON in UTF-8", error)
        return None
    if not isinstance(document, dict):
        findings.error(CHECK, "the label category file must hold a JSON object", type(document).__name__)
        return None
    version = document.get("document-version")
    if version != CATEGORY_DOCUMENT_VERSION:
        rule = f'the label category file must have "document-version": "{CATEGORY_DOCUMENT_VERSION}"'
        findings.error(CHECK, rule, clipped(repr(version), 60))
    labels = document.get("labels")
    if not isinstance(labels, list):
        rule = 'the label category file must have "labels", a list such as [{"label": "its name"}]'
        findings.error(CHECK, rule, clipped(repr(labels), 60))
        return None
    names = [entry.get("label") if isinstance(entry, dict) else entry for entry in labels]
    if not all(isinstance(entry, dict) for entry in labels):
        findings.error(CHECK, 'each entry of "labels" must be {"label": "its name"}')
    check_names(names, findings, automated=automated)
    return [name for name in names if isinstance(name, str)]


def check_classes(labels: Iterable[str], classes: Iterable[str], findings: Findings) -> None:
    """Adjustment: a class of the earlier labels that has no label can't be shown."""
    lost = sorted(set(classes) - {*labels, BACKGROUND})
    if lost:
        rule = "the label category file must have all labels of the earlier job; add them"
        findings.error("prior-labels", rule, ", ".join(map(repr, lost[:50])))
