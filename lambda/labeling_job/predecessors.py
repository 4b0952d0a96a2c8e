"""The jobs that an update's new job goes on from: what they labeled of images that are still the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from . import log
from .chain import Counts, Earlier, continued, is_labeled, parsed
from .chained_images import output_lines
from .contract import split_s3_uri
from .errors import MISSING_CODES, DeployError, code_of
from .storage import Storage

_ASKED_AT_ONCE = 16


class Predecessor(NamedTuple):
    """A job of the same resource, which has ended."""

    name: str
    manifest_uri: str
    created: datetime

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Predecessor:
        """From DescribeLabelingJob."""
        name = job["LabelingJobName"]
        output = f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/{name}"
        return cls(name, f"{output}/manifests/output/output.manifest", job["CreationTime"])


def kept_lines(
    storage: Storage,
    lines: Iterable[bytes],
    before: Sequence[Predecessor],
    attribute: str,
    counts: Counts,
) -> Iterator[bytes]:
    """The lines of a manifest, with the labels that are there.

    An image that was written after the job that labeled it began is another image under the same key, and is
    asked again. A label whose image can't be asked about is kept: it has been paid for.

    Raises:
        DeployError: an output manifest can't be read.
    """
    with Earlier(attribute=attribute) as earlier:
        for job in before:
            _read(storage, earlier, job)
        entries = [parsed(line, f"line {number}") for number, line in enumerate(lines, 1)]
        replaced = _replaced(storage, entries, earlier, min((job.created for job in before), default=None))
        yield from continued(entries, earlier, counts, is_same_image=lambda image: image not in replaced)
    log.action("KeepLabels", jobs=[job.name for job in before], **vars(counts))


def _read(storage: Storage, earlier: Earlier, job: Predecessor) -> None:
    try:
        earlier.read(output_lines(storage, job.manifest_uri), what=job.manifest_uri)
    except ClientError as error:
        if code_of(error) in MISSING_CODES:
            # A job that was stopped before it labeled anything has written no output.
            log.action("NoOutput", job=job.name, manifest=job.manifest_uri)
            return
        raise DeployError(
            f"the labels of the job {job.name!r} can't be read ({error}), so the new job would buy them"
            f" again; let the handler read {job.manifest_uri}"
        ) from error


def _replaced(
    storage: Storage, entries: Sequence[Mapping[str, Any]], earlier: Earlier, since: datetime | None
) -> set[str]:
    """Images whose content is newer than the job that labeled them."""

    def is_replaced(image: str) -> bool:
        modified = storage.modified(*split_s3_uri(image))
        return modified is not None and since is not None and modified > since

    images = [str(entry["source-ref"]) for entry in entries]
    labeled = [image for image in images if _has_label(earlier, image)]
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        answers = list(pool.map(is_replaced, labeled))
    return {image for image, answer in zip(labeled, answers, strict=True) if answer}


def _has_label(earlier: Earlier, image: str) -> bool:
    raw = earlier.line(image)
    return raw is not None and is_labeled(parsed(raw, image), earlier.attribute)
