"""`python -m releasing.version 0.2.0`: gives the three packages that version, and pins them to each other."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from .packages import NAMES, PACKAGES

_VERSION = r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?"
#: A requirement on one of the three, as a line of a list, with whatever it is bound to.
_PINNED = rf'"({"|".join(sorted(NAMES))})((?:\[[\w,]+\])?)([^"]*)"'


def main() -> int:
    """Write the version that the command line names."""
    version = sys.argv[1] if len(sys.argv) == 2 else ""
    if not re.fullmatch(_VERSION, version):
        print("give one version, such as 0.2.0 or 0.2.0rc1", file=sys.stderr)
        return 2
    for package in PACKAGES:
        text = package.pyproject.read_text(encoding="utf-8")
        text = re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', text, count=1)
        head, mark, rest = text.partition("dependencies = ")
        rest = re.sub(_PINNED, rf'"\g<1>\g<2>=={version}"', rest)
        package.pyproject.write_text(head + mark + rest, encoding="utf-8")
    return 0


def differences() -> Iterator[str]:
    """What isn't in lockstep, a sentence each."""
    first = PACKAGES[0].project["version"]
    for package in PACKAGES:
        project = package.project
        if project["version"] != first:
            yield f"{package.pyproject}: version {project['version']}, not {first}"
        lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
        for requirement in (each for one in lists for each in one):
            match = re.fullmatch(_PINNED, f'"{requirement}"')
            if match and match[3] != f"=={first}":
                yield f"{package.pyproject}: {requirement!r} must be pinned with =={first}"


if __name__ == "__main__":
    sys.exit(main())
