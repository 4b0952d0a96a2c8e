"""The construct: people correct labels that an earlier job made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .cost import CostCeiling, LabelingJobEstimates
from .earlier_labels import EarlierImages, EarlierLabels
from .instructions import Instructions
from .labeling_job import LabelingJobBase
from .only import Only
from .owned_job import OwnedLabelingJob
from .preflight import Preflight
from .settings import JobSettings, default_job_name_prefix, path_below
from .task import StoppingConditions
from .task_types import ADJUSTMENT
from .validation import Checker
from .worker_template import WorkerTemplate
from .workteam import Workteam


class SemanticSegmentationAdjustmentJob(OwnedLabelingJob, LabelingJobEstimates):
    """A labeling job in which people correct the labels of an earlier one.

    Workers start from the earlier mask. The output manifest has both: the earlier labels as they were, and
    the adjusted ones under an attribute of their own, with ``adjustment-status``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        of: LabelingJobBase | EarlierLabels,
        labels: Sequence[str] | None = None,
        workteam: Workteam,
        only: Only | None = None,
        instructions: Instructions | None = None,
        worker_template: WorkerTemplate | None = None,
        task_title: str | None = None,
        task_description: str | None = None,
        task_keywords: Sequence[str] | None = None,
        number_of_human_workers_per_data_object: int | None = None,
        task_time_limit: Duration | None = None,
        task_availability_lifetime: Duration | None = None,
        max_concurrent_task_count: int | None = None,
        stopping_conditions: StoppingConditions | None = None,
        label_attribute_name: str | None = None,
        job_name_prefix: str | None = None,
        tags: Mapping[str, str] | None = None,
        input_bucket: s3.IBucket | None = None,
        output_bucket: s3.IBucket | None = None,
        output_prefix: str = "labels",
        encryption_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
        probation: Duration | None = None,
        watch: Duration | None = None,
        preflight: Preflight | None = None,
        cost_ceiling: CostCeiling | None = None,
        relabel: bool = False,
    ) -> None:
        """Define the job.

        Args:
            scope: Where to add it in the tree.
            construct_id: Its id there; another id is another job.
            of: The job whose labels it is about, or its labels as `EarlierLabels` knows them. That job has to
                have ended when this one is deployed.
            labels: The classes: all of the earlier ones, and new ones behind them. Default: the earlier
                job's, where they are known.
            workteam: Who does it; private or vendor, in the stack's Region.
            only: Which images. Default: all that have a label.
            instructions: What workers read. Default: general instructions for the task.
            worker_template: A worker template of your own. Default: the library's, with ``instructions``.
            task_title: 1 to 128 characters. Default: says what the task is.
            task_description: 1 to 255 characters in one line. Default: likewise.
            task_keywords: 1 to 5, of letters and digits, 30 characters each. Default: none.
            number_of_human_workers_per_data_object: 1 to 9 people do each image. Default: 3.
            task_time_limit: For one worker and one image; 30 seconds to 8 hours. Default: 1 hour.
            task_availability_lifetime: How long a task waits for workers. Default: the service's, 30 days.
            max_concurrent_task_count: Images out with workers at once, 1 to 5,000. Default: 1,000.
            stopping_conditions: When to end early. Default: when every image is done.
            label_attribute_name: The adjusted labels' name; ends in "-ref", and is another than the
                earlier one. Default: the job name's prefix and "-ref".
            job_name_prefix: Start of the job's name. Default: from the construct's path.
            tags: The job's; `Tags.of(job)` works too. Default: none.
            input_bucket: For the manifest that `cdk deploy` stages. Default: the stack's shared bucket.
            output_bucket: For what workers answer. Default: the stack's shared bucket.
            output_prefix: Where in the output bucket. Default: "labels"; a job adds its name.
            encryption_key: Encrypts the output and the buckets made here. Default: keys of S3.
            role: With it Ground Truth runs the job. Default: a new one with the permissions it needs.
            removal_policy: Of the running job; see `SemanticSegmentationLabelingJob`. Default: ``DESTROY``.
            probation: How long a deploy watches the job's start. Default: 10 minutes.
            watch: How long it watches the job once that is in progress, up to 5 minutes. Default: 3 minutes.
            preflight: What is read and checked before the job is created. Default: all that the job names.
            cost_ceiling: Bounds that `cdk deploy` refuses to go above. Default: no bound.
            relabel: True lets an update that changes the job buy all labels again. Default: a changed job
                goes on from the labels there are, and is refused where these would mean something else.

        Raises:
            ValueError: an argument breaks a rule of the service; the message names rule, value and fix.
        """
        check = Checker(path_below(scope, construct_id))
        prefix = default_job_name_prefix(check.where) if job_name_prefix is None else job_name_prefix
        earlier = of if isinstance(of, EarlierLabels) else EarlierLabels.from_job(of)
        only = earlier.checked_selection(check, only)
        super().__init__(
            scope,
            construct_id,
            JobSettings(
                images=EarlierImages(earlier, only=only),
                labels=earlier.adjusted_labels(check, labels),
                workteam=workteam,
                instructions=instructions,
                worker_template=worker_template,
                task_title=task_title,
                task_description=task_description,
                task_keywords=task_keywords,
                number_of_human_workers_per_data_object=number_of_human_workers_per_data_object,
                task_time_limit=task_time_limit,
                task_availability_lifetime=task_availability_lifetime,
                max_concurrent_task_count=max_concurrent_task_count,
                stopping_conditions=stopping_conditions,
                label_attribute_name=f"{prefix}-ref"
                if label_attribute_name is None
                else label_attribute_name,
                job_name_prefix=prefix,
                tags=dict(tags or {}),
                input_bucket=input_bucket,
                output_bucket=output_bucket,
                output_prefix=output_prefix,
                encryption_key=encryption_key,
                role=role,
                removal_policy=removal_policy,
                probation=probation,
                watch=watch,
                preflight=preflight or Preflight(),
                cost_ceiling=cost_ceiling,
                relabel=relabel,
                task_type=ADJUSTMENT,
                prior_attribute=earlier.needed_attribute(check),
                prior_labels=earlier.labels,
            ),
        )
