"""Ground Truth's labeling jobs as the lifecycle needs them: what the API says, without deciding anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import log
from .errors import code_of, message_of

LIVE = ("Initializing", "InProgress")
ENDED = ("Completed", "Failed", "Stopped")


class Jobs:
    """Labeling jobs behind a boto3 SageMaker client."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def describe(self, name: str) -> dict[str, Any] | None:
        """The job as the service describes it, or None if there is no such job."""
        try:
            return dict(self._sagemaker.describe_labeling_job(LabelingJobName=name))
        except Exception as error:
            # The model declares ResourceNotFound; SageMaker's older describe calls answer a
            # ValidationException, which for a well-formed name can mean nothing else.
            if code_of(error) in ("ResourceNotFound", "ValidationException"):
                return None
            raise

    def create(self, request: Mapping[str, Any]) -> None:
        """Send CreateLabelingJob."""
        self._sagemaker.create_labeling_job(**request)
        log.action("CreateLabelingJob", job=request["LabelingJobName"], role=request.get("RoleArn"))

    def stop(self, name: str) -> None:
        """Ask for a stop; a refusal isn't final, because the status may be changing: look again."""
        try:
            self._sagemaker.stop_labeling_job(LabelingJobName=name)
            log.action("StopLabelingJob", job=name)
        except Exception as error:
            if code_of(error) in ("", "AccessDeniedException"):
                raise
            log.action("StopLabelingJobRefused", job=name, error=message_of(error))

    def live(self, name_contains: str) -> Iterator[dict[str, Any]]:
        """Summaries of the jobs that still run and whose name contains the text."""
        pages = self._sagemaker.get_paginator("list_labeling_jobs").paginate(NameContains=name_contains)
        for page in pages:
            yield from (job for job in page["LabelingJobSummaryList"] if job["LabelingJobStatus"] in LIVE)

    def tags(self, arn: str) -> dict[str, str]:
        """The job's tags."""
        pages = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or overwrite tags."""
        if tags:
            self._sagemaker.add_tags(ResourceArn=arn, Tags=tag_list(tags))

    def untag(self, arn: str, keys: list[str]) -> None:
        """Remove tags."""
        if keys:
            self._sagemaker.delete_tags(ResourceArn=arn, TagKeys=keys)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the service's shape."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
