"""IAM's verdicts by an evaluator of somebody else's: a library for Node, run as a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

#: Action, resource, context keys.
Request = tuple[str, str, Mapping[str, Any]]
_SCRIPT = Path(__file__).with_suffix(".mjs")


def verdicts(cases: Iterable[tuple[Sequence[Mapping[str, Any]], Sequence[Request]]]) -> list[list[bool]]:
    """Whether each case's statements, as a role's one policy, allow each of its requests.

    The library takes a `*` in a *request's* resource for "any of them". Such a resource is asked about as the
    value of a condition key, against the same patterns: IAM reads them alike.
    """
    lines = [
        json.dumps({"statements": list(statements), "requests": list(asked)}) for statements, asked in cases
    ]
    done = subprocess.run(
        ["node", str(_SCRIPT)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    return answers
