"""Classes renamed, merged and dropped without a worker: every pixel held against an independent reading."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, ManifestError, RepairError, check, read_manifest, relabel
from ground_truth_labels import relabeling as module
from ground_truth_labels._painting import mask_png
from ground_truth_labels.cli.main import main
from tests.labels.independent import classes_by_color, classes_by_index
from tests.labels.sets import WHITE, line, mask, read_lines, write_manifest, write_set

CASES = 600
COLORS = {"BACKGROUND": WHITE, "road": "#2ca02c", "car": "#1f77b4", "truck": "#ff7f0e"}
ROWS = [["road", "car", "BACKGROUND"], ["truck", "car", "road"]]


@pytest.fixture
def streets(tmp_path: Path):
    """Two labeled images, the second without cars, and one that nobody labeled."""
    plain = {name: color for name, color in COLORS.items() if name in ("BACKGROUND", "road")}
    return write_set(
        tmp_path / "streets",
        [
            (line("a.jpg", "masks/0_m.png", COLORS), mask(ROWS, COLORS)),
            (line("b.jpg", "masks/1_m.png", plain), mask([["road", "BACKGROUND"]], plain)),
            ({"source-ref": "c.jpg"}, None),
        ],
    )


def shown(folder, value, attribute="streets-ref"):
    """What a line's mask says, by colour and by index; both have to agree."""
    data = (folder / value[attribute]).read_bytes()
    table = value[f"{attribute}-metadata"]["internal-color-map"]
    by_color = classes_by_color(data, table)
    assert (by_color == classes_by_index(data, table)).all()
    return by_color.tolist()


def test_a_renamed_class_changes_the_map_and_no_byte_of_a_mask(streets, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in streets.rglob("*") if path.is_file()}
    result = relabel(streets, tmp_path / "new", rename={"car": 'O\'Brien "x" </script> é', "truck": "car"})
    assert (result.repainted, result.renamed, result.unchanged, result.passed) == (0, 1, 1, 1)
    # Sorted names of the original, each at its place.
    assert result.classes == ('O\'Brien "x" </script> é', "road", "car")
    assert {path: path.read_bytes() for path in streets.rglob("*") if path.is_file()} == before
    first, second, third = read_lines(result.manifest)
    copy = tmp_path / "new"
    assert (copy / first["streets-ref"]).read_bytes() == (streets / "masks/0_m.png").read_bytes()
    names = {"car": 'O\'Brien "x" </script> é', "truck": "car"}
    assert shown(copy, first) == [[names.get(name, name) for name in row] for row in ROWS]
    assert first["streets-ref-metadata"]["relabeled"] == {"from": "masks/0_m.png", "classes": names}
    assert "relabeled" not in second["streets-ref-metadata"]
    assert third == {"source-ref": "c.jpg"}


def test_merged_and_dropped_classes_are_repainted(streets, tmp_path: Path) -> None:
    result = relabel(streets, tmp_path / "new", merge={"vehicle": ["car", "truck"]}, drop=["road"])
    assert (result.repainted, result.renamed, result.unchanged) == (2, 0, 0)
    assert result.classes == ("vehicle",)
    expected = {"car": "vehicle", "truck": "vehicle", "road": "BACKGROUND"}
    first, second, _ = read_lines(result.manifest)
    assert shown(tmp_path / "new", first) == [[expected.get(name, name) for name in row] for row in ROWS]
    assert shown(tmp_path / "new", second) == [["BACKGROUND", "BACKGROUND"]]
    entries = first["streets-ref-metadata"]["internal-color-map"]
    assert entries["1"] == {"class-name": "vehicle", "hex-color": "#1f77b4", "confidence": 0.5}
    assert not check(result.manifest, images=False).errors


