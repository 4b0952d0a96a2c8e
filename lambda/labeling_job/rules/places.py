"""Buckets and keys of S3: what may be named by an URI, and so come into a policy."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: "Bucket naming rules" of S3's guide: no IP address, no two dots side by side. Names with capitals or `_`,
#: which us-east-1 allowed until 2018, are refused: no browser reaches them under a host name of their own.
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
#: "Object key naming guidelines": bytes of the key in UTF-8.
KEY_BYTES_MAX = 1_024


@dataclass(frozen=True)
class Place:
    """An object in S3, or a prefix."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def place_of(uri: object) -> Place | None:
    """An object's place; None for what isn't ``s3://bucket/key`` with a legal bucket name and key.

    Keys are taken as they stand: neither S3 nor Ground Truth decodes ``%20`` or ``+`` in them.
    """
    place = prefix_of(uri)
    return place if place is not None and place.key else None


def prefix_of(uri: object) -> Place | None:
    """A bucket with a prefix that may be empty."""
    if not isinstance(uri, str) or not uri.startswith("s3://"):
        return None
    bucket, _, key = uri[5:].partition("/")
    return Place(bucket, key) if _BUCKET.fullmatch(bucket) and is_key(key) else None


def is_key(key: str) -> bool:
    """Whether S3 could have an object of that key."""
    try:
        return len(key.encode()) <= KEY_BYTES_MAX
    except UnicodeEncodeError:
        # JSON can spell half a surrogate pair, but UTF-8 and so S3 can't.
        return False
