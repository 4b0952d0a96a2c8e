"""Ground Truth's labeling jobs as the lifecycle needs them: what the API says, without deciding anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from . import log
from .errors import BrokenAnswerError, code_of, is_passing, message_of
from .patience import Patience, pauses

LIVE = ("Initializing", "InProgress")
ENDED = ("Completed", "Failed", "Stopped")


class Jobs:
    """Labeling jobs behind a boto3 SageMaker client; what passes is waited out."""

    def __init__(self, sagemaker: Any, patience: Patience) -> None:
        self._sagemaker = sagemaker
        self._patience, self._insist = patience, patience.insist

    def describe(self, name: str) -> dict[str, Any] | None:
        """The job as the service describes it, or None if there is no such job."""
        try:
            return self._insist(
                lambda: _whole(
                    self._sagemaker.describe_labeling_job(LabelingJobName=name),
                    "LabelingJobName",
                    "LabelingJobStatus",
                    "LabelingJobArn",
                    "OutputConfig",
                )
            )
        except ClientError as error:
            # The model declares ResourceNotFound; SageMaker's older describe calls answer a
            # ValidationException, which can mean nothing else: either there is no such job,
            # or the text can't be a job's name.
            if code_of(error) in ("ResourceNotFound", "ValidationException"):
                return None
            raise

    def create(self, request: Mapping[str, Any]) -> None:
        """Send CreateLabelingJob."""
        self._insist(lambda: self._sagemaker.create_labeling_job(**request))
        log.action("CreateLabelingJob", job=request["LabelingJobName"], role=request.get("RoleArn"))

    def stop(self, name: str) -> bool:
        """Ask for a stop; a refusal isn't final, because the status may be changing: look again."""
        try:
            self._insist(lambda: self._sagemaker.stop_labeling_job(LabelingJobName=name))
            log.action("StopLabelingJob", job=name)
            return True
        except ClientError as error:
            if code_of(error) == "AccessDeniedException" or is_passing(error):
                raise
            log.action("StopLabelingJobRefused", job=name, error=message_of(error))
            return False

    def end(self, name: str) -> dict[str, Any] | None:
        """Stop a job and wait for its end; as the service describes it then, None if there is none.

        Raises:
            NotYetError: it is still stopping and this invocation is out of time.
            DeployError: it has not stopped in time.
        """
        for seconds in pauses():
            job = self.describe(name)
            status = job["LabelingJobStatus"] if job else "gone"
            if job is None or status in ENDED:
                log.action("Ended", job=name, status=status)
                return job
            if status in LIVE:
                self.stop(name)
            self._patience.pause(seconds, f"the job {name!r} is still {status}")
        raise AssertionError("pauses never end")

    def named_like(self, text: str) -> Iterator[dict[str, Any]]:
        """Summaries of all jobs whose name contains the text, newest first."""
        query = {"NameContains": text, "SortBy": "CreationTime", "SortOrder": "Descending"}
        for page in self._pages("list_labeling_jobs", "LabelingJobSummaryList", **query):
            yield from page["LabelingJobSummaryList"]

    def tags(self, arn: str) -> dict[str, str]:
        """The job's tags."""
        pages = self._pages("list_tags", "Tags", ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add or overwrite tags."""
        if tags:
            self._insist(lambda: self._sagemaker.add_tags(ResourceArn=arn, Tags=tag_list(tags)))

    def untag(self, arn: str, keys: list[str]) -> None:
        """Remove tags."""
        if keys:
            self._insist(lambda: self._sagemaker.delete_tags(ResourceArn=arn, TagKeys=keys))

    def _pages(self, operation: str, needed: str, **query: Any) -> list[dict[str, Any]]:
        # A broken page means a new start: a paginator doesn't go on after an error.
        paginator = self._sagemaker.get_paginator(operation)
        return self._insist(lambda: [_whole(page, needed) for page in paginator.paginate(**query)])


def _whole(answer: Mapping[str, Any], *needed: str) -> dict[str, Any]:
    """The answer, if it is all there: botocore takes JSON that was cut off for an empty object."""
    missing = [key for key in needed if key not in answer]
    if missing:
        raise BrokenAnswerError(f"SageMaker's answer lacks {', '.join(missing)}")
    return dict(answer)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the service's shape."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
