"""Repair: a corrected copy for jobs with wrong indices, never in place, never another mask than it was."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, RepairError, check, read_manifest, repair
from ground_truth_labels import repairs as module
from ground_truth_labels._indices import plan_indices
from ground_truth_labels._png_indices import read_indexed
from ground_truth_labels.errors import MaskError
from tests.labels.independent import classes_by_color, classes_by_index, read_png


def png(indices, palette, opacity=None, **options):
    image = Image.fromarray(np.asarray(indices, np.uint8))
    image.putpalette(bytes(v for color in palette for v in bytes.fromhex(color[1:])))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **({"transparency": bytes(opacity)} if opacity else {}), **options)
    return buffer.getvalue()


def color_map(names, colors, keys=None):
    keys = keys or range(len(names))
    return {
        str(k): {"class-name": n, "hex-color": c, "confidence": 0}
        for k, n, c in zip(keys, names, colors, strict=True)
    }


@pytest.fixture
def write(tmp_path: Path):
    """A set of masks in one folder, with relative references."""

    def build(masks, table, folder="set"):
        base = tmp_path / folder
        (base / "masks").mkdir(parents=True)
        (base / "images").mkdir()
        lines = []
        for number, data in enumerate(masks):
            (base / f"masks/{number}_m.png").write_bytes(data)
            size = read_png(data).rgba.shape[1::-1]
            Image.new("RGB", size, (number, 7, 7)).save(base / f"images/{number}.png")
            lines.append(
                {
                    "source-ref": f"images/{number}.png",
                    "a-ref": f"masks/{number}_m.png",
                    "a-ref-metadata": {
                        "internal-color-map": table,
                        "type": "groundtruth/semantic-segmentation",
                        "human-annotated": "yes",
                        "creation-date": "2020-07-01T00:00:00.000Z",
                        "job-name": "labeling-job/old",
                    },
                }
            )
        (base / "output.manifest").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return base

    return build


def test_indices_become_those_of_the_colour_map(build_job, tmp_path: Path) -> None:
    job = build_job(wrong=True)
    before = {p: p.read_bytes() for p in job.root.rglob("*") if p.is_file()}
    result = repair(read_manifest(job.root, root=job.root), tmp_path / "fixed")
    assert (result.corrected, result.unchanged, result.passed) == (6, 0, 1)
    fixed = read_manifest(result.manifest, root=job.root)
    for item, truth, line in zip(fixed, job.truth, job.lines, strict=False):
        if item.state != "labeled":
            continue
        # By index, as tools that ignore colours read it.
        assert item.mask_ref
        assert np.array_equal(read_png((tmp_path / "fixed" / item.mask_ref).read_bytes()).indices, truth)
        again = json.loads(item.raw)
        assert {**again, "streets-ref": line["streets-ref"]} == line
    assert {p: p.read_bytes() for p in job.root.rglob("*") if p.is_file()} == before
    assert "wrong-index" not in {p.code for p in check(fixed, images=False).problems}


def test_right_masks_are_copied_byte_for_byte(job, tmp_path: Path) -> None:
    result = repair(read_manifest(job.root, root=job.root), tmp_path / "fixed")
    assert (result.corrected, result.unchanged) == (0, 6)
    copy = tmp_path / "fixed/masks/000000_astronaut.png"
    assert copy.read_bytes() == job.local(job.lines[0]["streets-ref"]).read_bytes()


def test_never_in_place(job) -> None:
    with pytest.raises(ExportError, match="is not empty; repair writes a copy"):
        repair(read_manifest(job.root, root=job.root), job.manifest.parent)


TABLE = color_map(["crack", "weed"], ["#2ca02c", "#1f77b4"])


def test_a_map_without_background_keeps_its_first_class(write, tmp_path: Path) -> None:
    """29 real masks became one class each: transparent pixels and the class of key 0 shared an index."""
    mask = np.zeros((12, 12), np.uint8)
    mask[2:6, 2:9], mask[7:10, 3:5] = 2, 1
    data = png(mask, ["#000000", "#2ca02c", "#1f77b4"], [0])
    base = write([data], TABLE)
    before = [item.mask() for item in read_manifest(base)]
    assert "wrong-index" in {p.code for p in check(read_manifest(base), images=False).problems}
    result = repair(read_manifest(base), tmp_path / "fixed")
    fixed = read_manifest(result.manifest, root=base)
    assert np.array_equal([item.mask() for item in fixed], before)
    copy = (tmp_path / "fixed/masks/000000_0.png").read_bytes()
    wanted = classes_by_color(data, TABLE)
    assert set(wanted.ravel()) == {"BACKGROUND", "crack", "weed"}
    assert np.array_equal(classes_by_index(copy, TABLE), wanted)
    assert np.array_equal(classes_by_color(copy, TABLE), wanted)
    assert not {p.code for p in check(fixed).problems} & {"wrong-index", "missing-image", "missing-mask"}


def test_relative_references_need_one_root_for_images_and_none_for_the_copied_masks(
    write, tmp_path: Path
) -> None:
    base = write([png([[0, 1]], ["#1f77b4", "#2ca02c"])], TABLE)
    fixed = repair(read_manifest(base), tmp_path / "fixed").manifest
    (item,) = read_manifest(fixed, root=base)
    assert item.image().size == (2, 1) and item.mask().shape == (1, 2)
    assert item.mask_bytes() == (tmp_path / "fixed/masks/000000_0.png").read_bytes()


def _full(background):
    names = [f"c{i}" for i in range(256)]
    colors = [f"#{i:02x}40{255 - i:02x}" for i in range(256)]
    if background:
        names[255] = "BACKGROUND"
    return color_map(names, colors), colors


def test_what_has_no_repair_is_refused_and_never_advised(write, tmp_path: Path) -> None:
    table, colors = _full(background=False)
    indices = np.arange(256).reshape(16, 16)
    data = png(indices, [colors[1], colors[0], *colors[2:255], "#000000"], [*[255] * 255, 0])
    base = write([data], table)
    with pytest.raises(RepairError, match="leaves no index for pixels that nobody labeled"):
        repair(read_manifest(base), tmp_path / "fixed")
    (finding,) = [p for p in check(read_manifest(base), images=False).problems if "index" in p.code]
    assert finding.code == "no-index" and "write a copy" not in finding.message
    assert not list((tmp_path / "fixed").rglob("*.*"))


def test_256_classes_fit(write, tmp_path: Path) -> None:
    table, colors = _full(background=True)
    indices = np.arange(256).reshape(16, 16)
    base = write([png(255 - indices, colors)], table)
    # Right as it is: nothing moves.
    assert repair(read_manifest(base), tmp_path / "fixed").unchanged == 1


@pytest.mark.parametrize("keys", [["1", "01"], ["0", "300"], ["0", "x"], ["0", "\u0661"]])
def test_keys_that_are_no_indices(keys, write, tmp_path: Path) -> None:
    names, colors = _pair()
    base = write([png([[0, 1]], ["#1f77b4", "#2ca02c"])], color_map(names, colors, keys))
    with pytest.raises(RepairError, match="can be read by colour, but not repaired"):
        repair(read_manifest(base), tmp_path / "fixed")
    assert "wrong-index" not in {p.code for p in check(read_manifest(base), images=False).problems}


def _pair():
    return ["crack", "weed"], ["#2ca02c", "#1f77b4"]


def test_a_copy_that_reads_otherwise_is_removed(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write([png([[0, 1], [1, 0]], ["#1f77b4", "#2ca02c"])], TABLE)
    right = module._moved

    def wrong(image, plan):
        broken = Image.open(io.BytesIO(right(image, plan)))
        broken.putpixel((1, 0), 1)
        buffer = io.BytesIO()
        broken.save(buffer, "PNG")
        return buffer.getvalue()

    monkeypatch.setattr(module, "_moved", wrong)
    with pytest.raises(RepairError, match=r"line 1: .*1 pixels of the copy read as another class"):
        repair(read_manifest(base), tmp_path / "fixed")
    assert not list((tmp_path / "fixed").rglob("*.png"))


def test_a_disk_that_keeps_something_else_is_noticed(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = write([png([[0, 1]], ["#2ca02c", "#1f77b4"])], TABLE)
    manifest = read_manifest(base)
    kept = manifest.storage.write

    def forgetful(location, data, **options) -> None:
        kept(location, data[:-3], **options)

    monkeypatch.setattr(manifest.storage, "write", forgetful)
    with pytest.raises(RepairError, match="reads back otherwise than it was written"):
        repair(manifest, tmp_path / "fixed")


def test_unknown_colours_stay_unknown(write, tmp_path: Path) -> None:
    data = png([[0, 1, 2]], ["#2ca02c", "#010203", "#1f77b4"])
    base = write([data], TABLE)
    manifest = read_manifest(base, unknown="ignore")
    before = next(iter(manifest)).mask()
    fixed = read_manifest(repair(manifest, tmp_path / "fixed").manifest, root=base, unknown="ignore")
    assert np.array_equal(next(iter(fixed)).mask(), before) and 255 in before


@pytest.mark.parametrize("kind", range(5))
def test_the_second_reader_knows_every_filter(kind) -> None:
    import struct
    import zlib

    rng = np.random.default_rng(kind)
    wanted = rng.integers(0, 7, (6, 9)).astype(np.uint8)
    rows, above = b"", np.zeros(10, np.int64)
    for row in wanted:
        now = np.concatenate([[0], row]).astype(np.int64)
        left, up, corner = now[:-1], above[1:], above[:-1]
        estimate = left + up - corner
        near = np.abs(np.stack([estimate - left, estimate - up, estimate - corner])).argmin(0)
        paeth = np.choose(near, [left, up, corner])
        guess = [0 * left, left, up, (left + up) // 2, paeth][kind]
        rows += bytes([kind]) + ((row - guess) % 256).astype(np.uint8).tobytes()
        above = now

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 6, 8, 3, 0, 0, 0))
    data += chunk(b"PLTE", bytes(range(21))) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.array_equal(read_indexed(data, "x").indices, wanted)
    assert np.array_equal(read_png(data).indices, wanted)
    with pytest.raises(MaskError, match="cannot be read back"):
        read_indexed(data[:-20], "x")


def test_masks_without_a_palette_have_no_indices() -> None:
    assert plan_indices(Image.new("RGB", (1, 1)), (), alpha="visible", where="x") is None
