"""CloudWatch metrics of Ground Truth, in the Developer Guide's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch

    from .labeling_job import LabelingJobBase

#: The guide doesn't print the namespaces beside its table, so each method lets them be set. In the first one
#: monitoring services have found the counts of a job's objects; CloudWatch heeds the case of a name.
NAMESPACES: Final = ("AWS/Sagemaker/LabelingJobs", "AWS/SageMaker")
#: The account's counts of ended jobs are in this namespace.
NAMESPACE: Final = "AWS/SageMaker"
WORKTEAM_NAMESPACE: Final = "AWS/SageMaker/Workteam"
#: A job's counts only grow.
MOST: Final = "Maximum"


class MetricKeywords(TypedDict, total=False):
    """Keyword arguments that the CDK's ``aws_cloudwatch.Metric`` has beside the metric's name."""

    account: str
    color: str
    dimensions_map: Mapping[str, str]
    label: str
    namespace: str
    period: Duration
    region: str
    stack_account: str
    stack_region: str
    statistic: str
    unit: cloudwatch.Unit


class GroundTruthMetrics:
    """Metrics of the account's jobs and of its work teams; all are counts, with the statistic Sum.

    The Developer Guide documents no dimension for them: give ``dimensions_map`` as your CloudWatch
    console shows it, to look at one work team only. Keyword arguments are those of the CDK's ``Metric``.
    """

    @staticmethod
    def jobs_succeeded(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Jobs that were completed: JobsSucceeded."""
        return _count("JobsSucceeded", NAMESPACE, options)

    @staticmethod
    def jobs_failed(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Jobs that failed: JobsFailed."""
        return _count("JobsFailed", NAMESPACE, options)

    @staticmethod
    def jobs_stopped(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Jobs that were stopped: JobsStopped."""
        return _count("JobsStopped", NAMESPACE, options)

    @staticmethod
    def active_workers(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Workers of a private team that submitted, released or declined a task: ActiveWorkers."""
        return _count("ActiveWorkers", WORKTEAM_NAMESPACE, options)

    @staticmethod
    def tasks_accepted(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Tasks that workers took: TasksAccepted."""
        return _count("TasksAccepted", WORKTEAM_NAMESPACE, options)

    @staticmethod
    def tasks_declined(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Tasks that workers declined: TasksDeclined."""
        return _count("TasksDeclined", WORKTEAM_NAMESPACE, options)

    @staticmethod
    def tasks_returned(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Tasks that workers gave back: TasksReturned."""
        return _count("TasksReturned", WORKTEAM_NAMESPACE, options)

    @staticmethod
    def tasks_submitted(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Tasks that workers finished: TasksSubmitted."""
        return _count("TasksSubmitted", WORKTEAM_NAMESPACE, options)

    @staticmethod
    def time_spent(**options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """Seconds that workers spent on tasks: TimeSpent."""
        return _count("TimeSpent", WORKTEAM_NAMESPACE, options)


def of_job(
    name: str, *, job: LabelingJobBase, namespace: str | None, period: Duration | None = None
) -> cloudwatch.IMetric:
    """How many objects, by now: in the given namespace, or in whichever of both the service writes to."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    if namespace is not None:
        return job.metric(name, namespace=namespace, period=period)
    # One graph may show other counts, other jobs and other periods, and wants an id for each.
    seconds = f"{period.to_seconds():g}" if period is not None else ""
    there, here = (f"{where}{name}_{job.node.addr[-8:]}_{seconds}" for where in ("there", "here"))
    return cloudwatch.MathExpression(
        expression=f"MAX([FILL({there}, 0), FILL({here}, 0)])",
        using_metrics={
            alias: job.metric(name, namespace=each, period=period)
            for alias, each in zip((there, here), NAMESPACES, strict=True)
        },
        label=name,
        period=period,
    )


def widgets(job: LabelingJobBase, namespace: str | None) -> list[cloudwatch.IWidget]:
    """A row of 24 columns."""
    from aws_cdk import aws_cloudwatch as cloudwatch

    def count(name: str) -> cloudwatch.IMetric:
        return of_job(name, job=job, namespace=namespace)

    labeled, failed = count("TotalDatasetObjectsLabeled"), count("DatasetObjectsLabelingFailed")
    by_whom = [count("DatasetObjectsHumanAnnotated"), count("DatasetObjectsAutoAnnotated")]
    progress = cloudwatch.GraphWidget(
        title="Objects labeled", left=[labeled, *by_whom], right=[failed], width=18
    )
    now = cloudwatch.SingleValueWidget(title="By now", metrics=[labeled, failed], width=6, height=6)
    return [progress, now]


def _count(name: str, namespace: str, options: MetricKeywords) -> cloudwatch.Metric:
    from aws_cdk import aws_cloudwatch as cloudwatch

    wanted: MetricKeywords = {"namespace": namespace, "statistic": "Sum", **options}
    return cloudwatch.Metric(metric_name=name, **wanted)
