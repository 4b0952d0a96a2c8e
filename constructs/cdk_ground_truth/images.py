"""Where a job's images come from."""

from __future__ import annotations

import abc
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Annotations, IgnoreMode, SymlinkFollowMode
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sns as sns

from ._rooms import contract, limits
from .buckets import warn_about_cors
from .iam_text import check_name, objects
from .identity import content_identity
from .image_binding import IMAGES_WHY, ImagesBinding, ImagesConfig, read_all, stage, staging_prefix
from .image_files import check_directory, read_manifest, untaken_pictures
from .validation import Checker, is_token

if TYPE_CHECKING:
    from .earlier_labels import EarlierLabels
    from .labeling_job import LabelingJobBase


UNTAKEN_WARNING_ID: Final = "cdk-ground-truth:pictures-not-taken"


class Images(abc.ABC):
    """The images of a labeling job; make them with a ``from_…`` method."""

    @staticmethod
    def from_directory(path: str | Path) -> Images:
        """Label all .jpg, .jpeg and .png files below a directory of this machine.

        They are published as one zip asset, which the handler unpacks into the input bucket. Other
        files stay where they are; pictures among them (.heic, .webp, ...) are counted in a warning.

        Args:
            path: With 1 to 20,000 images of at most 40 MB each (the service's quotas), 5 GB in all.
        """
        return _Directory(Path(path))

    @staticmethod
    def from_bucket(
        bucket: s3.IBucket,
        *,
        prefix: str = "",
        suffixes: Sequence[str] = limits.IMAGE_SUFFIXES,
        exclude: Sequence[str] = (),
        sample: int | None = None,
        seed: int = 0,
    ) -> Images:
        """Label the images below a prefix, in the order of their keys; they are listed at deploy time.

        Args:
            bucket: In the job's Region. Workers' browsers read it: an imported bucket's CORS is yours to set.
            prefix: Such as ``photos/``. Default: the whole bucket.
            suffixes: Of the images, in any case. Default: .jpg, .jpeg and .png.
            exclude: Patterns of what to leave out, below the prefix, such as ``*/thumbnails/*``; a ``*``
                takes any characters, also ``/``. Default: nothing.
            sample: Label so many of them, chosen at random. Default: all, up to a job's 20,000.
            seed: Of the sample: the same seed chooses the same of the same images. Default: 0.
        """
        return _Bucket(bucket, prefix, tuple(suffixes), tuple(exclude), sample, seed)

    @staticmethod
    def from_manifest(bucket: s3.IBucket, key: str, *, image_buckets: Sequence[s3.IBucket] = ()) -> Images:
        """Label what a manifest in S3 lists, such as the output manifest of an earlier job.

        Args:
            bucket: Holds the manifest, and images too.
            key: The manifest's.
            image_buckets: Further buckets that the manifest's lines name; the job may read all of each.
        """
        return _Manifest(bucket, key, tuple(image_buckets))

    @staticmethod
    def from_manifest_file(path: str | Path, *, image_buckets: Sequence[s3.IBucket] = ()) -> Images:
        """Label what a manifest of this machine lists; it is checked at synth time and published as an asset.

        Args:
            path: UTF-8 JSON lines with a ``source-ref`` each.
            image_buckets: The buckets that the lines name, as far as they have a KMS key that the job has
                to use or are part of this app. Default: each is read by the name in the manifest.
        """
        return _ManifestFile(Path(path), tuple(image_buckets))

    @staticmethod
    def from_topic(
        topic: sns.ITopic, *, image_buckets: Sequence[s3.IBucket], manifest: Images | None = None
    ) -> Images:
        """Label what is sent to an SNS topic for as long as the job runs (a streaming job).

        It stops when it was idle for ten days. The service's queue
        ``GroundTruth-<job name>`` stays behind.

        Args:
            topic: Gets a message for each object. Set up S3 notifications before the job.
            image_buckets: Hold the images; the job may read all of each.
            manifest: A ``from_manifest…`` to begin with. Default: begin with the first message.
        """
        return _Topic(topic, tuple(image_buckets), manifest)

    @staticmethod
    def from_job(job: LabelingJobBase | EarlierLabels, *, more: Images | None = None) -> Images:
        """Go on from an earlier job: all that it labeled is kept, and only what is missing is asked.

        The new job's `label_attribute_name` is the earlier job's, or all images are asked again. The deploy
        fails where nothing is missing, and while the earlier job still runs.

        Args:
            job: Of this app, imported with its output bucket, or its labels as `EarlierLabels` knows them.
            more: Further images, from a directory or a bucket; those that the earlier job has are not asked
                twice. Default: none.
        """
        from .earlier_labels import EarlierImages, EarlierLabels

        earlier = job if isinstance(job, EarlierLabels) else EarlierLabels.from_job(job)
        return EarlierImages(earlier, more=more)

    @property
    def can_be_cut(self) -> bool:
        """Whether a campaign can make many jobs of them."""
        return False

    @abc.abstractmethod
    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        """Grant what the job needs to read these images, and say what goes into the contract."""


