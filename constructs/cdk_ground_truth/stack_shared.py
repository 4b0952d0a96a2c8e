"""What all jobs of one stack use together; each part is made when a job first needs it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import jsii
from aws_cdk import FileAssetPackaging, Stack, Stage
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct, IConstruct, IValidation

from .buckets import Buckets
from .handler import Handler
from .hardening import Hardening
from .nag import acknowledge, wildcard_rules
from .regions import ServiceArns, service_arns

_ID = "CdkGroundTruth"
#: IAM's quota, unless the account has asked for more.
MANAGED_POLICIES_MAX = 10

# Strong references, as the jsii kernel keeps every construct too: it would hand out a bare proxy
# for a stack whose Python half is forgotten.
_SHARED: dict[Stack, StackShared] = {}


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file that `cdk deploy` uploads before the stack changes."""

    s3_uri: str
    object_arn: str
    bucket_arn: str


class StackShared:
    """One stack's handler, buckets, Region table and published files."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.region = stack.region
        self.partition = stack.partition
        self.account = stack.account
        self._synthesizer = stack.synthesizer
        self._files: dict[str, PublishedFile] = {}
        self._tokens: dict[str, str] = {}
        self._checks: list[Callable[[], list[str]]] = []
        #: What policy packs want beyond the defaults.
        self.hardening = Hardening()

    @classmethod
    def of(cls, stack: Stack) -> StackShared:
        """The one of a stack."""
        if stack not in _SHARED:
            _SHARED[stack] = cls(stack)
        return _SHARED[stack]

    @cached_property
    def scope(self) -> Construct:
        """Under which all shared constructs are."""
        scope = Construct(self.stack, _ID)
        scope.node.add_validation(_AtSynth(self._checks))
        return scope

    @property
    def started(self) -> bool:
        """Whether a job has been made here."""
        return not {"handler", "buckets", "service_arns"}.isdisjoint(self.__dict__)

    @cached_property
    def service_arns(self) -> ServiceArns:
        """The Region's built-in functions."""
        return service_arns(self.scope, where=self.stack.node.path, region=self.region)

    @cached_property
    def buckets(self) -> Buckets:
        """The stack's buckets."""
        return Buckets(self.scope, self.hardening)

    @cached_property
    def handler(self) -> Handler:
        """The custom resource's handler."""
        return Handler(self.scope, self)

    def at_synth(self, check: Callable[[], list[str]]) -> None:
        """Run a check when the tree is complete; it answers error messages."""
        self._checks.append(check)

    def acknowledge_wildcards(self, construct: IConstruct, wildcards: Mapping[str, str]) -> None:
        """Acknowledge cdk-nag's finding for each ``ARN with a wildcard → why it is bounded``.

        At the end of synth, as only then a reference into another stack has its final form.
        """

        def acknowledge_resolved() -> list[str]:
            resolved = self.stack.resolve(list(wildcards))
            acknowledge(construct, wildcard_rules(zip(resolved, wildcards.values(), strict=True)))
            return []

        self.at_synth(acknowledge_resolved)

    def hold_to_quota(self, role: iam.Role) -> None:
        """Refuse at synth what IAM would refuse at deploy: more managed policies than a role may have."""

        def too_many() -> list[str]:
            count = sum(child.node.id.startswith("OverflowPolicy") for child in role.node.children)
            if count <= MANAGED_POLICIES_MAX:
                return []
            return [
                f"the role {role.node.path} needs {count} managed policies for all buckets and jobs, and IAM"
                f" attaches {MANAGED_POLICIES_MAX} to a role; give the jobs stacks of their own, or their"
                " manifests fewer buckets"
            ]

        self.at_synth(too_many)

    def one_token(self, value: str) -> str:
        """The first token that stands for the same.

        Each asset comes with one of its own for the same bucket, which would be as many lines in policies.
        """
        return self._tokens.setdefault(json.dumps(self.stack.resolve(value)), value)

    def publish(self, content: bytes, suffix: str) -> PublishedFile:
        """Make a file asset of a file that is written here, not in the user's tree."""
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self._files:
            self._files[digest] = self._publish(f"asset.{digest}{suffix}", digest, content)
        return self._files[digest]

    def _publish(self, name: str, digest: str, content: bytes) -> PublishedFile:
        directory, relative = self._staging
        (directory / name).write_bytes(content)
        try:
            location = self._synthesizer.add_file_asset(
                file_name=os.path.join(relative, name), source_hash=digest, packaging=FileAssetPackaging.FILE
            )
        except RuntimeError as error:
            if "StackSynthesizerBoundStackFirst" not in str(error):
                raise
            # A synthesizer that the app passed to its stack: jsii hands out the app's own object in place
            # of the copy that belongs to the stack. An asset construct finds the copy itself.
            asset = assets.Asset(self.scope, f"File{digest[:8]}", path=str(directory / name))
            return self._published(asset.s3_bucket_name, asset.s3_object_key)
        return self._published(location.bucket_name, location.object_key)

    def _published(self, bucket: str, key: str) -> PublishedFile:
        bucket_arn = f"arn:{self.partition}:s3:::{self.one_token(bucket)}"
        return PublishedFile(
            s3_uri=f"s3://{bucket}/{key}", object_arn=f"{bucket_arn}/{key}", bucket_arn=bucket_arn
        )

    @cached_property
    def _staging(self) -> tuple[Path, str]:
        """Where the cloud assembly keeps assets, and the way there from the stack's own manifest."""
        # This is never None: a stack without an app makes one.
        stage = cast(Stage, Stage.of(self.stack))
        return Path(stage.asset_outdir), os.path.relpath(stage.asset_outdir, stage.outdir)


@jsii.implements(IValidation)
class _AtSynth:
    """All of a stack's checks in one call from the kernel."""

    def __init__(self, checks: list[Callable[[], list[str]]]) -> None:
        self._checks = checks

    def validate(self) -> list[str]:
        return [message for check in self._checks for message in check()]
