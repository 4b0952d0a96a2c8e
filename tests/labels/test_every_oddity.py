"""Shows 1: every command and format on sets with each oddity of real ones, against an independent decoding.

What a mask says is read by `independent.classes_by_color`, what came out by `independent_exports`: neither
shares code with the package. No pixel may differ.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import (
    SegmentationDataset,
    check,
    export,
    merge,
    overlay,
    read_manifest,
    relabel,
    repair,
)
from ground_truth_labels.cli import main
from ground_truth_labels.exports import FORMATS
from tests.labels.independent import classes_by_color, classes_by_index
from tests.labels.independent_exports import READERS, VOC

SIZE = (13, 21)
COLORS = {"BACKGROUND": "#ffffff", "road": "#2ca02c", "Fußweg": "#1f77b4", "car": "#ff7f0e", "sky": "#d62728"}
BARE = {name: color for name, color in COLORS.items() if name != "BACKGROUND"}
#: A browser's `Date.prototype.toString` writes this.
JAVASCRIPT = "Mon Nov 23 2026 08:00:00 GMT+0000 (Coordinated Universal Time)"


def draw(rng, colors):
    """Names: blocks, a hole, single pixels."""
    names = list(colors)
    mask = np.kron(rng.integers(0, len(names), (5, 7)), np.ones((3, 3), int))[: SIZE[0], : SIZE[1]]
    mask[rng.integers(0, SIZE[0], 4), rng.integers(0, SIZE[1], 4)] = rng.integers(0, len(names), 4)
    return np.array(names, object)[mask]


def png(names, colors, mode, rng):
    rgb = {name: bytes.fromhex(color[1:]) for name, color in colors.items()}
    if mode.startswith("P"):
        order = list(colors)
        if "permuted" in mode:
            order = rng.permutation(order).tolist()
        indices = np.vectorize(order.index, otypes=[np.uint8])(names)
        image = Image.fromarray(indices)
        image.putpalette(b"".join(rgb[name] for name in order))
        options = {"transparency": bytes([255, 120, 255])} if "transparent" in mode else {}
    else:
        image = Image.fromarray(np.array([[tuple(rgb[name]) for name in row] for row in names], np.uint8))
        options = {}
        if "RGBA" in mode:
            # What a browser's canvas leaves: edges partly transparent, and colours under what is fully so.
            alpha = rng.choice([255, 255, 255, 130, 1, 0], SIZE).astype(np.uint8)
            image.putalpha(Image.fromarray(alpha))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def metadata(colors, created="2026-11-23T08:00:00.000000"):
    return {
        "internal-color-map": {
            str(i): {"class-name": name, "hex-color": color, "confidence": 0.9}
            for i, (name, color) in enumerate(colors.items())
        },
        "type": "groundtruth/semantic-segmentation",
        "human-annotated": "yes",
        "creation-date": created,
        "job-name": "labeling-job/odd",
    }


#: Set → colours, encodings of its masks, and what else is odd about it.
SETS: dict[str, tuple[dict[str, str], list[str], dict[str, Any]]] = {
    "plain": (COLORS, ["P", "P", "RGB"], {}),
    "no BACKGROUND": (BARE, ["P", "P transparent", "RGBA"], {}),
    "alpha edges": (COLORS, ["RGBA", "RGBA", "RGBA"], {}),
    "two attributes": (COLORS, ["P", "RGB", "P permuted"], {"second": True}),
    "references of S3": (COLORS, ["P", "RGB", "RGBA"], {"bucket": True}),
    "RGBA among palettes": (COLORS, ["P permuted", "RGBA", "P"], {}),
    "dates of JavaScript": (COLORS, ["P", "P permuted", "RGB"], {"created": JAVASCRIPT}),
    "one line": (COLORS, ["P permuted"], {}),
    "one class": ({"road": "#2ca02c"}, ["P", "RGB"], {}),
}


class Set:
    """A job's folder, and the class of each pixel of its masks."""

    def __init__(self, folder, name) -> None:
        colors, modes, odd = SETS[name]
        rng = np.random.default_rng(len(name))
        folder.mkdir()
        self.folder, self.lines, self.truth = folder, [], {}
        self.options: dict[str, Any] = {"attribute": "first-ref"} if odd.get("second") else {}
        for number, mode in enumerate(modes):
            image, mask = f"in/{number}.png", f"out/masks/{number}.png"
            data = png(draw(rng, colors), colors, mode, rng)
            for place, content in ((image, self.photo(rng)), (mask, data)):
                (folder / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / place).write_bytes(content)
            start = "s3://bucket/" if odd.get("bucket") else ""
            described = metadata(colors, odd.get("created", "2026-11-23T08:00:00.000000"))
            line = {"source-ref": start + image, "first-ref": start + mask, "first-ref-metadata": described}
            if odd.get("second"):
                (folder / f"out/{number}.png").write_bytes(png(draw(rng, BARE), BARE, "P", rng))
                line |= {"second-ref": f"out/{number}.png", "second-ref-metadata": metadata(BARE)}
            self.lines.append(line)
            colored = classes_by_color(data, described["internal-color-map"])
            self.truth[f"{number:06d}_{number}"] = colored
        (folder / "output.manifest").write_text("".join(json.dumps(line) + "\n" for line in self.lines))

    @staticmethod
    def photo(rng):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(buffer, "PNG")
        return buffer.getvalue()

    def read(self):
        return read_manifest(self.folder, **self.options)

    @property
    def words(self):
        return [str(self.folder), "--quiet", *(f"--{key}={value}" for key, value in self.options.items())]


@pytest.fixture(params=SETS)
def odd(request: pytest.FixtureRequest, tmp_path: Path):
    return Set(tmp_path / "job", request.param)


