"""Lines of a stream, results of threads, counts of pixels: each beside the plain way to do the same."""

from __future__ import annotations

import io
import threading
import time
from datetime import datetime
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels import LimitError, lines, progress
from ground_truth_labels._times import moment
from ground_truth_labels.classes import LabelList
from ground_truth_labels.counts import class_counts, confusion_matrix, has_class
from ground_truth_labels.lines import read_lines
from ground_truth_labels.parallel import ordered_map, worker_count
from ground_truth_labels.progress import ProgressBar, tracked

# --- lines ---

PIECES = st.lists(
    st.sampled_from([b"a", b"bcd", b"\n", b"\r\n", b" ", b"\xef\xbb\xbf", b"\xc3\xa4", b"x" * 9]), max_size=25
)


@settings(max_examples=300, deadline=None)
@given(pieces=PIECES, chunk=st.integers(1, 12), limit=st.integers(1, 12))
def test_lines_are_those_of_the_whole_text(pieces, chunk: int, limit: int) -> None:
    data = b"".join(pieces)
    wanted: list[tuple[int, bytes | int]] = []
    for number, whole in enumerate(data.split(b"\n"), 1):
        text = (whole.removeprefix(b"\xef\xbb\xbf") if number == 1 else whole).strip()
        if len(whole) > limit:
            wanted.append((number, len(whole)))
        elif text:
            wanted.append((number, text))
    with mock.patch.object(lines, "_CHUNK", chunk):
        found = list(read_lines(io.BytesIO(data), "m", limit))
    assert [number for number, _ in found] == [number for number, _ in wanted]
    for (number, line), (_, expected) in zip(found, wanted, strict=True):
        if isinstance(expected, int):
            assert isinstance(line, LimitError)
            assert str(line).startswith(f"m, line {number}: has {expected:,} bytes, the limit is {limit:,}; ")
        else:
            assert line == expected


class Endless(io.RawIOBase):
    """A stream without an end, which notes how much of it was asked for at once."""

    def __init__(self) -> None:
        self.most = 0
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        self.most = max(self.most, size)
        self.given += size
        return b"\n" if self.given > 20_000_000 else b"x" * size


def test_a_line_without_an_end_is_never_held() -> None:
    stream = Endless()
    number, found = next(read_lines(stream, "m", 1_000))  # type: ignore[arg-type]
    assert number == 1 and isinstance(found, LimitError) and stream.most < 1_000_000


# --- threads ---


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 40), workers=st.integers(1, 5), seed=st.integers(0, 99))
def test_results_come_in_the_order_of_the_inputs(count: int, workers: int, seed: int) -> None:
    waits = np.random.default_rng(seed).random(count) / 2_000

    def slow(number: int) -> int:
        time.sleep(waits[number])
        return number * number

    assert list(ordered_map(slow, range(count), workers=workers)) == [n * n for n in range(count)]


@pytest.mark.parametrize("workers", [1, 3])
def test_only_a_few_inputs_are_under_way(workers: int) -> None:
    taken: list[int] = []

    def inputs():
        for number in range(100):
            taken.append(number)
            yield number

    results = ordered_map(lambda number: number, inputs(), workers=workers)
    for number in range(10):
        assert next(results) == number
        assert len(taken) <= number + 3 * workers
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 100


def test_an_error_comes_at_its_place_and_ends_the_threads() -> None:
    before = threading.active_count()

    def odd(number: int) -> int:
        if number == 5:
            raise KeyError(number)
        return number

    found = []
    with pytest.raises(KeyError, match="5"):
        for each in ordered_map(odd, iter(range(100)), workers=2):
            found.append(each)
    assert found == [0, 1, 2, 3, 4] and threading.active_count() == before


def test_an_input_that_fails_is_no_result() -> None:
    def inputs():
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(ordered_map(lambda number: number, inputs()))


