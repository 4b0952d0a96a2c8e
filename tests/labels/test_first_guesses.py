"""What people write before they have read anything: it works, or one sentence says what does."""

from __future__ import annotations

import io
import json
from importlib import metadata
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

import ground_truth_labels as labels
from ground_truth_labels import ExportError, MaskError
from ground_truth_labels.cli.main import main
from ground_truth_labels.decode import Alpha
from ground_truth_labels.shares import parse_shares
from tests.labels.sets import line, write_set


def test_slices_are_lists_of_objects(shared_job) -> None:
    manifest = labels.read_manifest(shared_job.root)
    everything = list(manifest)
    for part in (slice(2), slice(1, 5, 2), slice(-3, None), slice(None, None, -1), slice(9, 20), slice(4, 1)):
        assert manifest[part] == everything[part]
    both = labels.read_manifest([shared_job.root, shared_job.root])
    assert [item.index for item in both[5:9]] == [5, 6, 7, 8]
    with pytest.raises(TypeError, match=r"where\(keys=\['chelsea.jpg'\]\)"):
        manifest["chelsea.jpg"]  # type: ignore[call-overload]
    assert len(manifest.where(keys=["chelsea.jpg"])) == 1


def test_a_slice_has_no_line_that_cannot_be_used(job) -> None:
    text = job.manifest.read_text().splitlines()
    job.manifest.write_text("\n".join([text[0], "{", *text[2:]]) + "\n")
    manifest = labels.read_manifest(job.root)
    assert len(manifest[2:]) == 5
    with pytest.raises(labels.ManifestError, match="line 2"):
        manifest[:3]


SHARES = (
    0.8,
    (0.8, 0.2),
    [80, 20],
    "80/20",
    "0.8",
    "train=0.8,validation=0.2",
    {"train": 4, "validation": 1},
)


def test_a_split_is_the_same_however_it_is_written(shared_job, tmp_path: Path) -> None:
    found = []
    for split in SHARES:
        # One target: another plan than the first would be refused.
        result = labels.export(shared_job.root, tmp_path / "out", split=split, images=False)
        found.append(result.exported)
    assert found == [{"train": 5, "validation": 1}] * len(SHARES)


@pytest.mark.parametrize("split", [1.5, 1, (1, 2, 3, 4), "80,20", "half", [None, 2], "80/20/", object()])
def test_what_is_no_split_is_said(split: object) -> None:
    with pytest.raises(ExportError, match=r"split must be like 80/10/10, 0\.8 or train=0\.8,test=0\.2, got"):
        parse_shares(split)  # type: ignore[arg-type]


def test_an_overlay_needs_an_item_or_a_picture_and_its_mask(shared_job) -> None:
    manifest = labels.read_manifest(shared_job.root)
    item = manifest[0]
    drawn = labels.overlay(item)
    whole = labels.overlay(item.image(), item.mask(), manifest.labels)
    assert np.array_equal(np.asarray(drawn), np.asarray(whole))
    mask = np.array([[0, 1], [255, 3]], np.uint8)
    grey = Image.new("RGB", (2, 2), (90, 90, 90))
    found = np.asarray(labels.overlay(grey, mask, legend=False, outline=False))
    assert ((found != 90).any(-1) == [[False, True], [False, True]]).all()
    with pytest.raises(MaskError, match="an item of a manifest, or an image and its mask"):
        labels.overlay(grey)


def test_a_check_that_found_errors_is_not_true(job) -> None:
    assert labels.check(job.root)
    job.local(job.lines[0]["streets-ref"]).unlink()
    result = labels.check(job.root)
    assert not result and not result.ok and result.errors
    assert "ok" not in result.as_dict()


def test_a_format_that_nearly_has_that_name_is_offered(shared_job, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"got 'yolo'; did you mean 'yolo-seg'\?$"):
        labels.export(shared_job.root, tmp_path / "out", format="yolo")
    for odd in ("", "nothing", None):
        with pytest.raises(ExportError, match=r"got ('\w*'|None)$"):
            labels.export(shared_job.root, tmp_path / "out", format=odd)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "job", "out", "--split", "80,20"],
        ["export", "job", "out", "--format", "yolo"],
        ["export", "job"],
        ["chekc", "job"],
        ["check", "job", "--attribut3", "a"],
        [],
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    printed = capsys.readouterr()
    assert caught.value.code == 2 and printed.out == ""
    assert printed.err.count("\n") == 1 and "--help\n" in printed.err


@pytest.mark.parametrize(
    ("installed", "words"),
    [({"ground-truth-labels": "1.2.3"}, "ground-truth-labels 1.2.3\n"), ({}, "it is not installed")],
)
def test_the_version_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], installed: dict[str, str], words: str
) -> None:
    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert words in capsys.readouterr().out


def test_findings_of_a_check_are_still_json(shared_job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(shared_job.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 7


def test_an_export_without_a_single_image_is_no_success(
    job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in job.lines[:6]:
        job.local(each["streets-ref"]).unlink()
    arguments = ["export", str(job.root), str(tmp_path / "out"), "--skip-broken"]
    assert main(arguments) == 1 and "no image was exported" in capsys.readouterr().err
    # Again, on what is finished, as well.
    assert main(arguments) == 1


def test_the_rule_that_a_finding_offers_reads_other_pixels(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), 255, np.uint8)
    pixels[0], pixels[1] = (0x2C, 0xA0, 0x2C, 90), (0x2C, 0xA0, 0x2C, 0)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    entry = line("a.jpg", "a.png", {"BACKGROUND": "#ffffff", "weed": "#2ca02c"})
    root = write_set(tmp_path / "set", [(entry, buffer.getvalue())])
    rules: tuple[Alpha, ...] = ("visible", "opaque", "color")
    for alpha in rules:
        manifest = labels.read_manifest(root, alpha=alpha)
        found = {p.code: p.message for p in labels.check(manifest, images=False).problems}
        for code, row in (("partly-transparent", 0), ("hidden-colors", 1)):
            offered = found[code].rpartition("; alpha='")[2].partition("'")[0]
            other = labels.read_manifest(root, alpha=cast(Alpha, offered))
            assert (manifest[0].mask()[row] != other[0].mask()[row]).all(), (alpha, code)