def test_the_order_of_the_classes_stays(streets, tmp_path: Path) -> None:
    manifest = read_manifest(streets, labels=["truck", "road", "car"])
    result = relabel(manifest, tmp_path / "new", rename={"truck": "lorry"})
    assert read_manifest(result.manifest).classes == {"BACKGROUND": 0, "lorry": 1, "road": 2, "car": 3}
    again = relabel(result.manifest, tmp_path / "again", merge={"road": ["road", "car"]})
    assert read_manifest(again.manifest).classes == {"BACKGROUND": 0, "lorry": 1, "road": 2}


def test_another_attribute_keeps_the_first(streets, tmp_path: Path) -> None:
    result = relabel(streets, tmp_path / "new", drop="car", attribute="clean-ref")
    first = read_lines(result.manifest)[0]
    assert first["streets-ref"] == "masks/0_m.png" and "relabeled" in first["clean-ref-metadata"]
    assert first["streets-ref-metadata"] == read_lines(streets / "output.manifest")[0]["streets-ref-metadata"]
    assert read_manifest(result.manifest, attribute="clean-ref").classes["truck"] == 2
    with pytest.raises(ExportError, match="end in '-ref', got 'clean'"):
        relabel(streets, tmp_path / "other", drop="car", attribute="clean")


def test_a_map_without_background_gets_one(tmp_path: Path) -> None:
    colors = {"crack": "#ffffff", "weed": "#000000"}
    folder = write_set(
        tmp_path / "set",
        [(line("a.png", "masks/0_m.png", colors), mask([["crack", "weed"]], colors))],
    )
    result = relabel(folder, tmp_path / "new", drop=["weed"])
    [only] = read_lines(result.manifest)
    assert shown(tmp_path / "new", only) == [["crack", "BACKGROUND"]]
    # White is taken.
    assert only["streets-ref-metadata"]["internal-color-map"]["0"]["hex-color"] == "#fffffe"


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({}, "nothing to do"),
        ({"rename": {"bus": "coach"}}, "there is no class 'bus' .* there are 'car', 'road', 'truck'"),
        ({"rename": {"car": "truck"}}, "two classes would be called 'truck'; .* give both to merge"),
        ({"rename": {"car": "x", "truck": "x"}}, "two classes would be called 'x'"),
        ({"rename": {"car": "x"}, "drop": ["car"]}, "'car' is named twice"),
        ({"merge": {"x": ["car"]}}, "merge needs two classes or more for 'x'"),
        ({"merge": {"x": ["car", "car"]}}, "'car' is named twice"),
        ({"rename": {"car": "BACKGROUND"}}, "can't be called 'BACKGROUND'"),
        ({"rename": {"car": ""}}, "can't be called ''"),
        ({"drop": ["car", "road", "truck"]}, "no class would be left"),
    ],
)
def test_wishes_that_contradict_are_refused(wishes, message: str, streets, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=message):
        relabel(streets, tmp_path / "new", **wishes)
    assert not (tmp_path / "new").exists()


def test_what_nobody_knows_is_not_lost_in_silence(tmp_path: Path) -> None:
    data = mask([["road", "car"]], {**COLORS, "car": "#123456"})
    folder = write_set(tmp_path / "set", [(line("a.png", "masks/0_m.png", COLORS), data)])
    with pytest.raises(ManifestError, match="can't keep pixels of colours that nobody knows"):
        relabel(read_manifest(folder, unknown="ignore"), tmp_path / "new", drop=["truck"])
    with pytest.raises(ValueError, match="#123456"):
        relabel(folder, tmp_path / "new", drop=["truck"])
    result = relabel(read_manifest(folder, unknown="background"), tmp_path / "other", drop=["truck"])
    [only] = read_lines(result.manifest)
    assert shown(tmp_path / "other", only) == [["road", "BACKGROUND"]]


