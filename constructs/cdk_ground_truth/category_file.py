"""The labels, and the label category file made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ._rooms import limits
from .validation import Checker, is_token

#: What the service calls the pixels that nobody painted.
_BACKGROUND = "BACKGROUND"


def check_labels(check: Checker, labels: Sequence[str], *, automated: bool) -> None:
    """Refuse label names that the service or a reader of its masks can't tell apart.

    Raises:
        ValueError: see Ground Truth's quotas for semantic segmentation.
    """
    check.items("labels", labels, f"for a single label write labels=[{labels!r}]")
    if not labels:
        check.fail("labels", "name at least one label", list(labels))
    if automated and len(labels) > limits.AUTOMATED_LABELING_LABELS_MAX:
        most = limits.AUTOMATED_LABELING_LABELS_MAX
        check.fail("labels", f"have at most {most} items with automated labeling", len(labels))
    seen: set[str] = set()
    for label in labels:
        check.text("labels", label, longest=limits.LABEL_NAME_MAX)
        if is_token(label):
            check.fail("labels", "be known at synth time, as they go into a file", label)
        if label != label.strip():
            check.fail("labels", "have no white space around a name", label)
        if not label.isprintable():
            check.fail("labels", "have printable characters only", label)
        if label.upper() == _BACKGROUND:
            check.fail(
                "labels",
                f"not contain {_BACKGROUND}, which the service writes for unpainted pixels",
                label,
                "leave it out: every mask has it",
            )
        if label in seen:
            check.fail("labels", "be unique", label)
        seen.add(label)


def category_file(labels: Sequence[str]) -> bytes:
    """The label category file, in the labels' order.

    Jobs misbehave without ``document-version``.
    """
    document = {
        "document-version": limits.CATEGORY_DOCUMENT_VERSION,
        "labels": [{"label": label} for label in labels],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
