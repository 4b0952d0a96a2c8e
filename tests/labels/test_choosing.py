"""`Manifest.where` and its options: which labels are used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from ground_truth_labels import (
    ExportError,
    ManifestError,
    MissingError,
    check,
    export,
    merge,
    read_manifest,
    relabel,
)
from ground_truth_labels.cli import main
from ground_truth_labels.item import Item
from tests.labels.sets import WHITE, color_map, line, mask, write_set

COLORS = {"BACKGROUND": WHITE, "road": "#111111", "car": "#222222"}
REFERENCES = [
    "s3://b/day/a.jpg",
    "s3://b/day/b.jpg",
    "s3://b/night/a.jpg",
    "s3://b/night/c.jpg",
    "s3://b/night/d.jpg",
]


def entry(reference, number, *, confidence=0.5, human=True, verdict=None):
    value = line(reference, f"masks/{number}.png", COLORS)
    metadata = value["streets-ref-metadata"]
    metadata["human-annotated"] = "yes" if human else "no"
    metadata["internal-color-map"] = {
        key: {**each, "confidence": confidence} for key, each in color_map(COLORS).items()
    }
    if verdict:
        value["good-ref"] = 0
        value["good-ref-metadata"] = {
            "class-name": verdict,
            "confidence": 0.8,
            "type": "groundtruth/label-verification",
            "job-name": "labeling-job/verified",
            "human-annotated": "yes",
        }
    return value, mask([["road", "car", "BACKGROUND"]], COLORS)


@pytest.fixture
def folder(tmp_path: Path):
    """Four labels and a photograph without one, the last."""
    entries = [
        entry(REFERENCES[0], 0, confidence=0.9, verdict="good"),
        entry(REFERENCES[1], 1, confidence=0.4, verdict="bad"),
        entry(REFERENCES[2], 2, confidence=0.9, human=False),
        entry(REFERENCES[3], 3, confidence=0.8, verdict="good"),
        ({"source-ref": REFERENCES[4]}, None),
    ]
    return write_set(tmp_path / "job", entries)


@pytest.mark.parametrize(
    ("wishes", "options", "lines"),
    [
        ({"min_confidence": 0.8}, ["--min-confidence", "0.8"], [1, 3, 4]),
        ({"human": True}, ["--human", "yes"], [1, 2, 4]),
        ({"human": False}, ["--human", "no"], [3]),
        ({"verdict": "good"}, ["--verdict", "good"], [1, 4]),
        ({"min_confidence": 0.85, "human": True}, ["--min-confidence", "0.85", "--human", "yes"], [1]),
        ({"keys": [REFERENCES[0], REFERENCES[4]]}, None, [1, 5]),
        ({"keys": ["b.jpg", "night/a.jpg"]}, None, [2, 3]),
        ({"keys": []}, None, []),
        ({"keys": ["b.jpg", "c.jpg", "d.jpg"], "human": True}, None, [2, 4]),
    ],
)
def test_conditions(
    folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], wishes, options, lines
) -> None:
    manifest = read_manifest(folder).where(**wishes)
    assert [item.line for item in manifest] == lines and len(manifest) == len(lines)
    assert [manifest[at].line for at in range(len(lines))] == lines
    # Ids don't depend on what is chosen.
    assert manifest.classes == {"BACKGROUND": 0, "car": 1, "road": 2}
    keys = wishes.get("keys")
    if keys is not None:
        (tmp_path / "keys.txt").write_text("".join(f"{key}\n" for key in keys))
        options = ["--keys", str(tmp_path / "keys.txt")]
        assert [
            i.line for i in read_manifest(folder).where(**{**wishes, "keys": tmp_path / "keys.txt"})
        ] == lines
        options += ["--human", "yes"] if "human" in wishes else []
    assert main(["read", str(folder), "--json", *options]) == 0
    assert [json.loads(row)["line"] for row in capsys.readouterr().out.splitlines()] == lines


def test_a_predicate_is_asked_of_labels_alone(folder) -> None:
    def confident(item: Item) -> bool:
        return item.confidence is not None and item.confidence > 0.85

    manifest = read_manifest(folder)
    assert [i.line for i in manifest.where(confident)] == [1, 3]
    twice = manifest.where(confident).where(human=True)
    assert [i.line for i in twice] == [1] and len(manifest) == 5


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"min_confidence": 80}, r"min_confidence must be in 0\.\.1, got 80"),
        ({"verdict": "ok"}, "no line has the verdict 'ok', found 'bad', 'good'"),
        ({"keys": ["z.jpg", "y.jpg"]}, "no line has the image 'z.jpg', and 1 more"),
        (
            {"keys": ["a.jpg"]},
            "names 2 images, s3://b/day/a.jpg and s3://b/night/a.jpg; name more of it",
        ),
    ],
)
def test_what_chooses_nothing_is_named(folder, wishes, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read_manifest(folder).where(**wishes)


def test_a_missing_file_of_keys_is_named(folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingError, match=r"none\.txt"):
        read_manifest(folder).where(keys=tmp_path / "none.txt")
    assert main(["check", str(folder), "--quiet", "--keys", str(tmp_path / "none.txt")]) == 1
    assert "none.txt" in capsys.readouterr().err


def test_an_export_lists_what_was_not_chosen(folder, tmp_path: Path) -> None:
    manifest = read_manifest(folder).where(verdict="good")
    result = export(manifest, tmp_path / "out", images=False)
    assert result.exported == {"": 2} and result.left_out == {"unchosen": 2, "unlabeled": 1}
    rows = [json.loads(row) for row in (tmp_path / "out/_labels/left-out.jsonl").read_text().splitlines()]
    assert [(row["line"], row["state"]) for row in rows] == [
        (2, "unchosen"),
        (3, "unchosen"),
        (5, "unlabeled"),
    ]
    assert export(manifest, tmp_path / "out", images=False).resumed == 2
    with pytest.raises(ExportError, match="holds another finished export"):
        export(read_manifest(folder).where(human=False), tmp_path / "out", images=False)


def test_a_broken_line_is_never_left_out_in_silence(folder) -> None:
    with (folder / "output.manifest").open("a") as stream:
        stream.write("{nonsense\n")
    items = list(read_manifest(folder).where(keys=["b.jpg"]).items())
    assert [item.state for item in items] == ["labeled", "invalid"]
    assert {p.code for p in check(read_manifest(folder).where(human=True), images=False).errors} == {
        "bad-line"
    }


def test_copies_hold_what_was_chosen(folder, tmp_path: Path) -> None:
    result = relabel(read_manifest(folder).where(human=False), tmp_path / "new", drop=["car"])
    assert result.repainted == 1 and len(read_manifest(tmp_path / "new")) == 1
    with pytest.raises(ManifestError, match="merge takes all lines of"):
        merge([read_manifest(folder).where(human=False), folder], tmp_path / "together")


def test_splits_are_made_of_what_was_chosen(folder, tmp_path: Path) -> None:
    for number in range(4):
        path = folder / REFERENCES[number].removeprefix("s3://")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3, 1)).save(path)
    result = export(read_manifest(folder).where(min_confidence=0.8), tmp_path / "out", split="67/33")
    assert result.exported == {"train": 2, "validation": 1} and result.left_out["unchosen"] == 1
