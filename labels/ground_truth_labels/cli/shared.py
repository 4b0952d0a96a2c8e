"""What all commands do alike: read the manifest, show how far they are, and print."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO

from ..manifest import Manifest, read_manifest
from ..progress import Progress, ProgressBar
from .values import printable


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print what may hold names that somebody else chose."""
    print(printable(text), file=file or sys.stdout)


def manifest_of(options: argparse.Namespace, given: str | None = None) -> Manifest:
    """The manifest that the arguments name, or another one, read as they say."""
    given = options.manifest if given is None else given
    return read_manifest(
        None if options.job else given,
        job=given if options.job else None,
        profile=options.profile,
        attribute=options.attribute,
        labels=options.labels,
        background=options.background,
        unknown=options.unknown,
        alpha=options.alpha,
        orientation=options.orientation,
        root=options.root,
        mask_root=options.mask_root,
        endpoint_url=options.endpoint_url,
    )


@contextlib.contextmanager
def progress_of(options: argparse.Namespace, label: str) -> Iterator[Progress | None]:
    """A bar on the terminal, unless nobody wants one."""
    if options.quiet:
        yield None
        return
    bar = ProgressBar(label)
    try:
        yield bar
    finally:
        bar.close()
