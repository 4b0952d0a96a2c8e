"""What of the public API went since the last tag, as griffe reads both from the sources."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import griffe

from .packages import PACKAGES, ROOT


def breaks(root: Path = ROOT) -> Iterator[str]:
    """Each break since the newest tag `v*`, a line each; none without a tag or in a new major version."""
    tag = _last_tag(root)
    if tag is None:
        print("     there is no tag v* yet, so nothing that could be broken")
        return
    old, new = tag.removeprefix("v").split("."), PACKAGES[0].project["version"].split(".")
    # Before 1.0 a minor version may break, as Semantic Versioning has it.
    if old[0] != new[0] or (new[0] == "0" and old[1] != new[1]):
        print(f"     {tag} was of another {'minor' if new[0] == '0' else 'major'} version")
        return
    for package in PACKAGES:
        place = next(path for path in root.glob(f"*/{package.module}") if path.is_dir())
        paths = [str(place.parent.relative_to(root))]
        before = griffe.load_git(
            package.module, ref=tag, repo=root, search_paths=paths, allow_inspection=False
        )
        now = griffe.load(package.module, search_paths=[place.parent], allow_inspection=False)
        for found in griffe.find_breaking_changes(before, now):
            yield found.explain(griffe.ExplanationStyle.ONE_LINE)


def _last_tag(root: Path) -> str | None:
    command = ["git", "-C", str(root), "describe", "--tags", "--abbrev=0", "--match", "v*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
