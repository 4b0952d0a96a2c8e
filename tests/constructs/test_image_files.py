"""What is refused on disk, before anything is uploaded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cdk_ground_truth import image_files
from cdk_ground_truth._rooms import findings, limits, task
from cdk_ground_truth.image_files import check_directory, read_manifest
from cdk_ground_truth.validation import Checker

CHECK = Checker("Test/Job")
LINE = '{"source-ref": "s3://bucket/key.png"}'


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Test/Job: 'images' must be from an existing directory"):
        check_directory(CHECK, tmp_path / "absent")


def test_a_directory_without_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ValueError, match=r"contain at least one of \.jpg, \.jpeg, \.png"):
        check_directory(CHECK, tmp_path)


@pytest.mark.parametrize("size", [0, 40_000_001])
def test_an_image_of_a_size_that_no_worker_could_open(tmp_path: Path, size: int) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(size)
    with pytest.raises(ValueError, match=f"have 1 to 40,000,000 bytes each, got .*a.png: {size:,} bytes"):
        check_directory(CHECK, tmp_path)


def test_an_image_of_just_the_largest_size(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(limits.IMAGE_BYTES_MAX)
    assert not check_directory(CHECK, tmp_path)


def test_more_images_than_a_job_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [(f"{index}.png", 1) for index in range(limits.OBJECTS_MAX + 1)]
    monkeypatch.setattr(image_files, "_files", lambda directory: iter(files))
    with pytest.raises(ValueError, match=r"at most 20,000, a job's quota, got 20001.*LabelingCampaign"):
        check_directory(CHECK, tmp_path)


def test_more_bytes_than_one_archive_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [(f"{index}.png", 39_000_000) for index in range(200)]
    monkeypatch.setattr(image_files, "_files", lambda directory: iter(files))
    with pytest.raises(ValueError, match=r"aws s3 sync', and use Images\.from_bucket"):
        check_directory(CHECK, tmp_path)


def test_a_link_to_a_parent_ends(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert not check_directory(CHECK, tmp_path)


ODD_NAMES = {
    "._a.png": "macOS's own notes",
    "a\nb.png": "rename it",
    "a\x7f.png": "rename it",
    "a\\b.png": "rename it",
    os.fsdecode("gr\xfcn.png".encode("latin-1")): "rename it",
}


@pytest.mark.attack(
    "whoever puts files into the directory", "what becomes of an image", attempts=len(ODD_NAMES)
)
@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_an_image_whose_name_would_be_changed_or_left_out(tmp_path: Path, name) -> None:
    (tmp_path / "good.png").write_bytes(b"x")
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=ODD_NAMES[name]) as caught:
        check_directory(CHECK, tmp_path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["Screenshot at 5.10\u202fPM.png", "a b.png", "größe.PNG", "🚗.jpeg", "$[*]?.png"]
)
def test_an_image_with_an_unusual_name_is_taken(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert not check_directory(CHECK, tmp_path)


def test_a_link_to_nothing_is_refused_where_it_should_be_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / ".#notes.txt").symlink_to("nobody@nowhere")
    assert check_directory(CHECK, tmp_path)
    (tmp_path / "b.png").symlink_to("gone.png")
    with pytest.raises(ValueError, match=r"be files, or links to files, got .*b\.png"):
        check_directory(CHECK, tmp_path)


def read(path, skipped=()):
    return read_manifest(CHECK, path, task.LabelingTask(attribute="streets-ref"), findings.Findings(skipped))


#: Name → what makes it broken and the check that says so; tests/corpus has more, through all doors.
BROKEN = {
    "empty": (b"", "manifest-count: the manifest must have at least one line"),
    "UTF-16": (b"\xff\xfe", "manifest-encoding line 1: the manifest must be UTF-8"),
    "no JSON": (f"{LINE}\nnot json".encode(), "manifest-json line 2: each line must be one JSON object"),
    "twice": (b'{"source-ref": "s3://bucket/a", "a": 1, "a": 2}', "there twice: 'a'"),
    "NaN": (b'{"source-ref": "s3://bucket/a", "a": NaN}', "NaN is not JSON"),
    "nested": (b'{"source-ref": "s3://bucket/a", "a": ' + b"[" * 40_000, "nested more than 200 deep"),
    "any bucket": (b'{"source-ref": "s3://*/a.jpg"}', "'source-ref' must be an object's S3 URI"),
    "an address": (b'{"source-ref": "s3://192.168.0.1/a.jpg"}', "must be an object's S3 URI"),
    "two dots": (b'{"source-ref": "s3://a..b/a.jpg"}', "must be an object's S3 URI"),
    "a long key": (b'{"source-ref": "s3://bucket/' + "é".encode() * 513 + b'"}', "an object's S3 URI"),
    "source": (b'{"source-ref": "s3://bucket/a", "source": "b"}', "'source' is for text"),
    "half a pair": (rb'{"source-ref": "s3://bucket/a", "a": "\ud800"}', "half a surrogate pair"),
    "an image twice": (f"{LINE}\n{LINE}".encode(), "manifest-duplicates line 2"),
    "too many": (
        f"{LINE}\n".encode() * 20_001,
        "at most 20,000 objects; a SemanticSegmentationLabelingCampaign",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_manifest_that_breaks_a_rule(tmp_path: Path, name) -> None:
    content, words = BROKEN[name]
    path = tmp_path / "in.manifest"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Test/Job: 'images' breaks rules of a labeling job: ") as caught:
        read(path)
    assert words in str(caught.value) and f"{path} (" in str(caught.value)


def test_characters_are_counted_not_escapes(tmp_path: Path) -> None:
    path = tmp_path / "in.manifest"
    path.write_text(json.dumps({"source-ref": "s3://bucket/key.png", "note": "é" * 4_000}))
    assert read(path).prefixes == {"bucket": ""}


def test_a_skipped_check_is_skipped_at_synth_too(tmp_path: Path) -> None:
    path = tmp_path / "in.manifest"
    path.write_text(f"{LINE}\n{LINE}\n")
    assert read(path, ["manifest-duplicates"]).prefixes == {"bucket": ""}


def test_what_no_rule_lets_through_never_becomes_a_bucket(tmp_path: Path) -> None:
    """It would come into a policy: with all checks skipped, too."""
    path = tmp_path / "in.manifest"
    path.write_text('{"source-ref": "s3://*/a.jpg"}\n' + LINE)
    assert read(path, findings.CHECKS).prefixes == {"bucket": ""}


def test_a_manifest_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="be from an existing manifest file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("keys", "prefix"),
    [
        (["a/b/1.png", "a/c/2.png"], "a/"),
        (["a/b/1.png", "a/b/2.png"], "a/b/"),
        (["ab/1.png", "ac/1.png"], ""),
        (["1.png"], ""),
    ],
)
def test_a_buckets_prefix_is_the_folder_of_all_its_keys(tmp_path: Path, keys, prefix: str) -> None:
    path = tmp_path / "in.manifest"
    path.write_text("\n".join(json.dumps({"source-ref": f"s3://bucket/{key}"}) for key in keys))
    assert read(path).prefixes == {"bucket": prefix}
