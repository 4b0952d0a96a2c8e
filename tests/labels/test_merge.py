"""Several jobs' outputs in one manifest: the newest label that can be read, and what was decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from ground_truth_labels import ExportError, ManifestError, merge, read_manifest
from ground_truth_labels.cli.main import main
from tests.labels.independent import classes_by_color
from tests.labels.sets import WHITE, line, mask, read_lines, write_manifest, write_set

COLORS = {"BACKGROUND": WHITE, "road": "#2ca02c", "car": "#1f77b4"}
LATER = "2026-11-24T08:00:00.000Z"


def png(*row, colors=COLORS):
    return mask([row], colors)


@pytest.fixture
def bucket(tmp_path: Path):
    """A copy of a bucket that holds two jobs' outputs; masks of both."""
    folder = tmp_path / "bucket"
    for name, data in {
        "old/0.png": png("road", "car"),
        "old/1.png": png("road", "road"),
        "new/0.png": png("road", "BACKGROUND"),
        "new/1.png": mask([["road", "road"]], {"road": "#ff0000", "BACKGROUND": WHITE}),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def uri(name) -> str:
    return f"s3://bucket/{name}"


def old_and_new(bucket):
    other = {"road": "#ff0000", "BACKGROUND": WHITE}
    old = write_manifest(
        bucket / "old",
        [
            line(uri("a.jpg"), uri("old/0.png"), COLORS),
            line(uri("b.jpg"), uri("old/1.png"), COLORS, weather="sunny"),
            {"source-ref": uri("c.jpg")},
        ],
    )
    new = write_manifest(
        bucket / "new",
        [
            line(uri("a.jpg"), uri("new/0.png"), COLORS, created=LATER),
            line(uri("b.jpg"), uri("new/1.png"), other, created=LATER, weather="rain"),
            {
                "source-ref": uri("d.jpg"),
                "streets-ref-metadata": {"failure-reason": "ClientError", "job-name": "labeling-job/new"},
            },
        ],
    )
    return old, new


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_label_is_kept_whatever_the_order(turned: bool, bucket, tmp_path: Path) -> None:
    manifests = [read_manifest(place, root=bucket) for place in old_and_new(bucket)]
    result = merge(manifests[::-1] if turned else manifests, tmp_path / "all")
    assert (result.images, result.labels) == (4, {"streets-ref": 2})
    lines = {value["source-ref"]: value for value in read_lines(result.manifest)}
    assert lines[uri("a.jpg")]["streets-ref"] == uri("new/0.png")
    assert lines[uri("a.jpg")]["streets-ref-metadata"]["creation-date"] == LATER
    # Other colours that mean the same are no conflict.
    assert lines[uri("b.jpg")]["streets-ref"] == uri("new/1.png")
    assert lines[uri("c.jpg")] == {"source-ref": uri("c.jpg")}
    assert lines[uri("d.jpg")]["streets-ref-metadata"]["failure-reason"] == "ClientError"
    told = {(each.source_ref, each.attribute): each for each in result.conflicts}
    assert set(told) == {(uri("a.jpg"), "streets-ref"), (uri("b.jpg"), "weather")}
    conflict = told[uri("a.jpg"), "streets-ref"]
    assert conflict.reason == "older, 50.00% of its pixels differ"
    assert conflict.chosen.endswith("new/output.manifest, line 1")
    assert conflict.other.endswith("old/output.manifest, line 1")
    weather = lines[uri("b.jpg")]["weather"]
    assert weather == ("rain" if turned else "sunny")


def test_a_label_of_the_same_time_is_the_last_manifests(bucket, tmp_path: Path) -> None:
    old = write_manifest(bucket / "old", [line(uri("a.jpg"), uri("old/0.png"), COLORS)])
    new = write_manifest(bucket / "new", [line(uri("a.jpg"), uri("new/0.png"), COLORS)])
    result = merge([read_manifest(each, root=bucket) for each in (old, new)], tmp_path / "all")
    [only] = read_lines(result.manifest)
    assert only["streets-ref"] == uri("new/0.png")
    assert [each.reason for each in result.conflicts] == [
        "of an earlier manifest, 50.00% of its pixels differ"
    ]


def test_what_failed_or_cannot_be_read_gives_way(bucket, tmp_path: Path) -> None:
    old, new = old_and_new(bucket)
    (bucket / "new/0.png").write_bytes(b"no PNG")
    later = write_manifest(
        bucket / "later",
        [
            {
                "source-ref": uri("b.jpg"),
                "streets-ref-metadata": {
                    "failure-reason": "ClientError",
                    "creation-date": "2027-01-01T00:00:00",
                },
            }
        ],
    )
    manifests = [read_manifest(each, root=bucket, attribute=None) for each in (old, new, later)]
    result = merge(manifests, tmp_path / "all")
    lines = {value["source-ref"]: value for value in read_lines(result.manifest)}
    assert lines[uri("a.jpg")]["streets-ref"] == uri("old/0.png")
    assert lines[uri("b.jpg")]["streets-ref"] == uri("new/1.png")
    reasons = [each.reason for each in result.conflicts if each.attribute == "streets-ref"]
    assert len(reasons) == 1 and reasons[0].startswith("can't be read: ") and "must be a PNG" in reasons[0]


def test_attributes_of_an_adjustment_and_verdicts_stand_side_by_side(bucket, tmp_path: Path) -> None:
    verdict = {
        "check": "1",
        "check-metadata": {
            "class-name": "wrong",
            "type": "groundtruth/label-verification",
            "creation-date": LATER,
        },
    }
    old = write_manifest(bucket / "old", [line(uri("a.jpg"), uri("old/0.png"), COLORS)])
    checked = write_manifest(bucket / "checked", [line(uri("a.jpg"), uri("old/0.png"), COLORS, **verdict)])
    adjusted = write_manifest(
        bucket / "new",
        [line(uri("a.jpg"), uri("new/0.png"), COLORS, attribute="fixed-ref", created=LATER)],
    )
    result = merge([read_manifest(each, root=bucket) for each in (old, checked, adjusted)], tmp_path / "all")
    [only] = read_lines(result.manifest)
    assert only["streets-ref"] == uri("old/0.png") and only["fixed-ref"] == uri("new/0.png")
    assert only["check-metadata"]["class-name"] == "wrong"
    assert not result.conflicts and result.labels == {"streets-ref": 1, "check": 1, "fixed-ref": 1}
    [item] = read_manifest(result.manifest, attribute="fixed-ref", root=bucket)
    assert item.verifications[0].class_name == "wrong"


def test_labels_and_their_adjustments_become_one_attribute(bucket, tmp_path: Path) -> None:
    old = write_manifest(
        bucket / "old",
        [
            line(uri("a.jpg"), uri("old/0.png"), COLORS),
            line(uri("b.jpg"), uri("old/1.png"), COLORS),
        ],
    )
    # As an adjustment writes it: the label it started from, to the byte, and its own.
    adjusted = line(uri("a.jpg"), uri("new/0.png"), COLORS, attribute="fixed-ref", created=LATER)
    new = write_manifest(bucket / "new", [{**line(uri("a.jpg"), uri("old/0.png"), COLORS), **adjusted}])
    manifests = [read_manifest(old, root=bucket), read_manifest(new, root=bucket, attribute="fixed-ref")]
    result = merge(manifests, tmp_path / "all", into="streets-ref")
    assert result.labels == {"streets-ref": 2}
    lines = {value["source-ref"]: value for value in read_lines(result.manifest)}
    assert lines[uri("a.jpg")]["streets-ref"] == uri("new/0.png")
    assert lines[uri("b.jpg")]["streets-ref"] == uri("old/1.png")
    assert not any("fixed" in key for value in lines.values() for key in value)
    with pytest.raises(ExportError, match="end in '-ref'"):
        merge(manifests, tmp_path / "other", into="streets")


def test_masks_of_a_folder_come_along(tmp_path: Path) -> None:
    """Relative references start from their folder, so the masks are copied; images have to be the same."""
    first = write_set(tmp_path / "one", [(line("a.jpg", "masks/0.png", COLORS), png("road", "car"))])
    second = write_set(
        tmp_path / "two", [(line("b.jpg", "masks/0.png", COLORS, created=LATER), png("car", "car"))]
    )
    result = merge([first, second], tmp_path / "all")
    named = {
        value["source-ref"]: classes_by_color(
            (tmp_path / "all" / value["streets-ref"]).read_bytes(),
            value["streets-ref-metadata"]["internal-color-map"],
        ).tolist()
        for value in read_lines(result.manifest)
    }
    assert named == {"a.jpg": [["road", "car"]], "b.jpg": [["car", "car"]]}
    for folder in (first, second):
        (folder / "x.jpg").write_bytes(folder.name.encode())
        write_manifest(folder, [{"source-ref": "x.jpg"}])
    with pytest.raises(ManifestError, match=r"'x.jpg' is .*two/x.jpg, and .*one/x.jpg for another manifest"):
        merge([first, second], tmp_path / "other")


def test_the_classes_keep_their_order(bucket, tmp_path: Path) -> None:
    old, new = old_and_new(bucket)
    manifests = [
        read_manifest(old, root=bucket, labels=["road", "car"]),
        read_manifest(new, root=bucket, labels=["tree", "road", "car"]),
    ]
    result = merge(manifests, tmp_path / "all")
    assert list(read_manifest(result.manifest).classes) == ["BACKGROUND", "road", "car", "tree"]


def test_what_cannot_be_merged_is_refused(bucket, tmp_path: Path) -> None:
    old, new = old_and_new(bucket)
    with pytest.raises(ManifestError, match="two manifests or more, got 1"):
        merge([old], tmp_path / "all")
    with pytest.raises(ExportError, match="is not empty"):
        merge([old, new], bucket)
    new.write_text('{"streets-ref": 1}\n')
    with pytest.raises(ManifestError, match=r"output.manifest, line 1: must have 'source-ref'"):
        merge([old, new], tmp_path / "all")
    new.write_text("{\n")
    with pytest.raises(ManifestError, match="line 1: must be a JSON object"):
        merge([old, new], tmp_path / "all")


def test_the_command_tells_and_strict_refuses(
    bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [str(each) for each in old_and_new(bucket)]
    options = ["--root", str(bucket), "--quiet"]
    assert main(["merge", *places, str(tmp_path / "all"), *options]) == 0
    told = capsys.readouterr().out
    assert "4 images, 2 with 'streets-ref'" in told and "older, 50.00% of its pixels differ" in told
    assert main(["merge", *places, str(tmp_path / "strict"), *options, "--strict"]) == 1
