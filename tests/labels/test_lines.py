"""What one line of a manifest says, put together from parts of which each has one meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels import ManifestError, read_manifest
from tests.labels.sets import COLORS, color_map

SEGMENTATION = {"type": "groundtruth/semantic-segmentation"}
MAP = {"internal-color-map": color_map(COLORS)}
WITHOUT_TYPE: dict[str, Any] = dict(MAP)

#: What `human-annotated` may say → what it means.
HUMAN = {"yes": True, "no": False, "Yes": True, "true": True, "": False, None: None}
#: What a confidence may say → what is taken of it.
SCORES = [(0.25, 0.25), (1, 1.0), (0, 0.0), ("0.5", None), (None, None), (True, None), ([0.5], None)]
JOBS = [
    ("labeling-job/streets", "streets"),
    ("streets", "streets"),
    ("labeling-job/", ""),
    (7, None),
    (None, None),
]
#: How somebody's tools and JavaScript write a date; it is handed on as it is.
DATES = [
    "2026-11-23T08:00:00.000000",
    "Mon Nov 23 2026 08:00:00 GMT+0000 (Coordinated Universal Time)",
    "",
    7,
    None,
]


def read(folder: Path, *lines, **options):
    """Items of a manifest with these lines; a line may be bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    (folder / "output.manifest").write_bytes(b"\n".join(written) + b"\n")
    return list(read_manifest(folder, **options).every())


def labeled(**metadata):
    return {
        "source-ref": "s3://b/a.jpg",
        "x": "s3://b/m.png",
        "x-metadata": {**SEGMENTATION, **MAP, **metadata},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("lines")


@settings(max_examples=150, deadline=None)
@given(
    human=st.sampled_from(list(HUMAN)),
    job=st.sampled_from(JOBS),
    created=st.sampled_from(DATES),
    score=st.sampled_from(SCORES),
)
def test_facts_of_a_label(place, human, job, created, score) -> None:
    table = {key: {**entry, "confidence": score[0]} for key, entry in color_map(COLORS).items()}
    facts = {"human-annotated": human, "job-name": job[0], "creation-date": created}
    given_ = {name: value for name, value in facts.items() if value is not None}
    [item] = read(place, labeled(**given_, **{"internal-color-map": table}))
    assert item.state == "labeled" and item.source_ref == "s3://b/a.jpg" and item.mask_ref == "s3://b/m.png"
    assert item.human is HUMAN[human] and item.job_name == job[1]
    assert item.created == (created if isinstance(created, str) else None)
    assert item.confidence == score[1] and type(item.confidence) in (float, type(None))
    assert item.attribute == "x" and item.classes == tuple(COLORS)[1:]


def test_the_first_class_that_has_a_confidence_tells_it(place) -> None:
    """The guide says that it is the same for all classes; an entry may lack it."""
    table = color_map(COLORS)
    for key, value in zip(table, (None, "x", 0.75, 0.25), strict=True):
        table[key]["confidence"] = value
    assert read(place, labeled(**{"internal-color-map": table}))[0].confidence == 0.75
    for entry in table.values():
        del entry["confidence"]
    assert read(place, labeled(**{"internal-color-map": table}, confidence=0.5))[0].confidence == 0.5
    assert read(place, labeled(**{"internal-color-map": table}))[0].confidence is None


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "NaN", "Infinity"])
def test_numbers_that_no_float_holds(place, number: str) -> None:
    text = json.dumps(labeled(confidence=0.5)).replace('"confidence": 0.5}', f'"confidence": {number}}}')
    for entry in COLORS:
        text = text.replace(f'"class-name": "{entry}", ', f'"class-name": "{entry}", ')
    [item] = read(place, text.encode(), labels=list(COLORS)[1:])
    assert item.state == "invalid" and isinstance(item.error, ManifestError)
    assert "line 1" in str(item.error) and len(str(item.error)) < 400


#: A part of a line, and the state that it alone makes of it.
STATES: list[tuple[dict[str, Any], str]] = [
    ({}, "unlabeled"),
    ({"x": None, "x-metadata": None}, "unlabeled"),
    ({"x": "s3://b/m.png", "x-metadata": {**SEGMENTATION, **MAP}}, "labeled"),
    ({"x": "s3://b/m.png", "x-metadata": WITHOUT_TYPE}, "labeled"),
    ({"x-metadata": {"failure-reason": "ClientError: no"}}, "failed"),
    ({"x": "s3://b/m.png", "x-metadata": {"failure-reason": "late", **MAP}}, "failed"),
    ({"x-metadata": {**SEGMENTATION, **MAP}}, "failed"),
    ({"x": "s3://b/m.png"}, "invalid"),
    ({"x": "s3://b/m.png", "x-metadata": "text"}, "invalid"),
    ({"x": "s3://b/m.png", "x-metadata": [SEGMENTATION]}, "invalid"),
    ({"x": "s3://b/m.png", "x-metadata": SEGMENTATION}, "invalid"),
    ({"x": 3, "x-metadata": {**SEGMENTATION, **MAP}}, "invalid"),
    ({"x": ["m.png"], "x-metadata": {**SEGMENTATION, **MAP}}, "invalid"),
    ({"x": "", "x-metadata": {**SEGMENTATION, **MAP}}, "invalid"),
    ({"x": "s3://b/m.png", "x-metadata": {**SEGMENTATION, "internal-color-map": {}}}, "invalid"),
    ({"x": "s3://b/m.png", "x-metadata": {**SEGMENTATION, "internal-color-map": {"0": "white"}}}, "invalid"),
]


