"""`python -m tests.hostile [CASES]`: so many hostile manifests on the handler; default 10,000."""

from __future__ import annotations

import resource
import sys
import time

from tests.hostile.grammar import NAMED, drawn
from tests.hostile.run import FASTER, MEMORY_MB, SECONDS, problems


def main() -> int:
    """Run the named ones and so many drawn ones; print what broke, and what it took."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    started, bad = time.monotonic(), 0
    for name, manifest in [*NAMED.items(), *((f"seed {n}", drawn(n)) for n in range(cases))]:
        begun = time.monotonic()
        for problem in problems(manifest):
            bad += 1
            print(f"BAD  {name}: {problem}", flush=True)
        if (took := time.monotonic() - begun) > 5:
            print(f"{took:5.1f} s  {name}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    bad += peak > MEMORY_MB
    print(
        f"{cases + len(NAMED):,} manifests, {bad} problems; {time.monotonic() - started:.0f} s in all,"
        f" each within {SECONDS // FASTER} s of CPU; {peak:,} of {MEMORY_MB:,} MB"
    )
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
