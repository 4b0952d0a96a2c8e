"""`python -m releasing.inventory [--check]`: writes what each package is made of, and needs.

`sbom.cdx.json` (CycloneDX 1.6, in the wheel's `.dist-info/sboms` by PEP 770) and `NOTICE`, both from the
metadata of what the lock installs. They hold no time and no random number, so that a build can be repeated.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from .environment import asked_for
from .packages import NAMES, PACKAGES, Package

#: Licences by what a distribution without an expression calls them.
_CALLED = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "Python Software Foundation License": "PSF-2.0",
}


def main() -> int:
    """Write both files of each package, or tell which is out of date."""
    checking = sys.argv[1:] == ["--check"]
    old = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if checking:
        for path in old:
            print(f"{path} isn't what the lock installs: run python -m releasing.inventory", file=sys.stderr)
        return 1 if old else 0
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


def files() -> dict[Path, str]:
    """What should stand in the files, by path."""
    found = {}
    for package in PACKAGES:
        needs = asked_for(package.project["dependencies"])
        found[package.folder / "sbom.cdx.json"] = json.dumps(_sbom(package, needs), indent=1) + "\n"
        found[package.folder / "NOTICE"] = _notice(package, needs)
    return found


def _sbom(package: Package, needs: dict[str, Distribution]) -> dict[str, Any]:
    version = package.project["version"]
    own = {
        "type": "library",
        "bom-ref": package.name,
        "name": package.name,
        "version": version,
        "purl": f"pkg:pypi/{package.name}@{version}",
        "licenses": [{"expression": package.project["license"]}],
    }
    siblings = [name for name in _direct(package.project["dependencies"]) if name in NAMES]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": [
            *(
                {**own, "bom-ref": name, "name": name, "purl": f"pkg:pypi/{name}@{version}"}
                for name in siblings
            ),
            *(_component(name, needs[name]) for name in sorted(needs)),
        ],
        "dependencies": [
            {"ref": package.name, "dependsOn": _known(package.project["dependencies"], needs)},
            *(
                {"ref": name, "dependsOn": _known(needs[name].requires or [], needs)}
                for name in sorted(needs)
            ),
        ],
    }


def _component(name: str, found: Distribution) -> dict[str, Any]:
    part = {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": found.version,
        "purl": f"pkg:pypi/{name}@{found.version}",
    }
    licence = _licence(found)
    return {**part, "licenses": [{"license": {"name": licence}}]} if licence else part


def _licence(found: Distribution) -> str:
    metadata = found.metadata
    expression = metadata.json.get("license_expression")
    if expression:
        return str(expression)
    called = [
        each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier") or () if "License" in each
    ]
    names = [_CALLED.get(each, each) for each in called if each != "OSI Approved"]
    # Some paste the whole text where a name belongs.
    short = str(metadata.json.get("license") or "").strip()
    return " AND ".join(names) or (short if 0 < len(short) < 40 else "")


def _direct(requirements: list[str]) -> list[str]:
    names = (re.match(r"[\w.-]+", each.partition(";")[0]) for each in requirements if "extra" not in each)
    return sorted({name[0].lower().replace("_", "-") for name in names if name})


def _known(requirements: list[str], needs: dict[str, Distribution]) -> list[str]:
    return [name for name in _direct(requirements) if name in needs or name in NAMES]


def _notice(package: Package, needs: dict[str, Distribution]) -> str:
    lines = [
        package.name,
        "Copyright the contributors of cdk-ground-truth. Licensed under Apache-2.0; see LICENSE.",
        "",
        "This distribution holds no code of others. It asks an installer for the packages below, each of",
        "which brings its own licence; versions are those of the lock that it was tested with.",
        "",
    ]
    lines += [
        f"{name} {needs[name].version}: {_licence(needs[name]) or 'see its metadata'}"
        for name in sorted(needs)
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
