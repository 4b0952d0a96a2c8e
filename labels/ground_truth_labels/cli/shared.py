"""What all commands do alike: read the manifest, show how far they are, and print."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from ..manifest import Manifest
from ..opening import read_manifest
from ..progress import Progress, ProgressBar
from .values import printable


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print what may hold names that somebody else chose."""
    print(printable(text), file=file or sys.stdout)


def manifest_of(options: argparse.Namespace, given: str | None = None) -> Manifest:
    """The manifest that the arguments name, or another one, read as they say."""
    also = getattr(options, "also", [])
    place: str | list[str] = options.manifest if given is None else given
    if also:
        place = [options.manifest, *also]
    manifest = read_manifest(
        None if options.job else place,
        job=place if options.job else None,
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
        **_merging(options),
    )
    return _chosen(manifest, options)


def _merging(options: argparse.Namespace) -> dict[str, Any]:
    """What `--merge` and `--drop` say in reading; `relabel` has its own, and `merge` none."""
    if "keys" not in options:
        return {}
    return {"merge": groups_of(options.merge), "drop": options.drop}


def groups_of(given: list[list[str]]) -> dict[str, list[str]]:
    """What `--merge` says: new name → classes; one name may be given several times."""
    groups: dict[str, list[str]] = {}
    for new, *olds in given:
        groups.setdefault(new, []).extend(olds)
    return groups


def _chosen(manifest: Manifest, options: argparse.Namespace) -> Manifest:
    if "keys" not in options:
        return manifest
    wishes = {
        "min_confidence": options.min_confidence,
        "human": None if options.human is None else options.human == "yes",
        "verdict": options.verdict,
        "keys": options.keys,
    }
    return manifest if all(wish is None for wish in wishes.values()) else manifest.where(**wishes)


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
