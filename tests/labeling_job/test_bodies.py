from __future__ import annotations

import io
from typing import Never

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError, ResponseStreamingError

from labeling_job.bodies import TRIES, Body
from labeling_job.errors import BrokenAnswerError, DeployError, UnreachableError
from labeling_job.preflight.access import Reader
from labeling_job.reachable import Reachable
from labeling_job.rules.places import Place
from tests.labeling_job.fakes import S3, published
from tests.labeling_job.test_images import directory, lines, staged_key

CONTENT = bytes(range(256)) * 40


class Breaking(io.BytesIO):
    """Gives some bytes, then an error, or an early end."""

    def __init__(self, content: bytes, after: int, error: Exception | None) -> None:
        super().__init__(content[:after])
        self.error = error

    def read(self, size=-1):
        data = super().read(size)
        if not data and size and self.error is not None:
            raise self.error
        return data


class Breaks:
    """An object whose body breaks every `after` bytes."""

    def __init__(self, content: bytes, after: int, error: Exception | None) -> None:
        self.content, self.after, self.error = content, after, error
        self.asked: list[int] = []

    def __call__(self, offset: int) -> dict:
        self.asked.append(offset)
        rest = self.content[offset:]
        return {"Body": Breaking(rest, self.after, self.error), "ContentLength": len(rest)}


class Cut(Breaks):
    """Something in between cuts each part off and counts anew what is left; the part's place stays true."""

    def __call__(self, offset: int) -> dict:
        answer = super().__call__(offset)
        place = f"bytes {offset}-{len(self.content) - 1}/{len(self.content)}"
        return {**answer, "ContentLength": self.after, "ContentRange": place}


def test_a_part_that_was_cut_off_and_counted_anew_is_gone_on_with() -> None:
    source = Cut(CONTENT, 3000, None)
    assert Body(source, lambda seconds: None).open().read_all(len(CONTENT)) == CONTENT
    assert source.asked == [0, 3000, 6000, 9000]


ERRORS = [
    ReadTimeoutError(endpoint_url="http://127.0.0.1"),
    ResponseStreamingError(error="IncompleteRead"),
    ConnectionResetError(104, "reset"),
    None,
]


@pytest.mark.parametrize("error", ERRORS, ids=["read timeout", "streaming", "reset", "cut short"])
def test_a_body_goes_on_where_it_broke_off(error) -> None:
    source = Breaks(CONTENT, 3000, error)
    assert Body(source, lambda seconds: None).open().read_all(len(CONTENT)) == CONTENT
    assert source.asked == [0, 3000, 6000, 9000]


@pytest.mark.parametrize("error", ERRORS, ids=["read timeout", "streaming", "reset", "cut short"])
def test_a_body_that_gives_nothing_is_given_up(error) -> None:
    source = Breaks(CONTENT, 0, error)
    with pytest.raises(BrokenAnswerError if error is None else type(error)):
        Body(source, lambda seconds: None).open().read_all(10)
    assert source.asked == [0] * TRIES


def test_an_empty_object_is_one() -> None:
    assert Body(Breaks(b"", 0, None), lambda seconds: None).open().read_all(10) == b""


@pytest.mark.parametrize("error", ERRORS, ids=["read timeout", "streaming", "reset", "cut short"])
def test_a_directory_is_copied_through_bodies_that_break(s3: S3, error) -> None:
    files = {f"{n}.jpg": bytes([n]) * 5000 for n in range(5)}
    images = directory(s3, files)
    s3.get_object = _breaking(s3.objects, 700, error)
    uri = published(s3, images, job_name="job")
    assert len(lines(s3, uri)) == 5
    for name, content in files.items():
        assert s3.objects["in", staged_key(name, content)] == content


@pytest.mark.parametrize("error", ERRORS, ids=["read timeout", "streaming", "reset", "cut short"])
def test_preflight_reads_through_bodies_that_break(s3: S3, error) -> None:
    s3.objects["b", "k"] = CONTENT
    s3.get_object = _breaking(s3.objects, 700, error)
    reader = Reader(s3, sleep=lambda seconds: None, clock=lambda: 0.0)
    assert reader.piece(Place("b", "k"), 100, 5000).data == CONTENT[100:5100]
    assert reader.stream(Place("b", "k")).read_all(10**6) == CONTENT


def _breaking(objects, after, error):
    def get_object(Bucket, Key, Range="bytes=0-"):
        first, _, last = Range.removeprefix("bytes=").partition("-")
        part = objects[Bucket, Key][int(first) : int(last) + 1 if last else None]
        size = len(objects[Bucket, Key])
        return {
            "Body": Breaking(part, after, error),
            "ContentLength": len(part),
            "ContentRange": f"bytes {first}-{int(first) + len(part) - 1}/{size}",
        }

    return get_object


def test_an_archive_that_is_none_is_told_by_name(s3: S3) -> None:
    images = directory(s3, {"a.jpg": b"x"})
    s3.objects["assets", "0123456789abcdef0123.zip"] = b"not a zip"
    with pytest.raises(DeployError, match=r"0123\.zip is no zip any more"):
        published(s3, images, job_name="job")


class TestReachable:
    def test_a_black_hole_is_waited_for_once(self) -> None:
        asked = []

        class Iam:
            def get_role(self, **_) -> Never:
                asked.append(1)
                raise ConnectTimeoutError(endpoint_url="https://iam.amazonaws.com")

            simulate_principal_policy = get_role

        client = Reachable(lambda service: Iam())
        for call in (client("iam").get_role, client("iam").simulate_principal_policy, client("iam").get_role):
            with pytest.raises(UnreachableError, match=r"iam\.amazonaws\.com can.t be reached"):
                call(RoleName="x")
        assert len(asked) == 1

    def test_a_refusal_is_none(self, s3: S3) -> None:
        client = Reachable(lambda service: s3)
        for _ in range(2):
            with pytest.raises(ClientError, match="404"):
                client("s3").head_object(Bucket="b", Key="k")
        assert client("s3").page == s3.page
