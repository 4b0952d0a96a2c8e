"""The arguments; imports nothing heavy, so that `--help` answers at once."""

from __future__ import annotations

import argparse
from typing import TypeAlias

from .usage import Parser, Version
from .values import split_value

FORMAT_HELP = {
    "png": "class-index PNGs with a palette, images beside them (default)",
    "coco": "COCO annotations, run-length encoded",
    "coco-polygons": "COCO annotations, polygons that pycocotools alone fills exactly; for YOLO use yolo-seg",
    "yolo-seg": "YOLO segmentation, polygons that OpenCV fills exactly",
    "voc": "Pascal VOC tree; also CVAT's Segmentation mask 1.1",
    "cityscapes": "Cityscapes tree, as MMSegmentation reads it",
    "ade20k": "ADE20K tree, as MMSegmentation reads it",
    "datumaro": "Datumaro's own format",
    "cvat": "CVAT for images 1.1, masks as run lengths",
    "label-studio": "Label Studio tasks with brush masks as predictions",
    "hf-imagefolder": "Hugging Face image folder with metadata.jsonl",
    "hf-parquet": "Hugging Face Parquet with features (needs pyarrow)",
    "numpy": ".npy arrays",
    "sagemaker": "channels of SageMaker's built-in segmentation algorithm",
}

