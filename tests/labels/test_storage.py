"""Folders and S3 behind the same verbs: each against a dictionary that does the same."""

from __future__ import annotations

import contextlib
import pickle
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels import LimitError, MissingError, Storage, StorageError
from ground_truth_labels.limits import Limits
from ground_truth_labels.storage import is_s3, join, parent, split_s3
from tests.s3 import Objects, service_error

NAMES = ["a", "b.txt", "d/a", "d/e/f", "d-e", "ä 車/x y", ".hidden"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "stream", "remove"]), st.sampled_from(NAMES), st.binary(max_size=40)),
    max_size=12,
)


class Bucket(Objects):
    """One that is listed two keys a page, as S3 pages long lists."""

    def get_paginator(self, operation):
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket, Prefix):
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        if not keys:
            yield {}
        for place in range(0, len(keys), 2):
            yield {"Contents": [{"Key": key} for key in keys[place : place + 2]]}

    def upload_fileobj(self, stream, bucket, key):
        self.put_object(Bucket=bucket, Key=key, Body=stream.read())

    def delete_object(self, *, Bucket, Key):
        self.objects.pop((Bucket, Key), None)


PLACES = ("a folder", "s3://b/x/y/", "s3://b")


@contextlib.contextmanager
def opened(where):
    """A fresh base and its storage."""
    if where == "a folder":
        with tempfile.TemporaryDirectory() as folder:
            yield folder, Storage()
    else:
        # What lies beside the base and in other buckets is nobody's here.
        beside = {("b", "x/yz"): b"a neighbour"} if where != "s3://b" else {}
        yield where, Storage(client=Bucket({**beside, ("c", "x/y/a"): b"another bucket"}))


@pytest.mark.parametrize("where", PLACES)
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_what_is_written_is_there_and_nothing_else(where: str, steps) -> None:
    with opened(where) as (base, storage):
        check_against_a_dictionary(base, storage, steps)


def check_against_a_dictionary(base, storage, steps) -> None:
    wanted: dict[str, bytes] = {}
    for verb, name, data in steps:
        location = join(base, *name.split("/"))
        if verb == "remove":
            storage.remove(location)
            wanted.pop(name, None)
        elif verb == "write":
            storage.write(location, data)
            wanted[name] = data
        else:
            storage.write_stream(location, (data[:7], data[7:7], data[7:]))
            wanted[name] = data
    assert list(storage.list(base)) == sorted(wanted)
    for name in NAMES:
        location = join(base, *name.split("/"))
        assert storage.exists(location) == (name in wanted)
        if name in wanted:
            assert storage.read(location) == wanted[name]
            with storage.open(location) as stream:
                assert stream.read(3) + stream.read() == wanted[name]
            if wanted[name]:
                assert storage.read(location, head=5) == wanted[name][:5]
        else:
            with pytest.raises(MissingError):
                storage.read(location)


