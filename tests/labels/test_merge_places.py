"""Where a merged manifest and its masks are written; what the command tells."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from ground_truth_labels import (
    LabelsError,
    Storage,
    export,
    merge,
    read_manifest,
)
from ground_truth_labels.cli.main import main
from tests.labels.sets import COLORS, labeled, line, mask, read_lines, shown, write_manifest, write_set
from tests.s3 import Objects

ROAD, CAR = mask([["road", "BACKGROUND"]], COLORS), mask([["car", "BACKGROUND"]], COLORS)


class Broken(Objects):
    """Refuses to be written to, from the call of a number on."""

    def __init__(self, objects, after):
        super().__init__(objects)
        self.left = after

    def put_object(self, **given):
        self.left -= 1
        if self.left < 0:
            from tests.s3 import service_error

            raise service_error("PutObject", "AccessDenied", status=403)
        return super().put_object(**given)

    def upload_fileobj(self, body, bucket, key):
        self.put_object(Bucket=bucket, Key=key, Body=body)

    def get_paginator(self, _):
        return self

    def paginate(self, *, Bucket, Prefix):
        found = [key for bucket, key in sorted(self.objects) if bucket == Bucket and key.startswith(Prefix)]
        return [{"Contents": [{"Key": key} for key in found]}]


@pytest.mark.parametrize("after", range(4))
def test_into_s3_all_or_no_manifest(tmp_path, after):
    """Two masks, the classes, and at last the manifest: without all of the others it is not there."""
    labeled(tmp_path / "one", "a.jpg", ROAD)
    labeled(tmp_path / "two", "b.jpg", CAR)
    client = Broken({}, after)
    inputs = [read_manifest(tmp_path / name, storage=Storage(client=client)) for name in ("one", "two")]
    with pytest.raises(LabelsError, match="cannot be written"):
        merge(inputs, "s3://bucket/all", workers=1)
    assert ("bucket", "all/output.manifest") not in client.objects
    client.left = 100
    client.objects.clear()
    result = merge(inputs, "s3://bucket/all", workers=1)
    lines = client.objects["bucket", "all/output.manifest"].decode().splitlines()
    assert [json.loads(each)["streets-ref"] for each in lines] == [
        "s3://bucket/all/masks/000000_a.streets-ref.png",
        "s3://bucket/all/masks/000001_b.streets-ref.png",
    ]
    assert client.objects["bucket", "all/masks/000001_b.streets-ref.png"] == CAR
    assert result.manifest == "s3://bucket/all/output.manifest"
    with pytest.raises(LabelsError, match="is not empty"):
        merge(inputs, "s3://bucket/all")


def test_masks_are_written_where_the_manifest_is(tmp_path):
    """Each input has an endpoint of its own; what is written goes to the first one's."""
    labeled(tmp_path / "one", "a.jpg", ROAD)
    labeled(tmp_path / "two", "b.jpg", CAR)
    clients = Broken({}, 100), Broken({}, 100)
    inputs = [
        read_manifest(tmp_path / name, storage=Storage(client=client))
        for name, client in zip(("one", "two"), clients, strict=True)
    ]
    merge(inputs, "s3://bucket/all")
    assert len(clients[0].objects) == 4 and not clients[1].objects


def test_a_merged_manifest_can_be_merged_and_exported_again(tmp_path):
    labeled(tmp_path / "one", "a.jpg", ROAD)
    labeled(tmp_path / "two", "b.jpg", CAR)
    once = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "once")
    twice = merge([tmp_path / "once", tmp_path / "two"], tmp_path / "twice")
    assert twice.conflicts == () and twice.images == 2
    for value in read_lines(twice.manifest):
        wanted = {"a.jpg": "road", "b.jpg": "car"}[value["source-ref"]]
        assert shown(tmp_path / "twice", value) == [[wanted, "BACKGROUND"]]
    assert export(twice.manifest, tmp_path / "set", images=False).exported == {"": 2}
    assert export(once.manifest, tmp_path / "set2", images=False).exported == {"": 2}


def test_the_command_tells_twenty_and_counts_the_rest(tmp_path, capsys):
    for name, data in (("one", ROAD), ("two", CAR)):
        entries = [(line(f"{i}.jpg", f"m/{i}.png", COLORS), data) for i in range(23)]
        write_set(tmp_path / name, entries)
    places = [str(tmp_path / name) for name in ("one", "two")]
    assert main(["merge", *places, str(tmp_path / "all"), "--quiet"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("23 images, 23 with 'streets-ref'")
    assert len(told) == 22 and told[-1] == "and 3 more"
    assert all(each.startswith(f"{i}.jpg: ") for i, each in enumerate(told[1:-1]))
    assert main(["merge", *places, str(tmp_path / "strict"), "--quiet", "--strict"]) == 1
    assert main(["merge", places[0], places[0], str(tmp_path / "same"), "--quiet", "--strict"]) == 0


@pytest.mark.parametrize("options", [[], ["--into", "streets"], ["--into", "../x-ref"], ["--into", ""]])
def test_wrong_usage_is_one_line(tmp_path, options, capsys):
    place = str(labeled(tmp_path / "one", "a.jpg", ROAD))
    places = [place, place] if options else [place]
    assert main(["merge", *places, str(tmp_path / "all"), *options, "--quiet"]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and told.err.startswith("ground-truth-labels merge: ")
    assert not (tmp_path / "all").exists()


def test_one_key_is_one_mask_whatever_copy_it_is_read_from(tmp_path):
    for name, data in (("one", ROAD), ("two", CAR)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "m.png").write_bytes(data)
        write_manifest(folder, [line("s3://b/a.jpg", "s3://b/m.png", COLORS)])
    result = merge([tmp_path / "one", tmp_path / "two"], tmp_path / "all")
    [value] = read_lines(result.manifest)
    assert value["streets-ref"] == "s3://b/m.png" and result.conflicts == ()


@pytest.mark.parametrize(("alpha", "differ"), [("visible", True), ("opaque", True), ("color", False)])
def test_transparent_pixels_are_compared_as_they_are_read(tmp_path, alpha, differ):
    clear = Image.open(io.BytesIO(ROAD)).convert("RGBA")
    clear.putalpha(0)
    buffer = io.BytesIO()
    clear.save(buffer, "PNG")
    labeled(tmp_path / "one", "a.jpg", ROAD)
    labeled(tmp_path / "two", "a.jpg", buffer.getvalue())
    inputs = [read_manifest(tmp_path / name, alpha=alpha) for name in ("one", "two")]
    assert bool(merge(inputs, tmp_path / "all").conflicts) == differ
