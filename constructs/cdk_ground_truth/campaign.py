"""The construct for datasets of any size: a campaign of labeling jobs on Step Functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from ._rooms import campaign, limits
from .buckets import OUTPUT
from .campaign_images import CampaignImages
from .campaign_parts import CAMPAIGNS, Folder, Machine, with_own_handler
from .campaign_watch import WatchedCampaign
from .cost import CostCeiling
from .iam_text import literal
from .images import Images
from .instructions import Instructions
from .preflight import Preflight
from .runs import Runs
from .settings import JobSettings, default_job_name_prefix, path_below
from .task import AutomatedLabeling, StoppingConditions
from .validation import Checker
from .worker_template import WorkerTemplate
from .workteam import Workteam

# While the last images of one job wait for the slowest worker, the next job has work. Each job is an entry of
# its own in a worker's list, so more of them only confuse.
_JOBS_AT_ONCE: Final = 2
_DATASET_WHY: Final = "The campaign's labels, all in one manifest."


class SemanticSegmentationLabelingCampaign(WatchedCampaign):
    """Labels a dataset of any size in jobs of bounded size, and goes on with what comes.

    A run compares the images with the labels that are there, makes jobs for those without, and gathers
    one `dataset.manifest` at a place that never changes. Nothing is bought twice: what is labeled and didn't
    change is left alone, also after a run that was stopped, a `cdk destroy` or a changed instruction.

    `cdk deploy` doesn't wait for labels. `cdk destroy`, and stopping an execution of `state_machine`, stop
    the running jobs and keep what they labeled.
    """

    _output_why = "The output of the campaign's jobs: the ends of their names are made when they are."

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        images: Images,
        labels: Sequence[str],
        workteam: Workteam,
        images_per_job: int = limits.OBJECTS_MAX,
        jobs_at_once: int = _JOBS_AT_ONCE,
        order: Literal["listed", "shuffled"] = "listed",
        seed: int = 0,
        runs: Runs | None = None,
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
        preflight: Preflight | None = None,
        cost_ceiling: CostCeiling | None = None,
        relabel: bool = False,
    ) -> None:
        """Define the campaign; what is said to be of a job is as `SemanticSegmentationLabelingJob` has it.

        Args:
            scope: Where to add it in the tree.
            construct_id: Its id there.
            images: `Images.from_bucket` without a sample, or `Images.from_manifest`, of any number.
            labels: Names of the classes.
            workteam: Who labels.
            images_per_job: Most images of one job, 1 to 20,000; a run's jobs are of even sizes. Fewer make
                labels available sooner, as they are gathered at a run's end. Default: 20,000.
            jobs_at_once: Jobs that live at a time, 1 to 40. Each is an entry of its own in the workers' list.
                Default: 2, so that there is work while one job's last images wait for the slowest worker.
            order: In which images are asked: "listed", or "shuffled" by the seed, so that the first labels
                stand for all. The manifest keeps the images' order. Default: "listed".
            seed: Of the shuffled order: the same seed gives the same. Default: 0.
            runs: When runs begin. Default: at each deploy that changes the campaign.
            instructions: What workers read; a changed one goes on with what is missing.
            worker_template: In place of the service's.
            task_title: As of a job.
            task_description: As of a job.
            task_keywords: As of a job.
            number_of_human_workers_per_data_object: 1 to 9 people paint each image. Default: 3.
            task_time_limit: As of a job.
            task_availability_lifetime: As of a job.
            max_concurrent_task_count: Of each job.
            stopping_conditions: Of each job: what it leaves is asked by the next run.
            label_attribute_name: One name in all jobs. Default: the job name's prefix and "-ref".
            job_name_prefix: Start of all jobs' names, and the name of the campaign's folder. Default: from
                the construct's path.
            content_classifiers: As of a job.
            automated_labeling: Of each job, which then wants 1,250 images.
            output_topic: As of a job.
            tags: The jobs'.
            input_bucket: For the jobs' manifests. Default: the stack's own.
            output_bucket: For the labels. Give one that outlives the stack, and the next stack goes on from
                them. Default: the stack's own, which is retained.
            output_prefix: Where in the output bucket; the dataset is below its `campaigns`. Default:
                "labels".
            encryption_key: As of a job.
            role: As of a job.
            preflight: Of each job, before it is created.
            cost_ceiling: Over all of the campaign, with what it has bought already: a run above it is
                refused, or goes as far as it may with `stop_at_ceiling`. Default: no bound.
            relabel: True lets a deploy change what labels mean (classes, attribute) and buys all again.

        Raises:
            ValueError: an argument breaks a rule of the service; the message names rule, value and fix.
        """
        path = path_below(scope, construct_id)
        check = Checker(path)
        prefix = default_job_name_prefix(path) if job_name_prefix is None else job_name_prefix
        _check_own(check, images_per_job, jobs_at_once, order, seed)
        if cost_ceiling is not None:
            cost_ceiling.check(check)
        super().__init__(scope, construct_id)
        prices = cost_ceiling.prices if cost_ceiling is not None else None
        settings = JobSettings(
            images=CampaignImages(images),
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
            label_attribute_name=label_attribute_name or f"{prefix}-ref",
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
            preflight=preflight or Preflight(),
            # The prices are for the tags that say what each job costs; the bounds are the campaign's.
            cost_ceiling=CostCeiling(prices=prices) if prices is not None else None,
            relabel=relabel,
        )
        own: dict[str, Any] = {
            "ImagesPerJob": images_per_job,
            "Order": campaign.ORDER_SHUFFLED if order == "shuffled" else campaign.ORDER_LISTED,
            "Seed": seed,
        }
        if cost_ceiling is not None:
            own |= {
                "Cost": cost_ceiling.properties(),
                "StopAtCeiling": str(cost_ceiling.stop_at_ceiling).lower(),
            }
        self._make(check, settings, jobs_at_once, runs or Runs.at_deploy(), own)

    def _make(
        self, check: Checker, settings: JobSettings, jobs_at_once: int, runs: Runs, own: dict[str, Any]
    ) -> None:
        shared = self._shared(check, settings)
        given, buckets = settings.output_bucket, shared.buckets
        output = buckets.use(given) if given is not None else buckets.created(OUTPUT, settings.encryption_key)
        self._folder = Folder(
            bucket=output, path=f"{settings.output_prefix}/{CAMPAIGNS}/{settings.job_name_prefix}/"
        )
        shared = with_own_handler(shared, self, self._folder.uri)
        self._assemble(check, settings, shared)
        self._folder.allow(self._handler, self._assembly.input, preflight=settings.preflight.enabled)
        self._machine = Machine(
            self, shared, job_name_prefix=settings.job_name_prefix, jobs_at_once=jobs_at_once
        )
        own |= {
            "FolderS3Uri": self._folder.uri,
            "StateMachineArn": self._machine.state_machine.state_machine_arn,
            "RunAtDeploy": str(runs.at_each_deploy).lower(),
        }
        # Whoever begins a run hears of its jobs' ends.
        self._resource = self._custom_resource(
            campaign.RESOURCE_TYPE, {"Job": self._job_properties(), "Campaign": own}, *self._machine.waits
        )
        if runs.schedule is not None:
            # Gone before the campaign is: no run begins while it is taken down.
            self._machine.begin_on(runs.schedule).node.add_dependency(self._resource)

    def grant_read_labels(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the dataset's manifest, what has no label, and all masks, with their keys."""
        grant = super().grant_read_labels(grantee)
        for name in (campaign.DATASET, campaign.UNLABELED):
            place = self._assembly.output_objects(literal(f"{self._folder.path}{name}"), _DATASET_WHY)
            grant = grant.combine(self._grant_objects(grantee, place, read=True))
        return grant

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody begin a run: states:StartExecution on the state machine."""
        return self.state_machine.grant_start_execution(grantee)

    @property
    def dataset_manifest_s3_uri(self) -> str:
        """The manifest of all labels: each image once, its newest label, in the images' order.

        The same place for as long as the campaign is; it is replaced as a whole, and the bucket keeps
        versions.
        """
        return self._resource.get_att_string(campaign.ATTR_DATASET_URI)

    @property
    def unlabeled_s3_uri(self) -> str:
        """What the last run got no label for: JSON lines with `source-ref`, `job` and `reason`."""
        return self._resource.get_att_string(campaign.ATTR_UNLABELED_URI)


def _check_own(check: Checker, images_per_job: int, jobs_at_once: int, order: str, seed: int) -> None:
    check.known("images_per_job", images_per_job)
    check.known("jobs_at_once", jobs_at_once)
    check.integer("images_per_job", images_per_job, 1, limits.OBJECTS_MAX)
    check.integer("jobs_at_once", jobs_at_once, 1, campaign.JOBS_AT_ONCE_MAX)
    check.integer("seed", seed, 0)
    if order not in ("listed", "shuffled"):
        check.fail("order", "be 'listed' or 'shuffled'", order)
