"""The labels that an earlier job made: where they are, what they are called, and what reading them takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from ._rooms import contract, limits
from .iam_text import check_key, literal, objects
from .image_binding import ImagesBinding, ImagesConfig, stage
from .images import Images
from .validation import Checker, is_token

if TYPE_CHECKING:
    from .labeling_job import LabelingJobBase
    from .only import Only

_IMAGES_WHY: Final = "The images that an earlier job labeled, all of them."
_OUTPUT_WHY: Final = "What an earlier job wrote: the masks and the manifest that name them."


@dataclass(frozen=True, kw_only=True)
class EarlierLabels:
    """Labels of an earlier labeling job, for whoever goes on from them, adjusts or verifies them.

    Make one with `from_job` or `from_output_manifest`.

    Attributes:
        label_attribute_name: What the labels are called in the output manifest; None where the deploy has to
            ask the service.
        labels: The names of the classes; None where they aren't known at synth time.
    """

    label_attribute_name: str | None
    labels: tuple[str, ...] | None = None
    #: What a verification called its verdicts, if these labels were verified.
    verdict_attribute: str | None = None
    _earlier: Mapping[str, Any] = field(default_factory=dict)
    #: The ARN below which the output manifest is.
    _output_arn: str = ""
    #: ARNs of objects to read, with why a wildcard in each is bounded.
    _read: Mapping[str, str] = field(default_factory=dict)
    _keys: tuple[kms.IKey, ...] = ()
    #: Buckets from which workers' browsers load images and masks.
    _buckets: tuple[s3.IBucket, ...] = ()

    @staticmethod
    def from_job(
        job: LabelingJobBase,
        *,
        label_attribute_name: str | None = None,
        labels: Sequence[str] | None = None,
        image_buckets: Sequence[s3.IBucket] = (),
    ) -> EarlierLabels:
        """The labels of a job of this app, or of an imported one.

        Args:
            job: Of this app, or imported with its output bucket.
            label_attribute_name: What the labels are called. Default: known of a job of this app; else the
                deploy asks the service, which isn't enough to adjust or verify them.
            labels: The classes. Default: known of a job of this app; else unknown.
            image_buckets: Hold the images. Default: known of a job of this app; an imported job needs them.

        Raises:
            ValueError: an imported job doesn't say where its labels or images are.
        """
        check = Checker(job.node.path)
        output = job._output_objects()
        if output is None:
            check.fail("output_bucket", "be given", None, "import the job with from_labeling_job_attributes")
        known = job._known_labels()
        if known is None and not image_buckets:
            check.fail(
                "image_buckets", "name the buckets of the images", [], "an imported job doesn't know them"
            )
        read = dict(known.read) if known is not None else {}
        read[output.arn] = _OUTPUT_WHY
        read |= {objects(bucket.bucket_arn): _IMAGES_WHY for bucket in image_buckets}
        buckets = (*image_buckets, *(known.buckets if known is not None else ()), output.bucket)
        attribute = label_attribute_name or (known.label_attribute_name if known is not None else None)
        found = labels if labels is not None else (known.labels if known is not None else None)
        return EarlierLabels(
            label_attribute_name=attribute,
            labels=tuple(found) if found is not None else None,
            verdict_attribute=known.verdict_attribute if known is not None else None,
            _earlier={"JobName": job.job_name, **({"LabelAttributeName": attribute} if attribute else {})},
            _output_arn=output.arn,
            _read=read,
            _keys=(*(known.keys if known is not None else ()), *output.keys, *_keys_of(image_buckets)),
            _buckets=tuple(dict.fromkeys(buckets)),
        )

    @staticmethod
    def from_output_manifest(
        bucket: s3.IBucket,
        key: str,
        *,
        label_attribute_name: str,
        labels: Sequence[str] | None = None,
        image_buckets: Sequence[s3.IBucket] = (),
    ) -> EarlierLabels:
        """The labels of an output manifest in S3.

        Args:
            bucket: Holds the manifest, the masks that it names, and images too.
            key: The manifest's.
            label_attribute_name: What the labels are called in it.
            labels: The classes. Default: unknown at synth time.
            image_buckets: Further buckets that the lines name; the job may read all of each.
        """
        buckets = (bucket, *image_buckets)
        return EarlierLabels(
            label_attribute_name=label_attribute_name,
            labels=tuple(labels) if labels is not None else None,
            _earlier={
                "OutputManifestS3Uri": f"s3://{bucket.bucket_name}/{key}",
                "LabelAttributeName": label_attribute_name,
            },
            _output_arn=f"{bucket.bucket_arn}/{literal(key)}",
            _read={objects(each.bucket_arn): _IMAGES_WHY for each in buckets},
            _keys=_keys_of(buckets),
            _buckets=buckets,
        )

    def needed_attribute(self, check: Checker) -> str:
        """What the labels are called, as the worker template has to name them.

        Raises:
            ValueError: nobody has said it.
        """
        if not self.label_attribute_name or is_token(self.label_attribute_name):
            check.fail(
                "of",
                "say what the labels are called",
                self.label_attribute_name,
                "use EarlierLabels.from_job(job, label_attribute_name='streets-ref')",
            )
        return self.label_attribute_name

    def checked_selection(self, check: Checker, only: Only | None) -> Only | None:
        """The selection, about this verification's verdicts where it doesn't say which.

        Raises:
            ValueError: it chooses nothing, or doesn't say what it is about.
        """
        if only is None:
            return None
        if only.verdicts is not None and only.verdict_attribute is None:
            only = replace(only, verdict_attribute=self.verdict_attribute)
        only.check(check)
        return only

    def adjusted_labels(self, check: Checker, given: Sequence[str] | None) -> Sequence[str]:
        """The classes of an adjustment: all of the earlier ones, in their order, and new ones behind.

        Raises:
            ValueError: a class would be lost, and with it whatever has been painted of it.
        """
        if given is None:
            if self.labels is None:
                must = "be given where the earlier job's classes aren't known"
                check.fail("labels", must, None, "name them all, new ones last")
            return self.labels
        check.items("labels", given)
        for lost in (label for label in self.labels or () if label not in given):
            check.fail(
                "labels",
                f"keep all classes of the earlier labels ({list(self.labels or ())})",
                lost,
                "add it, and drop or merge it afterwards with `ground-truth-labels relabel`, for no money",
            )
        return given

    def checked_verdicts(self, check: Checker, verdicts: Sequence[str]) -> Sequence[str]:
        """The verdicts, which are a list of 1 to 10 names.

        Raises:
            ValueError: there are too many for the worker's page, or they are the classes themselves.
        """
        check.items("verdicts", verdicts)
        if len(verdicts) > limits.VERDICTS_MAX:
            check.fail("verdicts", f"be at most {limits.VERDICTS_MAX}", len(verdicts))
        if self.labels is not None and set(verdicts) == set(self.labels):
            must = "say what is true of a label, such as 'right' and 'wrong'"
            check.fail("verdicts", must, list(verdicts), "these are the classes of the labels")
        return verdicts


@dataclass(frozen=True, kw_only=True)
class KnownLabels:
    """What a job of this app knows of its own labels."""

    label_attribute_name: str
    labels: tuple[str, ...] | None
    verdict_attribute: str | None
    #: Objects to read, with why a wildcard in each is bounded.
    read: Mapping[str, str]
    keys: tuple[kms.IKey, ...]
    buckets: tuple[s3.IBucket, ...]


@dataclass(frozen=True)
class EarlierImages(Images):
    """The images of an earlier job: those without a label, or those that are chosen."""

    earlier: EarlierLabels
    only: Only | None = None
    more: Images | None = None

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        """Let the job read images and masks, and the handler the output manifest."""
        access, shared, earlier = binding.access, binding.shared, self.earlier
        more = self.more.bind(binding) if self.more is not None else None
        if more is not None and more.images["Source"] == contract.SOURCE_MANIFEST:
            must = "be Images.from_directory or Images.from_bucket"
            binding.check.fail("more", must, self.more, "put the lines into the output manifest instead")
        uses = [shared.buckets.use(bucket) for bucket in earlier._buckets]
        for arn, why in earlier._read.items():
            access.read.setdefault(arn, why)
        shared.handler.allow_reading(earlier._output_arn, earlier._read.get(earlier._output_arn, ""))
        for use in uses:
            access.buckets[use.arn] = None
        for key in earlier._keys:
            check_key(binding.check, "images", key)
            access.input_keys[key] = None
            key.grant(shared.handler.role, "kms:Decrypt")
        staging, staging_uri = stage(binding, listing=False)
        images: dict[str, Any] = {
            "Source": contract.SOURCE_JOB,
            "StagingS3Uri": staging_uri,
            **earlier._earlier,
            **(self.only.properties() if self.only is not None else {}),
        }
        if more is not None:
            images["More"] = more.images
        named = {use.name: use for use in (*uses, *(more.buckets if more is not None else ()), staging)}
        return ImagesConfig(
            images=images,
            buckets=tuple(named.values()),
            prefixes=more.prefixes if more is not None else (),
            added=more.added if more is not None else (),
        )


def continued_attribute(images: Images) -> str | None:
    """What the labels are called that a job with these images goes on from, if it does."""
    return images.earlier.label_attribute_name if isinstance(images, EarlierImages) else None


def _keys_of(buckets: Sequence[s3.IBucket]) -> tuple[kms.IKey, ...]:
    return tuple(bucket.encryption_key for bucket in buckets if bucket.encryption_key is not None)
