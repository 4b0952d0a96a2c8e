"""One JSON line an action. Never the event itself: its ResponseURL is a credential."""

from __future__ import annotations

import json
from typing import Any


def action(name: str, **fields: Any) -> None:
    """Print one structured line; Lambda sends standard output to the function's log group."""
    print(json.dumps({"action": name, **fields}, default=str, ensure_ascii=False), flush=True)