def differing(found, truth):
    assert found.keys() == truth.keys()
    return sum(int((found[name] != mask).sum()) for name, mask in truth.items())


def test_the_readers_know_every_format() -> None:
    assert READERS.keys() == FORMATS.keys()


@pytest.mark.parametrize("layout", FORMATS)
def test_no_pixel_of_an_export_differs(
    odd, tmp_path: Path, layout, capsys: pytest.CaptureFixture[str]
) -> None:
    if layout == "sagemaker" and len(odd.lines) == 1:
        pytest.skip("its algorithm wants an image to train on and one to validate with")
    assert main(["export", *odd.words[:1], str(tmp_path / "out"), *odd.words[1:], "--format", layout]) == 0
    assert differing(READERS[layout](tmp_path / "out"), odd.truth) == 0


def test_no_pixel_differs_in_reading(odd) -> None:
    manifest = odd.read()
    names = manifest.labels.by_id
    dataset = SegmentationDataset(manifest)
    for position, (item, (key, truth)) in enumerate(zip(manifest, odd.truth.items(), strict=True)):
        assert item.name == key
        wanted = np.vectorize({name: i for i, name in names.items()}.get)(truth)
        assert np.array_equal(item.mask(), wanted) and np.array_equal(
            np.asarray(dataset[position][1]), wanted
        )
        picture = np.asarray(
            overlay(
                np.zeros((*SIZE, 3), np.uint8),
                wanted,
                manifest.labels,
                opacity=1,
                outline=False,
                legend=False,
            )
        )
        for name in set(truth.ravel()) - {"BACKGROUND"}:
            color = bytes.fromhex(manifest.labels.colors[manifest.classes[name]][1:])
            assert (picture[truth == name] == list(color)).all()


def test_no_pixel_differs_in_the_figures(odd, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` and its shares, by the command."""
    assert main(["check", *odd.words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    whole = np.concatenate([mask.ravel() for mask in odd.truth.values()])
    for name in found["classes"]:
        assert found["pixels"][name] == pytest.approx((whole == name).mean(), abs=1e-12)
        assert found["images"][name] == sum(bool((mask == name).any()) for mask in odd.truth.values())


def lines_of(place):
    return [json.loads(line) for line in place.read_text("utf-8").splitlines()]


def masks_of(folder, attribute="first-ref"):
    """What a copy's masks say by their colours."""
    found = {}
    for number, line in enumerate(lines_of(folder / "output.manifest")):
        place = line[attribute].removeprefix("s3://bucket/")
        data = next(f / place for f in (folder, folder.parent / "job") if (f / place).is_file()).read_bytes()
        found[f"{number:06d}_{number}"] = (data, line[f"{attribute}-metadata"]["internal-color-map"])
    return found


def test_no_pixel_differs_in_a_copy(odd, tmp_path: Path) -> None:
    """`repair` gives masks that are right by index as well; `relabel` changes what it was asked to."""
    result = repair(odd.read(), tmp_path / "repaired")
    copies = masks_of(tmp_path / "repaired")
    assert differing({k: classes_by_color(*v) for k, v in copies.items()}, odd.truth) == 0
    by_index = {k: classes_by_index(*v) for k, v in copies.items() if v[0][25] == 3}
    assert differing(by_index, {k: odd.truth[k] for k in by_index}) == 0
    assert result.corrected + result.unchanged == len(odd.lines)
    if len(odd.read().labels) == 1:
        # There is nothing to merge.
        return
    relabel(
        odd.read(),
        tmp_path / "new",
        rename={"car": "vehicle"},
        merge={"way": ["road", "Fußweg"]},
        drop=["sky"],
    )
    after = {"car": "vehicle", "road": "way", "Fußweg": "way", "sky": "BACKGROUND"}
    wanted = {k: np.vectorize(lambda n: after.get(n, n), otypes=[object])(m) for k, m in odd.truth.items()}
    copies = masks_of(tmp_path / "new")
    assert differing({k: classes_by_color(*v) for k, v in copies.items()}, wanted) == 0


def test_no_pixel_differs_in_a_merged_manifest(odd, tmp_path: Path) -> None:
    other = Set(tmp_path / "other", "plain")
    for line in other.lines:
        line["source-ref"] = f"s3://other/{line['source-ref']}"
    (other.folder / "output.manifest").write_text("".join(json.dumps(line) + "\n" for line in other.lines))
    merge([odd.folder, other.folder], tmp_path / "together")
    copies = masks_of(tmp_path / "together")
    truths = [*odd.truth.values(), *other.truth.values()]
    if any("second-ref" in line for line in odd.lines):
        assert all(
            "second-ref" in line for line in lines_of(tmp_path / "together/output.manifest")[: len(odd.lines)]
        )
    for (data, colors), truth in zip(copies.values(), truths, strict=True):
        assert (classes_by_color(data, colors) == truth).all()


def test_voc_is_right_by_index_too(odd, tmp_path: Path) -> None:
    """Its readers go by the index, others by `labelmap.txt`."""
    export(odd.read(), tmp_path / "out", format="voc")
    by_index = (tmp_path / "out" / VOC / "classes.txt").read_text("utf-8").splitlines()
    names = {int(row.split(" ", 1)[0]): row.split(" ", 1)[1] for row in by_index}
    assert names == {number: name for name, number in odd.read().classes.items()}


def test_dates_and_confidences_come_along(odd) -> None:
    created = {line["first-ref-metadata"]["creation-date"] for line in odd.lines}
    assert {item.created for item in odd.read()} == created
    assert {item.confidence for item in odd.read()} == {0.9}
    assert not check(odd.read()).errors
