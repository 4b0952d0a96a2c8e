"""What each foreign tool reads out of an export; run by the Python that has the tools.

    python readers.py <reader> <folder of the export> <result.npz>

Nothing of `ground_truth_labels` is imported here. The result holds an array for each image: the position of
each pixel's class in `names` plus one, 0 for pixels without a class.
"""

from __future__ import annotations

import csv
import json
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np


class Result:
    """Names, in any order, and a mask for each image."""

    def __init__(self, names) -> None:
        self.names = list(names)
        self.masks: dict[Any, Any] = {}

    def add(self, image, shape, regions) -> None:
        mask = np.zeros(shape, np.int64)
        for name, region in regions:
            mask[np.asarray(region).astype(bool)] = self.names.index(name) + 1
        self.masks[image] = mask

    def by_id(self, image, ids, classes) -> None:
        """A mask of class ids, with the ids' names from `classes.csv`."""
        table = np.zeros(max(classes) + 1, np.int64)
        for class_id, name in classes.items():
            table[class_id] = 0 if name == "BACKGROUND" else self.names.index(name) + 1
        self.masks[image] = table[ids]


def class_list(folder):
    with (folder / "classes.csv").open(encoding="utf-8", newline="") as stream:
        return {int(row["id"]): row["name"] for row in csv.DictReader(stream)}


def indexed(folder, pattern, cut=""):
    """Masks whose pixel values are class ids, by Pillow."""
    from PIL import Image

    classes = class_list(folder)
    result = Result(name for name in classes.values() if name != "BACKGROUND")
    for path in sorted(folder.glob(pattern)):
        with Image.open(path) as image:
            result.by_id(path.stem.removesuffix(cut), np.asarray(image), classes)
    return result


def datumaro(folder, name, cut=""):
    import datumaro

    dataset = datumaro.Dataset.import_from(str(folder), name)
    labels = [label.name for label in dataset.categories()[datumaro.AnnotationType.label].items]
    result = Result(labels)
    for item in dataset:
        found = [a for a in item.annotations if a.type == datumaro.AnnotationType.mask]
        regions = [(labels[a.label], a.image) for a in found if labels[a.label].upper() != "BACKGROUND"]
        result.add(Path(item.id).name.removesuffix(cut), item.media.data.shape[:2], regions)
    return result


def pycocotools(folder):
    from pycocotools.coco import COCO

    result = None
    for path in sorted((folder / "annotations").glob("instances_*.json")):
        coco = COCO(str(path))
        names = {c["id"]: c["name"] for c in coco.dataset["categories"]}
        result = result or Result(names.values())
        for image in coco.imgs.values():
            regions = [(names[a["category_id"]], coco.annToMask(a)) for a in coco.imgToAnns[image["id"]]]
            result.add(Path(image["file_name"]).stem, (image["height"], image["width"]), regions)
    return result


def supervision(folder):
    import supervision

    result = None
    for path in sorted((folder / "annotations").glob("instances_*.json")):
        split = path.stem.removeprefix("instances_")
        dataset = supervision.DetectionDataset.from_coco(
            str(folder / "images" / split), str(path), force_masks=True
        )
        result = _detections(dataset, result or Result(dataset.classes))
    return result


def supervision_yolo(folder):
    import supervision

    result = None
    for images in sorted((folder / "images").iterdir()):
        dataset = supervision.DetectionDataset.from_yolo(
            str(images), str(folder / "labels" / images.name), str(folder / "data.yaml"), force_masks=True
        )
        result = _detections(dataset, result or Result(dataset.classes))
    return result


def _detections(dataset, result):
    for path, picture, found in dataset:
        masks = () if found.mask is None else found.mask
        regions = [(dataset.classes[c], m) for m, c in zip(masks, found.class_id, strict=True)]
        result.add(Path(path).stem, picture.shape[:2], regions)
    return result


def yolo(folder, fill):
    """By the rule of Ultralytics' `polygon2mask`: points times the size, cut to whole numbers, `fillPoly`."""
    import cv2
    import yaml

    config = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    result = Result(config["names"][i] for i in range(config["nc"]))
    for split in {config["train"], config["val"]}:
        for path in sorted((folder / split).iterdir()):
            picture = cv2.imread(str(path))
            assert picture is not None
            height, width = picture.shape[:2]
            lines = (folder / split.replace("images", "labels") / f"{path.stem}.txt").read_text().splitlines()
            regions = []
            for line in lines:
                number, *values = line.split()
                points = np.array(values, float).reshape(-1, 2) * (width, height)
                regions.append((result.names[int(number)], fill(points, (height, width))))
            result.add(path.stem, (height, width), regions)
    return result


