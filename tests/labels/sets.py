"""Small sets of masks, written by the guide's description of the output, for tests of copies."""

from __future__ import annotations

import io
import json

import numpy as np
from PIL import Image

from tests.labels.independent import classes_by_color, classes_by_index

WHITE = "#ffffff"


def mask(names, colors, *, mode="P", permute=0):
    """A PNG of the class names in `names` (rows of rows), in the colours of `colors` (name → #rrggbb)."""
    order = np.roll(list(colors), permute).tolist()
    indices = np.array([[order.index(name) for name in row] for row in names], np.uint8)
    rgb = np.array([list(bytes.fromhex(colors[name][1:])) for name in order], np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(rgb.tobytes())
    if mode != "P":
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def color_map(colors):
    return {
        str(number): {"class-name": name, "hex-color": color, "confidence": 0.5}
        for number, (name, color) in enumerate(colors.items())
    }


def line(image, mask, colors, *, attribute="streets-ref", created="2026-11-23T08:00:00.000000", **more):
    return {
        "source-ref": image,
        attribute: mask,
        f"{attribute}-metadata": {
            "internal-color-map": color_map(colors),
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": "yes",
            "creation-date": created,
            "job-name": "labeling-job/streets",
        },
        **more,
    }


def write_set(folder, entries):
    """A folder with masks and a manifest of relative references; entries are (line, mask's bytes or None)."""
    folder.mkdir(parents=True, exist_ok=True)
    for value, data in entries:
        if data is not None:
            place = folder / next(v for k, v in value.items() if k.endswith("-ref") and k != "source-ref")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    write_manifest(folder, [value for value, _ in entries])
    return folder


def write_manifest(folder, lines):
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "output.manifest"
    place.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines), encoding="utf-8")
    return place


def read_lines(place):
    return [json.loads(each) for each in open(place, encoding="utf-8")]


def shown(folder, value, attribute="streets-ref", *, indexed=True):
    """What the mask that a line refers to says, by colour and, where it has indices, by these as well."""
    data = (folder / value[attribute]).read_bytes()
    table = value[f"{attribute}-metadata"]["internal-color-map"]
    by_color = classes_by_color(data, table)
    if indexed:
        assert (by_color == classes_by_index(data, table)).all()
    return by_color.tolist()


COLORS = {"BACKGROUND": WHITE, "road": "#2ca02c", "car": "#1f77b4", "truck": "#ff7f0e"}
ROWS = [["road", "car", "BACKGROUND"], ["truck", "car", "road"]]


def street(folder, rows=ROWS, colors=COLORS, **more):
    """A folder with one image's label."""
    return write_set(folder, [(line("a.jpg", "masks/0_m.png", colors, **more), mask(rows, colors))])


def labeled(folder, source, data, *, attribute="streets-ref", mask_name="m.png", **more):
    """A folder with one labeled image, the manifest's reference to its mask relative."""
    folder.mkdir(parents=True)
    (folder / mask_name).write_bytes(data)
    write_manifest(folder, [line(source, mask_name, COLORS, attribute=attribute, **more)])
    return folder
