"""Train / validation / test: seeded, and fair to rare classes."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from numbers import Real

from ..errors import ExportError
from ..shares import SPLITS


def check_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """Shares of `train`, `validation` and `test`, in this order, made to add up to 1.

    Raises:
        ExportError: Another name, or a share that is no positive, finite number.
    """
    wrong = [
        f"{k}={v!r}"
        for k, v in shares.items()
        if k not in SPLITS or not isinstance(v, Real) or not 0 < v < math.inf
    ]
    if wrong or not shares:
        raise ExportError(f"split must give positive shares of {', '.join(SPLITS)}, got {', '.join(wrong)}")
    total = sum(shares.values())
    return {name: shares[name] / total for name in SPLITS if name in shares}


def by_image(
    images: Sequence[str], presence: Sequence[frozenset[int]], shares: Mapping[str, float], *, seed: int
) -> list[str]:
    """`stratify` for images that may stand on several lines: all lines of one go to one split."""
    together: dict[str, frozenset[int]] = {}
    for image, classes in zip(images, presence, strict=True):
        together[image] = together.get(image, frozenset()) | classes
    chosen = dict(zip(together, stratify(list(together.values()), shares, seed=seed), strict=True))
    return [chosen[image] for image in images]


def _quotas(images: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers that add up to `images`, none of them 0 if that can be."""
    exact = {name: share * images for name, share in shares.items()}
    quotas = {name: int(value) for name, value in exact.items()}
    by_rest = sorted(shares, key=lambda name: quotas[name] - exact[name])
    for name in by_rest[: images - sum(quotas.values())]:
        quotas[name] += 1
    for name in shares:
        largest = max(quotas, key=lambda n: quotas[n])
        if quotas[name] == 0 and quotas[largest] > 1:
            quotas[name], quotas[largest] = 1, quotas[largest] - 1
    return quotas


def stratify(presence: Sequence[frozenset[int]], shares: Mapping[str, float], *, seed: int = 0) -> list[str]:
    """Choose a split for each image, so that every class is spread like the shares.

    Images of the rarest class are given out first, each to the split that still misses most of it; images
    without any class last. Every split gets its number of images, and at least one.
    (The idea of Sechidis et al., "On the Stratification of Multi-Label Data", 2011.)

    Args:
        presence: Class ids present in each image.
        shares: Split → share, adding up to 1.
        seed: The same seed, images and shares give the same split.
    """
    rng = random.Random(seed)
    open_images = list(range(len(presence)))
    rng.shuffle(open_images)
    room = _quotas(len(presence), shares)
    totals = Counter(c for classes in presence for c in classes)
    missing = {c: {name: share * n for name, share in shares.items()} for c, n in totals.items()}
    chosen = [""] * len(presence)
    # Counts only shrink as images go, so the order by total is the order of need; ids break ties.
    for rare in [*(c for c, _ in sorted(totals.items(), key=lambda e: (e[1], e[0]))), None]:
        rest = []
        for image in open_images:
            if rare is not None and rare not in presence[image]:
                rest.append(image)
                continue
            need: Mapping[str, float] = missing[rare] if rare is not None else room
            with_room = [name for name in shares if room[name] > 0]
            best = max(with_room, key=lambda name: (round(need[name], 9), room[name]))
            chosen[image] = best
            room[best] -= 1
            for c in presence[image]:
                missing[c][best] -= 1
        open_images = rest
    return chosen
