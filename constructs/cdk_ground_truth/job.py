"""The construct: an image semantic segmentation labeling job of Amazon SageMaker Ground Truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .cost import CostCeiling, LabelingJobEstimates
from .earlier_labels import continued_attribute
from .images import Images
from .imported_job import LabelingJobImports
from .instructions import Instructions
from .owned_job import OwnedLabelingJob
from .preflight import Preflight
from .settings import JobSettings, default_job_name_prefix, path_below
from .task import AutomatedLabeling, StoppingConditions
from .worker_template import WorkerTemplate
from .workteam import Workteam


class SemanticSegmentationLabelingJob(OwnedLabelingJob, LabelingJobImports, LabelingJobEstimates):
    """A labeling job in which people paint every pixel of your images.

    `cdk deploy` starts the job, and fails with the service's own reason if the job can't start. A changed
    argument makes a new job under a new name and stops the old one; changed tags alone are set in place.
    `cdk destroy` stops the job; buckets and labels stay.

    A job costs the service's fee and the workers' pay for each image and worker.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        images: Images,
        labels: Sequence[str],
        workteam: Workteam,
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
        content_classifiers: Sequence[str] | None = None,
        automated_labeling: AutomatedLabeling | None = None,
        output_topic: sns.ITopic | None = None,
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
        """Define the job; limits are the service model's and the Developer Guide's.

        Args:
            scope: Where to add it in the tree.
            construct_id: Its id there; another id is another job.
            images: What to label.
            labels: Names of the classes: unique, at most 256 characters each, 20 with automated labeling.
            workteam: Who labels; private or vendor, in the stack's Region.
            instructions: What workers read. Default: general instructions for segmentation.
            worker_template: A worker template of your own. Default: the service's, with ``instructions``.
            task_title: 1 to 128 characters. Default: "Semantic segmentation".
            task_description: 1 to 255 characters in one line. Default: asks to segment out each category.
            task_keywords: 1 to 5, of letters and digits, 30 characters each. Default: none.
            number_of_human_workers_per_data_object: 1 to 9 people paint each image. Default: 3.
            task_time_limit: For one worker and one image; 30 seconds to 8 hours. Default: 1 hour.
            task_availability_lifetime: How long a task waits for workers; 1 minute to 30 days. Default: the
                service's, 30 days.
            max_concurrent_task_count: Images out with workers at once, 1 to 5,000. Default: 1,000.
            stopping_conditions: When to end early. Default: when every image is labeled.
            label_attribute_name: The labels' name in the output manifest; ends in "-ref". Default: that of
                the job that it goes on from, else the job name's prefix and "-ref".
            job_name_prefix: Start of the job's name; at most 45 lower-case letters, digits and "-". The rest
                is made at deploy time, as a name can never be used twice. Default: from the construct's path.
            content_classifiers: What the images are free of. Default: nothing is declared.
            automated_labeling: A model labels what it is sure of, for extra cost. Default: people label all.
            output_topic: Hears of each labeled object. Default: none.
            tags: The job's; `Tags.of(job)` works too. At most 50, less the library's own. Default: none.
            input_bucket: For what `cdk deploy` stages: images of a directory, manifests. Default: one that is
                shared by the stack's jobs: encrypted, versioned, TLS-only, private, retained.
            output_bucket: For the labels. Default: another such bucket.
            output_prefix: Where in the output bucket. Default: "labels"; a job adds its name.
            encryption_key: Encrypts the labels and the buckets made here. Default: keys of S3.
            role: With it Ground Truth runs the job; it gets the permissions that it lacks, unless it was
                imported as immutable. Default: a new one with these permissions alone.
            removal_policy: Of the running job, when it is replaced or leaves the stack. ``DESTROY`` stops it;
                with ``RETAIN`` it goes on, costs money, and is no stack's any more. Labels and buckets stay
                in either case. Default: ``DESTROY``.
            probation: How long a deploy waits for the job to leave ``Initializing``, and fails with the
                service's reason if it fails; up to 30 minutes. When they are over the deploy is done, and
                says only that the job exists; ``Duration.seconds(0)`` waits for nothing. Default: 10 minutes.
            watch: For how long the deploy watches the job once it is in progress, as mistakes of the set-up
                show there: a reason for failure, or first objects that all failed, fails the deploy and stops
                the job. Up to 5 minutes; none without ``probation``. Done then means that nothing failed so
                far, not that a worker saw a task. Default: 3 minutes; 2 seconds on the embedded AWS.
            preflight: What is read and checked before the job is created. Default: all that the job names.
            cost_ceiling: Bounds of objects, tasks and money that `cdk deploy` refuses to go above, and prices
                to estimate by. Default: no bound; objects and tasks are counted.
            relabel: True lets an update that changes the job buy all labels again. Default: a changed job
                goes on from the labels there are, and is refused where these would mean something else.

        Raises:
            ValueError: an argument breaks a rule of the service; the message names rule, value and fix.
        """
        path = path_below(scope, construct_id)
        prefix = default_job_name_prefix(path) if job_name_prefix is None else job_name_prefix
        settings = JobSettings(
            images=images,
            labels=labels,
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
            label_attribute_name=label_attribute_name or continued_attribute(images) or f"{prefix}-ref",
            job_name_prefix=prefix,
            content_classifiers=content_classifiers,
            automated_labeling=automated_labeling,
            output_topic=output_topic,
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
        )
        super().__init__(scope, construct_id, settings)
