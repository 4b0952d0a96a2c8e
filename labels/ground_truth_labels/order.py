"""The order in which the app named its classes, found beside a job's output.

cdk-ground-truth writes a report of what it read before it made a job, `preflight/<job name>.json` beside the
job's folder, with the labels in their order. A copy that this library makes of labels has its classes beside
the manifest, as a category file. The report is there for whoever may read the labels, in a copy of the
bucket too, and asking the service takes a permission and an account that may be gone: hence the report, and
the service only for a job that is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .classes import BACKGROUND, LabelList
from .errors import LabelsError, MissingError
from .resolve import Resolver
from .storage import Storage, is_s3, join, parent, told

#: The category file beside a copy's manifest.
CATEGORIES = "label-categories.json"

_PREFIX = "labeling-job/"


def in_app_order(
    names: frozenset[str], jobs: Mapping[str, str], resolver: Resolver, storage: Storage, *, background: int
) -> LabelList | None:
    """The list of a copy, or that of the jobs' reports, one numbering for all; None where there is none.

    A class of several jobs keeps the place that the first gave it; what is new in a later one comes after.

    Args:
        names: Class names met in the manifest.
        jobs: Job name → a reference to one of its masks, as they come in the manifest.
        resolver: Where the manifest and its references lie.
        storage: Where to read.
        background: Id of the background.

    Raises:
        LabelsError: A list is there, or may be, and can't be read.
    """
    wanted = names - {BACKGROUND}
    copied = _copied(wanted, resolver.manifest, storage, background)
    if copied is not None:
        return copied
    order: dict[str, None] = {}
    for job, reference in jobs.items():
        if wanted and wanted <= order.keys():
            break
        order.update(dict.fromkeys(_reported(job, reference, resolver, storage)))
    order.pop(BACKGROUND, None)
    if not order:
        return None
    # They are of a job without a report; sorted, so that they don't depend on the lines' order.
    order.update(dict.fromkeys(sorted(wanted - order.keys())))
    return LabelList(tuple(order), background=background, origin="the app's order, of the jobs' reports")


def _copied(wanted: frozenset[str], manifest: str, storage: Storage, background: int) -> LabelList | None:
    location = join(parent(manifest), CATEGORIES)
    if not storage.exists(location):
        return None
    try:
        found = LabelList.read(location, background=background, storage=storage)
    except MissingError:
        # It is there: without it the ids would be others, in silence.
        raise
    except LabelsError:
        return None
    # A manifest that somebody put beside another one's classes has its own.
    return found if wanted <= set(found.names) else None


def job_of(metadata: Mapping[str, Any]) -> str:
    """The job that a label's metadata names; "" where it names none."""
    name = metadata.get("job-name")
    return name.removeprefix(_PREFIX) if isinstance(name, str) else ""


def described(name: str, session: Any) -> tuple[str, str]:
    """URIs of a job's output manifest and of its category file, as the service has them.

    Raises:
        MissingError: There is no such job, or it has no output.
        StorageError: The service refuses or can't be reached.
    """
    with told(f"the labeling job {name!r}", "can't be asked about"):
        try:
            job = session.client("sagemaker").describe_labeling_job(LabelingJobName=name)
        except Exception as error:
            if getattr(error, "response", {}).get("Error", {}).get("Code") in _UNKNOWN:
                raise MissingError(
                    f"there is no labeling job {name!r} in this account and Region; check the name, and the"
                    " profile"
                ) from error
            raise
    uri = job.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri")
    if not uri:
        status = job.get("LabelingJobStatus")
        raise MissingError(f"the labeling job {name!r} has no output; its status is {status}")
    return str(uri), str(job.get("LabelCategoryConfigS3Uri", ""))


#: An unknown job is the one or the other (AWS Controllers for Kubernetes maps both).
_UNKNOWN = ("ValidationException", "ResourceNotFound")


def _reported(job: str, reference: str, resolver: Resolver, storage: Storage) -> Iterator[str]:
    base, found, _ = reference.partition(f"/{job}/")
    if not found:
        return
    try:
        place = resolver.locate(f"{base}/preflight/{job}.json")
    except LabelsError:
        return
    # Whoever reads a copy has asked nothing of S3.
    if is_s3(place) and not is_s3(resolver.manifest):
        return
    # A report that is there and can't be read is an error: without it the ids would be others, in silence.
    if not storage.exists(place):
        return
    content = storage.read(place)
    try:
        labels = json.loads(content).get("labels")
    except (ValueError, AttributeError, RecursionError):
        return
    if isinstance(labels, list):
        yield from (name for name in labels if isinstance(name, str) and name)
