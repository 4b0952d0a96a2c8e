"""A directory of images as `cdk deploy` publishes it: one zip, whose members are copied to a bucket."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from . import log
from .contract import split_s3_uri
from .errors import DeployError
from .limits import DIRECTORY_BYTES_MAX, IMAGE_BYTES_MAX, IMAGE_SUFFIXES, OBJECTS_MAX
from .rules.findings import clipped
from .rules.places import KEY_BYTES_MAX, is_key
from .storage import ObjectFile, Storage

_UPLOADS = 8
# What is unpacked and on its way at a time; one image has 40 MB at most.
_UPLOAD_BYTES = 64 * 1024 * 1024
_READ_AHEAD = 8 * 1024 * 1024
# A zip's own directory: that of the most images, each with the longest name and what a zip adds to it.
_LISTING_BYTES_MAX = OBJECTS_MAX * (KEY_BYTES_MAX + 128)

#: What the standard library raises of a zip whose bytes aren't those that were written.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError)
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


class Archive:
    """The zip's images, and where they are to be.

    Args:
        uri: the zip's.
        bucket, prefix: images go below it, each in a folder named by its content and under its name in the
            zip. So a replaced image is another object, which is asked again, and an unchanged one the same.
    """

    def __init__(self, storage: Storage, uri: str, bucket: str, prefix: str) -> None:
        self._storage, self.uri = storage, uri
        self.bucket, self.prefix = bucket, prefix
        self._zip = self._open()
        # A folder's name ends in a slash, and so in no suffix.
        members = [m for m in self._zip.infolist() if m.filename.lower().endswith(IMAGE_SUFFIXES)]
        self._check(members)
        #: Key → member, in the zip's order, in which they are read.
        self.members = {self._key(m): m for m in sorted(members, key=lambda m: m.header_offset)}

    @property
    def keys(self) -> list[str]:
        """The images' keys in the order of their names, as S3 would list them."""
        return sorted(self.members, key=lambda key: self.members[key].filename.encode())

    def _key(self, member: zipfile.ZipInfo) -> str:
        return f"{self.prefix}{member.CRC:08x}{member.file_size:x}/{member.filename}"

    def _check(self, members: Sequence[zipfile.ZipInfo]) -> None:
        """Refuse what the CDK never packs, by its name and before anything of it is unpacked."""
        for member in members:
            if why := _unfit(member) or ("" if is_key(self._key(member)) else "its key would be too long"):
                raise DeployError(f"{clipped(repr(member.filename), 400)} in {self.uri} is no image: {why}")
        total = sum(member.file_size for member in members)
        if total > DIRECTORY_BYTES_MAX:
            raise DeployError(
                f"{self.uri} holds {total:,} bytes, at most {DIRECTORY_BYTES_MAX:,} are unpacked"
            )

    def copy(self) -> None:
        """Copy the images; what an interrupted run has copied is left as it is."""
        there = dict(self._storage.objects(self.bucket, self.prefix))
        with ThreadPoolExecutor(_UPLOADS) as pool:
            running: dict[Future[None], int] = {}
            for key, member in self.members.items():
                if there.get(key) == member.file_size:
                    continue
                while running and (
                    len(running) >= _UPLOADS or sum(running.values()) + member.file_size > _UPLOAD_BYTES
                ):
                    _settle(running)
                put = pool.submit(
                    self._storage.put, self.bucket, key, self._unpack(member), content_type=content_type(key)
                )
                running[put] = member.file_size
            while running:
                _settle(running)
        log.action(
            "PublishImages",
            archive=self.uri,
            to=f"s3://{self.bucket}/{self.prefix}",
            images=len(self.members),
        )

    def _open(self) -> zipfile.ZipFile:
        file = _Reader(ObjectFile(self._storage, *split_s3_uri(self.uri)), _READ_AHEAD)
        try:
            opened = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise DeployError(f"{self.uri} is no zip any more ({error}); deploy again") from error
        file.is_opened = True
        return opened

    def _unpack(self, member: zipfile.ZipInfo) -> bytes:
        try:
            return self._zip.read(member)
        except _BROKEN as error:
            raise DeployError(
                f"{member.filename!r} can't be unpacked from {self.uri} ({error}); deploy again"
            ) from error


class _Reader(io.BufferedReader):
    """Refuses a zip's own directory by its size: the standard library reads it whole."""

    is_opened = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so much."""
        if not self.is_opened and size is not None and size > _LISTING_BYTES_MAX:
            raise zipfile.BadZipFile(
                f"its directory would have {size:,} bytes, at most {_LISTING_BYTES_MAX:,} are read"
            )
        return super().read(size)


def content_type(key: str) -> str:
    """Of an image, by its name."""
    return "image/png" if key.lower().endswith(".png") else "image/jpeg"


def _unfit(member: zipfile.ZipInfo) -> str:
    """Why a member can't be an image of a directory; empty if it can."""
    name = member.filename
    if name.startswith("/") or "\\" in name or posixpath.normpath(name) != name or name.startswith("../"):
        return "its name leads elsewhere"
    if member.file_size > IMAGE_BYTES_MAX:
        return f"it has {member.file_size:,} bytes, at most {IMAGE_BYTES_MAX:,} are unpacked"
    if member.compress_type not in _PACKINGS or member.flag_bits & _ENCRYPTED:
        return "it is encrypted, or packed in another way than the CDK's"
    return ""


def _settle(running: dict[Future[None], int]) -> None:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for upload in done:
        del running[upload]
        upload.result()