def fill_by_opencv(points, shape):
    import cv2

    canvas = np.zeros(shape, np.uint8)
    cv2.fillPoly(canvas, [points.astype(np.int32)], 1)
    return canvas


def fill_by_pycocotools(points, shape):
    from pycocotools import mask

    return mask.decode(mask.merge(mask.frPyObjects([points.ravel().tolist()], *shape)))


def label_studio(folder):
    from label_studio_sdk.converter.brush import decode_rle

    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    names = {r["value"]["brushlabels"][0] for t in tasks for r in t["predictions"][0]["result"]}
    result = Result(sorted(names))
    for task in tasks:
        regions = []
        for brush in task["predictions"][0]["result"]:
            shape = (brush["original_height"], brush["original_width"])
            alpha = decode_rle(brush["value"]["rle"]).reshape(*shape, 4)[:, :, 3]
            regions.append((brush["value"]["brushlabels"][0], alpha > 0))
        result.add(task["data"]["name"], shape, regions)
    return result


def mmsegmentation_ade20k(folder):
    """By MMSegmentation's rules: the mask beside each image by suffix; `reduce_zero_label` makes 0 to 255."""
    from PIL import Image

    classes = class_list(folder)
    result = Result(name for name in classes.values() if name != "BACKGROUND")
    for split in ("training", "validation"):
        for image in sorted((folder / "images" / split).glob("*.jpg")):
            mask = np.asarray(Image.open(folder / "annotations" / split / f"{image.stem}.png")).copy()
            mask[mask == 0] = 255
            mask = mask - 1
            mask[mask == 254] = 255
            # Now the classes are 0, 1, … and all else is ignored.
            result.masks[image.stem] = np.where(mask == 255, 0, mask.astype(np.int64) + 1)
    return result


def hugging_face(folder, kind):
    from datasets import load_dataset

    source = {"path": "imagefolder", "data_dir": str(folder)} if kind == "folder" else {"path": str(folder)}
    loaded = load_dataset(**source, cache_dir=str(folder.parent / f"cache-{folder.name}"))
    names = json.loads((folder / "id2label.json").read_text(encoding="utf-8"))
    classes = {int(i): name for i, name in names.items()}
    result = Result(name for name in classes.values() if name != "BACKGROUND")
    for split in loaded.values():
        for row in split:
            result.by_id(row["source_ref"], np.asarray(row["mask"]), classes)
    return result


def numpy_files(folder):
    classes = class_list(folder)
    result = Result(name for name in classes.values() if name != "BACKGROUND")
    for path in sorted(folder.glob("*/masks/*.npy")):
        result.by_id(path.stem, np.load(path, mmap_mode="r"), classes)
    return result


VOC = "VOCdevkit/VOC2012"
READERS = {
    "pillow": lambda f: indexed(f, "*/masks/*.png"),
    "pillow-sagemaker": lambda f: indexed(f, "*_annotation/*.png"),
    "numpy": numpy_files,
    "pycocotools": pycocotools,
    "supervision": supervision,
    "supervision-yolo": supervision_yolo,
    "opencv-yolo": lambda f: yolo(f, fill_by_opencv),
    "pycocotools-yolo": lambda f: yolo(f, fill_by_pycocotools),
    "datumaro": lambda f: datumaro(f, "datumaro"),
    "datumaro-coco": lambda f: datumaro(f, "coco"),
    "datumaro-voc": lambda f: datumaro(f / VOC, "voc_segmentation"),
    "datumaro-cvat": lambda f: datumaro(f, "cvat"),
    "datumaro-cityscapes": lambda f: datumaro(f, "cityscapes", "_leftImg8bit"),
    "label-studio": label_studio,
    "mmsegmentation": mmsegmentation_ade20k,
    "datasets-folder": lambda f: hugging_face(f, "folder"),
    "datasets-parquet": lambda f: hugging_face(f, "parquet"),
}


def main() -> None:
    reader, folder, target = sys.argv[1:]
    logging.disable(logging.WARNING)
    result = READERS[reader](Path(folder))
    np.savez(target, **{f"mask {name}": mask for name, mask in result.masks.items()})
    Path(target).with_suffix(".json").write_text(json.dumps(result.names))


if __name__ == "__main__":
    main()
