"""What each construct that makes labeling jobs shares, one or a campaign's: parts, tags, attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jsii
from aws_cdk import CustomResource, Duration, ITaggableV2, TagManager, TagType
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import IDependable

from ._rooms import contract
from .assembly import Assembly
from .grants import Objects
from .iam_text import outputs
from .label_places import LabelPlaces
from .settings import JobSettings, tag_errors
from .stack_shared import StackShared
from .validation import Checker
from .workteam import check_region

# Longer than all that the handler's function may take, so that its own message arrives first.
_SERVICE_TIMEOUT_MINUTES: Final = 50


@jsii.implements(ITaggableV2)
class OwnJobs(LabelPlaces):
    """Jobs that this app makes; not for use by itself."""

    #: Why a wildcard in the output's ARN is bounded.
    _output_why: str

    def _shared(self, check: Checker, settings: JobSettings) -> StackShared:
        """What the stack's jobs share, once all that is plain in the settings is right."""
        settings.check(check)
        shared = StackShared.of(self.stack)
        check_region(check, settings.workteam.workteam_arn, shared.region)
        return shared

    def _assemble(self, check: Checker, settings: JobSettings, shared: StackShared) -> None:
        self._settings, self._handler = settings, shared.handler
        self._assembly = Assembly(self, shared, check, settings)
        self._tags = TagManager(TagType.KEY_VALUE, contract.RESOURCE_TYPE, settings.tags)
        # Also tags that arrive by `Tags.of`, in any part of the app.
        shared.at_synth(lambda: tag_errors(self._tags.tag_values()))

    def _job_properties(self) -> dict[str, Any]:
        """The contract of one job."""
        return {
            "JobNamePrefix": self._settings.job_name_prefix,
            "Images": self._assembly.images,
            "Request": self._assembly.request,
            "Identity": self._assembly.identity,
            "Tags": self._tags.rendered_tags,
            **self._settings.lifecycle_properties(),
        }

    def _custom_resource(
        self, resource_type: str, properties: Mapping[str, Any], *waits: IDependable
    ) -> CustomResource:
        resource = CustomResource(
            self,
            "Resource",
            resource_type=resource_type,
            service_token=self._handler.service_token,
            service_timeout=Duration.minutes(_SERVICE_TIMEOUT_MINUTES),
            properties=properties,
        )
        # Whoever starts or runs a job has its permissions, and buckets their policies, before it starts.
        resource.node.add_dependency(self._handler.role, *self._assembly.waits, *waits)
        return resource

    def _output_objects(self) -> Objects:
        folder = outputs(self._settings.output_prefix, self.job_name_prefix)
        return self._assembly.output_objects(folder, self._output_why)

    def _image_objects(self) -> tuple[Objects, ...]:
        return self._assembly.image_objects()

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The jobs' tags, for `Tags.of`."""
        return self._tags

    @property
    def job_name_prefix(self) -> str:
        """Start of the names of all jobs that this construct ever makes; a campaign's name in its metrics."""
        return self._settings.job_name_prefix

    @property
    def label_attribute_name(self) -> str:
        """The labels' name in the output manifest, and in a campaign's."""
        return self._settings.label_attribute_name

    @property
    def role(self) -> iam.IRole:
        """The role with which Ground Truth runs the jobs."""
        return self._assembly.role

    @property
    def output_bucket(self) -> s3.IBucket:
        """Where the labels are."""
        return self._assembly.output.bucket

    @property
    def handler_role(self) -> iam.IRole:
        """The role of the function that makes and stops the jobs: the stack's, or the campaign's own."""
        return self._handler.role

    @property
    def log_group(self) -> logs.ILogGroup:
        """The log of that function."""
        return self._handler.log_group
