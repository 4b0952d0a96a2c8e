"""A manifest from elsewhere never leads out of the folder that the user named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Never

import pytest
from PIL import Image

from ground_truth_labels import ManifestError, MissingError, Storage, check, read_manifest
from ground_truth_labels.cli import main

WHO, WHAT = "whoever sends finished labels", "the reader's files"
attack = pytest.mark.attack(WHO, WHAT)


class NoS3:
    """S3 as it is for somebody without credentials."""

    def get_object(self, **_) -> Never:
        from botocore.exceptions import NoCredentialsError

        raise NoCredentialsError


@pytest.fixture
def home(tmp_path: Path):
    """A home with a photograph, a secret, and a download with a manifest in it."""
    (tmp_path / "Pictures").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "Pictures/passport.jpg")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0\n")
    for folder in ("dl/manifests/output", "dl/shared/Pictures"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def hostile(home, source="s3://shared/Pictures/passport.jpg", mask="s3://b/etc/passwd"):
    line = {
        "source-ref": source,
        "a-ref": mask,
        "a-ref-metadata": {
            "internal-color-map": {"0": {"class-name": "a", "hex-color": "#000000"}},
            "type": "groundtruth/semantic-segmentation",
        },
    }
    path = home / "dl/manifests/output/output.manifest"
    path.write_text(json.dumps(line) + "\n")
    return path


def open_item(location, **options):
    return next(iter(read_manifest(location, storage=Storage(client=NoS3()), **options)))


@attack
@pytest.mark.parametrize("named", ["dl", "dl/manifests/output", "dl/manifests/output/output.manifest"])
def test_neighbours_and_what_is_above_are_out_of_reach(home, named: str) -> None:
    hostile(home)
    item = open_item(home / named)
    for read in (item.image, item.mask):
        with pytest.raises(MissingError, match=r"line 1: .*not found below .*--root") as told:
            read()
        assert "root:x" not in str(told.value) and "Unable to locate" not in str(told.value)
    assert open_item(home / named, root=home).image().size == (4, 4)


@attack
@pytest.mark.parametrize("what", ["file", "folder", "chain"])
def test_symbolic_links_out_of_the_folder(home, what: str) -> None:
    hostile(home)
    place = home / "dl/shared/Pictures"
    if what == "file":
        (place / "passport.jpg").symlink_to(home / "Pictures/passport.jpg")
    elif what == "folder":
        place.rmdir()
        place.symlink_to(home / "Pictures")
    else:
        (place / "passport.jpg").symlink_to("../x.jpg")
        (home / "dl/shared/x.jpg").symlink_to(home / "Pictures/passport.jpg")
    with pytest.raises(MissingError, match="symbolic link out of"):
        open_item(home / "dl").image()
    assert "missing-image" in {p.code for p in check(read_manifest(home / "dl")).problems}


def test_symbolic_links_within_the_folder_are_fine(home) -> None:
    hostile(home)
    Image.new("RGB", (3, 2)).save(home / "dl/real.jpg")
    (home / "dl/shared/Pictures/passport.jpg").symlink_to("../../real.jpg")
    os.symlink(home / "dl", home / "link")
    assert open_item(home / "link").image().size == (3, 2)


@attack
def test_a_manifest_that_is_a_link(home) -> None:
    (home / "dl/manifests/output/output.manifest").symlink_to(home / "etc/passwd")
    with pytest.raises(ManifestError, match="symbolic link out of"):
        read_manifest(home / "dl")


@attack
@pytest.mark.parametrize(
    "reference", ["/etc/passwd", "etc/passwd", "a/" * 500 + "b", "s3://b/" + "y" * 300], ids=len
)
def test_absolute_and_impossible_names(home, reference) -> None:
    hostile(home, mask=reference)
    with pytest.raises(MissingError):
        open_item(home / "dl").mask()


@attack
@pytest.mark.parametrize(
    "reference", ["x" * 5000, "a/" * 3000 + "b", "s3://b/\ud800.png", "a\x1b[2J"], ids=len
)
def test_names_that_no_object_can_have(home, reference) -> None:
    hostile(home, mask=reference)
    (item,) = read_manifest(home / "dl").items()
    assert item.state == "invalid" and "a reference must" in str(item.error) and len(str(item.error)) < 400


@attack
def test_a_colon_is_replaced_in_the_name_alone(home) -> None:
    """`:` may have become `_` in a copy, but never in the folder that was named."""
    (home / "a:b").mkdir()
    (home / "a_b").mkdir()
    (home / "dl/manifests").rename(home / "a:b/manifests")
    (home / "dl").rmdir() if not any((home / "dl").iterdir()) else None
    Image.new("RGB", (4, 4)).save(home / "a_b/p.jpg")
    (home / "dl/manifests/output").mkdir(parents=True)
    path = hostile(home, source="s3://b/p.jpg")
    path.rename(home / "a:b/manifests/output/output.manifest")
    with pytest.raises(MissingError, match="not found below"):
        open_item(home / "a:b").image()


def test_the_command_names_the_option(
    home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    hostile(home)
    assert main(["check", str(home / "dl"), "--quiet"]) == 1
    told = capsys.readouterr().out
    assert "--root" in told and "Unable to locate credentials" not in told
