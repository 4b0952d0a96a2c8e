"""Every export, opened by the tools that it is for: `make interop`.

    python -m tests.interop [--write]

Writes a job with holes, single pixels, lines and noise, exports it in every format, has each tool read it in
a process of its own, and compares every pixel's class with what was drawn. The table in labels/README.md is
this run's: it must be equal, or is written with `--write`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ground_truth_labels import export, read_manifest
from ground_truth_labels.exports import FORMATS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
README = ROOT / "labels/README.md"
BEGIN, END = "<!-- formats: written by make interop -->", "<!-- formats: end -->"
CLASSES = [
    "road", "side walk", "Fußweg", "car", "person", "sky", "traffic light", "pole", "dog", "tree", "cup",
]  # fmt: skip
SPLIT = {"train": 0.5, "validation": 0.5}
#: These hold one folder of images; the tools have no splits, or keep them elsewhere.
WHOLE = ("cvat", "label-studio")


@dataclass(frozen=True)
class Row:
    """One tool that reads one format.

    Attributes:
        format: The export.
        reader: Its function in `readers.py`.
        tool: What the table calls it; `{}` is the version.
        distribution: Where the version comes from.
        call: What to type.
        own: Whether the checkout's Python has the tool.
    """

    format: str
    reader: str
    tool: str
    distribution: str
    call: str
    own: bool = False


ROWS = (
    Row("png", "pillow", "Pillow {}", "pillow", "pixel value = class id"),
    Row("numpy", "numpy", "NumPy {}", "numpy", '`np.load(…, mmap_mode="r")`'),
    Row("coco", "pycocotools", "pycocotools {}", "pycocotools", "`COCO(…).annToMask`"),
    Row("coco", "datumaro-coco", "Datumaro {}", "datumaro", '`Dataset.import_from(folder, "coco")`'),
    Row("coco", "supervision", "supervision {}", "supervision", "`DetectionDataset.from_coco(…)`"),
    Row("coco-polygons", "pycocotools", "pycocotools {}", "pycocotools", "`COCO(…).annToMask`"),
    Row("coco-polygons", "supervision", "supervision {}", "supervision", "`DetectionDataset.from_coco(…)`"),
    Row("yolo-seg", "supervision-yolo", "supervision {}", "supervision", "`DetectionDataset.from_yolo(…)`"),
    Row("yolo-seg", "opencv-yolo", "OpenCV {}", "opencv-python-headless", "`fillPoly`, as Ultralytics fills"),
    Row("yolo-seg", "pycocotools-yolo", "pycocotools {}", "pycocotools", "its filling of polygons"),
    Row(
        "voc",
        "datumaro-voc",
        "Datumaro {}",
        "datumaro",
        'as `"voc_segmentation"`; CVAT\'s Segmentation mask 1.1',
    ),
    Row("datumaro", "datumaro", "Datumaro {}", "datumaro", '`Dataset.import_from(folder, "datumaro")`'),
    Row("cvat", "datumaro-cvat", "Datumaro {}", "datumaro", 'as `"cvat"`; CVAT for images 1.1'),
    Row(
        "label-studio",
        "label-studio",
        "label-studio-sdk {}",
        "label-studio-sdk",
        "`decode_rle` of its converter",
    ),
    Row(
        "cityscapes",
        "datumaro-cityscapes",
        "Datumaro {}",
        "datumaro",
        '`Dataset.import_from(folder, "cityscapes")`',
    ),
    Row(
        "ade20k",
        "mmsegmentation",
        "Pillow {}",
        "pillow",
        "by MMSegmentation's rules, `reduce_zero_label=True`",
    ),
    Row(
        "sagemaker",
        "pillow-sagemaker",
        "Pillow {}",
        "pillow",
        "channels of SageMaker's segmentation algorithm",
    ),
    Row(
        "hf-imagefolder",
        "datasets-folder",
        "datasets {}",
        "datasets",
        '`load_dataset("imagefolder", data_dir=…)`',
        own=True,
    ),
    Row("hf-parquet", "datasets-parquet", "datasets {}", "datasets", "`load_dataset(folder)`", own=True),
)


def masks() -> list[np.ndarray]:
    """Holes in holes, parts that touch at corners, single pixels, lines, noise, every class, one row."""
    rng = np.random.default_rng(11)
    rings = np.zeros((60, 80), np.uint8)
    for i in range(1, 28):
        rings[i : 60 - i, i : 80 - i] = rng.integers(0, 12) if i % 3 else 0
    dots = np.where(rng.random((50, 41)) < 0.05, rng.integers(1, 12, (50, 41)), 0).astype(np.uint8)
    lines = np.zeros((64, 64), np.uint8)
    lines[::7], lines[:, ::9] = 3, 4
    np.fill_diagonal(lines, 5)
    blocks = np.kron(rng.integers(0, 12, (9, 11)), np.ones((8, 8))).astype(np.uint8)
    noise = rng.integers(0, 4, (37, 53)).astype(np.uint8)
    row = np.arange(12, dtype=np.uint8).reshape(1, 12)
    large = np.kron(rng.integers(0, 12, (6, 8)), np.ones((90, 81))).astype(np.uint8)
    large[100:300, 200:400] = 0
    large[150:250, 250:350] = 2
    return [
        rings,
        dots,
        lines,
        blocks,
        noise,
        np.resize(row, (12, 36)),
        large,
        np.full((30, 20), 6, np.uint8),
    ]


def write_job(root: Path) -> Path:
    rng = np.random.default_rng(4)
    rgb = np.array([[255, 255, 255], *([20 * i, 255 - 9 * i, 37 * i % 256] for i in range(1, 12))], np.uint8)
    colors = {
        str(i): {"class-name": n, "hex-color": "#" + rgb[i].tobytes().hex()}
        for i, n in enumerate(["BACKGROUND", *CLASSES])
    }
    assert len({c["hex-color"] for c in colors.values()}) == len(colors)
    lines = []
    for index, mask in enumerate(masks()):
        image = Image.fromarray(rng.integers(0, 256, (*mask.shape, 3), dtype=np.uint8))
        image.save(root / f"photo {index}.jpg")
        picture = Image.fromarray(mask)
        picture.putpalette(rgb.tobytes())
        picture.save(root / f"{index}.png")
        metadata = {"internal-color-map": colors, "type": "groundtruth/semantic-segmentation"}
        line = {"source-ref": f"photo {index}.jpg", "l-ref": f"{index}.png", "l-ref-metadata": metadata}
        lines.append(line)
    path = root / "output.manifest"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def compare(found: Path, names: dict[str, int]) -> str:
    """`exact`, or the mean IoU over classes and images."""
    order = json.loads(found.with_suffix(".json").read_text())
    # Where a name can't have spaces it has other signs in their place.
    known = {n: i for i, name in enumerate(CLASSES, 1) for n in (name, name.replace(" ", "_"))}
    table = np.array([0, *(known.get(name, -1) for name in order)])
    truth = masks()
    read = {key.removeprefix("mask "): table[value] for key, value in np.load(found).items()}
    if set(read) != set(names):
        return f"images differ: {sorted(set(read) ^ set(names))[:4]}"
    ious = []
    for name, index in names.items():
        wanted, got = truth[index], read[name]
        if got.shape != wanted.shape:
            return f"{name}: {got.shape} for {wanted.shape}"
        for class_id in np.union1d(np.unique(wanted), np.unique(got)):
            a, b = wanted == class_id, got == class_id
            ious.append((a & b).sum() / (a | b).sum())
    return "exact" if min(ious) == 1 else f"mean IoU {np.mean(ious):.2f}"


def run(python: str) -> dict[Row, str]:
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "job").mkdir()
        manifest = read_manifest(write_job(root / "job"), labels=CLASSES, root=root / "job")
        names = {item.name: item.index for item in manifest}
        references = {item.source_ref: item.index for item in manifest}
        for name in FORMATS:
            export(manifest, root / name, format=name, split=None if name in WHOLE else SPLIT)
        for row in ROWS:
            target = root / f"{row.format} {row.reader}.npz"
            tool = sys.executable if row.own else python
            command = [tool, str(HERE / "readers.py"), row.reader, str(root / row.format), str(target)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=os.environ | QUIET)
            if done.returncode:
                results[row] = "fails: " + (done.stderr.strip().splitlines() or ["?"])[-1]
                print(done.stderr, file=sys.stderr)
            else:
                results[row] = compare(target, references if row.own else names)
            print(f"{row.format:16}{row.reader:22}{results[row]}", flush=True)
    return results


#: No tool may ask anybody anything, nor tell.
QUIET = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "DATUMARO_TELEMETRY": "0", "DO_NOT_TRACK": "1"}


def versions(python: str) -> dict[Row, str]:
    code = "import importlib.metadata as m, sys; print(*(m.version(n) for n in sys.argv[1:]))"
    found: dict[Any, Any] = {}
    for own, tool in ((False, python), (True, sys.executable)):
        rows = [row for row in ROWS if row.own == own]
        command = [tool, "-c", code, *(row.distribution for row in rows)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        found.update(zip(rows, told, strict=True))
    return found


def table(results: dict[Row, str], found: dict[Row, str]) -> str:
    rows = ["| `format` | opened here by | how | pixels |", "|---|---|---|---|"]
    rows += [
        f"| `{row.format}` | {row.tool.format(found[row])} | {row.call} | {result} |"
        for row, result in results.items()
    ]
    return "\n".join([BEGIN, *rows, END])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=str(ROOT / ".venv-interop/bin/python"), help="has the tools")
    parser.add_argument("--write", action="store_true", help="write the table in labels/README.md")
    options = parser.parse_args()
    results = run(options.python)
    failed = [row for row, result in results.items() if not result.startswith(("exact", "mean IoU"))]
    made = table(results, versions(options.python))
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    if options.write and not failed:
        README.write_text(f"{before}{made}{after}", encoding="utf-8")
        return 0
    if f"{BEGIN}{old}{END}" != made:
        print("labels/README.md has another table; python -m tests.interop --write", file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
