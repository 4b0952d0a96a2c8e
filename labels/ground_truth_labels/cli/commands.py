"""What each command does."""

from __future__ import annotations

import argparse
import json
import sys

from ..checks import CheckResult, check
from ..exports import export
from ..item import Item
from ..opening import read_manifest
from ..quality import WorkerQualityResult, worker_quality
from ..reports import report
from ..responses import WorkerResponses
from ..workers import AgreementResult, agreement
from .shared import manifest_of, progress_of, say
from .tables import table
from .values import printable

_SHOWN = 40
_EXAMPLES = 3
_KEYS = (
    "line",
    "index",
    "state",
    "source_ref",
    "attribute",
    "mask_ref",
    "confidence",
    "human",
    "job_name",
    "created",
    "failure",
)


def _dump(value: object, indent: int | None = 2) -> str:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # JSON has escapes of its own for what a terminal must not get.
    return text if printable(text) == text else json.dumps(value, indent=indent)


def run_read(options: argparse.Namespace) -> int:
    """`read`: 1 if a line cannot be used."""
    bad = 0
    for count, item in enumerate(manifest_of(options).items()):
        if options.limit is not None and count >= options.limit:
            break
        bad += item.state == "invalid"
        say(_dump(_as_json(item), None) if options.json else _as_text(item))
    return 1 if bad else 0


def run_check(options: argparse.Namespace) -> int:
    """`check`: 1 if there are errors, or warnings with `--strict`."""
    manifest = manifest_of(options)
    with progress_of(options, "checking") as progress:
        result = check(manifest, images=not options.no_images, workers=options.workers, progress=progress)
    if options.json:
        say(_dump(result.as_dict()))
    else:
        _print_check(result)
    return 1 if result.errors or (options.strict and result.warnings) else 0


def run_export(options: argparse.Namespace) -> int:
    """`export`: 1 also if no image was left to export."""
    manifest = manifest_of(options)
    with progress_of(options, "exporting") as progress:
        result = export(
            manifest,
            options.target,
            format=options.format,
            split=options.split,
            seed=options.seed,
            images=not options.no_images,
            negatives=not options.no_negatives,
            regions=options.regions,
            skip_broken=options.skip_broken,
            workers=options.workers,
            progress=progress,
        )
    for split, count in result.exported.items():
        say(f"{split or 'exported'}: {count:,} images")
    for state, count in result.left_out.items():
        say(f"left out, {state}: {count:,} (see _labels/left-out.jsonl)")
    if result.resumed:
        say(f"of these, {result.resumed:,} were there from an earlier run")
    if not any(result.exported.values()):
        say("no image was exported: nothing can be trained on this", file=sys.stderr)
        return 1
    return 0


def run_agreement(options: argparse.Namespace) -> int:
    """`agreement`: 1 if there are no worker responses."""
    manifest = manifest_of(options)
    responses = WorkerResponses(manifest, location=options.responses, names=options.names)
    if not len(responses):
        say(f"{responses.location}: no worker responses; name the folder with --responses", file=sys.stderr)
        return 1
    with progress_of(options, "comparing") as progress:
        result = agreement(manifest, responses=responses, workers=options.workers, progress=progress)
    if options.json:
        say(_dump(result.as_dict()))
    else:
        _print_agreement(result)
    return 0


def run_workers(options: argparse.Namespace) -> int:
    """`workers`: 1 if there are no worker responses."""
    manifest = manifest_of(options)
    responses = WorkerResponses(manifest, location=options.responses, names=options.names)
    if not len(responses):
        say(f"{responses.location}: no worker responses; name the folder with --responses", file=sys.stderr)
        return 1
    known = None
    if options.known:
        known = read_manifest(
            options.known,
            labels=manifest.labels,
            unknown=options.unknown,
            root=options.root,
            storage=manifest.storage,
        )
    with progress_of(options, "comparing") as progress:
        result = worker_quality(
            manifest,
            responses=responses,
            known=known,
            activity=options.activity,
            workers=options.workers,
            progress=progress,
        )
    if options.json:
        say(_dump(result.as_dict()))
    else:
        _print_workers(result)
    return 0


