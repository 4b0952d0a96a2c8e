"""Whatever the bytes, parsing answers with findings, within the stated bytes and time, and never raises."""

from __future__ import annotations

import io
import json
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labeling_job.preflight.access import Reader
from labeling_job.preflight.headers import BYTES_MAX, Header, ImageError, read_header
from labeling_job.preflight.inspection import Inspection
from labeling_job.preflight.pictures import look_at_images
from labeling_job.preflight.plan import plan_of
from labeling_job.rules import template
from labeling_job.rules.findings import Findings
from labeling_job.rules.labels import check_classes, parse_categories
from labeling_job.rules.lines import parse_line, raw_lines
from labeling_job.rules.places import Place
from labeling_job.rules.prior_labels import PriorLabels
from tests.corpus import pictures
from tests.corpus.fake_aws import FakeAws
from tests.corpus.world import INPUT, REGION, TEMPLATE, good_world
from tests.deep import deep

#: Each test holds itself to its count.
CASES = {
    "manifest": deep(600, 3_000),
    "lines": deep(500, 2_500),
    "headers": deep(600, 3_000),
    "categories": deep(400, 2_000),
    "template": deep(300, 1_500),
}
#: A core's time for one case, so that a busy machine doesn't matter; a case takes a thousandth.
SECONDS_MAX = 2.0
QUICK = [HealthCheck.too_slow, HealthCheck.data_too_large]


def fuzzed(name: str, strategy: st.SearchStrategy, *examples: object):
    """Run a check over so many values of a strategy, each within the time."""

    def decorate(check):
        ran = 0

        def case(value) -> None:
            nonlocal ran
            ran += 1
            started = time.thread_time()
            check(value)
            assert time.thread_time() - started < SECONDS_MAX

        test = given(strategy)(case)
        for each in examples:
            test = example(each)(test)
        test = settings(max_examples=CASES[name], deadline=None, suppress_health_check=QUICK)(test)

        def run() -> None:
            test()
            assert ran >= CASES[name]

        run.__name__ = check.__name__
        return run

    return decorate


def mutated(*seeds: bytes) -> st.SearchStrategy[bytes]:
    """A good file with some bytes replaced, removed or doubled, or cut."""

    @st.composite
    def build(draw) -> bytes:
        data = bytearray(draw(st.sampled_from(seeds)))
        for _ in range(draw(st.integers(1, 6))):
            # Most of the structure is at the front.
            at = draw(st.integers(0, min(len(data), draw(st.sampled_from([40, 700, 10**6])))))
            with_bytes = draw(st.binary(max_size=4))
            data[at : at + draw(st.integers(0, 4))] = with_bytes
        return bytes(data[: draw(st.one_of(st.none(), st.integers(0, len(data))))])

    return build()


ENTRY = {"source-ref": f"s3://{INPUT}/a.jpg", "old-ref": f"s3://{INPUT}/a.png", "old-ref-metadata": {}}
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["source-ref", "source", "$x", "old-ref", "old-ref-metadata", "streets-ref", "x"])


def read(body: bytes) -> Findings:
    findings = Findings()
    world = good_world()
    world.task_type("AdjustmentSemanticSegmentation")
    labels = PriorLabels(plan_of(world.request, region=REGION), findings)
    for number, raw in enumerate(raw_lines(io.BytesIO(body)), 1):
        line = parse_line(raw, number, findings)
        if line is not None:
            labels.see(line)
    labels.done()
    told = findings.message("head", "tail")
    assert len(told.encode()) <= 1_200
    json.dumps(findings.report()).encode()
    return findings


@fuzzed(
    "manifest",
    st.binary(max_size=300) | mutated((json.dumps(ENTRY) + "\n").encode() * 2),
    b"\xef\xbb\xbf",
    b"\r\n\r\n",
    b'{"source-ref": 1e999}',
    b'{"source-ref": ' + b"1" * 5_000 + b"}",
)
def test_a_manifest_of_any_bytes(body) -> None:
    read(body)


