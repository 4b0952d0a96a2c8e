"""What a layout can't hold is refused before anything is written, and by every layout that can't hold it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, export, read_manifest, relabel
from ground_truth_labels.exports import FORMATS
from tests.labels.independent_exports import READERS, class_list
from tests.labels.sets import WHITE, line, mask, write_set

#: Their masks are pictures of eight bits, where 255 is what trainers ignore.
NARROW = {"voc", "sagemaker", "cityscapes", "ade20k"}
SPLIT = {"train": 0.5, "validation": 0.5}


def job(folder, names):
    """Two images, each with all the classes side by side."""
    colors = {"BACKGROUND": WHITE}
    colors |= {name: f"#{number % 256:02x}{number // 256:02x}31" for number, name in enumerate(names)}
    rows = [["BACKGROUND", *names], [*names, "BACKGROUND"]]
    entries = []
    for number in range(2):
        value = line(f"{number}.jpg", f"m/{number}.png", colors)
        entries.append((value, picture(rows, colors)))
    write_set(folder, entries)
    for number in range(2):
        Image.new("RGB", (len(rows[0]), 2), (number, 9, 9)).save(folder / f"{number}.jpg")
    return folder, np.array(rows, object)


def picture(rows, colors):
    """A palette holds 256 colours; above that the mask has the colours themselves."""
    if len(colors) <= 256:
        return mask(rows, colors)
    rgb = np.array([[list(bytes.fromhex(colors[name][1:])) for name in row] for row in rows], np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def options(layout):
    return {"split": SPLIT if layout == "sagemaker" else None, "format": layout}


@pytest.mark.parametrize("layout", sorted(FORMATS))
@pytest.mark.parametrize("count", [254, 255, 300])
def test_as_many_classes_as_a_layout_can_hold(layout: str, count: int, tmp_path: Path) -> None:
    folder, names = job(tmp_path / "job", [f"class {number}" for number in range(count)])
    manifest = read_manifest(folder)
    if layout in NARROW and count > 254:
        with pytest.raises(ExportError, match=rf"'{layout}' holds 8-bit ids, {count} classes need 16"):
            export(manifest, tmp_path / "out", **options(layout))
        assert not (tmp_path / "out").exists()
        return
    export(manifest, tmp_path / "out", **options(layout))
    if count == 300:
        read = read_wide(layout, tmp_path / "out")
        assert len(read) == 2 and all((found == names).all() for found in read)


def read_wide(layout, out):
    """Class names of each image; greys of 16 bits are read by OpenCV."""
    pattern = {"png": "masks/*.png", "hf-imagefolder": "*/masks/*.png"}.get(layout)
    if layout == "hf-parquet":
        import pyarrow.parquet as tables

        [path] = out.glob("data/*.parquet")
        files = [row["mask"]["bytes"] for row in tables.read_table(path).to_pylist()]
    elif pattern is None:
        return list(READERS[layout](out).values())
    else:
        files = [path.read_bytes() for path in out.glob(pattern)]
    by_id = np.array([name for _, name in sorted(class_list(out).items())], object)
    assert sorted(class_list(out)) == [i for i in range(302) if i != 255]
    by_id = np.insert(by_id, 255, "nobody")
    # The other Pythons of `make pythons` have none.
    cv2 = pytest.importorskip("cv2")
    return [by_id[cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)] for data in files]


@pytest.mark.parametrize("name", ["a:b", "a#b", "a\rb", "a\nb", "background"])
def test_what_labelmap_gives_a_meaning_to(name: str, tmp_path: Path) -> None:
    folder, _ = job(tmp_path / "job", ["road", name])
    with pytest.raises(ExportError, match=r"labelmap\.txt cannot hold"):
        export(read_manifest(folder), tmp_path / "out", format="voc")
    assert not (tmp_path / "out").exists()
    # As the message says, another format has no trouble with it.
    assert export(read_manifest(folder), tmp_path / "png").exported == {"": 2}


@pytest.mark.parametrize(
    "names",
    [
        ("a b", "a_b"),
        ("a  b", "a b"),
        ("a\tb", "a b"),
        ("x", " x"),
        (" ", "x"),
        ("\x85", "x"),
        ("_", "unused-3"),
    ],
)
def test_names_that_label_colors_can_not_tell_apart(names, tmp_path: Path) -> None:
    folder, _ = job(tmp_path / "job", names)
    manifest = read_manifest(folder, labels={names[0]: 1, names[1]: 4})
    # An id between the others that nobody has is called "unused-" and its number.
    with pytest.raises(ExportError, match=r"label_colors\.txt has spaces as '_' and can't tell"):
        export(manifest, tmp_path / "out", format="cityscapes")
    assert not (tmp_path / "out").exists()


def test_names_that_only_look_alike_are_kept_apart(tmp_path: Path) -> None:
    folder, _ = job(tmp_path / "job", ["a b", "a-b", "A_b", "ab"])
    export(read_manifest(folder), tmp_path / "out", format="cityscapes")
    rows = (tmp_path / "out/label_colors.txt").read_text("utf-8").splitlines()
    names = [row.split(" ")[3] for row in rows]
    assert names == ["BACKGROUND", "A_b", "a_b", "a-b", "ab"] and all(
        len(row.split(" ")) == 4 for row in rows
    )


def test_relabel_is_the_way_out_that_the_error_names(tmp_path: Path) -> None:
    folder, names = job(tmp_path / "job", ["a b", "a_b"])
    relabel(folder, tmp_path / "again", rename={"a_b": "c"})
    renamed = np.where(names == "a_b", "c", names)
    export(read_manifest(tmp_path / "again", root=folder), tmp_path / "out", format="cityscapes")
    rows = (tmp_path / "out/label_colors.txt").read_text("utf-8").splitlines()
    by_id = [row.split(" ")[3].replace("_", " ") for row in rows]
    for path in (tmp_path / "out/gtFine/train/all").glob("*_labelIds.png"):
        with Image.open(path) as ids:
            assert (np.array(by_id, object)[np.asarray(ids)] == renamed).all()
