"""What each construct that makes one labeling job shares: its custom resource and attributes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aws_cdk import aws_s3 as s3
from constructs import Construct

from . import alarms
from ._rooms import contract
from .cost import stopping_conditions_of
from .earlier_labels import KnownLabels
from .labeling_job import LabelingJobBase
from .own_jobs import OwnJobs
from .settings import JobSettings, path_below
from .task_types import VERIFICATION
from .validation import Checker

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch


class OwnedLabelingJob(OwnJobs, LabelingJobBase):
    """A labeling job that this app makes; not for use by itself."""

    _output_why = "The output of one labeling job: the end of its name is made at deploy time."

    def __init__(self, scope: Construct, construct_id: str, settings: JobSettings) -> None:
        check = Checker(path_below(scope, construct_id))
        conditions = stopping_conditions_of(
            check,
            settings.cost_ceiling,
            settings.stopping_conditions,
            settings.number_of_human_workers_per_data_object,
        )
        super().__init__(scope, construct_id)
        settings = replace(settings, stopping_conditions=conditions)
        self._assemble(check, settings, self._shared(check, settings))
        self._resource = self._custom_resource(contract.RESOURCE_TYPE, self._job_properties())

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
    def workteam_arn(self) -> str:
        """The ARN of the work team that labels."""
        return self._settings.workteam.workteam_arn

    @property
    def input_bucket(self) -> s3.IBucket | None:
        """Where `cdk deploy` stages images and manifest; None where nothing is staged."""
        return self._assembly.input.bucket if self._assembly.input is not None else None
