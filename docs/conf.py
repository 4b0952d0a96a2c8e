"""The documentation site: `make docs`. Its sources are the repository's Markdown files, where they lie."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

project = "cdk-ground-truth"
author = "the contributors of cdk-ground-truth"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "README.md",
    "labels/README.md",
    "local/README.md",
    "examples/README.md",
    "examples/*/README.md",
    "changes/README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
]
exclude_patterns = [
    ".venv*", "node_modules", "cdk.out", "dist", ".cache", "demo-output", ".local-aws", "site", "tests",
]  # fmt: skip

# Headings are what pages link to; three levels of them have addresses, as on GitHub.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
nitpicky = True

html_theme = "furo"
html_title = f"cdk-ground-truth {release}"
html_show_sourcelink = False
