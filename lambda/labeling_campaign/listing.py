"""The images of a campaign as they are now, sorted by URI, in memory that doesn't grow with them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from labeling_job.chained_images import output_lines
from labeling_job.contract import split_s3_uri
from labeling_job.listing import wanted_keys

from .campaign import Campaign
from .lines import image_of, line_of
from .merging import Image
from .sorting import Sorted

_PLACE: Final = struct.Struct(">Q")
# This sorts after all that the manifest lists.
_NOWHERE: Final = b"\xff" * 8


def images_of(campaign: Campaign) -> Iterator[Image]:
    """All images: of the bucket, or of the manifest that lists them."""
    manifest = campaign.properties.source_manifest
    return _of_manifest(campaign, manifest) if manifest else _of_bucket(campaign)


def _of_bucket(campaign: Campaign) -> Iterator[Image]:
    """In S3's order, which is that of the keys' bytes."""
    images = campaign.properties.job.images
    bucket, prefix = split_s3_uri(images.images_s3_uri)
    wanted = wanted_keys(prefix, images)
    start = f"s3://{bucket}/".encode()
    for page in campaign.storage.pages(bucket, prefix):
        campaign.patience.check("images are still listed")
        for item in page.get("Contents", []):
            key = item["Key"]
            # A folder's placeholder holds nothing.
            if item["Size"] and wanted(key):
                uri = start + key.encode()
                yield Image(uri, item["LastModified"].timestamp(), line_of(uri))


def _of_manifest(campaign: Campaign, manifest: str) -> Iterator[Image]:
    """A manifest doesn't say when an image was written."""
    ordered = Sorted()
    for line in output_lines(campaign.storage, manifest):
        if uri := image_of(line):
            ordered.add(uri, line)
    for uri, line in ordered:
        yield Image(uri, 0.0, line)


def in_order(campaign: Campaign, records: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Values of records that are sorted by URI, in the order of the images.

    Of a bucket that is the order of its keys, else that of the manifest's lines: what it doesn't list any
    more comes last.
    """
    manifest = campaign.properties.source_manifest
    if not manifest:
        return (value for _, value in records)
    places = Sorted()
    for place, line in enumerate(output_lines(campaign.storage, manifest)):
        places.add(image_of(line), _PLACE.pack(place))
    known = iter(places)
    at = next(known, None)
    by_place = Sorted()
    for uri, value in records:
        while at is not None and at[0] < uri:
            at = next(known, None)
        by_place.add(at[1] if at is not None and at[0] == uri else _NOWHERE, value)
    return (value for _, value in by_place)
