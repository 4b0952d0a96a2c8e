"""Exports read by what their formats say; nothing of the package is imported here.

Each reader gives, for each image, the name of every pixel's class; pixels without one are `BACKGROUND`. PNGs
are read by `independent`, run lengths and brushes bit by bit, polygons filled by OpenCV or pycocotools.
"""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as xml
from typing import Any

import numpy as np

from tests.labels.independent import read_png

VOC = "VOCdevkit/VOC2012"


def blank(shape):
    return np.full(shape, "BACKGROUND", object)


def class_list(out):
    with (out / "classes.csv").open(encoding="utf-8", newline="") as stream:
        return {int(row["id"]): row["name"] for row in csv.DictReader(stream)}


def named(ids, names):
    found = blank(ids.shape)
    for number in np.unique(ids).tolist():
        found[ids == number] = names[number]
    return found


def values(data):
    """Pixel values of a palette or grey PNG."""
    picture = read_png(data)
    return picture.rgba[..., 0] if picture.indices is None else picture.indices


def by_files(pattern, cut=""):
    def read(out):
        names = class_list(out)
        paths = sorted(out.glob(pattern))
        return {path.stem.removesuffix(cut): named(values(path.read_bytes()), names) for path in paths}

    return read


def numpy_files(out):
    names = class_list(out)
    return {path.stem: named(np.load(path), names) for path in out.glob("masks/*.npy")}


def voc(out):
    """By colour: `labelmap.txt` says which, the background is called `background`."""
    rows = [row.split(":") for row in (out / VOC / "labelmap.txt").read_text("utf-8").splitlines()[1:]]
    colors = {tuple(map(int, row[1].split(","))): row[0] for row in rows}
    colors[next(color for color, name in colors.items() if name == "background")] = "BACKGROUND"
    found = {}
    for name in (out / VOC / "ImageSets/Segmentation/trainval.txt").read_text().split():
        rgb = read_png((out / VOC / f"SegmentationClass/{name}.png").read_bytes()).rgba[..., :3]
        found[name] = np.array([[colors[tuple(map(int, pixel))] for pixel in row] for row in rgb], object)
    return found


def counts_of(text):
    """COCO's compressed run lengths: five bits a letter from code point 48 on, the sixth for "more"."""
    counts, at = list[int](), 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            letter = ord(text[at]) - 48
            value |= (letter & 31) << shift
            more, at, shift = bool(letter & 32), at + 1, shift + 5
            if not more and letter & 16:
                value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def region(counts, shape, order):
    """Run lengths, in turn outside and inside."""
    flat = np.zeros(shape[0] * shape[1], bool)
    at = 0
    for number, length in enumerate(counts):
        flat[at : at + length] = number % 2
        at += length
    return flat.reshape(shape, order=order)


def coco(out):
    (path,) = (out / "annotations").iterdir()
    document = json.loads(path.read_text("utf-8"))
    names = {each["id"]: each["name"] for each in document["categories"]}
    images = {each["id"]: each for each in document["images"]}
    found = {i: blank((each["height"], each["width"])) for i, each in images.items()}
    for each in document["annotations"]:
        mask, shape = each["segmentation"], found[each["image_id"]].shape
        if isinstance(mask, dict):
            inside = region(counts_of(mask["counts"]), shape, "F")
        else:
            from pycocotools import mask as tool

            inside = tool.decode(tool.merge(tool.frPyObjects(mask, *shape))).astype(bool)
        found[each["image_id"]][inside] = names[each["category_id"]]
    return {each["file_name"].rpartition(".")[0]: found[i] for i, each in images.items()}


def _by_opencv(path):
    import cv2

    picture = cv2.imread(str(path))
    assert picture is not None, path
    return picture


def yolo(out):
    import cv2

    text = (out / "data.yaml").read_text("utf-8")
    names = [json.loads(name) for name in re.findall(r"^  \d+: (.*)$", text, re.MULTILINE)]
    found = {}
    for path in (out / "labels/train").glob("*.txt"):
        (image,) = (out / "images/train").glob(f"{path.stem}.*")
        height, width = _by_opencv(image).shape[:2]
        mask = blank((height, width))
        for row in path.read_text().splitlines():
            number, *points = row.split()
            canvas = np.zeros((height, width), np.uint8)
            corners = np.array(points, float).reshape(-1, 2) * (width, height)
            cv2.fillPoly(canvas, [corners.astype(np.int32)], 1)
            mask[canvas == 1] = names[int(number)]
        found[path.stem] = mask
    return found


def datumaro(out):
    document = json.loads((out / "annotations/default.json").read_text("utf-8"))
    names = [each["name"] for each in document["categories"]["label"]["labels"]]
    found = {}
    for item in document["items"]:
        mask = found[item["id"]] = blank(item["image"]["size"])
        for each in item["annotations"]:
            mask[region(counts_of(each["rle"]["counts"]), each["rle"]["size"], "F")] = names[each["label_id"]]
    return found


def cvat(out):
    found = {}
    for image in xml.parse(out / "annotations.xml").getroot().iter("image"):
        mask = blank((int(image.attrib["height"]), int(image.attrib["width"])))
        found[image.attrib["name"].rpartition(".")[0]] = mask
        for each in image.iter("mask"):
            left, top, width, height = (int(each.attrib[k]) for k in ("left", "top", "width", "height"))
            inside = region([int(n) for n in each.attrib["rle"].split(",")], (height, width), "C")
            mask[top : top + height, left : left + width][inside] = each.get("label")
    return found


def brush(data):
    """The values of `@thi.ng/rle-pack`, bit by bit."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at = 0

    def take(count):
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    total, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    out: list[Any] = []
    while len(out) < total:
        same, size = take(1), sizes[take(2)]
        count = take(size) + 1
        out += [take(word)] * count if same else [take(word) for _ in range(count)]
    return np.array(out[:total])


def label_studio(out):
    found = {}
    for task in json.loads((out / "tasks.json").read_text("utf-8")):
        brushes = task["predictions"][0]["result"]
        mask = None
        for each in brushes:
            shape = (each["original_height"], each["original_width"])
            mask = blank(shape) if mask is None else mask
            mask[brush(each["value"]["rle"]).reshape(*shape, 4)[..., 3] > 0] = each["value"]["brushlabels"][0]
        found[task["data"]["name"]] = mask
    return found


def parquet(out):
    import pyarrow.parquet as tables

    names = {int(i): name for i, name in json.loads((out / "id2label.json").read_text("utf-8")).items()}
    rows = [row for path in out.glob("data/*.parquet") for row in tables.read_table(path).to_pylist()]
    return {
        row["mask"]["path"].removesuffix(".png"): named(values(row["mask"]["bytes"]), names) for row in rows
    }


READERS = {
    "png": by_files("masks/*.png"),
    "numpy": numpy_files,
    "coco": coco,
    "coco-polygons": coco,
    "yolo-seg": yolo,
    "voc": voc,
    "datumaro": datumaro,
    "cvat": cvat,
    "label-studio": label_studio,
    "cityscapes": by_files("gtFine/*/all/*_labelIds.png", "_gtFine_labelIds"),
    "ade20k": by_files("annotations/*/*.png"),
    "sagemaker": by_files("*_annotation/*.png"),
    "hf-imagefolder": by_files("*/masks/*.png"),
    "hf-parquet": parquet,
}
