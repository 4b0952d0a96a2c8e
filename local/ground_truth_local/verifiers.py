"""Simulated verifiers: they compare a label with what they would paint themselves, and err now and then."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .service.masks import Mask

#: Share of a picture's pixels that may differ before a simulated verifier finds a label wrong.
TOLERANCE = 0.1


def verdict(
    earlier: Mask, own: Mask, verdicts: Sequence[str], *, seed: int, worker: str, error_rate: float = 0.0
) -> dict[str, Any]:
    """Return the answer of a worker: the first verdict if the label is right, the last one if it isn't.

    Args:
        earlier: the label that is verified.
        own: what the worker would have painted, with the same class ids.
        verdicts: what can be said, at least one.
        seed: with the worker and the label it decides where the worker errs.
        worker: who answers.
        error_rate: share of the labels of which the worker says the opposite.
    """
    differing = 1.0 if earlier.shape != own.shape else float((earlier != own).mean())
    digest = hashlib.sha256(f"{seed}/{worker}/".encode() + np.ascontiguousarray(earlier).tobytes()).digest()
    errs = int.from_bytes(digest[:8], "big") / 2**64 < error_rate
    if (differing <= TOLERANCE) != errs:
        return {"label": verdicts[0]}
    return {"label": verdicts[-1], "workerComment": f"{differing:.0%} of the picture is something else."}
