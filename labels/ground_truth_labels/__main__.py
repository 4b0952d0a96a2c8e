"""`python -m ground_truth_labels`."""

from __future__ import annotations

import sys

from ground_truth_labels.cli.main import main

__all__: list[str] = []

sys.exit(main())
