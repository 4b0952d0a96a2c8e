from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from ground_truth_labels import (
    LabelList,
    LimitError,
    Limits,
    ManifestError,
    MissingError,
    Storage,
    read_manifest,
)


def test_items_say_what_the_line_says(shared_job) -> None:
    item = next(iter(read_manifest(shared_job.root)))
    assert (item.state, item.line, item.index, item.job_name) == ("labeled", 1, 0, "streets")
    assert (item.confidence, item.human) == (0.95, True)
    assert item.source_ref == "s3://street-bucket/inputs/day 0/astronaut.jpg"
    assert json.loads(item.raw)["weather"] == "sunny"
    assert item.name == "000000_astronaut"
    assert item.image().size == item.mask().shape[::-1]


def test_masks_read_back_with_the_ids_of_the_given_list(shared_job) -> None:
    names = ["person", "clothing", "cat", "cup", "tableware", "vehicle", "bike"]
    manifest = read_manifest(shared_job.root, labels=names)
    for item, truth in zip((i for i in manifest if i.state == "labeled"), shared_job.truth, strict=True):
        assert np.array_equal(item.mask(), truth)


def test_without_a_list_ids_follow_the_sorted_names_whatever_the_line_order(job) -> None:
    first = read_manifest(job.root).labels
    job.lines.reverse()
    job.write()
    assert read_manifest(job.root).labels == first
    assert first.names == tuple(sorted(first.names))


def test_unlabeled_lines_are_seen(shared_job) -> None:
    states = [item.state for item in read_manifest(shared_job.root)]
    assert states == ["labeled"] * 6 + ["unlabeled"]


def test_failed_lines_are_seen_with_their_reason(job) -> None:
    job.lines[1]["streets-ref-metadata"] = {
        "failure-reason": "ClientError: expired",
        "human-annotated": "yes",
    }
    del job.lines[1]["streets-ref"]
    job.write()
    item = list(read_manifest(job.root))[1]
    assert (item.state, item.failure) == ("failed", "ClientError: expired")


def test_folder_of_the_job_and_relative_references(job) -> None:
    for line in job.lines:
        for key in ("source-ref", "streets-ref"):
            if key in line:
                line[key] = line[key].removeprefix("s3://street-bucket/")
    job.write()
    items = [i for i in read_manifest(job.root / "labels/streets", root=job.root) if i.state == "labeled"]
    assert len(items) == 6 and all(i.mask().any() and i.image() for i in items)


def test_copies_in_which_the_colon_was_replaced(job) -> None:
    for path in job.root.rglob("*T08:00*.png"):
        path.rename(path.with_name(path.name.replace(":", "_")))
    assert all(i.mask().any() for i in read_manifest(job.root) if i.state == "labeled")


def test_several_attributes_must_be_chosen(job) -> None:
    for line in job.lines[:6]:
        line["adjusted-ref"] = line["streets-ref"]
        line["adjusted-ref-metadata"] = dict(
            line["streets-ref-metadata"], **{"job-name": "labeling-job/again"}
        )
        line["verify"] = "1"
        line["verify-metadata"] = {
            "class-name": "good",
            "confidence": 0.93,
            "type": "groundtruth/label-verification",
            "worker-feedback": [{"comment": "fine"}],
        }
    job.write()
    with pytest.raises(ManifestError, match="several label attributes, 'streets-ref', 'adjusted-ref'"):
        list(read_manifest(job.root))
    item = next(iter(read_manifest(job.root, attribute="adjusted-ref")))
    assert item.job_name == "again"
    assert [(v.class_name, v.comments) for v in item.verifications] == [("good", ("fine",))]


