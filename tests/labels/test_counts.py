"""Pixels by class and by pair of classes, against counting one by one."""

from __future__ import annotations

import numpy as np

from ground_truth_labels.counts import class_counts, confusion_matrix


def test_counts_equal_a_count_by_hand() -> None:
    rng = np.random.default_rng(0)
    for round_ in range(200):
        kind = rng.choice(["u1", "u2"])
        top = rng.choice([2, 7, 256]) if kind == "u1" else 900
        mask = rng.integers(0, top, rng.integers(1, 20, 2)).astype(kind)
        if round_ % 2:
            mask = np.repeat(mask, 20, 1)
        ids, counts = np.unique(mask, return_counts=True)
        assert class_counts(mask) == dict(zip(ids.tolist(), counts.tolist(), strict=True))
        other, order = rng.permutation(mask.ravel()).reshape(mask.shape), list(range(9))
        wanted = [[int(((mask == a) & (other == b)).sum()) for b in order] for a in order]
        assert confusion_matrix(mask, other, order).tolist() == wanted
