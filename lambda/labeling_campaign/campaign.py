"""One campaign as a function sees it: what the app says, where it keeps things, whose its jobs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labeling_job.campaign import CampaignProperties, parse_campaign
from labeling_job.contract import SOURCE_MANIFEST, Images, JobProperties
from labeling_job.errors import DeployError
from labeling_job.event import Event
from labeling_job.jobs import Jobs
from labeling_job.owned import job_name
from labeling_job.patience import Patience
from labeling_job.storage import Storage

from . import clients
from .executions import Executions
from .state import State


class Campaign:
    """What all steps work with.

    Args:
        folder: the campaign's folder in the output bucket.
        patience: how long there is.
        settings: what the app says; read from the folder unless given.
    """

    def __init__(self, folder: str, patience: Patience, settings: Mapping[str, Any] | None = None) -> None:
        self.patience = patience
        self.storage = Storage(clients.client("s3"), patience)
        self.state = State(self.storage, folder)
        found = settings if settings is not None else self.state.settings()
        if found is None:
            raise DeployError(f"{folder} has no campaign; deploy the stack")
        self.stack_id, self.logical_id = str(found["StackId"]), str(found["LogicalResourceId"])
        self._raw = found["Properties"]
        self.properties: CampaignProperties = parse_campaign(self._raw)
        self.jobs = Jobs(clients.client("sagemaker"), patience)
        self.executions = Executions(clients.client("stepfunctions"), patience)

    @property
    def workers(self) -> int:
        """How many people label each image."""
        task = self.properties.job.request.get("HumanTaskConfig", {})
        return int(task.get("NumberOfHumanWorkersPerDataObject", 1))

    def name_of(self, run: str, number: int) -> str:
        """The name of a run's job: the same each time that it is asked for, and no other run's."""
        return job_name(
            self.properties.job.job_name_prefix,
            stack_id=self.stack_id,
            logical_id=self.logical_id,
            request_id=f"{run}/{number}",
        )

    def job_at(self, run: str, number: int, manifest: str) -> tuple[Event, JobProperties]:
        """One job of a run, as the handler of single jobs takes it."""
        job = self.properties.job
        source = {"S3DataSource": {"ManifestS3Uri": manifest}}
        request = {
            **job.request,
            "InputConfig": {**job.request.get("InputConfig", {}), "DataSource": source},
        }
        event = Event(
            request_type="Create",
            request_id=f"{run}/{number}",
            stack_id=self.stack_id,
            logical_id=self.logical_id,
            response_url="",
            properties={**self.properties.raw_job, "Request": request, "Images": {"Source": SOURCE_MANIFEST}},
            old_properties={},
            physical_id=None,
        )
        return event, replace(job, request=request, images=Images(source=SOURCE_MANIFEST))
