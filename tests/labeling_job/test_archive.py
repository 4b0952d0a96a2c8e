"""A zip that somebody else packed: names, sizes and packings are held against what the CDK writes."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zipfile

import pytest

from labeling_job import archive as archives
from labeling_job.errors import DeployError
from tests.labeling_job.fakes import S3, published
from tests.labeling_job.test_images import archive, directory

ATTACKER = ("whoever puts files into the directory", "the handler and its buckets")
NAMES = [
    "../a.jpg",
    "x/../../a.jpg",
    "/a.jpg",
    "a//b.jpg",
    "./a.jpg",
    "a\\b.jpg",
    "..\\a.jpg",
    "é" * 600 + ".jpg",
]


def packed(name: str, data: bytes = b"x", **attributes: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        member = zipfile.ZipInfo("good.jpg")
        # The name as it stands: the constructor would tidy it.
        member.filename = name
        for attribute, value in attributes.items():
            setattr(member, attribute, value)
        target.writestr(member, data)
    return buffer.getvalue()


def refused(s3, content: bytes) -> str:
    images = directory(s3, {})
    s3.objects["assets", "0123456789abcdef0123.zip"] = content
    with pytest.raises(DeployError) as caught:
        published(s3, images, job_name="job")
    assert not [key for bucket, key in s3.objects if bucket != "assets" and not key.endswith(".manifest")]
    return str(caught.value)


@pytest.mark.attack(*ATTACKER, attempts=len(NAMES))
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_that_leads_elsewhere(s3: S3, name) -> None:
    message = refused(s3, packed(name))
    assert "is no image: its " in message and message.isprintable()


@pytest.mark.attack(*ATTACKER)
def test_a_member_of_more_than_an_image_has_isnt_unpacked(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "IMAGE_BYTES_MAX", 999)
    assert "it has 1,000 bytes, at most 999" in refused(s3, archive({"a.jpg": b"\0" * 1_000}))


@pytest.mark.attack(*ATTACKER)
def test_a_directory_of_more_than_all_images_have_isnt_unpacked(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "DIRECTORY_BYTES_MAX", 1_500)
    files = {f"{n}.jpg": b"\0" * 1_000 for n in range(2)}
    assert "holds 2,000 bytes, at most 1,500" in refused(s3, archive(files))


def _claims(size: int, *, large: bool) -> bytes:
    """A zip of zeros whose directory is said to be all of it."""
    here = 0xFFFFFFFF if large else size
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, here, 0, 0)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    return b"\0" * size + (record + locator + end if large else end)


@pytest.mark.attack(*ATTACKER, attempts=2)
@pytest.mark.parametrize("large", [False, True], ids=["zip", "zip64"])
def test_a_directory_without_end_isnt_read(s3: S3, large: bool) -> None:
    """The standard library would read it whole, into all the memory there is."""
    content = _claims(30_000_000, large=large)
    tracemalloc.start()
    try:
        message = refused(s3, content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "its directory would have 30,000,000 bytes, at most 23,040,000 are read" in message
    assert peak < 20_000_000


@pytest.mark.attack(*ATTACKER)
def test_a_member_that_unpacks_to_more_than_it_says_ends(s3: S3) -> None:
    """The sizes of the directory of a zip are its writer's words; a bomb has small ones there."""
    content = bytearray(archive({"a.jpg": b"\0" * 1_000_000}))
    at = content.rindex(b"PK\1\2")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    assert "can't be unpacked" in refused(s3, bytes(content))


@pytest.mark.attack(*ATTACKER, attempts=2)
@pytest.mark.parametrize("what", ["compress_type", "flag_bits"])
def test_another_packing(s3: S3, what: str) -> None:
    content = bytearray(archive({"a.jpg": b"x"}))
    at = content.rindex(b"PK\1\2") + {"flag_bits": 8, "compress_type": 10}[what]
    content[at] = {"flag_bits": 1, "compress_type": 14}[what]
    assert "encrypted, or packed in another way" in refused(s3, bytes(content))


@pytest.mark.attack(*ATTACKER, attempts=600)
def test_a_zip_of_any_bytes_is_an_answer(s3: S3) -> None:
    good = archive({"a.jpg": b"A" * 300, "b/c.png": b"B" * 3})
    chance = random.Random(13)
    for _ in range(600):
        content = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        images = directory(s3, {})
        s3.objects["assets", "0123456789abcdef0123.zip"] = bytes(content[: chance.choice([None, 90, 250])])
        try:
            published(s3, images, job_name="job")
        except DeployError as error:
            assert str(error)
