"""No root: MiniStack lets ``test``, any 12 digits and the configured key do all, with any signature.

Requests without a key stay what they were: anonymous, which MiniStack refuses or leaves to bucket policies.
"""

from __future__ import annotations

from ministack.core import iam_evaluator
from ministack.services import sts


def install() -> None:
    """Close the root-like keys."""
    for module in (iam_evaluator, sts):
        module.is_root_access_key = _is_anonymous


def _is_anonymous(access_key_id: str) -> bool:
    return not access_key_id
