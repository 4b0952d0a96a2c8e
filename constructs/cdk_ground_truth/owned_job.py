"""What each construct that makes a labeling job shares: parts, custom resource, tags, attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jsii
from aws_cdk import CustomResource, Duration, ITaggableV2, TagManager, TagType
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from . import alarms
from ._rooms import contract
from .assembly import Assembly
from .earlier_labels import KnownLabels
from .grants import Objects
from .iam_text import outputs
from .labeling_job import LabelingJobBase
from .settings import JobSettings, tag_errors
from .stack_shared import StackShared
from .task_types import VERIFICATION
from .validation import Checker
from .workteam import check_workteam_region

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

# Longer than all that the handler's function may take, so that its own message arrives first.
_SERVICE_TIMEOUT_MINUTES: Final = 50


@jsii.implements(ITaggableV2)
class OwnedLabelingJob(LabelingJobBase):
    """A labeling job that this app makes; not for use by itself."""

    def __init__(self, scope: Construct, construct_id: str, settings: JobSettings) -> None:
        super().__init__(scope, construct_id)
        check = Checker(self.node.path)
        settings.check(check)
        shared = StackShared.of(self.stack)
        check_workteam_region(check, settings.workteam, shared.region)
        self._settings = settings
        self._handler = shared.handler
        self._assembly = Assembly(self, shared, check, settings)
        self._tags = TagManager(TagType.KEY_VALUE, contract.RESOURCE_TYPE, settings.tags)
        shared.at_synth(self._tag_errors)
        self._resource = self._custom_resource()

    def _custom_resource(self) -> CustomResource:
        resource = CustomResource(
            self,
            "Resource",
            resource_type=contract.RESOURCE_TYPE,
            service_token=self._handler.service_token,
            service_timeout=Duration.minutes(_SERVICE_TIMEOUT_MINUTES),
            properties={
                "JobNamePrefix": self._settings.job_name_prefix,
                "Images": self._assembly.images,
                "Request": self._assembly.request,
                "Identity": self._assembly.identity,
                "Tags": self._tags.rendered_tags,
                **self._settings.lifecycle_properties(),
            },
        )
        # Whoever starts or runs the job has its permissions, and buckets their policies, before it starts.
        resource.node.add_dependency(self._handler.role, *self._assembly.waits)
        return resource

    def _output_objects(self) -> Objects:
        return self._assembly.output_objects(
            outputs(self._settings.output_prefix, self.job_name_prefix),
            "The output of one labeling job: the end of its name is made at deploy time.",
        )

    def _image_objects(self) -> tuple[Objects, ...]:
        return self._assembly.image_objects()

    def _known_labels(self) -> KnownLabels:
        settings, assembly = self._settings, self._assembly
        verified = settings.task_type is VERIFICATION
        return KnownLabels(
            # A verification's output has the labels that it is about, beside its verdicts.
            label_attribute_name=settings.prior_attribute if verified else settings.label_attribute_name,
            labels=settings.prior_labels if verified else tuple(settings.labels),
            verdict_attribute=settings.label_attribute_name if verified else None,
            read=assembly.images_read,
            keys=assembly.images_keys,
            buckets=assembly.images_buckets,
        )

    def _deploys(self) -> cloudwatch.IMetric:
        return self._handler.function.metric_invocations()

    def alarm_unanswered(self, construct_id: str) -> cloudwatch.Alarm:
        """Alarm when the handler died over an event of this stack's jobs each time it was tried.

        CloudFormation then waits for the rest of its 50 minutes and rolls back; the log group says why.
        """
        return alarms.unanswered(self, construct_id, self._handler.function)

    def _tag_errors(self) -> list[str]:
        """Also tags that reached the job by `Tags.of`, in any part of the app."""
        return tag_errors(self._tags.tag_values())

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The job's tags, for `Tags.of`."""
        return self._tags

    @property
    def job_name(self) -> str:
        """The job's name; another one after each change of the job."""
        return self._resource.ref

    @property
    def job_arn(self) -> str:
        """The job's ARN."""
        return self._resource.get_att_string(contract.ATTR_JOB_ARN)

    @property
    def output_s3_uri(self) -> str:
        """Below it is all of the job's output."""
        return self._resource.get_att_string(contract.ATTR_OUTPUT_URI)

    @property
    def output_manifest_s3_uri(self) -> str:
        """The output manifest: one line with the mask for each labeled image."""
        return self._resource.get_att_string(contract.ATTR_OUTPUT_MANIFEST_URI)

    @property
    def label_category_config_s3_uri(self) -> str:
        """The label category file: the classes in the order of `labels`.

        `ground_truth_labels` takes it as `labels=`; without it, it finds the order in preflight's report.
        """
        return str(self._assembly.request["LabelCategoryConfigS3Uri"])

    @property
    def preflight_warnings(self) -> str:
        """How many warnings preflight had, and where they are told; "none", or "not checked" without one.

        A deploy that succeeds says nothing of them by itself: make it an output of the stack.
        """
        return self._resource.get_att_string(contract.ATTR_WARNINGS)

    @property
    def job_name_prefix(self) -> str:
        """Start of the names of all jobs that this construct ever makes."""
        return self._settings.job_name_prefix

    @property
    def label_attribute_name(self) -> str:
        """The labels' name in the output manifest."""
        return self._settings.label_attribute_name

    @property
    def workteam_arn(self) -> str:
        """The ARN of the work team that labels."""
        return self._settings.workteam.workteam_arn

    @property
    def role(self) -> iam.IRole:
        """The role with which Ground Truth runs the job."""
        return self._assembly.role

    @property
    def input_bucket(self) -> s3.IBucket | None:
        """Where `cdk deploy` stages images and manifest; None where nothing is staged."""
        return self._assembly.input.bucket if self._assembly.input is not None else None

    @property
    def output_bucket(self) -> s3.IBucket:
        """Where the labels are."""
        return self._assembly.output.bucket

    @property
    def handler_role(self) -> iam.IRole:
        """The role of the function that makes and stops the stack's jobs."""
        return self._handler.role

    @property
    def log_group(self) -> logs.ILogGroup:
        """The log of that function."""
        return self._handler.log_group