def test_a_copy_that_says_otherwise_is_removed(
    streets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = mask_png

    def wrong(indices, colors):
        spoiled = indices.copy()
        spoiled[0, 0] = 1 - spoiled[0, 0]
        return right(spoiled, colors)

    monkeypatch.setattr(module, "mask_png", wrong)
    with pytest.raises(RepairError, match=r"line 1: .* 1 pixels of the copy read as another class"):
        relabel(streets, tmp_path / "new", drop=["truck"])
    # The second image may have been under way.
    assert not list((tmp_path / "new").rglob("*_a.png")) and not (tmp_path / "new/output.manifest").exists()


def test_a_target_that_holds_something_is_refused(streets) -> None:
    with pytest.raises(ExportError, match="is not empty; relabel writes a copy"):
        relabel(streets, streets, drop=["car"])


def test_any_wish_over_any_mask(tmp_path: Path) -> None:
    """Palettes in any order, RGB and RGBA, transparent pixels, maps with and without BACKGROUND."""
    chance = random.Random(11)
    lines, truth = [], []
    for number in range(CASES):
        names = chance.sample(["road", "car", "truck", "tree", "sky", "é"], chance.randint(1, 6))
        shades = [f"#{c:06x}" for c in chance.sample(range(0x1000000), len(names) + 1)]
        ground = chance.random() < 0.7
        colors = dict(zip([*(["BACKGROUND"] if ground else []), *names], shades, strict=False))
        rows = [[chance.choice(list(colors)) for _ in range(5)] for _ in range(3)]
        data = mask(rows, colors, mode=chance.choice(["P", "P", "RGB", "RGBA"]), permute=chance.randint(0, 6))
        if chance.random() < 0.3:
            image = Image.open(io.BytesIO(data)).convert("RGBA")
            shown_there: Any = image.getpixel((2, 1))
            image.putpixel((2, 1), (*shown_there[:3], 0))
            rows[1][2] = "BACKGROUND"
            buffer = io.BytesIO()
            image.save(buffer, "PNG")
            data = buffer.getvalue()
        lines.append((line(f"{number}.png", f"masks/{number}_m.png", colors), data))
        truth.append(rows)
    folder = write_set(tmp_path / "set", lines)
    wishes: dict[str, Any] = {
        "rename": {"road": "street"},
        "merge": {"vehicle": ["car", "truck"]},
        "drop": ["sky"],
    }
    after = {"road": "street", "car": "vehicle", "truck": "vehicle", "sky": "BACKGROUND"}
    result = relabel(folder, tmp_path / "new", **wishes)
    assert result.repainted > CASES / 3 and result.renamed > CASES / 20 and result.unchanged
    ids = read_manifest(result.manifest)
    for value, rows, item in zip(read_lines(result.manifest), truth, ids, strict=True):
        data = (tmp_path / "new" / value["streets-ref"]).read_bytes()
        table = value["streets-ref-metadata"]["internal-color-map"]
        expected = [[after.get(name, name) for name in row] for row in rows]
        assert classes_by_color(data, table).tolist() == expected
        by_id = {number: name for name, number in ids.classes.items()}
        assert np.vectorize(by_id.get, otypes=[object])(item.mask()).tolist() == expected


def test_the_command(streets, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["relabel", str(streets), str(tmp_path / "new"), "--quiet"]
    wishes = ["--rename", "road", "street", "--merge", "vehicle", "car", "truck"]
    assert main([*arguments, *wishes]) == 0
    assert "1 masks repainted, 1 under other names, 0 unchanged" in capsys.readouterr().out
    assert json.loads((tmp_path / "new/label-categories.json").read_text()) == {
        "document-version": "2018-11-28",
        "labels": [{"label": "vehicle"}, {"label": "street"}],
    }
    assert main([*arguments[:2], str(tmp_path / "other"), "--drop", "bus"]) == 1
    assert "there is no class 'bus'" in capsys.readouterr().err


def test_a_category_file_of_other_classes_is_nobodys(streets) -> None:
    (streets / "label-categories.json").write_text('{"labels": [{"label": "cat"}]}')
    assert list(read_manifest(streets).classes) == ["BACKGROUND", "car", "road", "truck"]
    write_manifest(streets, [{"source-ref": "c.jpg"}])
    assert read_manifest(streets).attribute is None
