"""What every labeling job offers, whether this app made it or imports it: grants, events, metrics."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Protocol

from aws_cdk import Duration
from aws_cdk import aws_iam as iam

from . import alarms, metrics
from .events import Status, TaskState, rule, task_rule
from .grants import is_foreign
from .label_places import LabelPlaces

if TYPE_CHECKING:
    # At run time these imports would cost every app some hundred milliseconds.
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_events as events

    from .earlier_labels import KnownLabels


class ILabelingJob(Protocol):
    """A labeling job, made here or imported; for annotations."""

    @property
    def job_name(self) -> str:
        """The job's name."""

    @property
    def job_arn(self) -> str:
        """The job's ARN."""

    def grant_read_labels(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the output: masks and manifests."""

    def grant_write_images(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody put images where the job takes them from."""

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody ask for the job's state."""

    def grant_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody stop the job."""

    def on_state_change(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        rule_name: str | None = None,
        statuses: tuple[Status, ...] = ...,
    ) -> events.Rule:
        """Run a target when the job has ended, in whatever way."""

    def metric(
        self,
        metric_name: str,
        *,
        statistic: str = ...,
        period: Duration | None = None,
        namespace: str = ...,
        label: str | None = None,
        color: str | None = None,
    ) -> cloudwatch.Metric:
        """One of the job's CloudWatch metrics."""


class LabelingJobBase(LabelPlaces):
    """Grants, events, metrics and alarms of a labeling job; not for use by itself."""

    @property
    @abc.abstractmethod
    def job_name(self) -> str:
        """The job's name."""

    @property
    @abc.abstractmethod
    def job_arn(self) -> str:
        """The job's ARN."""

    def _known_labels(self) -> KnownLabels | None:
        """What a later job has to know that goes on from these labels; None of an imported job."""
        return None

    def _deploys(self) -> cloudwatch.IMetric | None:
        """Counts what was done to the job by `cdk deploy`, if that is known."""
        return None

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Let somebody do SageMaker actions on this job, such as ``sagemaker:AddTags``."""
        if is_foreign(grantee, self):
            advice = f"allow the grantee {', '.join(actions)} on the job's ARN, in its own account"
            return self._dropped(grantee, advice)
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=list(actions), resource_arns=[self.job_arn]
        )

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody ask for the job's state: sagemaker:DescribeLabelingJob on this job."""
        return self.grant(grantee, "sagemaker:DescribeLabelingJob")

    def grant_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody stop the job, and see whether it has: sagemaker:StopLabelingJob, DescribeLabelingJob.

        A stopped job can't be started again.
        """
        return self.grant(grantee, "sagemaker:DescribeLabelingJob", "sagemaker:StopLabelingJob")

    def on_state_change(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        rule_name: str | None = None,
        statuses: tuple[Status, ...] = ("Completed", "Failed", "Stopped"),
    ) -> events.Rule:
        """Run a target when this job has ended; after a replacement the rule follows to the new job.

        The rule is in the job's stack, also when the target is in another one: a reference in the other
        direction would make CloudFormation refuse to replace the job.

        Args:
            construct_id: The rule's, below the job.
            target: What to run. Default: none yet; the rule's ``add_target`` adds some.
            description: The rule's. Default: none.
            rule_name: The rule's. Default: made by CloudFormation.
            statuses: Which ends matter. Default: all three.
        """
        return rule(
            self,
            construct_id,
            job_arn=self.job_arn,
            statuses=statuses,
            target=target,
            description=description,
            rule_name=rule_name,
        )

    def on_completed(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        rule_name: str | None = None,
    ) -> events.Rule:
        """Run a target when the job is complete: see `on_state_change`."""
        return self.on_state_change(
            construct_id, target=target, description=description, rule_name=rule_name, statuses=("Completed",)
        )

    def on_failed(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        rule_name: str | None = None,
    ) -> events.Rule:
        """Run a target when the job has failed: see `on_state_change`."""
        return self.on_state_change(
            construct_id, target=target, description=description, rule_name=rule_name, statuses=("Failed",)
        )

    def on_stopped(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        rule_name: str | None = None,
    ) -> events.Rule:
        """Run a target when the job was stopped, also by `cdk destroy`: see `on_state_change`."""
        return self.on_state_change(
            construct_id, target=target, description=description, rule_name=rule_name, statuses=("Stopped",)
        )

    def on_task_status(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        description: str | None = None,
        rule_name: str | None = None,
        states: tuple[TaskState, ...] = ("Accepted", "Declined", "Returned", "Submitted"),
    ) -> events.Rule:
        """Run a target when a worker did something with a task of this job.

        Args:
            construct_id: The rule's, below the job.
            target: What to run. Default: none yet; the rule's ``add_target`` adds some.
            description: The rule's. Default: none.
            rule_name: The rule's. Default: made by CloudFormation.
            states: What workers do that matters. Default: all of it.
        """
        return task_rule(
            self,
            construct_id,
            job_arn=self.job_arn,
            states=states,
            target=target,
            description=description,
            rule_name=rule_name,
        )

    def metric(
        self,
        metric_name: str,
        *,
        statistic: str = metrics.MOST,
        period: Duration | None = None,
        namespace: str = metrics.NAMESPACES[0],
        label: str | None = None,
        color: str | None = None,
    ) -> cloudwatch.Metric:
        """One of the job's CloudWatch metrics, in one namespace.

        Args:
            metric_name: As the Developer Guide has it, such as ``TotalDatasetObjectsLabeled``.
            statistic: The counts only grow while a job runs. Default: Maximum.
            period: Default: 5 minutes.
            namespace: Default: "AWS/Sagemaker/LabelingJobs", with the small "m" that others have found; the
                guide doesn't print it, and ``metric_…`` methods look at "AWS/SageMaker" as well.
            label: In a graph. Default: CloudWatch's.
            color: In a graph, as "#rrggbb". Default: CloudWatch's.
        """
        from aws_cdk import aws_cloudwatch as cloudwatch

        return cloudwatch.Metric(
            metric_name=metric_name,
            dimensions_map={"LabelingJobName": self.job_name},
            statistic=statistic,
            period=period,
            namespace=namespace,
            label=label,
            color=color,
        )

    def metric_total_dataset_objects_labeled(
        self, *, period: Duration | None = None, namespace: str | None = None
    ) -> cloudwatch.IMetric:
        """Objects labeled so far: TotalDatasetObjectsLabeled, of whichever namespace has it."""
        return self._count("TotalDatasetObjectsLabeled", period, namespace)

    def metric_dataset_objects_human_annotated(
        self, *, period: Duration | None = None, namespace: str | None = None
    ) -> cloudwatch.IMetric:
        """Objects that people labeled so far: DatasetObjectsHumanAnnotated, of whichever namespace has it."""
        return self._count("DatasetObjectsHumanAnnotated", period, namespace)

    def metric_dataset_objects_auto_annotated(
        self, *, period: Duration | None = None, namespace: str | None = None
    ) -> cloudwatch.IMetric:
        """Objects that a model labeled so far: DatasetObjectsAutoAnnotated, of whichever namespace has it."""
        return self._count("DatasetObjectsAutoAnnotated", period, namespace)

    def metric_dataset_objects_labeling_failed(
        self, *, period: Duration | None = None, namespace: str | None = None
    ) -> cloudwatch.IMetric:
        """Objects that failed so far: DatasetObjectsLabelingFailed, of whichever namespace has it."""
        return self._count("DatasetObjectsLabelingFailed", period, namespace)

    def _count(self, name: str, period: Duration | None, namespace: str | None) -> cloudwatch.IMetric:
        return metrics.of_job(name, job=self, namespace=namespace, period=period)

    def alarm_nothing_labeled(
        self, construct_id: str, *, within: Duration, namespace: str | None = None
    ) -> cloudwatch.CompositeAlarm:
        """Alarm while the job is in progress but nothing was labeled for some hours.

        Silent until anything of the job was measured at all: what is never measured is no sign of idleness.

        Args:
            construct_id: The alarm's, below the job.
            within: 1 to 24 whole hours. A deploy counts as a sign of life, so a new job has that long.
            namespace: Of the job's metrics. Default: whichever has them.
        """
        return alarms.nothing_labeled(
            self, construct_id, within=within, deploys=self._deploys(), namespace=namespace
        )

    def alarm_declined(
        self, construct_id: str, *, declines: int = 3, within: Duration | None = None
    ) -> cloudwatch.Alarm:
        """Alarm when workers decline tasks of the job, the earliest sign of instructions that aren't clear.

        Args:
            construct_id: The alarm's, below the job.
            declines: How many are too many, at least 1. Default: 3.
            within: 1 to 24 whole hours. Default: 1 hour.
        """
        return alarms.declined(self, construct_id, declines=declines, within=within)

    def alarm_failed(self, construct_id: str) -> cloudwatch.Alarm:
        """Alarm from the job's failure until another job takes its place."""
        return alarms.ended(self, construct_id, ("Failed",), "Labeling job has failed")

    def dashboard_widgets(self, *, namespace: str | None = None) -> list[cloudwatch.IWidget]:
        """A row for a dashboard: progress over time, and what is labeled and failed by now.

        Args:
            namespace: Of the job's metrics. Default: whichever has them.
        """
        return metrics.widgets(self, namespace)