_EPILOG = """\
examples:
  ground-truth-labels check s3://bucket/labels/streets/manifests/output/output.manifest
  ground-truth-labels export job-folder dataset --format coco --split 80/10/10
  ground-truth-labels report job-folder report.html --labels categories.json
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser: argparse.ArgumentParser = Parser(
        prog="ground-truth-labels",
        description="Read, check, export and report SageMaker Ground Truth segmentation labels.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _read(commands)
    _check(commands)
    _export(commands)
    _agreement(commands)
    _workers(commands)
    _report(commands)
    _repair(commands)
    _relabel(commands)
    _merge(commands)
    _partial(commands)
    _import(commands)
    return parser


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _command(
    commands: _Commands, name: str, summary: str, text: str = "", *, several: bool = False
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=text or summary)
    place = "s3://…/output.manifest, a file, or a copy of the job's folder"
    if several:
        parser.add_argument("manifest", nargs="+", help=f"{place}; two or more")
    else:
        parser.add_argument("manifest", help=place)
    group = parser.add_argument_group("what to read")
    group.add_argument(
        "--job", action="store_true", help="MANIFEST is a labeling job's name, asked of SageMaker"
    )
    group.add_argument(
        "--profile", metavar="NAME", help="of your AWS configuration; default: as boto3 has it"
    )
    group.add_argument("--attribute", help="label attribute; default: the only one there is")
    group.add_argument(
        "--labels",
        metavar="FILE|NAMES",
        help="category file (.json), file with a name a line, names (road,car) or ids (road=1,car=2); "
        "default: those found",
    )
    group.add_argument(
        "--background", type=int, default=0, metavar="ID", help="id of the background; default: 0"
    )
    group.add_argument(
        "--unknown",
        choices=("error", "ignore", "background"),
        default="error",
        help="colours outside the map: an error, 255, or background; default: error",
    )
    group.add_argument(
        "--alpha",
        choices=("visible", "opaque", "color"),
        default="visible",
        help="pixels that count: all but fully transparent (default), fully opaque, all",
    )
    group.add_argument(
        "--orientation",
        choices=("stored", "upright"),
        default="stored",
        help="how workers saw images that EXIF turns, where sizes don't tell; default: stored",
    )
    group.add_argument(
        "--root",
        metavar="FOLDER",
        help="copy of the bucket; default: the folder named, then S3",
    )
    group.add_argument("--mask-root", metavar="FOLDER", help="the same for masks; default: --root")
    group.add_argument("--endpoint-url", metavar="URL", help="S3 endpoint; default: as boto3 finds it")
    group.add_argument("--workers", type=int, metavar="N", help="threads; default: one a core")
    group.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _choices(parser: argparse.ArgumentParser, *, several: bool = True) -> None:
    """Which labels are used, and as which classes."""
    group = parser.add_argument_group("which of it, and as what")
    if several:
        group.add_argument(
            "--also",
            action="append",
            default=[],
            metavar="MANIFEST",
            help="read as one with MANIFEST, one numbering of classes; may be repeated",
        )
    group.add_argument(
        "--min-confidence", type=float, metavar="0.8", help="labels of at least this confidence alone"
    )
    group.add_argument("--human", choices=("yes", "no"), help="labels made by people alone, or by no people")
    group.add_argument("--verdict", help="labels of which the last verification says this, such as good")
    group.add_argument(
        "--keys",
        metavar="FILE",
        help="images alone that the file names: a reference, or its end, on each line",
    )
    group.add_argument(
        "--merge",
        nargs="+",
        action="append",
        default=[],
        metavar="NEW CLASS",
        help="read classes as one: the new name, then theirs; may be repeated",
    )
    group.add_argument(
        "--drop", action="append", default=[], metavar="CLASS", help="read as background; may be repeated"
    )


def _read(commands: _Commands) -> None:
    parser = _command(commands, "read", "list the objects with state, classes and confidence")
    _choices(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--limit", type=int, metavar="N", help="stop after N objects")


def _check(commands: _Commands) -> None:
    text = "Look at every line, mask and image. Exit code 0: fine, 1: errors (with --strict: or warnings)."
    parser = _command(commands, "check", "find what would spoil training", text)
    _choices(parser)
    parser.add_argument("--json", action="store_true", help="the whole result as JSON")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument("--no-images", action="store_true", help="do not open the images")


def _export(commands: _Commands) -> None:
    text = (
        "Write the labels in a layout that training code reads. Interrupted, it goes on when repeated. "
        "formats: " + "; ".join(f"{name}: {what}" for name, what in FORMAT_HELP.items())
    )
    parser = _command(commands, "export", "write training data", text)
    _choices(parser)
    parser.add_argument("target", help="new or empty folder, or s3:// prefix")
    parser.add_argument("--format", choices=tuple(FORMAT_HELP), default="png", help="layout; default: png")
    parser.add_argument(
        "--split",
        type=split_value,
        metavar="80/10/10",
        help="shares of train/validation/test (two or three), stratified by class; default: none",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the split; default: 0")
    parser.add_argument("--no-images", action="store_true", help="masks only")
    parser.add_argument(
        "--no-negatives", action="store_true", help="leave out images whose mask is background all over"
    )
    parser.add_argument(
        "--regions", action="store_true", help="COCO: an annotation for each region of connected pixels"
    )
    parser.add_argument("--skip-broken", action="store_true", help="leave out what cannot be decoded")


def _agreement(commands: _Commands) -> None:
    parser = _command(commands, "agreement", "compare the workers with the result and each other")
    _choices(parser, several=False)
    parser.add_argument("--json", action="store_true", help="the whole result as JSON")
    parser.add_argument(
        "--responses", metavar="LOCATION", help="default: worker-response beside the manifest"
    )
    parser.add_argument("--names", action="store_true", help="workers' ids; default: pseudonyms")


def _workers(commands: _Commands) -> None:
    text = (
        "Answers, time and agreement of each worker. A consolidated label is made from the answers, so with "
        "few workers it flatters them; images whose label is known beforehand (--known) don't."
    )
    parser = _command(commands, "workers", "how much, how fast and how well each worker works", text)
    _choices(parser, several=False)
    parser.add_argument("--json", action="store_true", help="the whole result as JSON")
    parser.add_argument(
        "--responses", metavar="LOCATION", help="default: worker-response beside the manifest"
    )
    parser.add_argument("--names", action="store_true", help="workers' ids; default: pseudonyms")
    parser.add_argument("--known", metavar="MANIFEST", help="known labels of some of the images")
    parser.add_argument(
        "--activity",
        metavar="FILE",
        help="events of /aws/sagemaker/groundtruth/WorkerActivity: who declined how many tasks",
    )


def _report(commands: _Commands) -> None:
    parser = _command(commands, "report", "one HTML page with pictures")
    _choices(parser)
    parser.add_argument("--names", action="store_true", help="workers' ids; default: pseudonyms")
    parser.add_argument("target", nargs="?", default="labels-report.html", help="default: labels-report.html")
    parser.add_argument("--title", help="heading; default: the job's name")


def _repair(commands: _Commands) -> None:
    text = "Copy masks and manifest with right palette indices (jobs of June-September 2020); never in place."
    parser = _command(commands, "repair", "write a copy with right palette indices", text)
    parser.add_argument("target", help="new or empty folder, or s3:// prefix")


def _relabel(commands: _Commands) -> None:
    text = (
        "Rename, merge or drop classes in a copy of masks and manifest: what needs no worker. The original "
        "stays as it is."
    )
    parser = _command(commands, "relabel", "rename, merge or drop classes in a copy", text)
    parser.add_argument("target", help="new or empty folder, or s3:// prefix")
    parser.add_argument(
        "--rename", nargs=2, action="append", default=[], metavar=("CLASS", "NEW"), help="may be repeated"
    )
    parser.add_argument(
        "--merge",
        nargs="+",
        action="append",
        default=[],
        metavar="NEW CLASS",
        help="the new name, then two classes or more; may be repeated",
    )
    parser.add_argument(
        "--drop", action="append", default=[], metavar="CLASS", help="becomes background; may be repeated"
    )
    parser.add_argument("--label-attribute", metavar="NAME", help="to write; default: the one that is read")


def _merge(commands: _Commands) -> None:
    text = (
        "Write one manifest of several jobs' outputs: for each image and label attribute the newest label "
        "that can be read. Labels that contradict each other are listed."
    )
    parser = _command(commands, "merge", "one manifest of several jobs", text, several=True)
    parser.add_argument("target", help="new or empty folder, or s3:// prefix")
    parser.add_argument(
        "--into", metavar="NAME", help="one attribute for all segmentations: the newest of them"
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 if labels contradict each other")


def _partial(commands: _Commands) -> None:
    text = (
        "Make labels of the answers that an ended job has of images it never finished, pixel by pixel by "
        "most votes, marked as such; in a copy."
    )
    parser = _command(commands, "partial", "labels of images that lack answers", text)
    parser.add_argument("target", help="new or empty folder, or s3:// prefix")
    parser.add_argument("--min-answers", type=int, default=1, metavar="N", help="an image needs; default: 1")
    parser.add_argument(
        "--responses", metavar="LOCATION", help="default: worker-response beside the manifest"
    )
    parser.add_argument("--label-attribute", metavar="NAME", help="default: the manifest's")


def _import(commands: _Commands) -> None:
    text = (
        "Write what was labeled in CVAT (CVAT for images 1.1, Segmentation mask 1.1) or Label Studio (JSON) "
        "as a job's output: masks, and an output manifest that the service, this library and an "
        "adjustment job read. The manifest, also an input manifest, says which images there are."
    )
    parser = _command(commands, "import", "bring labels from CVAT or Label Studio back", text)
    parser.add_argument("source", help="the tool's export: a folder, a zip or a file")
    parser.add_argument("target", help="new or empty folder, or s3:// prefix: the job's folder")
    parser.add_argument("--label-attribute", metavar="NAME", help="default: the manifest's, or label-ref")
    parser.add_argument("--job-name", default="imported", metavar="NAME", help="default: imported")
    parser.add_argument("--uri", metavar="S3URI", help="where a local target will lie in S3")
    parser.add_argument(
        "--empty",
        choices=("unlabeled", "background"),
        default="unlabeled",
        help="what an image is on which nothing is drawn; default: unlabeled",
    )
