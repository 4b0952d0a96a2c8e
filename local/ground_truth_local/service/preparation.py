"""What a job does before it hands out tasks: read and check all that it was given, as its own role.

That happens while it is ``InProgress`` already, with all counters 0, as on AWS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..sources import Rule, assumed, guide, holds
from . import adjustment, builtin, categories, template, verification
from .errors import JobFailure
from .jobs import Job
from .manifest import parse_manifest
from .output import OutputWriter
from .rules import MIN_AUTOMATED_OBJECTS, S3Location, parse_s3_uri
from .s3 import RoleS3
from .store import Store

AUTOMATED_OBJECTS = Rule(
    "automated-objects",
    "Automated labeling needs at least 1,250 data objects.",
    guide("sms-automated-labeling"),
)
TEMPLATE_UTF8 = Rule(
    "template-utf8",
    "The worker template is UTF-8.",
    assumed("the guide names the encoding of a page's external files alone, which is this one"),
)
CHAINED = Rule(
    "chained",
    "With the same attribute name only objects without a label, or with a failed one, go to workers.",
    guide("sms-reusing-data"),
)
REGIONS = Rule(
    "buckets-region", "All buckets are in the job's Region.", guide("sms-input-data-input-manifest")
)

_INSERT_ROWS = 500
_INSERT = "INSERT INTO objects (job, idx, line, state) VALUES (?, ?, ?, ?)"


def prepare(job: Job, *, store: Store, s3: RoleS3, output: OutputWriter, max_objects: int) -> None:
    """Load the job's manifest, labels and template into the job and the store.

    Raises:
        JobFailure: something is missing, not allowed or not of the documented form.
    """
    manifest = _location(job.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"])
    category_file = _location(job.request["LabelCategoryConfigS3Uri"])
    automated = job.request.get("LabelingJobAlgorithmsConfig") is not None
    s3.client()
    image_buckets, count, first = _load_manifest(job, manifest, store, s3, max_objects)
    if automated and count < MIN_AUTOMATED_OBJECTS:
        raise JobFailure(
            AUTOMATED_OBJECTS,
            f"ClientError: Automated data labeling needs at least {MIN_AUTOMATED_OBJECTS} data objects, the "
            f"manifest {manifest} has {count}.",
        )
    data = s3.read(category_file, "label category file", limit=categories.MAX_FILE_BYTES)
    job.labels = categories.parse_categories(data, category_file, automated=automated)
    job.element = template.check_template(
        read_template(job, s3),
        task_input=task_input(job, first),
        labels=job.labels,
        widget=template.widget_of(job.task_type),
    )
    if job.task_type == builtin.VERIFICATION:
        verification.check_verdicts(job.labels, category_file)
    buckets = {manifest.bucket, category_file.bucket, _template_location(job).bucket, job.output.bucket}
    _check_regions(job, sorted(buckets | image_buckets), s3)
    # The first file that lands in the output shows whether the role may write there.
    output.dataset_manifest(job, 1)
    job.loaded = True


def _location(uri: str) -> S3Location:
    location = parse_s3_uri(uri)
    assert location is not None, "checked when the job was made"
    return location


def _template_location(job: Job) -> S3Location:
    return _location(job.task["UiConfig"]["UiTemplateS3Uri"])


def read_template(job: Job, s3: RoleS3) -> str:
    """Return the worker template's source, read as the job's role."""
    location = _template_location(job)
    data = s3.read(location, "worker task template", limit=template.MAX_TEMPLATE_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobFailure(
            TEMPLATE_UTF8, f"ClientError: The worker task template {location} is not UTF-8."
        ) from error


def task_input(job: Job, line: dict[str, Any]) -> dict[str, Any]:
    """Return ``task.input`` of an object: what the built-in ``PRE-`` function makes of its manifest line."""
    return {"taskObject": line["source-ref"], "labels": job.labels, "manifestLine": line}


def _load_manifest(
    job: Job, location: S3Location, store: Store, s3: RoleS3, max_objects: int
) -> tuple[set[str], int, dict[str, Any]]:
    """Put the lines into the store; return the images' buckets, the number of lines and the first one."""
    store.execute("DELETE FROM objects WHERE job = ?", job.arn)
    buckets: set[str] = set()
    first: dict[str, Any] = {}
    rows: list[tuple[str, int, str, str]] = []
    count = 0
    with s3.stream(location, "manifest") as (body, _):
        for line, entry in parse_manifest(body, location, max_objects):
            first = first or entry
            if job.task_type != builtin.SEGMENTATION:
                adjustment.check_line(entry, job.attribute, f"line {count + 1} of the manifest {location}")
            buckets.add(_location(entry["source-ref"]).bucket)
            rows.append((job.arn, count, line, _state(job, entry)))
            count += 1
            if len(rows) >= _INSERT_ROWS:
                store.execute_many(_INSERT, rows)
                rows.clear()
    store.execute_many(_INSERT, rows)
    return buckets, count, first


@holds(CHAINED)
def _state(job: Job, entry: dict[str, Any]) -> str:
    """Chaining: with the same attribute name, only objects without a label go to workers."""
    metadata = entry.get(f"{job.attribute}-metadata")
    if entry.get(job.attribute) is None or not isinstance(metadata, dict) or "failure-reason" in metadata:
        return "pending"
    return "passed-machine" if metadata.get("human-annotated") == "no" else "passed"


def _check_regions(job: Job, buckets: Iterable[str], s3: RoleS3) -> None:
    for bucket in buckets:
        region = s3.bucket_region(bucket)
        if region != job.region:
            raise JobFailure(
                REGIONS,
                f"ClientError: The bucket {bucket} is in {region}; the manifest, the template, the label "
                f"category file, the images and the output must be in the job's Region {job.region}.",
            )