def test_workers_are_at_least_one() -> None:
    assert [worker_count(n) for n in (-3, 0, 1, 7)] == [1, 1, 1, 7] and worker_count(None) >= 1


# --- counts ---

MASKS = st.tuples(
    st.integers(1, 12),
    st.integers(1, 40),
    st.sampled_from(["noise", "runs"]),
    st.sampled_from([np.uint8, np.uint16]),
)


def made(shape, dtype, seed):
    height, width, kind = shape
    rng = np.random.default_rng(seed)
    ids = rng.choice([0, 1, 2, 254, 255, *([300, 65_535] if dtype is np.uint16 else [])], (height, width))
    if kind == "runs":
        ids = np.sort(ids, axis=None).reshape(height, width)
    return ids.astype(dtype)


@settings(max_examples=120, deadline=None)
@given(shape=MASKS, seed=st.integers(0, 99))
def test_counts_are_those_of_counting(shape, seed: int) -> None:
    ids = made(shape[:3], shape[3], seed)
    plain: dict[int, int] = {}
    for number in ids.ravel().tolist():
        plain[number] = plain.get(number, 0) + 1
    assert class_counts(ids) == plain and list(class_counts(ids)) == sorted(plain)
    assert has_class(ids, LabelList(("a", "b"))) == bool(set(plain) - {0, 255})


@settings(max_examples=80, deadline=None)
@given(shape=MASKS, seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_a_matrix_has_each_pair_of_pixels(shape, seeds) -> None:
    truth, other = (made(shape[:3], shape[3], seed) for seed in seeds)
    order = [2, 0, 300, 1]
    plain = np.zeros((4, 4), int)
    for here, there in zip(truth.ravel().tolist(), other.ravel().tolist(), strict=True):
        if here in order and there in order:
            plain[order.index(here), order.index(there)] += 1
    assert (confusion_matrix(truth, other, order) == plain).all()


# --- times and what is told meanwhile ---


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-23T08:00:00.000000", datetime(2026, 11, 23, 8)),
        ("2026-11-23T08:00:00Z", datetime(2026, 11, 23, 8)),
        ("2026-11-23T08:00:00.123Z", datetime(2026, 11, 23, 8, 0, 0, 123_000)),
        ("2026-11-23T09:30:00+01:30", datetime(2026, 11, 23, 8)),
        ("2026-11-23", datetime(2026, 11, 23)),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("Mon Nov 23 2026 08:00:00 GMT+0000", None),
        ("", None),
        (None, None),
        ("2026-13-01", None),
    ],
)
def test_times_of_somebody_elses_json(text: str | None, wanted: datetime | None) -> None:
    assert moment(text) == wanted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()])
def test_a_bar_is_drawn_now_and_then(stream, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "time", mock.Mock(monotonic=lambda: now[0]))
    bar = ProgressBar("export", stream=stream)
    for done in range(1, 41):
        now[0] += 0.5
        bar(done, 40)
    bar.close()
    bar.close()
    text = stream.getvalue()
    if stream.isatty():
        drawn = text.rstrip("\n").split("\r\x1b[2K")[1:]
        assert len(drawn) == 40 and text.endswith("\n") and text.count("\n") == 1
        assert drawn[19] == f"export {'━' * 14}{'─' * 14} 20/40  2.0/s  0:10"
        assert drawn[-1] == f"export {'━' * 28} 40/40  2.0/s  0:00"
    else:
        # One line each ten seconds, and one at the end.
        assert text.splitlines() == [
            f"export {'━' * 14}{'─' * 14} 20/40  2.0/s  0:10",
            f"export {'━' * 28} 40/40  2.0/s  0:00",
        ]


def test_what_is_tracked_is_told_after_each() -> None:
    told: list[tuple[int, int | None]] = []
    assert list(tracked("abc", lambda done, total: told.append((done, total)), 3)) == ["a", "b", "c"]
    assert told == [(1, 3), (2, 3), (3, 3)] and list(tracked("ab", None, None)) == ["a", "b"]
