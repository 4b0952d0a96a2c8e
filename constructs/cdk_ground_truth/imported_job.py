"""Labeling jobs that this app doesn't make."""

from __future__ import annotations

import re
from typing import Final

from aws_cdk import Arn, ArnComponents, ArnFormat, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from ._rooms import limits
from .grants import Objects
from .iam_text import check_key, check_name, literal
from .labeling_job import LabelingJobBase
from .validation import Checker, is_token

# This is the service model's `LabelingJobArn` without anything that IAM takes for a pattern.
_ARN: Final = re.compile(
    rf"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:[0-9]{{12}}:labeling-job/(?P<name>{limits.JOB_NAME.pattern})"
)


class ImportedLabelingJob(LabelingJobBase):
    """A labeling job that exists already; made by the ``from_labeling_job_…`` methods."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        labeling_job_arn: str,
        output_bucket: s3.IBucket | None = None,
        output_prefix: str = "labels",
        encryption_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id, environment_from_arn=labeling_job_arn)
        check = Checker(self.node.path)
        if not is_token(labeling_job_arn) and not _is_arn(labeling_job_arn):
            check.fail(
                "labeling_job_arn",
                "be the ARN of a labeling job",
                labeling_job_arn,
                "it looks like arn:aws:sagemaker:us-east-1:111122223333:labeling-job/streets",
            )
        self._job_arn = labeling_job_arn
        self._job_name = str(Arn.split(labeling_job_arn, ArnFormat.SLASH_RESOURCE_NAME).resource_name)
        check_key(check, "encryption_key", encryption_key)
        if output_bucket is not None:
            check_name(check, "output_bucket", output_bucket.bucket_name, output_bucket.bucket_arn)
            check_key(check, "output_bucket", output_bucket.encryption_key)
        self._bucket = output_bucket
        self._folder = f"{output_prefix.strip('/')}/{self._job_name}/".lstrip("/")
        self._key = encryption_key

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self._job_name

    @property
    def job_arn(self) -> str:
        """The job's ARN."""
        return self._job_arn

    @property
    def output_bucket(self) -> s3.IBucket:
        """Where the labels are.

        Raises:
            ValueError: the import doesn't name it.
        """
        if self._bucket is None:
            Checker(self.node.path).fail(
                "output_bucket", "be given", None, "import with from_labeling_job_attributes"
            )
        return self._bucket

    @property
    def output_s3_uri(self) -> str:
        """Below it is all of the job's output."""
        return f"s3://{self.output_bucket.bucket_name}/{self._folder}"

    @property
    def output_manifest_s3_uri(self) -> str:
        """The output manifest: one line with the mask for each labeled image."""
        return f"{self.output_s3_uri}manifests/output/output.manifest"

    def _output_objects(self) -> Objects | None:
        if self._bucket is None:
            return None
        keys = {key: None for key in (self._bucket.encryption_key, self._key) if key is not None}
        return Objects(
            bucket=self._bucket,
            folder=literal(self._folder),
            keys=tuple(keys),
            why="The output of one labeling job: the names below it come from the images.",
        )

    def _image_advice(self) -> str:
        return "an imported job doesn't say where its images are; use bucket.grant_put(grantee)"


class LabelingJobImports:
    """The ways to a job that exists already; `SemanticSegmentationLabelingJob` has them."""

    @staticmethod
    def from_labeling_job_name(
        scope: Construct, construct_id: str, labeling_job_name: str
    ) -> ImportedLabelingJob:
        """Use a job of the stack's own account and Region by its name.

        Raises:
            ValueError: not a legal name.
        """
        return ImportedLabelingJob(scope, construct_id, labeling_job_arn=_arn_of(scope, labeling_job_name))

    @staticmethod
    def from_labeling_job_arn(
        scope: Construct, construct_id: str, labeling_job_arn: str
    ) -> ImportedLabelingJob:
        """Use a job by its ARN.

        Raises:
            ValueError: not a labeling job's ARN.
        """
        return ImportedLabelingJob(scope, construct_id, labeling_job_arn=labeling_job_arn)

    @staticmethod
    def from_labeling_job_attributes(
        scope: Construct,
        construct_id: str,
        *,
        labeling_job_arn: str,
        output_bucket: s3.IBucket | None = None,
        output_prefix: str = "labels",
        encryption_key: kms.IKey | None = None,
    ) -> ImportedLabelingJob:
        """Use a job by what is known of it.

        Args:
            scope: Where to add it in the tree.
            construct_id: Its id there.
            labeling_job_arn: The job's.
            output_bucket: Where its labels are. Default: unknown; `grant_read_labels` then warns.
            output_prefix: Where in that bucket, without the job's name. Default: "labels".
            encryption_key: Encrypts the labels. Default: the bucket's own key, if it is known.

        Raises:
            ValueError: not a labeling job's ARN.
        """
        return ImportedLabelingJob(
            scope,
            construct_id,
            labeling_job_arn=labeling_job_arn,
            output_bucket=output_bucket,
            output_prefix=output_prefix,
            encryption_key=encryption_key,
        )


def _arn_of(scope: Construct, job_name: str) -> str:
    """The ARN of a job of that name in the stack's account and Region.

    Raises:
        ValueError: not a legal name.
    """
    if not is_token(job_name):
        Checker(scope.node.path).text(
            "labeling_job_name",
            job_name,
            longest=limits.JOB_NAME_MAX,
            pattern=limits.JOB_NAME,
            rule="be of letters and digits with '-' between",
        )
    parts = ArnComponents(service="sagemaker", resource="labeling-job", resource_name=job_name)
    return Arn.format(parts, Stack.of(scope))


def _is_arn(value: object) -> bool:
    match = _ARN.fullmatch(value) if isinstance(value, str) else None
    return match is not None and len(match["name"]) <= limits.JOB_NAME_MAX
