"""What MiniStack does otherwise than AWS, put right: one module per matter, each with a contract test.

Each module has ``install()``, which replaces private names of MiniStack in place. MiniStack's version is pinned;
the contract tests in ``tests/local/aws`` fail when a newer one moves what they lean on.
"""

from ground_truth_local.mends import no_root
from ground_truth_local.service.types import Service

__all__ = ["install"]


def install(service: Service | None) -> None:
    """Put everything right; once, before the server starts."""
    no_root.install()