def test_windows_line_ends_and_a_byte_order_mark(job) -> None:
    text = job.manifest.read_text()
    job.manifest.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert [i.line for i in read_manifest(job.root)] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", r"line 2: must be a JSON object in UTF-8"),
        ("[" * 100_000, r"line 2: must be a JSON object in UTF-8"),
        ("[1]", r"line 2: must be a JSON object, got list"),
        ('{"source": "text"}', r"line 2: must have 'source-ref'"),
        ('{"source-ref": "s3://b/../../etc/passwd"}', r"line 2, 'source-ref': .*'\.\.' segments"),
        ('{"source-ref": "..\\\\x.jpg"}', r"line 2, 'source-ref': .*'\.\.' segments"),
        ('{"source-ref": "file:///etc/passwd"}', r"line 2, 'source-ref': .*must be s3://"),
        ('{"source-ref": "s3://bucket"}', r"line 2, 'source-ref': .*bucket and a key"),
        (
            '{"source-ref": "s3://b/a.jpg", "streets-ref": "s3://b/../m.png", "streets-ref-metadata": {}}',
            r"line 2, 'streets-ref': .*'\.\.' segments",
        ),
        (
            '{"source-ref": "s3://b/a", "streets-ref": "s3://b/m", "streets-ref-metadata": '
            '{"internal-color-map": {"0": {"class-name": "a", "hex-color": "red"}}}}',
            r"line 2: a colour must be written '#rrggbb'",
        ),
        (
            '{"source-ref": "s3://b/a", "streets-ref": "s3://b/m", "streets-ref-metadata": '
            '{"internal-color-map": {"0": {"class-name": "a", "hex-color": "#000000"}, '
            '"1": {"class-name": "b", "hex-color": "#000000"}}}}',
            r"line 2: colour #000000 stands for both 'a' and 'b'",
        ),
    ],
)
def test_hostile_lines_are_named(job, line: str, message: str) -> None:
    lines = job.manifest.read_text().splitlines()
    lines[1] = line
    job.manifest.write_text("\n".join(lines))
    manifest = read_manifest(job.root)
    with pytest.raises(ManifestError, match=message):
        list(manifest)
    assert [i.state for i in manifest.items()][:3] == ["labeled", "invalid", "labeled"]


MEASURE = """
import sys
from ground_truth_labels import read_manifest
for item in read_manifest(sys.argv[1], attribute="streets-ref").items():
    print(item.line, item.state, type(item.error).__name__, item.error)
# Not ru_maxrss, which starts from what the parent process held.
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_an_endless_line_is_skipped_in_bounded_memory(job) -> None:
    lines = job.manifest.read_bytes().splitlines()
    with job.manifest.open("wb") as stream:
        stream.write(lines[0] + b"\n")
        # Sparse, so a gigabyte costs neither disk nor time to write.
        stream.seek(2**30, 1)
        stream.write(b"\n" + lines[2] + b"\n")
    command = [sys.executable, "-c", MEASURE, str(job.root)]
    *told, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[1] for line in told] == ["labeled", "invalid", "labeled"]
    assert "LimitError" in told[1] and "line 2: has 1,073,741,824 bytes" in told[1]
    assert int(peak) < 200 * 1024


def test_a_class_outside_the_list_is_an_error(shared_job) -> None:
    item = next(iter(read_manifest(shared_job.root, labels=["person"])))
    with pytest.raises(ManifestError, match=r"line 1: class 'bike', .* not in the label list"):
        item.mask()


def test_a_missing_mask_names_the_line(job) -> None:
    next(job.root.rglob("0_*.png")).unlink()

    class Absent:
        def get_object(self, **_) -> Never:
            from botocore.exceptions import ClientError

            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")

    item = next(iter(read_manifest(job.root, storage=Storage(client=Absent()))))
    with pytest.raises(MissingError, match=r"line 1: .*NoSuchKey"):
        item.mask()


def test_file_size_limit(job) -> None:
    item = next(iter(read_manifest(job.root, storage=Storage(limits=Limits(file_bytes=100)))))
    with pytest.raises(LimitError, match="the limit is 100"):
        item.mask()


def test_category_file(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"document-version": "2018-11-28", "labels": [{"label": "road"}, {"label": "car"}]}')
    labels = LabelList.read(str(path), background=255)
    assert labels.ids == {"BACKGROUND": 255, "road": 0, "car": 1}
    path.write_text('{"labels": ["road"]}')
    with pytest.raises(ManifestError, match="must be a label category file"):
        LabelList.read(str(path))


def test_a_job_whose_lines_all_failed_reads_as_failed_not_as_an_error(job) -> None:
    # As the service writes them: metadata with type and job, and no label.
    metadata = {
        "failure-reason": "ClientError: expired",
        "type": "groundtruth/semantic-segmentation",
        "job-name": "labeling-job/streets",
    }
    lines = [{"source-ref": line["source-ref"], "streets-ref-metadata": metadata} for line in job.lines]
    job.manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    items = list(read_manifest(job.manifest))
    assert {item.state for item in items} == {"failed"}
