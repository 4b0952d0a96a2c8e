"""Where copies are written, and what they may be mistaken for."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ground_truth_labels import (
    LabelsError,
    ManifestError,
    merge,
    read_manifest,
    relabel,
    repair,
)
from ground_truth_labels.cli.main import main
from tests.labels.sets import (
    COLORS,
    ROWS,
    line,
    mask,
    read_lines,
    shown,
    street,
    write_manifest,
    write_set,
)


def two_attributes(folder, second, *, rows=(("truck", "truck"),)):
    """A line with labels of two jobs; `second` is what it calls the second job's mask."""
    value = line("a.jpg", "m/first.png", COLORS)
    value.update(line("a.jpg", second, COLORS, attribute="second-ref"))
    folder.mkdir(parents=True)
    for name, data in (("m/first.png", mask(ROWS, COLORS)), (second, mask(rows, COLORS))):
        place = folder / name.removeprefix("s3://")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    write_manifest(folder, [value])
    return folder


@pytest.mark.parametrize(
    "second",
    [
        "masks/000000_a.png",
        "masks/000000_a.2.png",
        "x/masks/000000_a.png",
        "s3://bucket/earlier/masks/000000_a.png",
    ],
)
@pytest.mark.parametrize("command", ["relabel", "relabel beside", "repair"])
def test_the_copy_never_takes_the_place_of_another_attributes_mask(tmp_path, second, command):
    """In a folder references are found by their ends; a mask that had this name was read as the copy."""
    folder = two_attributes(tmp_path / "old", second)
    manifest = read_manifest(folder, attribute="streets-ref")
    target = tmp_path / "new"
    result: Any
    if command == "repair":
        result, written = repair(manifest, target), "streets-ref"
    elif command == "relabel":
        result, written = relabel(manifest, target, rename={"car": "auto"}), "streets-ref"
    else:
        result = relabel(manifest, target, drop=["car"], attribute="third-ref")
        written = "third-ref"
    [value] = read_lines(result.manifest)
    assert value["second-ref"] == second
    names = {"relabel": {"car": "auto"}, "relabel beside": {"car": "BACKGROUND"}, "repair": {}}[command]
    assert shown(target, value, written) == [[names.get(each, each) for each in row] for row in ROWS]
    read = read_manifest(result.manifest, attribute="second-ref", root=folder)
    assert [[read.labels.by_id[i] for i in row] for row in read[0].mask().tolist()] == [["truck", "truck"]]
    if not second.startswith("s3:"):
        [alone] = read_manifest(result.manifest, attribute="second-ref")
        with pytest.raises(LabelsError, match="not found below"):
            alone.mask()


def test_a_copy_of_a_copy_keeps_the_plain_name(tmp_path):
    once = relabel(street(tmp_path / "old"), tmp_path / "once", rename={"car": "auto"})
    twice = relabel(once.manifest, tmp_path / "twice", rename={"auto": "car"})
    [value] = read_lines(twice.manifest)
    assert value["streets-ref"] == "masks/000000_a.png"
    assert shown(tmp_path / "twice", value) == ROWS
    assert value["streets-ref-metadata"]["relabeled"] == {
        "from": "masks/000000_a.png",
        "classes": {"auto": "car"},
    }


def test_labels_of_another_job_are_not_written_over(tmp_path):
    folder = two_attributes(tmp_path / "old", "m/second.png")
    manifest = read_manifest(folder, attribute="streets-ref")
    with pytest.raises(ManifestError, match="have labels as 'second-ref' already, which would be lost"):
        relabel(manifest, tmp_path / "new", rename={"car": "auto"}, attribute="second-ref")
    write_manifest(
        folder,
        [
            line("a.jpg", "m/first.png", COLORS),
            {"source-ref": "b.jpg", "x-ref-metadata": {"failure-reason": "no"}},
        ],
    )
    with pytest.raises(ManifestError, match="have labels as 'x-ref' already"):
        relabel(folder, tmp_path / "new", rename={"car": "auto"}, attribute="x-ref")
    assert not (tmp_path / "new").exists()