def run_report(options: argparse.Namespace) -> int:
    """`report`."""
    manifest = manifest_of(options)
    with progress_of(options, "reading") as progress:
        result = report(
            manifest,
            options.target,
            title=options.title,
            names=options.names,
            workers=options.workers,
            progress=progress,
        )
    say(result.location)
    return 0


def _as_json(item: Item) -> dict[str, object]:
    value: dict[str, object] = {key: getattr(item, key) for key in _KEYS}
    value["classes"] = list(item.classes)
    value["verifications"] = [{"attribute": v.attribute, "class": v.class_name} for v in item.verifications]
    value["error"] = str(item.error) if item.error else None
    return value


def _as_text(item: Item) -> str:
    if item.state != "labeled":
        return (
            f"{item.line:>6}  {item.state:<9}  {item.source_ref}  {item.failure or item.error or ''}".rstrip()
        )
    who = "human" if item.human else "machine"
    confidence = "-" if item.confidence is None else f"{item.confidence:.2f}"
    return f"{item.line:>6}  labeled    {item.source_ref}  {who} {confidence}  {', '.join(item.classes)}"


def _print_check(result: CheckResult) -> None:
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(result.states.items()))
    say(f"{result.location}\n{result.lines:,} objects: {states}; attribute {result.attribute}\n")
    rows = [
        [name, str(result.classes[name]), f"{share:.2%}", f"{result.images[name]:,}"]
        for name, share in result.pixels.items()
    ]
    say(table(["class", "id", "pixels", "images"], rows, left=1))
    kinds: dict[tuple[str, str], list[str]] = {}
    for problem in result.problems:
        kinds.setdefault((problem.severity, problem.code), []).append(problem.message)
    for (severity, code), messages in list(kinds.items())[:_SHOWN]:
        count = f" ({len(messages):,} times)" if len(messages) > 1 else ""
        say(f"{severity}: [{code}]{count} {messages[0]}")
        for message in messages[1:_EXAMPLES]:
            say(f"    {message}")
        if len(messages) > _EXAMPLES:
            say(f"    … and {len(messages) - _EXAMPLES:,} more; --json has all")
    say(f"{len(result.errors):,} errors, {len(result.warnings):,} warnings")


def _print_agreement(result: AgreementResult) -> None:
    rows = [
        [w.worker, f"{w.images:,}", f"{w.pixel_agreement:.1%}", _number(w.mean_iou)] for w in result.workers
    ]
    say(table(["worker", "images", "pixels", "mean IoU"], rows, left=1))
    say(table(["class", "IoU"], [[name, _number(value)] for name, value in result.iou.items()], left=1))
    worst = [[str(i.line), _number(i.mean_iou), i.source_ref] for i in result.images[:5]]
    say(table(["line", "IoU", "least agreement"], worst, left=0, last_left=True))
    for text in [*result.look_at, *result.problems]:
        say(f"look at: {text}")


def _print_workers(result: WorkerQualityResult) -> None:
    columns = ["worker", "images", "s/image", "images/h", "declined", "returned", "mean IoU", "known", "IoU"]
    rows = [
        [
            w.worker,
            f"{w.images:,}",
            "-" if w.seconds is None else f"{w.seconds:,.1f}",
            "-" if w.images_an_hour is None else f"{w.images_an_hour:,.1f}",
            "-" if w.declined is None else f"{w.declined:,}",
            "-" if w.returned is None else f"{w.returned:,}",
            _number(w.mean_iou),
            f"{w.known_images:,}",
            _number(w.known_iou),
        ]
        for w in result.workers
    ]
    say(table(columns, rows, left=1))
    classes = list(dict.fromkeys(name for w in result.workers for name in w.iou))
    rows = [[name, *(_number(w.iou.get(name)) for w in result.workers)] for name in classes]
    say(table(["class", *(w.worker for w in result.workers)], rows, left=1))
    for text in result.problems:
        say(f"look at: {text}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
