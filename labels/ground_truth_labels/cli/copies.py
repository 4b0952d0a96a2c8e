"""The commands that write labels anew, as a copy: repair, relabel, merge, partial, import."""

from __future__ import annotations

import argparse

from ..errors import ManifestError
from ..imports import import_labels
from ..merging import merge
from ..partial_answers import partial
from ..relabeling import relabel
from ..repairs import repair
from ..responses import WorkerResponses
from .shared import groups_of, manifest_of, progress_of, say

_SHOWN = 20


def run_repair(options: argparse.Namespace) -> int:
    """`repair`."""
    manifest = manifest_of(options)
    with progress_of(options, "repairing") as progress:
        result = repair(manifest, options.target, workers=options.workers, progress=progress)
    say(f"{result.manifest}: {result.corrected:,} masks corrected, {result.unchanged:,} were right")
    return 0


def run_import(options: argparse.Namespace) -> int:
    """`import`."""
    manifest = manifest_of(options)
    with progress_of(options, "importing") as progress:
        result = import_labels(
            manifest,
            options.source,
            options.target,
            attribute=options.label_attribute,
            job_name=options.job_name,
            uri=options.uri,
            empty=options.empty,
            workers=options.workers,
            progress=progress,
        )
    say(f"{result.manifest}: {result.imported:,} images labeled as {result.attribute!r}")
    for count, what in (
        (result.empty, "have nothing drawn on them; --empty background takes that for a label"),
        (result.kept, "keep the label that they had"),
        (result.unlabeled, "have no label"),
    ):
        if count:
            say(f"{count:,} {what}")
    return 0


def run_relabel(options: argparse.Namespace) -> int:
    """`relabel`."""
    manifest = manifest_of(options)
    with progress_of(options, "relabeling") as progress:
        result = relabel(
            manifest,
            options.target,
            rename=_renamed(options.rename),
            merge=groups_of(options.merge),
            drop=options.drop,
            attribute=options.label_attribute,
            workers=options.workers,
            progress=progress,
        )
    say(
        f"{result.manifest}: {result.repainted:,} masks repainted, {result.renamed:,} under other names, "
        f"{result.unchanged:,} unchanged; classes of {result.attribute!r}: {', '.join(result.classes)}"
    )
    return 0


def _renamed(given: list[list[str]]) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for old, new in given:
        if renamed.setdefault(old, new) != new:
            raise ManifestError(f"{old!r} is named twice; say once what becomes of it")
    return renamed


def run_merge(options: argparse.Namespace) -> int:
    """`merge`: 1 with `--strict` if labels contradict each other."""
    manifests = [manifest_of(options, given) for given in options.manifest]
    with progress_of(options, "merging") as progress:
        result = merge(
            manifests, options.target, into=options.into, workers=options.workers, progress=progress
        )
    labels = ", ".join(f"{count:,} with {name!r}" for name, count in result.labels.items())
    say(f"{result.manifest}: {result.images:,} images, {labels or 'none with a label'}")
    for conflict in result.conflicts[:_SHOWN]:
        say(
            f"{conflict.source_ref}: {conflict.attribute!r} of {conflict.chosen} is kept; "
            f"{conflict.other}: {conflict.reason}"
        )
    if len(result.conflicts) > _SHOWN:
        say(f"and {len(result.conflicts) - _SHOWN:,} more")
    return 1 if options.strict and result.conflicts else 0


def run_partial(options: argparse.Namespace) -> int:
    """`partial`."""
    manifest = manifest_of(options)
    responses = WorkerResponses(manifest, location=options.responses)
    with progress_of(options, "consolidating") as progress:
        result = partial(
            manifest,
            options.target,
            min_answers=options.min_answers,
            responses=responses,
            attribute=options.label_attribute,
            workers=options.workers,
            progress=progress,
        )
    say(
        f"{result.manifest}: {result.made:,} labels made of answers, {result.labeled:,} were there, "
        f"{result.missing:,} images have fewer than {options.min_answers} answers"
    )
    for text in result.problems[:_SHOWN]:
        say(f"look at: {text}")
    return 0
