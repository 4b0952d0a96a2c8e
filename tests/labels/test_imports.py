"""Labels that go out to CVAT and Label Studio and come back: equal, and legal for the service."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import LabelsError, check, export, import_labels, read_manifest

BUCKET = "s3://photo-bucket"
#: As many as fit into a palette beside the background; as class ids one fewer, since 255 is no class.
MANY = {"cvat": 255, "label-studio": 255, "voc": 254}
CLASSES = [f"class {i} é" for i in range(max(MANY.values()))]
FORMATS = {"cvat": "annotations.xml", "label-studio": "tasks.json", "voc": "VOCdevkit/VOC2012"}


def masks(classes):
    """Masks with holes in holes, one-pixel classes, noise, all 255 classes, and one of a single column."""
    rng = np.random.default_rng(5)
    rings = np.zeros((40, 50), np.uint8)
    for i in range(1, 15):
        rings[i : 40 - i, i : 50 - i] = i % 4 if i % 3 else 0
    dots = np.zeros((33, 31), np.uint8)
    dots.ravel()[rng.choice(dots.size, 255, replace=False)] = rng.permutation(np.arange(1, 256))
    everything = np.resize(np.arange(256), (32, 24)).astype(np.uint8)
    noise = rng.integers(0, 4, (27, 19)).astype(np.uint8)
    column = np.arange(1, 8, dtype=np.uint8).reshape(7, 1)
    full = np.full((5, 9), 9, np.uint8)
    made: list[np.ndarray[Any, Any]] = [rings, dots, everything, noise, column, full]
    made += [rng.integers(0, 3, rng.integers(1, 20, 2)).astype(np.uint8) | 1 for _ in range(6)]
    return [mask.clip(max=classes) for mask in made]


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module", params=MANY)
def drawn(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest):
    """A bucket's copy with photographs, masks of so many classes, and the output manifest."""
    classes = CLASSES[: MANY[request.param]]
    root = tmp_path_factory.mktemp("imports") / "photo-bucket"
    rgb = np.random.default_rng(9).permutation(1 << 18)[:256]
    rgb = np.stack([rgb >> 12 << 2, (rgb >> 6 & 63) << 2, (rgb & 63) << 2 | 1], 1).astype(np.uint8)
    truth = masks(len(classes))
    lines = []
    for index, mask in enumerate(truth):
        image, label = f"day one/{index % 2}/photo.{index}.jpg", f"labels/j/out/{index}_x.png"
        picture = Image.fromarray(mask)
        picture.putpalette(rgb.tobytes())
        for name, save in ((image, "JPEG"), (label, "PNG")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (picture if save == "PNG" else picture.convert("RGB")).save(root / name, save)
        colors = {
            str(i): {"class-name": n, "hex-color": "#" + rgb[i].tobytes().hex()}
            for i, n in enumerate(["BACKGROUND", *classes])
        }
        metadata = {"internal-color-map": colors, "type": "groundtruth/semantic-segmentation"}
        lines.append(
            {
                "source-ref": f"{BUCKET}/{image}",
                "old-ref": f"{BUCKET}/{label}",
                "old-ref-metadata": {**metadata, "human-annotated": "yes", "job-name": "labeling-job/old"},
                "weather": "sunny",
            }
        )
    lines.append({"source-ref": f"{BUCKET}/day one/never.jpg"})
    path = root / "labels/j/manifests/output/output.manifest"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return request.param, root, path, truth, lines


@pytest.mark.parametrize("packed", [False, True])
def test_what_goes_out_comes_back_equal(drawn, tmp_path: Path, packed: bool) -> None:
    name, root, path, truth, lines = drawn
    classes = CLASSES[: MANY[name]]

    def opened(path):
        return read_manifest(path, labels=classes, root=root)

    export(opened(path), tmp_path / "out", format=name)
    source = tmp_path / "out" / FORMATS[name]
    if packed:
        archive = tmp_path / "back.zip"
        base = source if source.is_dir() else source.parent
        with zipfile.ZipFile(archive, "w") as out:
            for file in base.rglob("*") if source.is_dir() else [source]:
                if file.is_file():
                    out.write(file, file.relative_to(base))
        source = archive
    target = root / f"labels/{name}-{packed}"
    result = import_labels(opened(path), source, target, uri=f"{BUCKET}/labels/{name}-{packed}")
    assert (result.imported, result.kept, result.unlabeled, result.empty) == (len(truth), 0, 1, 0)
    again = list(opened(result.manifest))
    for item, mask in zip(again[:-1], truth, strict=True):
        ids = np.array([0, *(item.context.labels().ids[n] for n in classes)])
        assert np.array_equal(item.mask(), ids[mask])
        folder = f"{BUCKET}/labels/{name}-{packed}/annotations/consolidated-annotation/output/"
        assert item.mask_ref.startswith(folder)
        assert item.human and item.job_name == "imported"
        assert independent(root / item.mask_ref.removeprefix(f"{BUCKET}/"), item.raw, mask, classes)
    found = [json.loads(item.raw) for item in again]
    assert [line.get("weather") for line in found] == [line.get("weather") for line in lines]
    assert found[-1] == lines[-1]
    assert not [p for p in check(opened(result.manifest), images=False).problems if p.severity == "error"]


def independent(path, raw, mask, classes):
    """Whether Pillow's RGB of the PNG, through the line's own colour map, gives the names that were drawn."""
    colors = json.loads(raw)["old-ref-metadata"]["internal-color-map"]
    names = {entry["hex-color"]: entry["class-name"] for entry in colors.values()}
    assert len(names) == len(colors) == len(classes) + 1
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB")).reshape(-1, 3)
        assert image.mode == "P" and np.array_equal(np.asarray(image), mask)
    return [names["#" + bytes(p).hex()] for p in rgb] == [["BACKGROUND", *classes][i] for i in mask.ravel()]


def simple(tmp_path, count=2):
    root = tmp_path / "photo-bucket"
    root.mkdir()
    for index in range(count):
        Image.new("RGB", (6, 4)).save(root / f"{index}.jpg")
    path = root / "input.manifest"
    path.write_text("".join(f'{{"source-ref": "{BUCKET}/{i}.jpg"}}\n' for i in range(count)))
    return path


def cvat(*images) -> str:
    head = '<image id="{0}" name="{0}.jpg" width="6" height="4">{1}</image>'
    return f"<annotations>{''.join(head.format(i, m) for i, m in enumerate(images))}</annotations>"


def shape(label="road", rle="1, 2", box=(0, 0, 3, 1), order=0) -> str:
    left, top, width, height = box
    return (
        f'<mask label="{label}" rle="{rle}" left="{left}" top="{top}" width="{width}" height="{height}" '
        f'z_order="{order}"/>'
    )


def tasks(result):
    result = [{"type": "brushlabels", **result}]
    return json.dumps([{"data": {"image": "0.jpg"}, "annotations": [{"result": result}]}])


def brush(rle):
    return {"original_width": 6, "original_height": 4, "value": {"rle": rle, "brushlabels": ["road"]}}


def test_an_input_manifest_will_do_and_takes_the_classes_from_the_source(tmp_path: Path) -> None:
    path = simple(tmp_path)
    (tmp_path / "a.xml").write_text(cvat(shape("sky", order=1) + shape("road", "0,18", (0, 1, 6, 3)), ""))
    result = import_labels(
        read_manifest(path, root=tmp_path), tmp_path / "a.xml", tmp_path / "photo-bucket/job"
    )
    assert (result.attribute, result.imported, result.empty, result.unlabeled) == ("label-ref", 1, 1, 1)
    first, second = read_manifest(Path(result.manifest).parents[2])
    assert first.mask().tolist() == [[0, 2, 2, 0, 0, 0]] + [[1] * 6] * 3
    assert second.state == "unlabeled"


def test_what_nobody_drew_on_may_be_background(tmp_path: Path) -> None:
    path = simple(tmp_path)
    task = {"data": {"image": "/data/upload/1/0123abcd-1.jpg"}, "annotations": [{"result": []}]}
    (tmp_path / "t.json").write_text(json.dumps([task]))
    manifest = read_manifest(path, labels=["road"], root=tmp_path)
    result = import_labels(manifest, tmp_path / "t.json", tmp_path / "photo-bucket/j", empty="background")
    assert (result.imported, result.unlabeled) == (1, 1)
    _, item = read_manifest(Path(result.manifest).parents[2], labels=["road"])
    assert item.mask().shape == (4, 6) and not item.mask().any()


def test_the_upper_of_two_masks_counts(tmp_path: Path) -> None:
    path = simple(tmp_path, 1)
    both = shape("road", "0,3", order=5) + shape("sky", "0,3", order=1)
    (tmp_path / "a.xml").write_text(cvat(both))
    result = import_labels(
        read_manifest(path, root=tmp_path), tmp_path / "a.xml", tmp_path / "photo-bucket/job"
    )
    (item,) = read_manifest(Path(result.manifest).parents[2], labels=["road", "sky"])
    assert item.mask()[0].tolist() == [1, 1, 1, 0, 0, 0]


@pytest.mark.attack("whoever sends finished labels", "the labels", attempts=14)
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", "<annotations><image", "must be CVAT's XML"),
        ("a.xml", cvat(shape(rle="1,9")), "'rle' has more pixels than its box, 3"),
        ("a.xml", cvat(shape(rle="1,-1")), "negative run"),
        ("a.xml", cvat(shape(rle="x")), "whole numbers"),
        ("a.xml", cvat(shape(box=(4, 0, 3, 1))), "outside the image"),
        ("a.xml", cvat(shape()).replace('width="6"', 'width="999999999"', 1), "announces"),
        ("a.xml", cvat('<polygon label="road" points="0,0;1,1;2,2"/>'), "has polygon"),
        ("a.xml", cvat(shape("nobody")), "not in the label list"),
        ("a.xml", cvat("", "", shape()), "no image of"),
        ("t.json", tasks({}), "a brush must"),
        ("t.json", tasks(brush([0, 0, 0, 96, 57, 222])), "a brush of"),
        ("t.json", tasks(brush([255] * 40)), "announces"),
        ("t.json", tasks(brush([1, 300])), "a brush must"),
        ("other.txt", "x", "holds no labels"),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_name(tmp_path: Path, name: str, content, message: str) -> None:
    path = simple(tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(LabelsError, match=message):
        import_labels(
            read_manifest(path, labels=["road"], root=tmp_path),
            tmp_path / name,
            tmp_path / "photo-bucket/job",
        )


def test_preflight_takes_it_for_the_input_of_an_adjustment_and_sends_nothing_twice(tmp_path: Path) -> None:
    """By the rules that handler and command read a manifest with, which know nothing of this package."""
    from labeling_job.rules.findings import Findings
    from labeling_job.rules.manifest import read
    from labeling_job.rules.task import LabelingTask

    path = simple(tmp_path)
    (tmp_path / "a.xml").write_text(cvat(shape(), shape("sky")))
    target, uri = tmp_path / "photo-bucket/job", f"{BUCKET}/job"
    result = import_labels(read_manifest(path), tmp_path / "a.xml", target, uri=uri)
    body = Path(result.manifest).read_bytes()
    assert result.manifest == str(target / "manifests/output/output.manifest")
    for task, wanted in (
        (LabelingTask(attribute="better-ref", task_type="AdjustmentSemanticSegmentation"), 2),
        (LabelingTask(attribute="verdict", task_type="VerificationSemanticSegmentation"), 2),
        (LabelingTask(attribute="other-ref"), 2),
    ):
        findings = Findings()
        manifest = read(io.BytesIO(body), task, findings)
        assert not findings.report()
        assert manifest.to_label == wanted
        if task.is_chain:
            assert manifest.classes == {"BACKGROUND", "road", "sky"}
    findings = Findings()
    read(io.BytesIO(body), LabelingTask(attribute="label-ref"), findings)
    assert "labeled already" in findings.message("", "")


def test_a_target_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    path = simple(tmp_path)
    (tmp_path / "a.xml").write_text(cvat(shape()))
    with pytest.raises(LabelsError, match="not empty"):
        import_labels(read_manifest(path, root=tmp_path), tmp_path / "a.xml", tmp_path / "photo-bucket")
    assert Path(path).exists()


def test_brushes_of_random_regions_read_back() -> None:
    from ground_truth_labels.exports.brush import decode, encode

    rng = np.random.default_rng(2)
    for shape_ in [(1, 1), (3, 5), (400, 300), *(tuple(rng.integers(1, 60, 2)) for _ in range(60))]:
        for region in (rng.random(shape_) < rng.random(), np.ones(shape_, bool), np.zeros(shape_, bool)):
            values = decode(encode(region)).reshape(*shape_, 4)
            assert np.array_equal(values[..., 3] == 255, region) and (values == values[..., :1]).all()