@settings(max_examples=100, deadline=None)
@given(chosen=st.lists(st.sampled_from(range(len(STATES))), min_size=1, max_size=8))
def test_states_of_lines_one_by_one(place, chosen) -> None:
    # There has to be a label of the attribute that is asked for.
    chosen = [2, *chosen]
    lines = [
        {"source-ref": f"s3://b/{place_}.jpg", **STATES[number][0]} for place_, number in enumerate(chosen)
    ]
    # Whatever the others are like, each line has its own state.
    items = read(place, *lines, attribute="x", labels=["road", "car", "truck"])
    assert [item.state for item in items] == [STATES[number][1] for number in chosen]
    assert [item.line for item in items] == list(range(1, len(chosen) + 1))
    assert [item.index for item in items] == list(range(len(chosen)))
    for item, number in zip(items, chosen, strict=True):
        assert (item.error is not None) == (STATES[number][1] == "invalid")
        assert (item.failure is not None) == (STATES[number][1] == "failed")
        assert (item.mask_ref is not None) == (STATES[number][1] == "labeled")


def test_reasons_of_failures(place) -> None:
    reasons = ["ClientError: no", "", 7, {"a": 1}, "\ud800"]
    lines = [{"source-ref": "s3://b/a.jpg", "x-metadata": {"failure-reason": reason}} for reason in reasons]
    items = read(place, *lines, attribute="x", labels=["road"])
    assert [item.failure for item in items] == ["ClientError: no", "no 'x' on the line", "7", "{'a': 1}", "?"]


@pytest.mark.parametrize("between", [b"", b"\r\n", b"  \n\n", b"\xef\xbb\xbf"])
def test_blank_lines_count_as_lines(place, between: bytes) -> None:
    first, second = (json.dumps(labeled()).encode() for _ in range(2))
    place.joinpath("output.manifest").write_bytes(
        (between if between.startswith(b"\xef") else b"")
        + first
        + b"\r\n"
        + between.lstrip(b"\xef\xbb\xbf")
        + second
    )
    items = list(read_manifest(place).every())
    assert [item.index for item in items] == [0, 1]
    wanted = 2 + between.lstrip(b"\xef\xbb\xbf").count(b"\n")
    assert [item.line for item in items] == [1, wanted] and {item.state for item in items} == {"labeled"}


def test_keys_beside_the_labels_are_carried_and_not_read(place) -> None:
    value = {"id": 7, "source-ref": "s3://b/a.jpg", "weather": {"type": "groundtruth/semantic-segmentation"}}
    value |= {"note-metadata": "text", "other-metadata": {"type": "groundtruth/image-classification"}}
    [item] = read(place, {**value, **labeled()})
    assert item.state == "labeled" and json.loads(item.raw) == {**value, **labeled()}
    assert item.verifications == ()


def test_verifications_of_a_line(place) -> None:
    verdict = {
        "type": "groundtruth/label-verification",
        "class-name": "bad \ud800",
        "confidence": 0.9,
        "worker-feedback": [{"comment": "left\nedge"}, {"reject": 1}, "text", {"comment": 4}],
    }
    odd = {"type": "groundtruth/label-verification", "worker-feedback": "none"}
    [item] = read(place, {**labeled(), "v": 1, "v-metadata": verdict, "w": 0, "w-metadata": odd})
    first, second = item.verifications
    assert (first.attribute, first.class_name, first.confidence) == ("v", "bad ?", 0.9)
    assert first.comments == ("left\nedge", "4")
    assert (second.attribute, second.class_name, second.confidence, second.comments) == ("w", "", None, ())


def test_a_key_that_stands_twice_has_its_last_value(place) -> None:
    """As RFC 8259 lets it, and as Python, JavaScript and the service's own Lambdas read it."""
    text = json.dumps(labeled())[:-1] + ', "source-ref": "s3://b/last.jpg"}'
    assert read(place, text.encode())[0].source_ref == "s3://b/last.jpg"


@pytest.mark.parametrize(
    "reference",
    ["s3://b/\ta.jpg", "s3://b/ä/車.jpg", "s3://b/a b+c%20.jpg", "s3://b//a.jpg", "s3://b/" + "k" * 1_024],
)
def test_odd_keys_are_references(place, reference: str) -> None:
    assert read(place, {**labeled(), "source-ref": reference})[0].source_ref == reference


@pytest.mark.parametrize(
    "reference",
    [
        *("", "s3://", "s3://b", "s3://b/", "s3:///k", "http://b/k", "s3://b/../k", "..", "a\\..\\b"),
        *("s3://b/\n", "s3://b/" + "k" * 1_090, "s3://b/\x00", "\ud800", "s3://b/\x7f"),
    ],
)
def test_what_is_no_reference(place, reference: str) -> None:
    for value in ({**labeled(), "source-ref": reference}, {**labeled(), "x": reference}):
        [item] = read(place, value, labels=["road"])
        assert (
            item.state == "invalid" and "reference must" in str(item.error) and len(str(item.error)) < 2_000
        )
