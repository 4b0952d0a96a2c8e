"""The operations on labeling jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..sources import Rule, assumed, holds, model, observed
from . import rules
from .engine import Engine
from .errors import ServiceError, not_found, validation
from .jobs import ENDED, LIVE, Job, JobBook, job_arn, new_reference_code
from .paging import in_time, page, sort
from .teams import TeamBook
from .types import Call

NAME_TAKEN = Rule(
    "name-taken",
    "A job's name is unique in account and Region, whatever its case, and never free again: `ResourceInUse`.",
    model("CreateLabelingJobRequest$LabelingJobName: there is no delete operation"),
)
QUOTA = Rule(
    "live-jobs-most",
    "Too many live jobs are `ResourceLimitExceeded`.",
    model("CreateLabelingJob: ResourceLimitExceeded"),
)
TEAM = Rule(
    "team-exists",
    "The work team exists, and a private one is of the caller's account.",
    assumed("teams are of an account and a Region; the model leaves `ValidationException` alone for it"),
)
ROLE = Rule(
    "role-exists",
    "A role that doesn't exist, or doesn't trust SageMaker, is refused when the job is made.",
    observed(
        "hashicorp/terraform-provider-aws, labeling_job.go, asks CreateLabelingJob again while a new role "
        "spreads; awslabs/predictive-maintenance-using-machine-learning#3, of CreateTransformJob"
    ),
)
STOP_ENDED = Rule(
    "stop-ended",
    "A job that has ended can't be stopped: `ValidationException`.",
    assumed(
        "as SageMaker's other Stop…Job operations; hashicorp/terraform-provider-aws stops completed jobs, "
        "too, and expects no refusal, so callers must take either"
    ),
)
STOP_STOPPING = Rule(
    "stop-stopping",
    "A job that is stopping is left to it.",
    assumed("a second request must not be worse than one"),
)
DESCRIBED = Rule(
    "described-key",
    "Without a key, `OutputConfig.KmsKeyId` is described as an empty string.",
    observed("aws/amazon-sagemaker-examples#1945; cloud-custodian/cloud-custodian#5800"),
)

_UNSET = object()
_DESCRIBED = (
    "LabelAttributeName",
    "InputConfig",
    "OutputConfig",
    "RoleArn",
    "LabelCategoryConfigS3Uri",
    "StoppingConditions",
    "LabelingJobAlgorithmsConfig",
    "HumanTaskConfig",
)


class LabelingJobOperations:
    """Create, describe, stop and list."""

    def __init__(
        self,
        *,
        jobs: JobBook,
        teams: TeamBook,
        engine: Engine,
        clock: Callable[[], float],
        max_live_jobs: int,
        can_assume: Callable[[str, str, str], bool],
        foreign_tags: Mapping[str, str],
    ) -> None:
        self._jobs = jobs
        self._teams = teams
        self._engine = engine
        self._clock = clock
        self._max_live_jobs = max_live_jobs
        self._can_assume = can_assume
        self._foreign_tags = foreign_tags

    def create(self, call: Call) -> dict[str, Any]:
        """``CreateLabelingJob``."""
        request = call.body
        rules.check_create(request, region=call.region, account=call.account)
        self._check_team(request["HumanTaskConfig"]["WorkteamArn"], call)
        name = request["LabelingJobName"]
        arn = job_arn(call.account, call.region, name)
        taken = ServiceError(
            NAME_TAKEN,
            "ResourceInUse",
            f"Labeling job name '{name}' is already used in account {call.account} and Region {call.region} "
            f"({arn}); names are not case-sensitive and are never free again.",
        )
        if self._jobs.get(arn) is not None:
            raise taken
        self._check_role(request["RoleArn"], call)
        self._check_quota(call)
        now = self._clock()
        job = Job(
            arn=arn,
            account=call.account,
            region=call.region,
            request=rules.with_defaults({key: value for key, value in request.items() if key != "Tags"}),
            task_type=rules.task_type(request),
            reference_code=new_reference_code(call.account),
            status="Initializing",
            created=now,
            modified=now,
        )
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        if not self._jobs.add(job, {**self._foreign_tags, **tags}):
            raise taken
        self._engine.launch(job)
        return {"LabelingJobArn": arn}

    def _check_team(self, arn: str, call: Call) -> None:
        if self._teams.get(arn) is None:
            raise validation(
                TEAM, f"The work team '{arn}' does not exist, or account {call.account} may not use it."
            )
        if "/private-crowd/" in arn and arn.split(":")[4] != call.account:
            raise validation(TEAM, f"The private work team '{arn}' must be of account {call.account}.")

    def _check_role(self, arn: str, call: Call) -> None:
        if not self._can_assume(arn, call.region, call.account):
            raise validation(
                ROLE,
                f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role.",
            )

    def _check_quota(self, call: Call) -> None:
        live = sum(job.status in LIVE for job in self._jobs.of(call.account, call.region))
        if live >= self._max_live_jobs:
            raise ServiceError(
                QUOTA,
                "ResourceLimitExceeded",
                f"The account-level service limit 'Number of concurrent labeling jobs' is "
                f"{self._max_live_jobs}, with current utilization of {live} and a request delta of 1.",
            )

    def _get(self, call: Call) -> Job:
        name = call.body["LabelingJobName"]
        job = self._jobs.get(job_arn(call.account, call.region, name))
        if job is None:
            raise not_found(
                f"Could not find labeling job '{name}' in account {call.account}, Region {call.region}."
            )
        return job

    @holds(DESCRIBED)
    def describe(self, call: Call) -> dict[str, Any]:
        """``DescribeLabelingJob``."""
        job = self._get(call)
        tags = self._jobs.tags(job.arn) or {}
        described = {
            "LabelingJobStatus": job.status,
            "LabelCounters": self._jobs.counters(job),
            "CreationTime": round(job.created, 3),
            "LastModifiedTime": round(job.modified, 3),
            "JobReferenceCode": job.reference_code,
            "LabelingJobName": job.name,
            "LabelingJobArn": job.arn,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        described |= {name: job.request[name] for name in _DESCRIBED if name in job.request}
        described["OutputConfig"] = {"KmsKeyId": "", **job.request["OutputConfig"]}
        return described | _outcome(job)

    @holds(STOP_STOPPING)
    def stop(self, call: Call) -> dict[str, Any]:
        """``StopLabelingJob``: from any live status.

        A job that is stopping already is left to it. One that has ended is refused, as SageMaker's other
        ``Stop…Job`` operations do; what this one does is not documented, so callers must take either.
        """
        job = self._get(call)
        while job.status not in ("Stopping", *ENDED):
            before, job.status, job.modified = job.status, "Stopping", self._clock()
            if self._jobs.save(job, only_if=(before,)):
                self._engine.launch(job)
                return {}
            job = self._get(call)
        if job.status in ENDED:
            raise validation(
                STOP_ENDED, f"The request was rejected because the labeling job is in status {job.status}."
            )
        return {}

    def list(self, call: Call) -> dict[str, Any]:
        """``ListLabelingJobs``."""
        body = call.body
        part = body.get("NameContains", "").lower()
        status = body.get("StatusEquals", _UNSET)
        jobs = [
            job
            for job in self._jobs.of(call.account, call.region)
            if part in job.name.lower()
            and status in (_UNSET, job.status)
            and in_time(body, "CreationTime", job.created)
            and in_time(body, "LastModifiedTime", job.modified)
        ]
        keys: dict[str, Callable[[Job], Any]] = {
            "Name": lambda job: job.name.lower(),
            "Status": lambda job: job.status,
            "CreationTime": lambda job: job.created,
        }
        ordered = sort(jobs, keys[body.get("SortBy", "CreationTime")], order=body.get("SortOrder"))
        shown, more = page(ordered, body)
        counters = self._jobs.counters_of(shown)
        return {"LabelingJobSummaryList": [_summary(job, counters[job.arn]) for job in shown], **more}

    def list_for_workteam(self, call: Call) -> dict[str, Any]:
        """``ListLabelingJobsForWorkteam``."""
        body = call.body
        arn = body["WorkteamArn"]
        if self._teams.get(arn) is None:
            raise not_found(f"Could not find the work team '{arn}'.")
        jobs = [
            job
            for job in self._jobs.of(call.account, call.region)
            if job.team == arn
            and body.get("JobReferenceCodeContains", "") in job.reference_code
            and in_time(body, "CreationTime", job.created)
        ]
        ordered = sort(jobs, lambda job: job.created, order=body.get("SortOrder"))
        shown, more = page(ordered, body)
        counters = self._jobs.counters_of(shown)
        return {"LabelingJobSummaryList": [_team_summary(job, counters[job.arn]) for job in shown], **more}


def _outcome(job: Job) -> dict[str, Any]:
    outcome: dict[str, Any] = {"FailureReason": job.failure_reason} if job.failure_reason else {}
    if job.output_written:
        outcome["LabelingJobOutput"] = {"OutputDatasetS3Uri": str(job.output_manifest)}
    return outcome


def _summary(job: Job, counters: dict[str, int]) -> dict[str, Any]:
    return {
        "LabelingJobName": job.name,
        "LabelingJobArn": job.arn,
        "CreationTime": round(job.created, 3),
        "LastModifiedTime": round(job.modified, 3),
        "LabelingJobStatus": job.status,
        "LabelCounters": counters,
        "WorkteamArn": job.team,
        "PreHumanTaskLambdaArn": job.task["PreHumanTaskLambdaArn"],
        "AnnotationConsolidationLambdaArn": job.task["AnnotationConsolidationConfig"][
            "AnnotationConsolidationLambdaArn"
        ],
        "InputConfig": job.request["InputConfig"],
    } | _outcome(job)


def _team_summary(job: Job, counters: dict[str, int]) -> dict[str, Any]:
    return {
        "LabelingJobName": job.name,
        "JobReferenceCode": job.reference_code,
        "WorkRequesterAccountId": job.account,
        "CreationTime": round(job.created, 3),
        "LabelCounters": {
            "HumanLabeled": counters["HumanLabeled"],
            "PendingHuman": counters["Unlabeled"],
            "Total": sum(counters[name] for name in ("TotalLabeled", "FailedNonRetryableError", "Unlabeled")),
        },
        "NumberOfHumanWorkersPerDataObject": job.workers_per_object,
    }
