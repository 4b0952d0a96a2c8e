"""Shows 2: every export, read back by the library that its users use, equals the source."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import (
    ExportError,
    MaskError,
    SegmentationDataset,
    UnknownColorError,
    export,
    read_manifest,
)
from ground_truth_labels.exports.split import stratify
from tests.s3 import service_error


@pytest.fixture(scope="module")
def source(shared_job):
    manifest = read_manifest(shared_job.root)
    return {i.name: (i.mask(), np.asarray(i.image())) for i in manifest if i.state == "labeled"}


@pytest.fixture
def exported(shared_job, tmp_path: Path):
    def run(name, **options):
        export(read_manifest(shared_job.root), tmp_path / "out", format=name, **options)
        return tmp_path / "out"

    return run


def test_png_by_pillow(exported, source) -> None:
    out = exported("png")
    assert len(source) == 6
    for name, (mask, image) in source.items():
        with Image.open(out / f"masks/{name}.png") as read:
            assert read.mode == "P" and np.array_equal(np.asarray(read), mask)
        (path,) = (out / "images").glob(f"{name}.*")
        assert np.array_equal(np.asarray(Image.open(path)), image)


@pytest.mark.parametrize("layout", ["coco", "coco-polygons"])
@pytest.mark.parametrize("split", [None, {"train": 0.5, "test": 0.5}])
def test_coco_by_pycocotools(
    exported, source, layout: str, split, capsys: pytest.CaptureFixture[str]
) -> None:
    from pycocotools.coco import COCO

    out = exported(layout, split=split)
    seen = 0
    paths = sorted((out / "annotations").iterdir())
    assert [p.stem for p in paths] == [
        f"instances_{name}" for name in (sorted(split) if split else ["default"])
    ]
    for path in paths:
        coco = COCO(str(path))
        folder = out / "images" / path.stem.removeprefix("instances_")
        for image in coco.imgs.values():
            mask, pixels = source[image["file_name"].rpartition(".")[0]]
            again = np.zeros((image["height"], image["width"]), np.uint8)
            for annotation in coco.imgToAnns[image["id"]]:
                part = coco.annToMask(annotation).astype(bool)
                assert part.sum() == annotation["area"]
                again[part] = annotation["category_id"]
            assert np.array_equal(again, mask)
            assert np.array_equal(np.asarray(Image.open(folder / image["file_name"])), pixels)
            seen += 1
    assert seen == 6


def test_hugging_face_image_folder(exported, source, tmp_path: Path) -> None:
    from datasets import load_dataset

    out = exported("hf-imagefolder", split={"train": 0.5, "validation": 0.5})
    loaded = load_dataset("imagefolder", data_dir=str(out), cache_dir=str(tmp_path / "cache"))
    rows = [row for split in ("train", "validation") for row in loaded[split]]
    _same_pixels(rows, source)
    assert json.loads((out / "id2label.json").read_text())["0"] == "BACKGROUND"


def test_hugging_face_parquet(exported, source, tmp_path: Path) -> None:
    from datasets import Image as ImageFeature
    from datasets import load_dataset

    out = exported("hf-parquet")
    loaded = load_dataset(str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert isinstance(loaded.features["mask"], ImageFeature)
    _same_pixels(loaded, source)
    assert loaded[0]["confidence"] == 0.95 and loaded[0]["human"] is True


def _same_pixels(rows, source) -> None:
    wanted = {(m.tobytes(), i.tobytes()) for m, i in source.values()}
    found = {(np.asarray(r["mask"]).tobytes(), np.asarray(r["image"].convert("RGB")).tobytes()) for r in rows}
    assert found == wanted


def test_numpy(exported, source) -> None:
    out = exported("numpy")
    for name, (mask, image) in source.items():
        assert np.array_equal(np.load(out / f"masks/{name}.npy", mmap_mode="r"), mask)
        assert np.array_equal(np.load(out / f"images/{name}.npy"), image)


def test_pascal_voc_by_its_lists(exported, source) -> None:
    root = exported("voc", split={"train": 0.6, "validation": 0.4}) / "VOCdevkit/VOC2012"
    lists = root / "ImageSets/Segmentation"
    names = (lists / "trainval.txt").read_text().split()
    assert sorted(names) == sorted(
        (lists / "train.txt").read_text().split() + (lists / "val.txt").read_text().split()
    )
    assert set(names) == set(source)
    for name in names:
        assert np.array_equal(np.asarray(Image.open(root / f"SegmentationClass/{name}.png")), source[name][0])
        assert Image.open(root / f"JPEGImages/{name}.jpg").format == "JPEG"


def test_sagemaker_channels(exported, source) -> None:
    out = exported("sagemaker")
    seen = []
    for channel in ("train", "validation"):
        images = sorted(p.stem for p in (out / channel).iterdir())
        assert images == sorted(p.stem for p in (out / f"{channel}_annotation").iterdir()) != []
        for name in images:
            with Image.open(out / f"{channel}_annotation/{name}.png") as mask:
                assert len(mask.getbands()) == 1 and np.array_equal(np.asarray(mask), source[name][0])
        seen += images
        assert json.loads((out / f"label_map/{channel}_label_map.json").read_text()) == {"scale": "1"}
    assert sorted(seen) == sorted(source)


def test_torch_dataset_obeys_the_map_style_protocol(shared_job, source) -> None:
    import pickle

    dataset = pickle.loads(pickle.dumps(SegmentationDataset(read_manifest(shared_job.root))))
    assert len(dataset) == 6
    for (image, mask), (wanted, pixels) in zip((dataset[i] for i in range(6)), source.values(), strict=True):
        assert np.array_equal(np.asarray(mask), wanted) and str(mask.dtype).endswith("int64")
        assert np.array_equal(np.asarray(image).transpose(1, 2, 0), pixels)
    with pytest.raises(IndexError):
        dataset[6]


def test_torch_data_loader(shared_job, source) -> None:
    data = pytest.importorskip("torch.utils.data")
    dataset = SegmentationDataset(read_manifest(shared_job.root))
    assert isinstance(dataset, data.Dataset)
    loader = data.DataLoader(dataset, batch_size=1, num_workers=2)
    for (_, mask), (wanted, _) in zip(loader, source.values(), strict=True):
        assert np.array_equal(mask[0].numpy(), wanted)


def test_everything_left_out_is_listed(shared_job, tmp_path: Path) -> None:
    result = export(read_manifest(shared_job.root), tmp_path / "out")
    assert result.exported == {"": 6} and result.left_out == {"unlabeled": 1}
    (line,) = (tmp_path / "out/_labels/left-out.jsonl").read_text().splitlines()
    assert json.loads(line)["source_ref"].endswith("open/0.jpg")
    sources = [json.loads(s) for s in (tmp_path / "out/_labels/sources.jsonl").read_text().splitlines()]
    assert [s["line"] for s in sources] == [1, 2, 3, 4, 5, 6]


def test_images_with_exif_orientation_are_turned(job, tmp_path: Path) -> None:
    path = job.local(job.lines[1]["source-ref"])
    image = Image.open(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    export(read_manifest(job.root), tmp_path / "out")
    written = Image.open(tmp_path / "out/images/000001_chelsea.jpg")
    assert written.size == job.truth[1].shape[::-1] and not written.getexif().get(0x0112)


def test_sizes_must_agree(job, tmp_path: Path) -> None:
    path = job.local(job.lines[0]["source-ref"])
    Image.open(path).crop((0, 0, 50, 40)).save(path)
    with pytest.raises(MaskError, match=r"line 1: .*image has 50 x 40 pixels, mask 512 x 512"):
        export(read_manifest(job.root), tmp_path / "out")


def test_unknown_colours_stop_or_are_left_out(job, tmp_path: Path) -> None:
    path = job.local(job.lines[0]["streets-ref"])
    image = Image.open(path).convert("RGB")
    image.putpixel((0, 0), (1, 2, 3))
    image.save(path)
    with pytest.raises(UnknownColorError, match="line 1"):
        export(read_manifest(job.root), tmp_path / "a")
    result = export(read_manifest(job.root), tmp_path / "b", skip_broken=True)
    assert result.left_out == {"broken": 1, "unlabeled": 1}
    assert "#010203" in (tmp_path / "b/_labels/left-out.jsonl").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "tfrecord"}, "format must be one of ade20k"),
        ({"split": {"train": 1, "dev": 1}}, "split must give positive shares"),
        ({"format": "sagemaker", "split": {"train": 1}}, "needs a share for validation"),
        ({"format": "voc", "images": False}, "cannot leave out the images"),
    ],
)
def test_wrong_options(shared_job, tmp_path: Path, options, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        export(read_manifest(shared_job.root), tmp_path / "out", **options)


def test_a_target_in_use_is_refused_and_untouched(shared_job, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(ExportError, match="is not empty"):
        export(read_manifest(shared_job.root), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_split_is_stratified_seeded_and_complete() -> None:
    rng = np.random.default_rng(0)
    presence = [
        frozenset(np.flatnonzero(rng.random(12) < 0.08 * np.arange(1, 13)).tolist()) for _ in range(500)
    ]
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    chosen = stratify(presence, shares, seed=4)
    assert chosen == stratify(presence, shares, seed=4) != stratify(presence, shares, seed=5)
    assert [chosen.count(name) for name in shares] == [400, 50, 50]
    for c in range(12):
        mine = [name for name, classes in zip(chosen, presence, strict=True) if c in classes]
        assert mine.count("train") / len(mine) == pytest.approx(0.8, abs=0.06)


def test_polygons_of_random_regions_fill_exactly() -> None:
    from pycocotools import mask as coco

    from ground_truth_labels.exports.polygons import polygons
    from ground_truth_labels.exports.rle import class_runs, compress

    rng = np.random.default_rng(1)
    for _ in range(400):
        height, width = (int(v) for v in rng.integers(1, 16, 2))
        region = rng.random((height, width)) < rng.random()
        for runs in class_runs(region.astype(np.uint8)):
            wanted = coco.encode(np.asfortranarray((region == runs.id).astype(np.uint8)))
            assert wanted["counts"].decode() == compress(runs.counts)
            assert tuple(coco.toBbox(wanted)) == runs.bbox
        if region.any():
            drawn = coco.decode(coco.merge(coco.frPyObjects(polygons(region), height, width)))
            assert np.array_equal(drawn.astype(bool), region)


def test_polygons_of_all_classes_at_once_fill_exactly_inside_and_through_centres() -> None:
    """Two programs that share no code with the tracer, nor with each other, fill what it outlined."""
    import cv2
    from pycocotools import mask as coco

    from ground_truth_labels.exports.polygons import class_polygons

    rng = np.random.default_rng(7)
    for round_ in range(200):
        height, width = (int(v) for v in rng.integers(1, 14, 2))
        mask = rng.integers(0, rng.integers(2, 5), (height, width)).astype(np.uint8)
        if round_ % 3 == 0:
            # It is dense, so that holes hang on holes.
            mask = (rng.random((height, width)) < 0.8).astype(np.uint8)
        height, width = mask.shape
        inside, centred = (class_polygons(mask, (1, 2, 3, 4), centres=c) for c in (False, True))
        assert set(inside) == set(centred) == set(np.unique(mask).tolist()) - {0}
        for class_id, found in inside.items():
            filled = coco.decode(coco.merge(coco.frPyObjects(found, height, width)))
            assert np.array_equal(filled == 1, mask == class_id)
            canvas = np.zeros((height, width), np.uint8)
            for polygon in centred[class_id]:
                one = np.zeros_like(canvas)
                cv2.fillPoly(one, [np.array(polygon, np.int32).reshape(-1, 1, 2)], 1)
                canvas |= one
            assert np.array_equal(canvas == 1, mask == class_id)


def test_a_row_of_a_thousand_holes_is_joined() -> None:
    from pycocotools import mask as coco

    from ground_truth_labels.exports.polygons import polygons

    region = np.ones((3, 2201), bool)
    region[1, 1::2] = False
    drawn = coco.decode(coco.merge(coco.frPyObjects(polygons(region), *region.shape)))
    assert np.array_equal(drawn == 1, region)


def test_kept_masks_come_back_as_they_were() -> None:
    from ground_truth_labels.exports.masks import MaskStore

    rng = np.random.default_rng(3)
    masks = [
        rng.integers(0, top, (30, 41)).astype(kind) for top in (1, 5, 300) for kind in (np.uint8, np.uint16)
    ]
    masks += [np.repeat(m, 40, axis=1) for m in masks]
    store = MaskStore(None)
    index: int
    mask: Any
    for index, mask in enumerate(masks):
        assert store.put(index, mask) == frozenset(np.unique(mask).tolist())
    for index, mask in reversed(list(enumerate(masks))):
        again = store.take(index)
        assert again is not None
        assert again.dtype == mask.dtype and np.array_equal(again, mask) and again.flags.writeable
    assert store.take(99) is None
    store.close()


@pytest.mark.parametrize("layout", ["png", "coco", "hf-imagefolder", "hf-parquet"])
def test_every_export_has_its_classes_in_plain_sight(exported, layout: str) -> None:
    rows = list(csv.DictReader((exported(layout) / "classes.csv").open(encoding="utf-8")))
    assert rows[0] == {"id": "0", "name": "BACKGROUND", "color": "#000000"}
    assert [int(row["id"]) for row in rows] == list(range(8))


def test_export_to_s3_is_the_same_tree(shared_job, tmp_path: Path, fake_s3) -> None:
    from ground_truth_labels import Storage

    storage = Storage(client=fake_s3)
    export(read_manifest(shared_job.root, storage=storage), "s3://target/set", format="coco")
    export(read_manifest(shared_job.root), tmp_path / "out", format="coco")
    local = {
        p.relative_to(tmp_path / "out").as_posix(): p.read_bytes()
        for p in (tmp_path / "out").rglob("*.*")
        if p.is_file()
    }
    assert {k.removeprefix("set/"): v for (b, k), v in fake_s3.objects.items() if b == "target"} == local


@pytest.fixture
def fake_s3():
    """The five S3 calls that the package makes, over a dictionary."""

    class Fake:
        def __init__(self) -> None:
            self.objects: dict[Any, Any] = {}

        def put_object(self, *, Bucket, Key, Body) -> None:
            self.objects[Bucket, Key] = bytes(Body)

        def upload_fileobj(self, stream, bucket, key) -> None:
            self.objects[bucket, key] = stream.read()

        def get_object(self, *, Bucket, Key, Range=None):
            data = self.objects[Bucket, Key]
            return {"Body": io.BytesIO(data), "ContentLength": len(data)}

        def head_object(self, *, Bucket, Key):
            if (Bucket, Key) not in self.objects:
                raise service_error("HeadObject", "404", status=404)
            return self.objects[Bucket, Key]

        def delete_object(self, *, Bucket, Key) -> None:
            self.objects.pop((Bucket, Key), None)

        def get_paginator(self, _):
            return self

        def paginate(self, *, Bucket, Prefix):
            keys = sorted(k for b, k in self.objects if b == Bucket and k.startswith(Prefix))
            return [{"Contents": [{"Key": k} for k in keys]}]

    return Fake()
