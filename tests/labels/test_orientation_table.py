"""Shows 2: one table of every picture that somebody would turn, in every place where the package reads it.

What is right is what headless Chromium paints: with `image-orientation: none`, as the service's pages show a
picture, or turned, where the mask's size or the user says that the workers saw it so.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from ground_truth_labels import SegmentationDataset, export, read_manifest
from ground_truth_labels.exports import FORMATS
from ground_truth_labels.orientation import Orientation
from ground_truth_local.workers import paint
from tests.labels.orientation_cases import CASES, PNG, paint_in_chromium
from tests.labels.sets import WHITE, line, mask, write_set

ENGINE = Path(__file__).parents[2] / "local/ground_truth_local/portal/static/crowd/engine"
COLORS = {"BACKGROUND": WHITE, "road": "#2ca02c"}
#: What two JPEG decoders round differently, and what a JPEG that is written anew loses.
NEAR = 4
#: What the worker's page draws of a picture.
SHOWN = """
async (urls) => {
  const { loadPicture } = await import("/engine/picture.js");
  const found = [];
  for (const url of urls) {
    const { bitmap } = await loadPicture(url);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    found.push([bitmap.height, bitmap.width, Array.from(data)]);
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def chromium(browser: Any):
    """Name → what Chromium shows: turned, and as stored."""
    return paint_in_chromium(browser, {name: data for name, (data, _) in CASES.items()})


def differing(found, wanted):
    """Pixels that differ; all of them where the sizes do."""
    found = np.asarray(found, int)
    if found.shape != wanted.shape:
        return wanted.shape[0] * wanted.shape[1]
    return int((np.abs(found - wanted.astype(int)).max(-1) > NEAR).sum())


def job(folder, turned):
    """A line for each case; with `turned`, masks of the size that a turn by a quarter gives."""
    folder.mkdir()
    entries = []
    for number, (data, value) in enumerate(CASES.values()):
        suffix = "png" if data.startswith(PNG) else "jpg"
        (folder / f"{number}.{suffix}").write_bytes(data)
        width, height = (16, 32) if turned and value >= 5 else (32, 16)
        names = [["road"] * width] * height
        entries.append((line(f"{number}.{suffix}", f"m/{number}.png", COLORS), mask(names, COLORS)))
    return write_set(folder, entries)


def images_of(layout, out):
    """Object number → an exported image, to a reader that knows of no orientation, and to one that does."""
    found = {}
    if layout == "hf-parquet":
        import pyarrow.parquet as tables

        rows = [
            row["image"] for path in out.rglob("*.parquet") for row in tables.read_table(path).to_pylist()
        ]
        files = [(row["path"], row["bytes"]) for row in rows]
    else:
        paths = [
            path for path in out.rglob("*.*") if "annot" not in str(path.parent.relative_to(out)).lower()
        ]
        images = ("images", "JPEGImages", "train", "validation", "all", "default", "training")
        files = [
            (p.name, p.read_bytes()) for p in paths if p.parent.name in images and "gtFine" not in p.name
        ]
    for name, data in files:
        if layout == "numpy":
            pixels = np.load(io.BytesIO(data))
            found[int(name[:6])] = [pixels, pixels]
        elif Path(name).suffix in (".jpg", ".png"):
            image = Image.open(io.BytesIO(data))
            found[int(name[:6])] = [image.convert("RGB"), ImageOps.exif_transpose(image).convert("RGB")]
    return found


@pytest.mark.parametrize(
    ("turned", "rule"), [(False, "stored"), (False, "upright"), (True, "stored"), (True, "upright")]
)
def test_every_place_has_what_chromium_shows(
    chromium, tmp_path: Path, turned: bool, rule: Orientation
) -> None:
    manifest = read_manifest(job(tmp_path / "job", turned), orientation=rule)
    wanted = []
    for name, (_, value) in CASES.items():
        # Sizes decide where they tell, else the rule does.
        upright = turned if value >= 5 else rule == "upright"
        wanted.append(chromium[name][0 if upright else 1])
    dataset = SegmentationDataset(manifest)
    places: dict[str, list[Any]] = {
        "item": [item.image() for item in manifest],
        "dataset": [np.asarray(dataset[i][0]).transpose(1, 2, 0) for i in range(len(dataset))],
    }
    for layout in FORMATS:
        export(manifest, tmp_path / layout, format=layout)
        found = images_of(layout, tmp_path / layout)
        assert len(found) == len(CASES), layout
        for way, reader in enumerate(("", ", by a reader that turns")):
            places[layout + reader] = [found[i][way] for i in range(len(CASES))]
    table = {
        (name, place): differing(found[i], wanted[i])
        for place, found in places.items()
        for i, name in enumerate(CASES)
    }
    assert len(table) == len(CASES) * (2 + 2 * len(FORMATS))
    assert {cell: count for cell, count in table.items() if count} == {}


def test_workers_see_what_is_stored(chromium, browser: Any) -> None:
    """The worker's page, and the simulated ones."""
    here = "http://127.0.0.1:9/"
    names = list(CASES)

    def answer(route) -> None:
        path = route.request.url.removeprefix(here)
        if path.startswith("engine/"):
            text = (ENGINE / path.removeprefix("engine/")).read_text("utf-8")
            route.fulfill(body=text, content_type="text/javascript")
        elif path:
            data = CASES[names[int(path)]][0]
            route.fulfill(body=data, content_type="image/png" if data.startswith(PNG) else "image/jpeg")
        else:
            route.fulfill(body="<body></body>", content_type="text/html")

    page = browser.new_page()
    page.route("**/*", answer)
    page.goto(here)
    shown = page.evaluate(SHOWN, [here + str(number) for number in range(len(names))])
    page.close()
    table = {}
    for name, (height, width, values) in zip(names, shown, strict=True):
        stored = chromium[name][1]
        pixels = np.array(values, np.uint8).reshape(height, width, 4)[..., :3]
        table[name, "worker's page"] = differing(pixels, stored)
        with Image.open(io.BytesIO(CASES[name][0])) as picture:
            painted = paint(picture, ["road", "car", "sky", "dog"], seed=1)
            table[name, "simulated worker"] = differing(picture.convert("RGB"), stored)
        assert painted.shape == stored.shape[:2], name
    assert {cell: count for cell, count in table.items() if count} == {}
    assert len(table) == 2 * len(CASES)


def test_the_cases_are_all_there() -> None:
    for kind in ("jpeg", "jpeg big-endian", "png"):
        assert {f"{kind} {value}" for value in range(1, 9)} <= CASES.keys()
    for word in ("xmp alone", "late", "after the pixels"):
        assert [name for name in CASES if word in name], json.dumps(sorted(CASES))
