"""What a job that goes on from an earlier one asks for, and what it takes over as it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling_job.chain import Counts, Earlier, continued, encoded, is_labeled, selected
from labeling_job.contract import Images
from labeling_job.errors import DeployError
from tests.labeling_job.fakes import S3, published

ATTRIBUTE = "streets-ref"
OUTPUT = "s3://out/labels/first/manifests/output/output.manifest"


def labeled(key: str, *, attribute: str = ATTRIBUTE, confidence: float = 0.9, **more) -> dict:
    colors = {
        "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": confidence},
        "1": {"class-name": more.pop("class_name", "road"), "hex-color": "#2ca02c", "confidence": confidence},
    }
    return {
        "source-ref": f"s3://photos/{key}",
        attribute: f"s3://out/{key}.png",
        f"{attribute}-metadata": {
            "internal-color-map": colors,
            "type": "groundtruth/semantic-segmentation",
            "human-annotated": more.pop("human", "yes"),
        },
        **more,
    }


def failed(key: str) -> dict:
    return {
        "source-ref": f"s3://photos/{key}",
        f"{ATTRIBUTE}-metadata": {"failure-reason": "CORS", "type": "x"},
    }


def plain(key: str) -> dict:
    return {"source-ref": f"s3://photos/{key}"}


def verdict(entry: dict, name: str) -> dict:
    return {
        **entry,
        "check": "1",
        "check-metadata": {"class-name": name, "type": "groundtruth/label-verification"},
    }


def put(s3, entries, uri: str = OUTPUT) -> list[bytes]:
    # Spaced as nobody here writes it, so that only a line that was passed on stays equal.
    lines = [json.dumps(entry, separators=(" ,", ":  "), ensure_ascii=False).encode() for entry in entries]
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    s3.objects[bucket, key] = b"\r\n".join(lines)
    return lines


def images(**fields) -> Images:
    fields = {"output_manifest_s3_uri": OUTPUT, "label_attribute_name": ATTRIBUTE} | fields
    return Images(source="LabelingJob", staging_s3_uri="s3://in/s/", **fields)


def made(s3, what: Images, *, attribute: str = ATTRIBUTE, describe=lambda _: None) -> list[bytes]:
    uri = published(s3, what, job_name="second", attribute=attribute, describe=describe)
    assert uri == "s3://in/s/manifests/second.manifest"
    return s3.objects["in", "s/manifests/second.manifest"].split(b"\n")[:-1]


def test_labels_are_kept_to_the_byte_and_the_rest_is_asked(s3: S3) -> None:
    first, second, third = put(s3, [labeled("a.jpg", note="é"), failed("b.jpg"), plain("c.jpg")])
    found = made(s3, images())
    assert found[0] == first
    assert found[1] != second
    assert json.loads(found[1]) == plain("b.jpg")
    assert found[2] == third


def test_further_images_come_behind_and_none_comes_twice(s3: S3) -> None:
    kept, _ = put(s3, [labeled("a.jpg"), plain("b.jpg")])
    for key in ("a.jpg", "b.jpg", "c.jpg"):
        s3.objects["photos", key] = b"x"
    more = Images(source="Bucket", images_s3_uri="s3://photos/", staging_s3_uri="s3://in/s/")
    found = made(s3, images(more=more))
    assert found[0] == kept
    assert [json.loads(line)["source-ref"][-5:] for line in found] == ["a.jpg", "b.jpg", "c.jpg"]


def test_nothing_left_to_label_is_refused(s3: S3) -> None:
    put(s3, [labeled("a.jpg"), labeled("b.jpg")])
    with pytest.raises(
        DeployError, match=r"nothing is left to label: all 2 images of s3://out.*'streets-ref'"
    ):
        made(s3, images())
    assert ("in", "s/manifests/second.manifest") not in s3.objects


@pytest.mark.parametrize("line", [b"{", b"[1]", b"[" * 40_000])
def test_a_spoiled_output_manifest_is_named_with_its_line(s3: S3, line: bytes) -> None:
    put(s3, [plain("a.jpg")])
    s3.objects["out", "labels/first/manifests/output/output.manifest"] += b"\n" + line
    with pytest.raises(DeployError, match=r"output\.manifest:2"):
        made(s3, images())


JOB = {
    "LabelingJobStatus": "Completed",
    "LabelAttributeName": ATTRIBUTE,
    "HumanTaskConfig": {
        "PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:1:function:PRE-SemanticSegmentation"
    },
    "OutputConfig": {"S3OutputPath": "s3://out/labels/"},
    "LabelingJobOutput": {"OutputDatasetS3Uri": OUTPUT},
}


class TestAJobByItsName:
    def test_its_output_is_found(self, s3: S3) -> None:
        put(s3, [labeled("a.jpg"), plain("b.jpg")])
        what = images(job_name="first", output_manifest_s3_uri="", label_attribute_name="")
        assert len(made(s3, what, describe={"first": JOB}.get)) == 2

    def test_so_is_that_of_a_stopped_job_that_names_none(self, s3: S3) -> None:
        put(s3, [plain("b.jpg")])
        job = {**JOB, "LabelingJobStatus": "Stopped", "LabelingJobOutput": {}}
        what = images(job_name="first", output_manifest_s3_uri="", label_attribute_name="")
        assert len(made(s3, what, describe={"first": job}.get)) == 1

    @pytest.mark.parametrize("status", ["Initializing", "InProgress", "Stopping"])
    def test_one_that_runs_is_refused(self, s3: S3, status: str) -> None:
        job = {**JOB, "LabelingJobStatus": status}
        with pytest.raises(DeployError, match=f"'first' is {status}.*wait for its end, or stop it"):
            made(s3, images(job_name="first"), describe={"first": job}.get)

    def test_one_that_is_not_there_is_named(self, s3: S3) -> None:
        with pytest.raises(DeployError, match="'first' is not in this account and Region"):
            made(s3, images(job_name="first"))

    def test_labels_of_another_name_are_refused(self, s3: S3) -> None:
        with pytest.raises(DeployError, match="are called 'streets-ref', not 'x-ref'"):
            what = images(job_name="first", label_attribute_name="x-ref")
            made(s3, what, describe={"first": JOB}.get)


ENTRIES = {
    "sure": labeled("sure.jpg", confidence=0.95),
    "unsure": labeled("unsure.jpg", confidence=0.4),
    "machine": labeled("machine.jpg", human="no"),
    "cat": labeled("cat.jpg", class_name='O\'Brien "x" </script> é'),
    "wrong": verdict(labeled("wrong.jpg"), "wrong"),
    "right": verdict(labeled("right.jpg"), "right"),
    "failed": failed("failed.jpg"),
    "plain": plain("plain.jpg"),
}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({}, {"sure", "unsure", "machine", "cat", "wrong", "right"}),
        ({"ConfidenceBelow": "0.5"}, {"unsure"}),
        ({"Machine": "true"}, {"machine"}),
        ({"Classes": ['O\'Brien "x" </script> é']}, {"cat"}),
        ({"VerdictAttribute": "check", "Verdicts": ["wrong"]}, {"wrong"}),
        ({"VerdictAttribute": "check", "Verdicts": ["right", "wrong"]}, {"wrong", "right"}),
        ({"VerdictAttribute": "check", "Verdicts": ["wrong"], "ConfidenceBelow": "0.5"}, set()),
        ({"Keys": ["sure.jpg", "s3://photos/cat.jpg"]}, {"sure", "cat"}),
        ({"Unlabeled": "true"}, {"failed", "plain"}),
    ],
)
def test_a_selection_chooses_lines_and_passes_them_on(s3: S3, selection, expected) -> None:
    assert {name for name, entry in ENTRIES.items() if selected(entry, ATTRIBUTE, selection)} == expected
    lines = dict(zip(ENTRIES, put(s3, ENTRIES.values()), strict=True))
    if not expected:
        with pytest.raises(DeployError, match=r"none of the 8 lines.*6 have 'streets-ref'"):
            made(s3, images(selection=selection), attribute="fixed-ref")
        return
    assert set(made(s3, images(selection=selection), attribute="fixed-ref")) == {lines[n] for n in expected}


KINDS = st.lists(st.sampled_from(["labeled", "failed", "plain", "absent"]), max_size=12)


@given(before=KINDS, now=st.lists(st.booleans(), min_size=12, max_size=12), same=st.integers(0, 2**12 - 1))
@settings(max_examples=400, deadline=None)
def test_every_image_comes_once_and_no_label_is_asked_again(before, now, same) -> None:
    makers = {"labeled": labeled, "failed": failed, "plain": plain}
    earlier_entries = [makers[kind](f"{n}.jpg") for n, kind in enumerate(before) if kind != "absent"]
    current = [plain(f"{n}.jpg") for n, there in enumerate(now) if there]

    def is_same(image: str) -> bool:
        return bool(same >> int(image.rpartition("/")[2].removesuffix(".jpg")) & 1)

    counts = Counts()
    with Earlier(attribute=ATTRIBUTE) as earlier:
        earlier.read(map(encoded, earlier_entries), what="x")
        found = list(map(json.loads, continued(current, earlier, counts, is_same_image=is_same)))
    assert [entry["source-ref"] for entry in found] == [entry["source-ref"] for entry in current]
    there = {entry["source-ref"]: entry for entry in earlier_entries}
    for entry in found:
        image = entry["source-ref"]
        was_labeled = image in there and is_labeled(there[image], ATTRIBUTE)
        assert is_labeled(entry, ATTRIBUTE) == (was_labeled and is_same(image))
        if is_labeled(entry, ATTRIBUTE):
            assert entry == there[image]
        else:
            assert f"{ATTRIBUTE}-metadata" not in entry
    assert counts.kept + counts.to_label == len(current)
    assert counts.dropped == len(there) - sum(entry["source-ref"] in there for entry in current)


def test_the_newest_label_of_several_outputs_wins_and_a_failure_takes_none_away() -> None:
    old, new = labeled("a.jpg"), labeled("a.jpg", note="newer")
    with Earlier(attribute=ATTRIBUTE) as earlier:
        for entry in (old, new, failed("a.jpg"), plain("a.jpg")):
            earlier.read([encoded(entry)], what="x")
        assert json.loads(earlier.line("s3://photos/a.jpg") or b"") == new
