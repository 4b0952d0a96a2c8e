"""What binds images to a job: what the job lets them do, and what they put into its contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from constructs import Construct

from ._rooms import findings, task
from .buckets import BucketUse
from .execution_role import Access
from .handler import STAGING_ROOT
from .iam_text import objects
from .stack_shared import StackShared
from .validation import Checker

IMAGES_WHY = "The images to label, all of them."
_STAGED_WHY = "What the handler stages for this job: names come from the images and the job."


@dataclass(frozen=True, kw_only=True)
class ImagesBinding:
    """The job that images are bound to, and what it lets them do."""

    scope: Construct
    check: Checker
    shared: StackShared
    access: Access
    job_name_prefix: str
    #: A manifest is judged by this at synth, and what is found in it goes here.
    task: task.LabelingTask
    found: findings.Findings
    #: The bucket for what is staged; made when first called.
    staging: Callable[[], BucketUse]


@dataclass(frozen=True, kw_only=True)
class ImagesConfig:
    """What images put into the contract."""

    #: The contract's ``Images``.
    images: Mapping[str, Any]
    #: ``InputConfig.DataSource``; empty where the handler writes the manifest.
    data_source: Mapping[str, Any] = field(default_factory=dict)
    #: Buckets that workers' browsers read from.
    buckets: tuple[BucketUse, ...] = ()
    #: ARNs of further ones, which a manifest alone names.
    named_buckets: tuple[str, ...] = ()
    #: Where data comes from, as (bucket, prefix): output must lie elsewhere.
    prefixes: tuple[tuple[BucketUse, str], ...] = ()
    #: Where new images belong, as (bucket, prefix).
    added: tuple[tuple[BucketUse, str], ...] = ()
    streaming: bool = False
    #: Whether a campaign makes many jobs of them.
    cut: bool = False
    #: What a manifest of this machine says, whatever bucket it is published to.
    manifest_identity: str = ""


def staging_prefix(binding: ImagesBinding) -> str:
    """Where the handler writes for this job."""
    return f"{STAGING_ROOT}/{binding.job_name_prefix}/"


def stage(binding: ImagesBinding, *, listing: bool) -> tuple[BucketUse, str]:
    """Let the handler write below the job's staging prefix, and the job read there."""
    staging, prefix = binding.staging(), staging_prefix(binding)
    binding.shared.handler.allow_staging(staging, listing=listing)
    binding.access.read[objects(staging.arn, prefix)] = _STAGED_WHY
    _use_bucket(binding.access, staging)
    return staging, f"s3://{staging.name}/{prefix}"


def read_all(access: Access, use: BucketUse, prefix: str) -> None:
    """Let the job read all images below a prefix."""
    access.read[objects(use.arn, prefix)] = IMAGES_WHY
    _use_bucket(access, use)


def _use_bucket(access: Access, use: BucketUse) -> None:
    access.buckets[use.arn] = None
    if use.key is not None:
        access.input_keys[use.key] = None
