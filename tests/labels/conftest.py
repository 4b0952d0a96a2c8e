"""Finished jobs in the documented output layout, with real photographs and three workers."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

BUCKET = "s3://street-bucket"
CLASSES = ("person", "clothing", "cat", "cup", "tableware", "vehicle", "bike")
COLORS = dict(
    zip(
        ("BACKGROUND", *CLASSES),
        ("#ffffff", "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2"),
        strict=True,
    )
)
# Outlines in percent of width and height, drawn by hand over scikit-image's photographs.
OUTLINES = {
    "astronaut.png": [
        ("clothing", [(4, 100), (6, 62), (18, 42), (26, 34), (60, 38), (72, 62), (70, 80), (58, 100)]),
        ("person", [(38, 34), (33, 22), (34, 8), (44, 2), (56, 8), (59, 24), (53, 36), (45, 40)]),
        ("vehicle", [(76, 42), (78, 8), (82, 0), (86, 8), (90, 30), (93, 50), (78, 52)]),
    ],
    "chelsea.png": [
        ("cat", [(12, 100), (22, 60), (28, 12), (40, 2), (62, 14), (84, 4), (90, 50), (86, 80), (96, 100)])
    ],
    "coffee.png": [
        ("tableware", [(10, 60), (24, 28), (60, 22), (92, 40), (88, 74), (56, 94), (24, 88)]),
        ("cup", [(27, 42), (32, 22), (52, 16), (66, 30), (66, 56), (52, 72), (34, 64)]),
    ],
    "rocket.jpg": [("vehicle", [(46, 80), (46, 30), (49, 16), (53, 30), (54, 80)])],
    "motorcycle_left.png": [
        ("bike", [(8, 72), (20, 40), (34, 30), (52, 26), (74, 36), (88, 50), (92, 84), (70, 90), (30, 92)])
    ],
    "camera.png": [
        ("person", [(28, 92), (24, 60), (36, 36), (40, 16), (50, 14), (54, 30), (52, 60), (56, 92)]),
        ("tableware", [(56, 34), (62, 30), (66, 40), (84, 98), (78, 98), (64, 56), (52, 98), (48, 98)]),
    ],
}


@dataclass
class Job:
    """A job's folder, and the masks that it should read back to."""

    root: Path
    manifest: Path
    truth: list[np.ndarray] = field(default_factory=list)
    lines: list[dict] = field(default_factory=list)

    def write(self) -> None:
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        self.manifest.write_text(text, encoding="utf-8")

    def local(self, reference):
        return self.root / reference.removeprefix(f"{BUCKET}/")


def encode(mask, names, mode="P", *, wrong=False, size=None):
    """A mask (0 = background, then `names` from 1) as PNG bytes in one of the documented encodings."""
    rgb = np.array([list(bytes.fromhex(COLORS[n][1:])) for n in ("BACKGROUND", *names)], np.uint8)
    if mode == "P":
        order = np.roll(np.arange(len(rgb)), 3 if wrong else 0)
        image = Image.fromarray(np.argsort(order)[mask].astype(np.uint8))
        image.putpalette(rgb[order].tobytes())
    else:
        image = Image.fromarray(rgb[mask])
        if mode == "RGBA":
            image.putalpha(Image.fromarray(((mask > 0) * 255).astype(np.uint8)))
    buffer = io.BytesIO()
    (image.resize(size, Image.Resampling.BILINEAR) if size else image).save(buffer, "PNG")
    return buffer.getvalue()


def color_map(names=CLASSES, confidence=0.9):
    return {
        str(i): {"class-name": n, "hex-color": COLORS[n], "confidence": confidence}
        for i, n in enumerate(("BACKGROUND", *names))
    }


def _photo(name):
    import skimage

    image = Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB")
    image.thumbnail((640, 640))
    return image


def _draw(name, size, *, jitter=0.0, rng=None, drop=None, swap=None):
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for label, points in OUTLINES[name]:
        if label == drop:
            continue
        moved = [(x + (rng.normal(0, jitter) if rng else 0), y) for x, y in points]
        index = CLASSES.index((swap or {}).get(label, label)) + 1
        draw.polygon([(x * size[0] / 100, y * size[1] / 100) for x, y in moved], fill=index)
    return np.asarray(mask)


