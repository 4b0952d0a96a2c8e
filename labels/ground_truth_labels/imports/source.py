"""The files that another tool exported: a folder, a zip archive, or one file."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..decode import MaskArray
from ..errors import LimitError, ManifestError, MissingError
from ..limits import Limits


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One image's labels in another tool's words.

    Attributes:
        where: File and element, for messages.
        names: What may name the image, the surest first: a reference, a file name, a name without extension.
        mask: Numbers from 0, nobody's, to the last of `classes`; None if nothing is drawn and no size told.
        classes: Class names; a number in `mask` is the position in it plus one.
    """

    where: str
    names: tuple[str, ...]
    mask: MaskArray | None
    classes: tuple[str, ...]


#: What `zipfile` raises for an archive that is cut off, changed or in a form that it doesn't know.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
)


class Source:
    """Reads members by name, none of them larger than the limit. Names are never used as paths."""

    def __init__(self, location: str, limits: Limits) -> None:
        self.location = location
        self.limits = limits
        path = Path(location)
        self._members: dict[str, Callable[[], bytes]] = {}
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file())
            self._members = {p.relative_to(path).as_posix(): self._reader(p) for p in files}
        elif zipfile.is_zipfile(path):
            self._members = dict(self._zipped(path))
        elif path.is_file():
            self._members = {path.name: self._reader(path)}
        else:
            raise MissingError(f"{location}: is not there; give the tool's export: a folder, a zip or a file")
        # macOS puts a file's attributes beside it, under its own name after "._".
        attributes = [name for name in self._members if name.rpartition("/")[2].startswith("._")]
        for name in attributes:
            del self._members[name]

    def names(self, suffix: str) -> list[str]:
        """The members with this end, sorted."""
        return sorted(name for name in self._members if name.lower().endswith(suffix))

    def files(self, name: str) -> list[str]:
        """The members that are called so, in any folder, sorted."""
        return sorted(each for each in self._members if each.rpartition("/")[2].lower() == name)

    def read(self, name: str) -> bytes:
        """The bytes of a member."""
        return self._members[name]()

    def _reader(self, path: Path) -> Callable[[], bytes]:
        def read() -> bytes:
            self._check(str(path), path.stat().st_size)
            return path.read_bytes()

        return read

    def _zipped(self, path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
        try:
            archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise ManifestError(f"{path}: cannot be unpacked: {error}") from error
        for info in archive.infolist():

            def read(info: zipfile.ZipInfo = info) -> bytes:
                self._check(f"{path}: {info.filename}", info.file_size)
                try:
                    return archive.read(info)
                except _BROKEN as error:
                    raise ManifestError(f"{path}: {info.filename}: cannot be unpacked: {error}") from error

            if not info.is_dir():
                yield info.filename, read

    def _check(self, name: str, size: int) -> None:
        if size > self.limits.file_bytes:
            raise LimitError(f"{name}: has {size:,} bytes, the limit is {self.limits.file_bytes:,}")


def empty_mask(shape: tuple[int, int], classes: tuple[str, ...]) -> MaskArray:
    """Zeros that can hold a number for each class."""
    return np.zeros(shape, np.uint8) if len(classes) < 256 else np.zeros(shape, np.uint16)


def check_size(width: int, height: int, where: str, limits: Limits) -> None:
    """Refuse a picture that is empty or larger than the limit, before anything of its size is made."""
    if width < 1 or height < 1:
        raise ManifestError(f"{where}: width and height must be positive, got {width} x {height}")
    if width * height > limits.pixels:
        raise LimitError(f"{where}: announces {width:,} x {height:,} pixels, limit {limits.pixels:,}")