@fuzzed(
    "lines",
    st.lists(st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON, max_size=3), max_size=5), max_size=3),
)
def test_a_manifest_of_any_json(entries) -> None:
    read("\n".join(map(json.dumps, entries)).encode())


LONG_HEADERS = {
    "fill bytes": b"\xff\xd8\xff" + b"\xff" * 100_000,
    "between segments": b"\xff\xd8\xff\xe0" + b"\0" * 100_000,
    "empty segments": b"\xff\xd8\xff\xe0\0\2" * 30_000,
    "empty chunks": pictures.SIGNATURE
    + pictures.chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\10\0\0\0\0")
    + pictures.chunk(b"tEXt", b"") * 9_000,
}


@fuzzed(
    "headers",
    st.binary(max_size=200)
    | mutated(
        pictures.jpeg(orientation=6),
        pictures.jpeg("CMYK", progressive=True),
        pictures.with_segments(*([b"x" * 3_000] * 8)),
        pictures.png(orientation=6),
        pictures.png("I;16"),
        pictures.png(icc_profile=bytes(range(256)) * 40),
    ),
    *LONG_HEADERS.values(),
)
def test_an_image_of_any_bytes(data) -> None:
    asked = []

    def piece(offset: int, length: int) -> bytes:
        asked.append(length)
        return data[offset : offset + length]

    try:
        header = read_header(piece)
    except ImageError as error:
        assert str(error)
    else:
        assert isinstance(header, Header) and header.width > 0 and header.height > 0
        assert 1 <= header.orientation <= 8
    assert sum(asked) <= BYTES_MAX


@fuzzed(
    "categories",
    st.binary(max_size=100)
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"document-version": "2018-11-28", "labels": value}).encode())
    | st.lists(JSON).map(
        lambda labels: json.dumps({"labels": [{"label": each} for each in labels]}).encode()
    ),
)
def test_a_category_file_of_any_content(data) -> None:
    findings = Findings()
    labels = parse_categories(data, findings, automated=True)
    assert labels is None or all(isinstance(label, str) for label in labels)
    check_classes(labels or [], ["road"], findings)
    findings.message("head", "tail").encode()


@fuzzed(
    "template",
    st.text(max_size=100)
    | mutated(TEMPLATE.encode()).map(lambda data: data.decode(errors="replace"))
    | st.text(alphabet="{}%|'\"- .[]:<>/abtaskinputcomment\n", max_size=80),
)
def test_a_template_of_any_text(source) -> None:
    findings = Findings()
    template.check(source.encode(errors="replace"), ENTRY, ["road"], findings)
    # Some changes leave a good template, so all that is promised is an answer that can be told.
    assert len(findings.message("head", "tail").encode()) <= 1_200


@pytest.mark.parametrize("name", LONG_HEADERS)
def test_no_more_of_an_image_is_read_than_is_stated(name) -> None:
    world = good_world()
    world.images("a.png", body=LONG_HEADERS[name])
    aws = FakeAws(world)
    reader = Reader(aws("s3"), sleep=lambda _: None, clock=lambda: 0.0)
    plan = plan_of(world.request, region=REGION)
    inspection = Inspection(plan=plan, findings=Findings(), reader=reader, client=aws)
    look_at_images(inspection, [(1, Place(INPUT, "a.png"))])
    # A PNG's end is read besides.
    assert 0 < sum(length for _, _, length in aws.read) <= 64 * 1_024


def test_a_line_without_an_end_is_not_held_in_memory() -> None:
    class Endless:
        left = 64 * 1024 * 1024

        def read(self, most: int) -> bytes:
            size = min(most, self.left)
            self.left -= size
            return b"x" * size

    findings = Findings()
    tracemalloc.start()
    try:
        lines = [parse_line(raw, number, findings) for number, raw in enumerate(raw_lines(Endless()), 1)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == [None]
    assert [group["check"] for group in findings.report()] == ["manifest-line-length"]
    assert peak < 4 * 1024 * 1024


def test_the_count_is_as_promised() -> None:
    assert sum(CASES.values()) >= deep(2_000, 10_000)
