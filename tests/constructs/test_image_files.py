"""What is refused on disk, before anything is uploaded."""

from __future__ import annotations

import json

import pytest

from cdk_ground_truth import image_files
from cdk_ground_truth._rooms import limits
from cdk_ground_truth.image_files import check_directory, read_manifest
from cdk_ground_truth.validation import Checker

CHECK = Checker("Test/Job")
LINE = '{"source-ref": "s3://bucket/key.png"}'


def test_a_directory_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="Test/Job: 'images' must be from an existing directory"):
        check_directory(CHECK, tmp_path / "absent")


def test_a_directory_without_an_image(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ValueError, match=r"contain at least one of \.jpg, \.jpeg, \.png"):
        check_directory(CHECK, tmp_path)


@pytest.mark.parametrize("size", [0, 40_000_001])
def test_an_image_of_a_size_that_no_worker_could_open(tmp_path, size):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(size)
    with pytest.raises(ValueError, match=f"have 1 to 40,000,000 bytes each, got .*a.png: {size:,} bytes"):
        check_directory(CHECK, tmp_path)


def test_an_image_of_just_the_largest_size(tmp_path):
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(limits.IMAGE_BYTES_MAX)
    assert check_directory(CHECK, tmp_path) is False


def test_more_images_than_a_job_takes(tmp_path, monkeypatch):
    files = [(f"{index}.png", 1) for index in range(limits.OBJECTS_MAX + 1)]
    monkeypatch.setattr(image_files, "_files", lambda directory: iter(files))
    with pytest.raises(ValueError, match=r"be at most 20,000, a job's quota, got 20001"):
        check_directory(CHECK, tmp_path)


def test_more_bytes_than_one_archive_carries(tmp_path, monkeypatch):
    files = [(f"{index}.png", 39_000_000) for index in range(200)]
    monkeypatch.setattr(image_files, "_files", lambda directory: iter(files))
    with pytest.raises(ValueError, match=r"aws s3 sync', and use Images\.from_bucket"):
        check_directory(CHECK, tmp_path)


def test_a_link_to_a_parent_ends(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert check_directory(CHECK, tmp_path) is False


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "have at least one line"),
        (b"\xff\xfe", "be a manifest in UTF-8"),
        (b"not json", ":1' must be one JSON object, got 'not json'"),
        (b'["a"]', ":1' must be one JSON object"),
        (f"{LINE}\n\n{LINE}".encode(), ":2' must be one JSON object"),
        (b'{"source": "x"}', ":1' must have a 'source-ref' like s3://bucket/key, got None"),
        (b'{"source-ref": "https://x/y"}', "got 'https://x/y'"),
        (b'{"source-ref": "s3://bucket"}', "got 's3://bucket'"),
        (f'{LINE}\n{{"source-ref": "s3://b/k", "$x": 1}}'.encode(), r":2' must have no attribute .* '\$'"),
        (
            json.dumps({"source-ref": "s3://b/k", "x": "y" * 20_001}).encode(),
            "20,000 characters in an attribute",
        ),
        (
            json.dumps({"source-ref": "s3://b/k", "x": "y" * 100_000}).encode(),
            "have at most 100,000 characters",
        ),
        (f"{LINE}\n".encode() * 20_001, "have at most 20,000 lines"),
    ],
)
def test_a_manifest_that_breaks_a_rule(tmp_path, content, message):
    path = tmp_path / "in.manifest"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_manifest(CHECK, path)


def test_a_manifest_that_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="be from an existing manifest file"):
        read_manifest(CHECK, tmp_path)


@pytest.mark.parametrize(
    ("keys", "prefix"),
    [
        (["a/b/1.png", "a/c/2.png"], "a/"),
        (["a/b/1.png", "a/b/2.png"], "a/b/"),
        (["ab/1.png", "ac/1.png"], ""),
        (["1.png"], ""),
    ],
)
def test_a_buckets_prefix_is_the_folder_of_all_its_keys(tmp_path, keys, prefix):
    path = tmp_path / "in.manifest"
    path.write_text("\n".join(json.dumps({"source-ref": f"s3://bucket/{key}"}) for key in keys))
    assert read_manifest(CHECK, path).prefixes == {"bucket": prefix}
