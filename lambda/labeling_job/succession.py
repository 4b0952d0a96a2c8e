"""What an update means for the labels that are there: whether a new job takes them over, or is refused.

A labeling job can't be changed, so a changed one is a new one. By default it asks only for what is missing
("Chaining labeling jobs" in the Developer Guide): under the same attribute the service passes labels on.
Where the labels would mean something else, nothing is bought again in silence: the deploy is refused, with
the numbers and with what fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .contract import JobProperties
from .errors import DeployError

_AGAIN = "or set relabel=True, which buys all labels again"


def keeps_labels(old: JobProperties | None, new: JobProperties, job: Mapping[str, Any] | None) -> bool:
    """Whether the new job has to take over what the old one has labeled.

    Args:
        old: what the job was made of; None where an older release wrote it.
        new: what it is to be made of now.
        job: the old job as the service describes it; None if there is none.

    Raises:
        DeployError: labels are there, and the new job can't go on from them.
    """
    if job is None or old is None or new.relabel or _is_streaming(new):
        return False
    counters = job.get("LabelCounters", {})
    labeled = int(counters.get("TotalLabeled", 0))
    if not labeled:
        # The old job goes on until CloudFormation cleans up, as nothing can be lost by the new one.
        return False
    have = f"{labeled:,} images of the job {job['LabelingJobName']!r} are labeled"
    _check_task_type(old, new, have)
    _check_attribute(old, new, have)
    _check_classes(old.labels, new.labels, have)
    return True


def briefly_checked(properties: JobProperties) -> JobProperties:
    """The properties with a short look at the images, which have been looked at a moment ago."""
    if properties.preflight is None:
        return properties
    return replace(properties, preflight={**properties.preflight, "Seconds": 1})


def _is_streaming(properties: JobProperties) -> bool:
    source = properties.request.get("InputConfig", {}).get("DataSource", {})
    return "SnsDataSource" in source


def _check_task_type(old: JobProperties, new: JobProperties, have: str) -> None:
    before, after = map(_task_type, (old, new))
    if before != after:
        raise DeployError(
            f"{have} by {before}, and {after} can't go on from them; give it a construct of its own"
        )


def _task_type(properties: JobProperties) -> str:
    function = str(properties.request.get("HumanTaskConfig", {}).get("PreHumanTaskLambdaArn", ""))
    return function.rpartition("PRE-")[2]


def _check_attribute(old: JobProperties, new: JobProperties, have: str) -> None:
    before, after = (each.request.get("LabelAttributeName") for each in (old, new))
    if before != after:
        raise DeployError(
            f"{have} under {before!r}; under label_attribute_name {after!r} all would be asked again. Keep"
            f" {before!r}, {_AGAIN}"
        )


def _check_classes(old: Sequence[str], new: Sequence[str], have: str) -> None:
    if not old or list(old) == list(new) or set(old) == set(new):
        return
    added = [label for label in new if label not in old]
    removed = [label for label in old if label not in new]
    told = " and ".join(
        f"{what} {', '.join(map(repr, names))}"
        for what, names in (("adds", added), ("drops", removed))
        if names
    )
    if removed:
        fits = (
            "keep the class among the labels, and rename, merge or drop it in a copy of what is labeled with"
            " `ground-truth-labels relabel`, which needs no worker"
        )
    else:
        fits = (
            "a SemanticSegmentationAdjustmentJob(of=…, labels=…) starts from the masks that are there, and"
            " only=Only(…) chooses the images that may show the new class"
        )
    raise DeployError(
        f"{have}, and the update {told}: what is painted would not mean what it says. {fits}, {_AGAIN}"
    )
