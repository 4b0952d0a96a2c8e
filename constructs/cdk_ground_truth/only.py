"""Which of an earlier job's images an adjustment or a verification is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .validation import Checker


@dataclass(frozen=True, kw_only=True)
class Only:
    """Chooses lines of an earlier job's output; all that is given has to be true of an image.

    An image without a label can't be adjusted or verified, and is never chosen.

    Args:
        confidence_below: Those where the confidence of a class is below, above 0 and up to 1. The service
            writes 0 where a single worker labeled. Default: any confidence.
        verdicts: Those about which a verification has said one of these. Default: any verdict, and none.
        verdict_attribute: What the verification called its verdicts. Default: known where `of` is a
            verification; else it has to be given with ``verdicts``.
        classes: Those whose label has one of these classes. Default: any class.
        machine_labeled: True for those that a model has labeled. Default: people's labels too.
        keys: Those of these keys, or S3 URIs. Default: any key.
    """

    confidence_below: float | None = None
    verdicts: Sequence[str] | None = None
    verdict_attribute: str | None = None
    classes: Sequence[str] | None = None
    machine_labeled: bool = False
    keys: Sequence[str] | None = None

    def check(self, check: Checker) -> None:
        """Refuse what chooses nothing, or doesn't say what it is about.

        Raises:
            ValueError: names the argument, the rule, the value and the fix.
        """
        bound = self.confidence_below
        if bound is not None and not 0 < bound <= 1:
            check.fail("only.confidence_below", "be above 0 and at most 1", bound)
        for name in ("verdicts", "classes", "keys"):
            value = getattr(self, name)
            if value is None:
                continue
            check.items(f"only.{name}", value)
            if not value:
                check.fail(f"only.{name}", "name at least one", list(value), "leave it out to choose any")
        if self.verdicts is not None and not self.verdict_attribute:
            must = "name the attribute of the verification"
            check.fail("only.verdict_attribute", must, self.verdict_attribute)
        if self.verdicts is None and self.verdict_attribute is not None:
            check.fail("only.verdicts", "be given with verdict_attribute", None)

    def properties(self) -> dict[str, Any]:
        """The contract's selection."""
        found: dict[str, Any] = {}
        if self.confidence_below is not None:
            found["ConfidenceBelow"] = repr(float(self.confidence_below))
        if self.verdicts is not None:
            found |= {"Verdicts": list(self.verdicts), "VerdictAttribute": self.verdict_attribute}
        if self.classes is not None:
            found["Classes"] = list(self.classes)
        if self.machine_labeled:
            found["Machine"] = "true"
        if self.keys is not None:
            found["Keys"] = list(self.keys)
        return found
