"""All images of a manifest, looked at in parallel and within a bound of time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ..limits import AUTOMATED_LABELING_PIXELS_MAX, IMAGE_BYTES_MAX, IMAGE_PIXELS_MAX
from ..rules.places import Place
from .access import ARCHIVED, DENIED, ELSEWHERE, KEY_DENIED, MISSING, NO_BUCKET, Piece, ReadError
from .headers import BROKEN, FORMAT, JPEG, PNG, PNG_END, UNDECIDED, Header, ImageError, read_header
from .inspection import Inspection

THREADS: Final = 24
# A PNG says where it ends; a few programs append something of their own.
_TAIL = 1024

_SUFFIXES = {".jpg": JPEG, ".jpeg": JPEG, ".png": PNG}
_UNREADABLE = {
    MISSING: ("image-exists", "each image must exist; upload it, or drop the line"),
    DENIED: (
        "image-access",
        "the deploy's handler must be allowed s3:GetObject (without s3:ListBucket a missing image is denied)",
    ),
    KEY_DENIED: ("kms-key", "the deploy's handler must be allowed to use the key that encrypts the images"),
    ARCHIVED: ("image-access", "an archived image can't be read; restore it"),
}


def look_at_images(inspection: Inspection, images: list[tuple[int, Place]]) -> int:
    """Look at the header of each image; when time runs out, those looked at are a random sample.

    Answers how many were looked at.
    """
    order = list(range(len(images)))
    # The choice is seeded: the same manifest is looked at in the same order again.
    random.Random(len(order)).shuffle(order)
    look = _Look(inspection)
    done = _in_parallel((images[index] for index in order), look, inspection.out_of_time)
    if done < len(order):
        rule = "time ran out: what was looked at is a random sample; raise preflight's time for all"
        inspection.warn("image-sample", rule, f"{done:,} of {len(order):,} images")
    return done


def _in_parallel(
    todo: Iterator[tuple[int, Place]], look: Callable[[int, Place], None], out_of_time: Callable[[], bool]
) -> int:
    """Call for each, from a few threads that share one iterator: 20,000 futures aren't held."""
    lock = threading.Lock()
    failed = threading.Event()

    def work() -> int:
        done = 0
        while not failed.is_set() and not out_of_time():
            with lock:
                item = next(todo, None)
            if item is None:
                break
            try:
                look(*item)
            except BaseException:  # whatever ends this thread, the others needn't go on
                failed.set()
                raise
            done += 1
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(thread.result() for thread in [pool.submit(work) for _ in range(THREADS)])


class _Look:
    """One image at a time, called from several threads."""

    def __init__(self, inspection: Inspection) -> None:
        self._reader, self._findings = inspection.reader, inspection.findings
        automated = inspection.plan.automated
        self._pixels = AUTOMATED_LABELING_PIXELS_MAX if automated else IMAGE_PIXELS_MAX
        self._missing_buckets: set[str] = set()

    def __call__(self, line: int, place: Place) -> None:
        if place.bucket in self._missing_buckets:
            return
        try:
            header = self._header(line, place)
        except ReadError as error:
            self._unreadable(error, line, place)
        except ImageError as error:
            self._unfit(error, line, place)
        else:
            self._check(header, line, place)

    def _header(self, line: int, place: Place) -> Header:
        first: list[Piece] = []

        def read(offset: int, length: int) -> bytes:
            if first and offset >= first[0].size:
                return b""
            piece = self._reader.piece(place, offset, length)
            if not first:
                self._check_size(piece.size, line, place)
                first.append(piece)
            return piece.data

        header = read_header(read)
        if header.format == PNG:
            whole = first[0].size <= len(first[0].data)
            start = max(0, first[0].size - _TAIL)
            if PNG_END not in (first[0].data[start:] if whole else read(start, _TAIL)):
                raise ImageError(BROKEN, "the file ends before its pixels do")
        return header

    def _check_size(self, size: int, line: int, place: Place) -> None:
        if size > IMAGE_BYTES_MAX:
            rule = (
                f"an image must have at most {IMAGE_BYTES_MAX // 1_000_000} MB; compress it or scale it down"
            )
            self._findings.error("image-size", rule, f"{size / 1e6:,.1f} MB: {place}", line=line)

    def _check(self, header: Header, line: int, place: Place) -> None:
        pixels = header.width * header.height
        if pixels > self._pixels:
            rule = f"an image must have at most {self._pixels:,} pixels; scale it down"
            got = f"{header.width} by {header.height}: {place}"
            self._findings.error("image-pixels", rule, got, line=line)
        if header.orientation != 1:
            rule = "EXIF turns the image: workers label it as stored, so read it unturned when training"
            self._findings.warn("image-orientation", rule, f"{header.orientation}: {place}", line=line)
        suffix = place.key[place.key.rfind(".") :].lower() if "." in place.key else ""
        if _SUFFIXES.get(suffix, header.format) != header.format:
            rule = "the name promises another format than the file has; rename it"
            self._findings.warn("image-suffix", rule, f"{header.format}: {place}", line=line)

    def _unfit(self, error: ImageError, line: int, place: Place) -> None:
        if error.kind == FORMAT:
            rule = "an image must be a JPEG or PNG that browsers show; convert it"
            self._findings.error("image-format", rule, f"{error}: {place}", line=line)
        elif error.kind == UNDECIDED:
            rule = "not judged: what is read of an image is bounded; open it yourself"
            self._findings.warn("image-broken", rule, f"{error}: {place}", line=line)
        else:
            rule = "an image must be whole; upload it again"
            self._findings.error("image-broken", rule, f"{error}: {place}", line=line)

    def _unreadable(self, error: ReadError, line: int, place: Place) -> None:
        if error.kind in (NO_BUCKET, ELSEWHERE):
            # The check of buckets tells this once.
            self._missing_buckets.add(place.bucket)
            return
        check, rule = _UNREADABLE.get(error.kind, ("image-access", "each image must be readable"))
        got = str(place) if error.kind in _UNREADABLE else f"{place} ({error})"
        self._findings.error(check, rule, got, line=line)
