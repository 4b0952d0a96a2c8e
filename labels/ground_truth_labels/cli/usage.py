"""What is said of wrong usage, and of the version."""

from __future__ import annotations

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line: twenty of usage would hide it."""

    def error(self, message: str) -> NoReturn:
        """Leave with code 2 and the line."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


class Version(argparse.Action):
    """Looks the version up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Leave with the version."""
        from importlib import metadata

        try:
            print(f"ground-truth-labels {metadata.version('ground-truth-labels')}")
        except metadata.PackageNotFoundError:
            print("ground-truth-labels, of a folder: it is not installed, so it has no version")
        parser.exit()
