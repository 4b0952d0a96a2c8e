"""`python -m releasing.valid_sbom FILE`: holds an SBOM against CycloneDX's schema, by CycloneDX's library."""

from __future__ import annotations

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> int:
    """Print what is wrong with the file that the command line names."""
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(
        Path(sys.argv[1]).read_text(encoding="utf-8")
    )
    if problem:
        print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