def test_targets(tmp_path, capsys):
    folder = street(tmp_path / "old")
    wishes = ["--rename", "car", "auto", "--quiet"]
    (tmp_path / "file").write_text("mine")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/.keep").write_text("")
    (tmp_path / "locked").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "dangling")
    for target in ("file", "hidden", "file/below"):
        assert main(["relabel", str(folder), str(tmp_path / target), *wishes]) == 1
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and "Traceback" not in told and "unexpected" not in told
    assert (tmp_path / "file").read_text() == "mine"
    # Inside of its own input is a place like any other, and the input is still what is read.
    assert main(["relabel", str(folder), str(folder / "renamed"), *wishes]) == 0
    assert read_lines(folder / "output.manifest")[0]["streets-ref"] == "masks/0_m.png"
    assert "auto" in read_manifest(folder / "renamed").classes and "car" in read_manifest(folder).classes
    # A second run is refused, and changes nothing.
    before = {path: path.read_bytes() for path in (folder / "renamed").rglob("*") if path.is_file()}
    assert main(["relabel", str(folder), str(folder / "renamed"), *wishes]) == 1
    assert {p: p.read_bytes() for p in (folder / "renamed").rglob("*") if p.is_file()} == before


def test_the_command_takes_one_name_several_times_and_refuses_two_for_one(tmp_path, capsys):
    folder = str(street(tmp_path / "old"))
    both = ["--merge", "vehicle", "car", "--merge", "vehicle", "truck", "--quiet"]
    assert main(["relabel", folder, str(tmp_path / "one"), *both]) == 0
    assert list(read_manifest(tmp_path / "one").classes) == ["BACKGROUND", "vehicle", "road"]
    assert (
        main(["relabel", folder, str(tmp_path / "two"), "--rename", "car", "x", "--rename", "car", "y"]) == 1
    )
    assert "'car' is named twice" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()
    # Reading does the same.
    assert main(["export", folder, str(tmp_path / "set"), *both, "--no-images"]) == 0
    assert (tmp_path / "set/classes.csv").read_text().count("vehicle") == 1
    assert "truck" not in (tmp_path / "set/classes.csv").read_text()
    assert main(["export", folder, str(tmp_path / "no"), "--merge", "vehicle", "--no-images"]) == 1
    assert "merge names no class that becomes 'vehicle'" in capsys.readouterr().err


def test_an_interrupted_copy_has_no_manifest(tmp_path):
    entries = [(line(f"{i}.jpg", f"m/{i}.png", COLORS), mask(ROWS, COLORS)) for i in range(6)]
    folder = write_set(tmp_path / "old", entries)
    (folder / "m/4.png").write_bytes(b"no PNG")
    with pytest.raises(LabelsError, match="line 5"):
        relabel(folder, tmp_path / "new", drop=["car"], workers=1)
    assert {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()} <= {
        f"00000{i}_{i}.png" for i in range(6)
    }

    def stop(done, total):
        assert total == 6
        if done == 2:
            raise KeyboardInterrupt

    (folder / "m/4.png").write_bytes(entries[4][1])
    with pytest.raises(KeyboardInterrupt):
        relabel(folder, tmp_path / "other", drop=["car"], workers=1, progress=stop)
    assert not list((tmp_path / "other").glob("*.manifest")) and not list(
        (tmp_path / "other").rglob("*.part")
    )


def test_a_relabeled_job_and_its_original_merge_into_the_newer_names(tmp_path):
    """Copies call their masks alike; these are other files, whose differences are told."""
    folder = street(tmp_path / "old")
    relabel(folder, tmp_path / "one", drop=["car"])
    relabel(folder, tmp_path / "two", drop=["road"])
    result = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "all")
    [conflict] = result.conflicts
    assert conflict.reason == "of an earlier manifest, 66.67% of its pixels differ"
    [value] = read_lines(result.manifest)
    assert shown(tmp_path / "all", value) == [
        ["BACKGROUND" if each == "road" else each for each in row] for row in ROWS
    ]
