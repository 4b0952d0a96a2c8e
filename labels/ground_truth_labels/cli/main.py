"""Entry point: parse, run one command, turn errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .parser import build_parser

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code.

    0: done, nothing found. 1: the command found problems (check) or stopped at one. 2: wrong usage.
    """
    options = build_parser().parse_args(arguments)
    # Imported late: NumPy and Pillow would make --help wait.
    from ..errors import LabelsError
    from . import commands

    try:
        return int(getattr(commands, f"run_{options.command}")(options))
    except LabelsError as error:
        print(f"ground-truth-labels {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; an export goes on when repeated with the same options", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
