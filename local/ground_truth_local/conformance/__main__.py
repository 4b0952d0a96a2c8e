"""`python -m ground_truth_local.conformance`: holds the table against the embedded AWS or a real account."""

from __future__ import annotations

import sys

from .command import main

sys.exit(main())
