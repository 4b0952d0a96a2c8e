"""Entry point: parse, run one command, turn errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .parser import build_parser
from .values import printable

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code.

    0: done, nothing found. 1: the command found problems (check) or stopped at one. 2: wrong usage.
    """
    options = build_parser().parse_args(arguments)
    # They are imported late: NumPy and Pillow would make --help wait.
    from ..errors import LabelsError
    from . import commands, copies

    _speak_any_alphabet()
    try:
        name = f"run_{options.command}"
        return int(getattr(copies if hasattr(copies, name) else commands, name)(options))
    except LabelsError as error:
        return _say(options.command, str(error))
    except KeyboardInterrupt:
        print("interrupted; an export goes on when repeated with the same options", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        return _say(options.command, "there is not enough memory; fewer --workers need less")
    except OSError as error:
        return _say(options.command, f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        # This is the last boundary: whatever nobody thought of still is one line, and a traceback for
        # whoever asks.
        if os.environ.get("GROUND_TRUTH_LABELS_DEBUG"):
            raise
        return _say(
            options.command,
            f"unexpected {type(error).__name__}: {error}; please report it, with the traceback that "
            "GROUND_TRUTH_LABELS_DEBUG=1 shows",
        )


def _say(command: str, message: str) -> int:
    print(f"ground-truth-labels {command}: {printable(message)}", file=sys.stderr)
    return 1


def _speak_any_alphabet() -> None:
    """A terminal that has no Japanese, or a lone surrogate, gets an escape and no error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
