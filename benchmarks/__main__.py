"""``python -m benchmarks [name …]``: print all ratios, or those of the named benchmarks."""

from __future__ import annotations

import importlib
import sys

ALL = (
    "handler",
    "synth",
    "deploy",
    "painting",
    "preflight",
    "campaign",
    "labels_bench",
    "labels_tools",
    "scale",
    "twin",
)


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    names = sys.argv[1:] or ALL
    del sys.argv[1:]  # a benchmark has options of its own
    for name in names:
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
