"""The labels, and the label category file made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ._rooms import findings, limits
from ._rooms import labels as label_rules
from .validation import Checker, is_token


def check_labels(check: Checker, labels: Sequence[str], found: findings.Findings, *, automated: bool) -> None:
    """Hold label names against the rules by which a deploy reads the label category file.

    Raises:
        ValueError: see Ground Truth's quotas for semantic segmentation.
    """
    check.items("labels", labels, f"for a single label write labels=[{labels!r}]")
    for label in labels:
        if is_token(label):
            check.fail("labels", "be known at synth time, as they go into a file", label)
    label_rules.check_names(labels, found, automated=automated)
    check.findings("labels", found, f"{len(labels)} labels")


def category_file(labels: Sequence[str]) -> bytes:
    """The label category file, in the labels' order.

    Jobs misbehave without ``document-version``.
    """
    document = {
        "document-version": limits.CATEGORY_DOCUMENT_VERSION,
        "labels": [{"label": label} for label in labels],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
