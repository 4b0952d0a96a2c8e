"""The manifest of a job that goes on from an earlier job's output, or is about a part of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from . import log
from .chain import Counts, Earlier, continued, is_labeled, parsed, selected
from .contract import Images, split_s3_uri
from .errors import DeployError
from .jobs import LIVE
from .rules.lines import raw_lines
from .storage import Storage

Describe = Callable[[str], Mapping[str, Any] | None]


class Output(NamedTuple):
    """An earlier job's output manifest, and the name of its labels there."""

    manifest_uri: str
    attribute: str


def earlier_output(images: Images, describe: Describe) -> Output:
    """Where the earlier job's labels are; a job that is known by name alone is asked.

    Raises:
        DeployError: there is no such job, it still runs, or its labels have another name than was said.
    """
    name = images.job_name
    if not name:
        return Output(images.output_manifest_s3_uri, images.label_attribute_name)
    job = describe(name)
    if job is None:
        raise DeployError(
            f"the earlier labeling job {name!r} is not in this account and Region; check the name, or give"
            " its output manifest instead"
        )
    status = job["LabelingJobStatus"]
    if status in (*LIVE, "Stopping"):
        raise DeployError(
            f"the earlier labeling job {name!r} is {status}, and what it labels from now on would be lost to"
            " this job; wait for its end, or stop it"
        )
    attribute = images.label_attribute_name or job["LabelAttributeName"]
    # A verification's output has the labels that it is about, too.
    verified = job["HumanTaskConfig"]["PreHumanTaskLambdaArn"].endswith(
        ":PRE-VerificationSemanticSegmentation"
    )
    if not verified and attribute != job["LabelAttributeName"]:
        raise DeployError(
            f"the labels of the earlier labeling job {name!r} are called {job['LabelAttributeName']!r}, not"
            f" {attribute!r}"
        )
    found = job.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri")
    output = f"{job['OutputConfig']['S3OutputPath'].rstrip('/')}/{name}/manifests/output/output.manifest"
    return Output(found or output, attribute)


def lines_of_job(
    storage: Storage,
    images: Images,
    output: Output,
    *,
    attribute: str,
    more: Iterable[Mapping[str, Any]] = (),
) -> Iterator[bytes]:
    """Lines for the new job's manifest.

    Args:
        storage: S3.
        images: what of the earlier job's lines is meant.
        output: the earlier job's.
        attribute: the name of the new job's labels. The earlier job's own means: go on where it ended.
        more: further images.

    Raises:
        DeployError: the earlier output can't be read, or there is nothing left to do.
    """
    if attribute != output.attribute:
        yield from _chosen(storage, images, output)
        return
    counts = Counts()
    with Earlier(attribute=attribute) as earlier:
        earlier.read(output_lines(storage, output.manifest_uri), what=output.manifest_uri)
        known = ({"source-ref": image} for image in earlier.images())
        there = set(earlier.images())
        added = (entry for entry in more if entry["source-ref"] not in there)
        yield from continued(itertools.chain(known, added), earlier, counts)
    log.action("ContinueLabels", earlier=output.manifest_uri, **vars(counts))
    if not counts.to_label:
        raise DeployError(
            f"nothing is left to label: all {counts.kept:,} images of {output.manifest_uri} have"
            f" {attribute!r}; add images, or set another label_attribute_name to label them again"
        )


def _chosen(storage: Storage, images: Images, output: Output) -> Iterator[bytes]:
    total = chosen = labeled = 0
    for total, raw in enumerate(output_lines(storage, output.manifest_uri), 1):
        entry = parsed(raw, f"{output.manifest_uri}:{total}")
        labeled += is_labeled(entry, output.attribute)
        if selected(entry, output.attribute, images.selection):
            chosen += 1
            yield raw
    log.action(
        "ChooseLabels",
        earlier=output.manifest_uri,
        lines=total,
        labeled=labeled,
        chosen=chosen,
        of=output.attribute,
    )
    if not chosen:
        raise DeployError(
            f"none of the {total:,} lines of {output.manifest_uri} is chosen ({labeled:,} have"
            f" {output.attribute!r}); change `only`, or leave this job out until there is something to do"
        )


def output_lines(storage: Storage, uri: str) -> Iterator[bytes]:
    """The lines of an output manifest, empty ones left out."""
    bucket, key = split_s3_uri(uri)
    body = storage.stream(bucket, key)
    yield from (raw for raw in raw_lines(body) if raw.strip())
