from __future__ import annotations

import pytest

from labeling_job.preflight.access import DENIED, KEY_DENIED, MISSING, Reader, ReadError, kind_of
from labeling_job.rules.places import Place
from tests.corpus.fake_aws import FakeAws, error
from tests.corpus.world import INPUT, good_world

A = Place(INPUT, "day/a.jpg")


class Clock:
    def __init__(self) -> None:
        self.seconds, self.slept = 0.0, list[float]()

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(clock: Clock) -> Reader:
    return Reader(FakeAws(good_world())("s3"), sleep=clock.sleep, clock=clock, settle=10.0)


def deny(monkeypatch, reader, times: int) -> None:
    real, left = reader.s3.get_object, [times]

    def get_object(**request):
        if left[0] > 0:
            left[0] -= 1
            raise error("GetObject", "AccessDenied")
        return real(**request)

    monkeypatch.setattr(reader.s3, "get_object", get_object)


def test_a_role_that_is_not_known_yet_is_waited_for(
    reader: Reader, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, reader, 3)
    assert reader.piece(A, 0, 4).data == b"\xff\xd8\xff\xe0"
    assert len(clock.slept) == 3


def test_denied_is_final_after_a_while(reader: Reader, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, reader, 99)
    with pytest.raises(ReadError) as caught:
        reader.piece(A, 0, 4)
    assert caught.value.kind == DENIED
    assert clock.seconds <= 10.0


def test_a_denial_passes_also_where_the_bucket_has_answered(
    reader: Reader, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # IAM and S3 spread what is new from host to host: one may know it before the next.
    reader.piece(A, 0, 4)
    deny(monkeypatch, reader, 1)
    assert reader.piece(A, 0, 4).data
    assert len(clock.slept) == 1


def test_what_is_read_is_counted(reader: Reader) -> None:
    reader.piece(A, 0, 100)
    reader.piece(A, 100, 50)
    assert (reader.requests, reader.bytes) == (2, 150)


def test_beyond_the_end_is_nothing(reader: Reader) -> None:
    assert reader.piece(A, 10**9, 10).data == b""


def test_a_missing_object(reader: Reader) -> None:
    with pytest.raises(ReadError) as caught:
        reader.piece(Place(INPUT, "gone"), 0, 1)
    assert caught.value.kind == MISSING


def test_no_more_than_the_limit_of_a_whole_object(reader: Reader) -> None:
    with pytest.raises(ReadError, match="at most 100 are read"):
        reader.whole(A, limit=100)
    assert reader.bytes <= 101


@pytest.mark.parametrize("code", ["KMS.DisabledException", "KMS.NotFoundException"])
def test_a_refusal_of_the_key_is_not_one_of_the_object(code: str) -> None:
    assert kind_of(error("GetObject", code)) == KEY_DENIED