@dataclass(frozen=True)
class _Directory(Images):
    path: Path

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        exclude = None
        others = check_directory(binding.check, self.path)
        if untaken := untaken_pictures(others):
            Annotations.of(binding.scope).add_warning_v2(
                UNTAKEN_WARNING_ID,
                f"Of {self.path} {untaken} files are not taken: a job takes"
                f" {', '.join(limits.IMAGE_SUFFIXES)}. Convert them, or rename a JPEG to .jpg; then"
                f" Annotations.of(job).acknowledge_warning({UNTAKEN_WARNING_ID!r}).",
            )
        if others:
            any_case = ("".join(f"[{c}{c.upper()}]" for c in suffix[1:]) for suffix in limits.IMAGE_SUFFIXES)
            exclude = ["*", "!*/", *(f"!*.{suffix}" for suffix in any_case)]
        asset = assets.Asset(
            binding.scope,
            "Images",
            # The kernel's working folder stays where it was when it started.
            path=str(self.path.absolute()),
            exclude=exclude,
            ignore_mode=IgnoreMode.GIT,
            follow_symlinks=SymlinkFollowMode.ALWAYS,
        )
        bucket, key = binding.shared.one_token(asset.s3_bucket_name), asset.s3_object_key
        binding.shared.handler.allow_reading(f"arn:{binding.shared.partition}:s3:::{bucket}/{key}")
        staging, staging_uri = stage(binding, listing=True)
        return ImagesConfig(
            images={
                "Source": contract.SOURCE_DIRECTORY,
                "ArchiveS3Uri": f"s3://{bucket}/{key}",
                "StagingS3Uri": staging_uri,
            },
            buckets=(staging,),
            prefixes=((staging, staging_prefix(binding)),),
        )


@dataclass(frozen=True)
class _Bucket(Images):
    bucket: s3.IBucket
    prefix: str
    suffixes: tuple[str, ...]
    exclude: tuple[str, ...]
    sample: int | None
    seed: int

    @property
    def can_be_cut(self) -> bool:
        """A sample is of one job."""
        return self.sample is None

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        self._check(binding.check)
        if self.prefix.startswith(("/", "s3://")) or re.search(r"[*?]", self.prefix):
            binding.check.fail(
                "images", "have a prefix like 'photos/', without leading slash, '*' or '?'", self.prefix
            )
        use = binding.shared.buckets.use(self.bucket)
        read_all(binding.access, use, self.prefix)
        binding.shared.handler.allow_listing(use, self.prefix)
        staging, staging_uri = stage(binding, listing=False)
        return ImagesConfig(
            images={
                "Source": contract.SOURCE_BUCKET,
                "ImagesS3Uri": f"s3://{use.name}/{self.prefix}",
                "StagingS3Uri": staging_uri,
                **self._options(),
            },
            buckets=(use,),
            prefixes=((use, self.prefix), (staging, staging_prefix(binding))),
            added=((use, self.prefix),),
        )

    def _check(self, check: Checker) -> None:
        for suffix in self.suffixes:
            if not re.fullmatch(r"\.[^/.]+", suffix):
                check.fail("images", "have suffixes like '.jpg'", suffix)
        if not self.suffixes:
            check.fail("images", "have at least one suffix", list(self.suffixes))
        check.integer("images.sample", self.sample, 1, limits.OBJECTS_MAX)
        check.integer("images.seed", self.seed, 0)

    def _options(self) -> dict[str, Any]:
        """What differs from the defaults, in the contract's words."""
        options: dict[str, Any] = {}
        if self.suffixes != limits.IMAGE_SUFFIXES:
            options["Suffixes"] = list(self.suffixes)
        if self.exclude:
            options["Exclude"] = list(self.exclude)
        if self.sample is not None:
            options |= {"Sample": self.sample, "Seed": self.seed}
        return options