def test_a_folder_is_no_object(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert not Storage().exists(str(tmp_path / "d"))
    for call in (Storage().read, Storage().remove):
        with pytest.raises((MissingError, StorageError), match=r"d: cannot be (read|removed): "):
            call(str(tmp_path / "d"))


class Trouble(RuntimeError):
    """What comes while the pieces are made."""


def broken():
    yield b"half"
    raise Trouble


@pytest.mark.parametrize("staging", [False, True])
def test_nobody_sees_half_of_a_file(tmp_path: Path, staging: bool) -> None:
    place = tmp_path / "out/file"
    aside = tmp_path / "staging"
    aside.mkdir()
    options = {"staging": str(aside)} if staging else {}
    for before in (None, b"what was there"):
        if before is not None:
            place.write_bytes(before)
        with pytest.raises(Trouble):
            Storage().write_stream(str(place), broken(), **options)
        assert (place.read_bytes() if place.exists() else None) == before
        # Nor is anything left of the half.
        assert [p for p in tmp_path.rglob("*") if p.is_file()] == ([place] if before else [])
    seen: list[bytes] = []

    def pieces():
        yield b"new "
        seen.append(place.read_bytes())
        grown = [p for p in (aside if staging else place.parent).iterdir() if p != place]
        assert len(grown) == 1 and grown[0].name.startswith(".")
        yield b"content"

    Storage().write_stream(str(place), pieces(), **options)
    assert seen == [b"what was there"] and place.read_bytes() == b"new content"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [place]


def test_an_upload_that_breaks_while_it_is_made_puts_nothing() -> None:
    client = Bucket({("b", "k"): b"before"})
    with pytest.raises(Trouble):
        Storage(client=client).write_stream("s3://b/k", broken())
    assert client.objects == {("b", "k"): b"before"}


def test_many_threads_write_one_file(tmp_path: Path) -> None:
    """One of them wins as a whole."""
    place = tmp_path / "file"
    contents = [bytes([number]) * 50_000 for number in range(8)]
    start = threading.Barrier(len(contents))

    def write(data: bytes) -> None:
        start.wait()
        for _ in range(10):
            Storage().write(str(place), data)

    threads = [threading.Thread(target=write, args=(data,)) for data in contents]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if place.exists():
            assert place.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [place] and place.read_bytes() in contents


# --- limits ---


@pytest.mark.parametrize("size", [9, 10, 11])
def test_files_above_the_limit_are_not_read(size: int, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    limits = Limits(file_bytes=10)
    client = Bucket({("b", "f"): b"x" * size})
    for location, storage in (
        (str(tmp_path / "f"), Storage(limits=limits)),
        ("s3://b/f", Storage(client=client, limits=limits)),
    ):
        if size > 10:
            with pytest.raises(
                LimitError, match=r"f: has 11 bytes, the limit is 10; raise Limits\(file_bytes=…\)"
            ):
                storage.read(location)
        else:
            assert storage.read(location) == b"x" * size
        # The beginning of a file is as long as was asked.
        assert storage.read(location, head=4) == b"xxxx"


def test_what_has_no_size_is_read_up_to_the_limit() -> None:
    assert Storage(limits=Limits(file_bytes=1_000)).read("/dev/zero") == bytes(1_000)


# --- errors ---


@pytest.mark.parametrize(
    ("code", "status", "there"),
    [("404", 404, False), ("403", 403, False), ("SlowDown", 503, None), ("400", 400, None)],
)
def test_absent_and_unknown_are_two_things(code: str, status: int, there: bool | None) -> None:
    class Refusing(Bucket):
        def head_object(self, **_):
            raise service_error("HeadObject", code, status=status)

    storage = Storage(client=Refusing())
    if there is None:
        with pytest.raises(StorageError, match=r"s3://b/k: cannot be looked for: .*HeadObject"):
            storage.exists("s3://b/k")
    else:
        assert storage.exists("s3://b/k") is there


def test_what_a_disk_says_is_in_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    below = str(tmp_path / "file/below")
    for call, words in (
        (lambda: Storage().write(below, b""), "cannot be written: (Not a directory|File exists)"),
        (lambda: Storage().read(below), "cannot be read: Not a directory"),
        (lambda: Storage().remove(below), "cannot be removed: Not a directory"),
        (lambda: Storage().read(str(tmp_path / ("n" * 300))), "cannot be read: File name too long"),
        (lambda: Storage().write("a\0b", b""), "cannot be written: .*null"),
    ):
        with pytest.raises((StorageError, MissingError), match=words):
            call()


def test_a_written_file_has_the_rights_that_any_other_has(tmp_path: Path) -> None:
    (tmp_path / "by hand").write_bytes(b"")
    Storage().write(str(tmp_path / "written"), b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("by hand", "written")}
    assert len(modes) == 1


# --- places ---


@pytest.mark.parametrize(
    ("location", "above", "parts"),
    [
        ("s3://b/k", "s3://b", ("b", "k")),
        ("s3://b/d/k", "s3://b/d", ("b", "d/k")),
        ("s3://b/d/e/", "s3://b/d", ("b", "d/e/")),
        ("s3://b", "s3://b", ("b", "")),
        ("s3://b//k", "s3://b", ("b", "/k")),
        ("s3://b/ä b/車", "s3://b/ä b", ("b", "ä b/車")),
    ],
)
def test_parents_and_parts_of_keys(location: str, above: str, parts) -> None:
    assert is_s3(location) and split_s3(location) == parts
    assert parent(location).rstrip("/") == above
    assert join(above, "x") == join(f"{above}/", "x") == f"{above}/x"


def test_parents_of_files() -> None:
    assert parent("a/b.txt") == "a" and parent("b.txt") == "." and parent("/b.txt") == "/"
    assert join("a/b", "c", "d") == "a/b/c/d" and not is_s3("S3:/b") and not is_s3("a/s3://b")


def test_a_copy_in_another_process_has_a_client_of_its_own() -> None:
    storage = Storage(endpoint_url="http://127.0.0.1:9", client=Bucket(), limits=Limits(file_bytes=7))
    again = pickle.loads(pickle.dumps(storage))
    assert again.endpoint_url == storage.endpoint_url and again.limits == storage.limits
    assert again.s3 is again.s3 and not isinstance(again.s3, Bucket)
    assert again.s3.meta.endpoint_url == "http://127.0.0.1:9"
    assert "127.0.0.1:9" in repr(again)
