"""What a test gets back: a synthesized app, or labeling jobs that have ended."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..copies import copy_output
from .deploying import DeployedStack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

JOB = "Custom::SemanticSegmentationLabelingJob"


@dataclass(frozen=True)
class Synthesized:
    """A stack that was only synthesized: no server, nothing deployed.

    Attributes:
        assembly: the folder of the cloud assembly.
        templates: by stack.
    """

    assembly: Path
    templates: Mapping[str, Mapping[str, Any]]

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """CreateLabelingJob of each job, in the service's own shape; CloudFormation's functions stay."""
        return [
            resource["Properties"]["Request"]
            for template in self.templates.values()
            for resource in template.get("Resources", {}).values()
            if resource["Type"] == JOB
        ]


@dataclass(frozen=True)
class JobRun:
    """A labeling job that has ended.

    Attributes:
        name: the job's.
        request: DescribeLabelingJob, which holds what was asked for, its end and its counters.
        events: what EventBridge told of it, the oldest first.
    """

    name: str
    request: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    _session: Any = field(repr=False)

    @property
    def status(self) -> str:
        """Completed, Failed or Stopped."""
        return str(self.request["LabelingJobStatus"])

    @property
    def failure_reason(self) -> str:
        """The service's own; empty unless the job failed."""
        return str(self.request.get("FailureReason", ""))

    @cached_property
    def manifest(self) -> list[dict[str, Any]]:
        """The output manifest's lines; empty where the job wrote none."""
        uri = self.request.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        if not uri:
            return []
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = self._session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]

    @cached_property
    def labels(self) -> dict[str, npt.NDArray[np.integer]]:
        """Each labeled image's class ids, height by width; 0 is the background.

        By the image's file name, or by its whole key where two images of the job have one name.
        """
        from ground_truth_labels import read_manifest
        from ground_truth_labels.storage import Storage

        uri = self.request.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        if not self.manifest:
            return {}
        storage = Storage(client=self._session.client("s3"))
        found = read_manifest(uri, labels=self.request["LabelCategoryConfigS3Uri"], storage=storage)
        return {self._named(item.source_ref): item.mask() for item in found if item.state == "labeled"}

    @cached_property
    def failures(self) -> dict[str, str]:
        """Images without a label, named as in `labels`, each with the reason."""
        metadata = f"{self.request['LabelAttributeName']}-metadata"
        return {
            self._named(line["source-ref"]): line[metadata]["failure-reason"]
            for line in self.manifest
            if "failure-reason" in line.get(metadata, {})
        }

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Copy the job's output and its images to a folder, which reads when the stack is gone.

        Returns:
            The output manifest in the copy; `ground-truth-labels` takes it with `--root folder`.

        Raises:
            LookupError: the job has written no output.
        """
        uri = self.request.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        if not uri:
            raise LookupError(f"the job {self.name} has written no output")
        return copy_output(self._session.client("s3"), uri, Path(folder))

    def _named(self, uri: str) -> str:
        name = uri.rpartition("/")[2]
        return name if self._file_names[name] == 1 else uri.partition("://")[2].partition("/")[2]

    @cached_property
    def _file_names(self) -> Counter[str]:
        return Counter(line["source-ref"].rpartition("/")[2] for line in self.manifest)


@dataclass(frozen=True)
class Run:
    """What a test's app became.

    Attributes:
        stacks: as they were deployed.
        jobs: the labeling jobs, by logical id.
    """

    stacks: Sequence[DeployedStack]
    jobs: Mapping[str, JobRun]

    @property
    def outputs(self) -> dict[str, Mapping[str, str]]:
        """The outputs of each stack."""
        return {stack.name: stack.outputs for stack in self.stacks}

    @property
    def job(self) -> JobRun:
        """The job of an app that has one.

        Raises:
            LookupError: it has none or several: take one of `jobs`.
        """
        if len(self.jobs) != 1:
            raise LookupError(
                f"the app has {len(self.jobs)} labeling jobs, take one of jobs: {list(self.jobs)}"
            )
        return next(iter(self.jobs.values()))

    request = property(lambda self: self.job.request, doc="`job.request`")
    status = property(lambda self: self.job.status, doc="`job.status`")
    failure_reason = property(lambda self: self.job.failure_reason, doc="`job.failure_reason`")
    manifest = property(lambda self: self.job.manifest, doc="`job.manifest`")
    labels = property(lambda self: self.job.labels, doc="`job.labels`")
    failures = property(lambda self: self.job.failures, doc="`job.failures`")
    events = property(lambda self: self.job.events, doc="`job.events`")