@dataclass(frozen=True)
class _Manifest(Images):
    bucket: s3.IBucket
    key: str
    image_buckets: tuple[s3.IBucket, ...]

    @property
    def can_be_cut(self) -> bool:
        """It lies in S3, of whatever size."""
        return True

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        if not self.key or (self.key.startswith(("/", "s3://")) and not is_token(self.key)):
            binding.check.fail("images", "name the manifest's key, without leading slash", self.key)
        use = binding.shared.buckets.use(self.bucket)
        buckets = [use, *(binding.shared.buckets.use(bucket) for bucket in self.image_buckets)]
        for each in buckets:
            read_all(binding.access, each, "")
        return ImagesConfig(
            images={"Source": contract.SOURCE_MANIFEST},
            data_source={"S3DataSource": {"ManifestS3Uri": f"s3://{use.name}/{self.key}"}},
            buckets=tuple(buckets),
        )


@dataclass(frozen=True)
class _ManifestFile(Images):
    path: Path
    image_buckets: tuple[s3.IBucket, ...]

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        manifest = read_manifest(binding.check, self.path, binding.task, binding.found)
        given = {use.name: use for use in map(binding.shared.buckets.use, self.image_buckets)}
        for use in given.values():
            read_all(binding.access, use, manifest.prefixes.get(use.name, ""))
        named = {
            name: f"arn:{binding.shared.partition}:s3:::{name}"
            for name in manifest.prefixes
            if name not in given
        }
        for name, arn in named.items():
            check_name(binding.check, str(self.path), name)
            binding.access.read[objects(arn, manifest.prefixes[name])] = IMAGES_WHY
            binding.access.buckets[arn] = None
            warn_about_cors(binding.scope, name)
        published = binding.shared.publish(manifest.content, ".manifest")
        binding.access.read_file(published.object_arn, published.bucket_arn)
        return ImagesConfig(
            images={"Source": contract.SOURCE_MANIFEST},
            data_source={"S3DataSource": {"ManifestS3Uri": published.s3_uri}},
            buckets=tuple(given.values()),
            named_buckets=tuple(named.values()),
            manifest_identity=content_identity(manifest.content),
        )


@dataclass(frozen=True)
class _Topic(Images):
    topic: sns.ITopic
    image_buckets: tuple[s3.IBucket, ...]
    manifest: Images | None

    def bind(self, binding: ImagesBinding) -> ImagesConfig:
        if not isinstance(self.manifest, (_Manifest, _ManifestFile, type(None))):
            binding.check.fail("manifest", "be Images.from_manifest or from_manifest_file", self.manifest)
        first = self.manifest.bind(binding) if self.manifest else None
        buckets = {use.arn: use for use in first.buckets} if first else {}
        added = [binding.shared.buckets.use(bucket) for bucket in self.image_buckets]
        for use in added:
            read_all(binding.access, use, "")
            buckets[use.arn] = use
        check_name(binding.check, "images", self.topic.topic_arn)
        binding.access.topic_arn = self.topic.topic_arn
        return ImagesConfig(
            images={"Source": contract.SOURCE_MANIFEST},
            data_source={
                **(first.data_source if first else {}),
                "SnsDataSource": {"SnsTopicArn": self.topic.topic_arn},
            },
            buckets=tuple(buckets.values()),
            named_buckets=first.named_buckets if first else (),
            added=tuple((use, "") for use in added),
            streaming=True,
        )