def _answer(worker, mask):
    names = [n for i, n in enumerate(CLASSES, 1) if (mask == i).any()]
    data = encode(mask, CLASSES, "RGBA")
    return {
        "workerId": worker,
        "submissionTime": "2026-11-23T08:00:58.321Z",
        "acceptanceTime": "2026-11-23T08:00:15.191Z",
        "timeSpentInSeconds": 40.5 + len(names),
        "answerContent": {
            "annotatedResult": {
                "inputImageProperties": {"height": mask.shape[0], "width": mask.shape[1]},
                "labelMappings": {n: {"color": COLORS[n]} for n in names},
                "labeledImage": {"pngImageData": base64.b64encode(data).decode()},
            }
        },
    }


def make_job(folder, *, copies=1, workers=True, unlabeled=1, mode="P", wrong=False, attribute="streets-ref"):
    """Write a job like the service does: photographs, masks, three workers' answers, the output manifest."""
    rng = np.random.default_rng(3)
    job = Job(root=folder, manifest=folder / "labels/streets/manifests/output/output.manifest")
    job.manifest.parent.mkdir(parents=True)
    output = "labels/streets/annotations/consolidated-annotation/output"
    for index, name in enumerate(list(OUTLINES) * copies):
        photo = _photo(name)
        truth = _draw(name, photo.size)
        suffix = ".png" if name.startswith("coffee") else ".jpg"
        image = f"inputs/day {index}/{Path(name).stem}{suffix}"
        mask = f"{output}/{index}_2026-11-23T08:00:00.{index:06d}.png"
        for path, save in (
            (image, lambda p, photo=photo: photo.save(p, quality=90)),
            (mask, lambda p, truth=truth: p.write_bytes(encode(truth, CLASSES, mode, wrong=wrong))),
        ):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            save(folder / path)
        confidence = round(0.95 - 0.06 * (index % 6), 2)
        job.truth.append(truth)
        job.lines.append(
            {
                "source-ref": f"{BUCKET}/{image}",
                "weather": "sunny",
                attribute: f"{BUCKET}/{mask}",
                f"{attribute}-metadata": {
                    "internal-color-map": color_map(confidence=confidence),
                    "type": "groundtruth/semantic-segmentation",
                    "human-annotated": "yes",
                    "creation-date": f"2026-11-23T08:00:00.{index:06d}",
                    "job-name": "labeling-job/streets",
                },
            }
        )
        if workers:
            _write_answers(folder, index, name, photo.size, rng)
    for number in range(unlabeled):
        job.lines.append({"source-ref": f"{BUCKET}/inputs/open/{number}.jpg"})
        path = folder / f"inputs/open/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40 + number, 30)).save(path)
    job.write()
    return job


def _write_answers(folder, index, name, size, rng) -> None:
    masks = {
        "anna-7f3a": _draw(name, size, jitter=0.5, rng=rng),
        "bela-91cc": _draw(name, size, jitter=1.2, rng=rng),
        # The one to look at: careless outlines, and cups taken for tableware.
        "carl-04de": _draw(name, size, jitter=4, rng=rng, drop="person", swap={"cup": "tableware"}),
    }
    path = folder / f"labels/streets/annotations/worker-response/iteration-1/{index}/2026-11-23_08:00:59.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"answers": [_answer(w, m) for w, m in masks.items()]}))


@pytest.fixture
def job(tmp_path: Path):
    return make_job(tmp_path / "bucket")


@pytest.fixture(scope="session")
def shared_job(tmp_path_factory: pytest.TempPathFactory):
    """A job that no test changes."""
    return make_job(tmp_path_factory.mktemp("shared") / "bucket")


@pytest.fixture(scope="session")
def job_maker():
    return make_job


@pytest.fixture
def build_job(tmp_path: Path):
    return lambda name="built", **options: make_job(tmp_path / name, **options)


@pytest.fixture
def mask_png():
    return encode


@pytest.fixture
def colors():
    return color_map
