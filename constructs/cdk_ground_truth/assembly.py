"""Puts a job together: images, files, buckets, role and grants, each before what needs it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from constructs import Construct, IDependable

from ._rooms import contract, findings
from .buckets import INPUT, OUTPUT, BucketUse
from .category_file import category_file
from .execution_role import Access, execution_role, grant_to, keep
from .grants import Objects
from .handler import CONTINUED, CONTINUED_WHY, STAGED_WHY, staged_objects
from .iam_text import check_key, check_name, literal, outputs
from .identity import template_identity
from .image_binding import ImagesBinding, ImagesConfig
from .instructions import Instructions, render
from .preflight import PreflightNeeds, allow, warn
from .request import create_labeling_job
from .settings import JobSettings
from .stack_shared import StackShared
from .validation import Checker, is_token

_LABELS_WHY: Final = "The job's own output: the end of its name is made at deploy time."


class Assembly:
    """One job's parts."""

    def __init__(self, scope: Construct, shared: StackShared, check: Checker, settings: JobSettings) -> None:
        self._scope, self._shared, self._check, self._settings = scope, shared, check, settings
        self._access = Access()
        #: What the job has to wait for, beyond what its properties name.
        self.waits: dict[IDependable, None] = {}
        self.input: BucketUse | None = None
        # This comes before anything is made: a Region without the service ends it here.
        arns = shared.service_arns
        self._check_names()
        self.output = self._bucket(settings.output_bucket, OUTPUT)
        config = self._bind_images()
        #: Where new images belong.
        self.images_added = config.added
        #: What a later job needs that goes on from this one's labels.
        self.images_read = dict(self._access.read)
        self.images_keys = tuple(self._access.input_keys)
        self.images_buckets = tuple(use.bucket for use in config.buckets)
        categories = shared.publish(category_file(settings.labels), ".json")
        source = self._template()
        template = shared.publish(source, ".html")
        #: The contract's ``Identity``.
        self.identity = {
            "Labels": list(settings.labels),
            "Template": template_identity(source),
            **({"Manifest": config.manifest_identity} if config.manifest_identity else {}),
        }
        for file in (categories, template):
            self._access.read_file(file.object_arn, file.bucket_arn)
        self._allow_output(config)
        #: The contract's ``Images`` and ``Request``.
        self.images: Mapping[str, Any] = {**config.images, **self._continuation(config)}
        self.request: dict[str, Any] = create_labeling_job(
            check,
            settings,
            arns,
            data_source=config.data_source,
            output_uri=f"s3://{self.output.name}/{settings.output_prefix}",
            categories_uri=categories.s3_uri,
            template_uri=template.s3_uri,
        )
        self.role = self._role()
        role_arn = self.request["RoleArn"] = self.role.role_arn
        shared.handler.allow_passing(role_arn)
        self._allow_preflight(role_arn, config, {file.object_arn for file in (categories, template)})

    def output_objects(self, folder: str, why: str) -> Objects:
        """What is written below a folder of the output bucket, for grants."""
        keys = (self.output.key, self._settings.encryption_key)
        return Objects(
            bucket=self.output.bucket,
            folder=folder,
            keys=tuple({key: None for key in keys if key is not None}),
            why=why,
        )

    def image_objects(self) -> tuple[Objects, ...]:
        """Where new images belong, for grants."""
        return tuple(
            Objects(
                bucket=use.bucket,
                folder=literal(prefix),
                keys=(use.key,) if use.key is not None else (),
                why="The images to label, whose names are up to whoever puts them there.",
            )
            for use, prefix in self.images_added
        )

    def _check_names(self) -> None:
        """What the user brings becomes part of policies, where it must name what it names."""
        settings, check = self._settings, self._check
        check_key(check, "encryption_key", settings.encryption_key)
        if settings.automated_labeling is not None:
            check_key(check, "volume_encryption_key", settings.automated_labeling.volume_encryption_key)
        if settings.output_topic is not None:
            check_name(check, "output_topic", settings.output_topic.topic_arn)
        if settings.role is not None:
            check_name(check, "role", settings.role.role_arn)

    def _bucket(self, given: Any, construct_id: str) -> BucketUse:
        buckets = self._shared.buckets
        use = (
            buckets.use(given)
            if given is not None
            else buckets.created(construct_id, self._settings.encryption_key)
        )
        self.waits |= dict.fromkeys(use.dependables)
        return use

    def _staging(self) -> BucketUse:
        self.input = self._bucket(self._settings.input_bucket, INPUT)
        return self.input

    def _bind_images(self) -> ImagesConfig:
        binding = ImagesBinding(
            scope=self._scope,
            check=self._check,
            shared=self._shared,
            access=self._access,
            job_name_prefix=self._settings.job_name_prefix,
            task=self._settings.task,
            found=findings.Findings(self._settings.preflight.skipped_checks),
            staging=self._staging,
        )
        config = self._settings.images.bind(binding)
        warn(self._scope, binding.found)
        if config.streaming:
            self._check_streaming()
        for use, prefix in config.prefixes:
            self._check_overlap(use, prefix)
        for use in config.buckets:
            self._shared.buckets.open_to_browsers(self._scope, use)
            self.waits |= dict.fromkeys(use.dependables)
        return config

    def _check_streaming(self) -> None:
        settings = self._settings
        for name in ("automated_labeling", "stopping_conditions"):
            value = getattr(settings, name)
            if value is not None:
                self._check.fail(
                    name, "be left out for images from a topic, which the service ignores it for", value
                )

    def _check_overlap(self, use: BucketUse, prefix: str) -> None:
        output = f"{self._settings.output_prefix}/"
        if use.name != self.output.name or is_token(prefix):
            return
        if output.startswith(prefix) or prefix.startswith(output):
            self._check.fail(
                "output_prefix",
                f"lie outside of the input, which is below {prefix!r} of the same bucket",
                self._settings.output_prefix,
                "masks would become images; choose another output_prefix or output_bucket",
            )

    def _template(self) -> bytes:
        if self._settings.worker_template is not None:
            found = findings.Findings(self._settings.preflight.skipped_checks)
            content = self._settings.worker_template.read(
                self._check, self._settings.labels, found, self._settings.task_type
            )
            warn(self._scope, found)
            return content
        settings = self._settings
        return render(
            self._check,
            settings.instructions or Instructions(),
            settings.task_type,
            prior_attribute=settings.prior_attribute,
        )

    def _allow_output(self, config: ImagesConfig) -> None:
        access, settings = self._access, self._settings
        folder = outputs(settings.output_prefix, settings.job_name_prefix)
        access.write[f"{self.output.arn}/{folder}*"] = _LABELS_WHY
        access.buckets[self.output.arn] = None
        if _writes_beside(config):
            continued = f"{self.output.arn}/{settings.output_prefix}/{CONTINUED}/{settings.job_name_prefix}/*"
            access.read[continued] = CONTINUED_WHY
        for key in (self.output.key, settings.encryption_key):
            if key is not None:
                access.keys[key] = None
        automated = settings.automated_labeling
        if automated is not None:
            access.automated = True
            access.volume_key = automated.volume_encryption_key
            access.vpc = bool(automated.subnets)
        access.output_topic = settings.output_topic

    def _continuation(self, config: ImagesConfig) -> dict[str, str]:
        """Let an update's new job take over what its predecessor has labeled."""
        output, folder = self.output, self._settings.output_prefix
        if config.streaming:
            return {}
        beside = _writes_beside(config)
        self._shared.handler.allow_continuing(output, folder, writing=beside)
        if not self._settings.preflight.enabled and output.key is not None:
            output.key.grant(self._shared.handler.role, "kms:Decrypt")
        if not beside:
            return {}
        return {"StagingS3Uri": f"s3://{output.name}/{folder}/{CONTINUED}/{self._settings.job_name_prefix}/"}

    def _allow_preflight(self, role_arn: str, config: ImagesConfig, files: set[str]) -> None:
        shared, settings = self._shared, self._settings
        if not settings.preflight.enabled and settings.cost_ceiling is None:
            return
        access, enabled = self._access, settings.preflight.enabled
        # What a topic brings comes when the job runs: nothing of it can be read before.
        streams = config.streaming and "S3DataSource" not in config.data_source
        data = {self.output.arn: None} if streams else access.buckets
        images = () if streams else (*(use.arn for use in config.buckets), *config.named_buckets)
        needs = PreflightNeeds(
            read=self._read_by_preflight(files, streams=streams),
            buckets=(*data, *access.asset_buckets) if enabled else (),
            image_buckets=images if enabled else (),
            keys={**access.keys, **access.input_keys},
            output=self.output,
            output_prefix=settings.output_prefix,
            bucket_encrypts=settings.encryption_key is None,
            names_images=config.images["Source"] == contract.SOURCE_MANIFEST,
            role_arn=role_arn,
            workteam_arn=settings.workteam.workteam_arn,
            user_pools=f"arn:{shared.partition}:cognito-idp:{shared.region}:{shared.account}:userpool/*",
            skipped_checks=settings.preflight.skipped_checks,
        )
        allow(shared.handler, needs)

    def _read_by_preflight(self, files: set[str], *, streams: bool) -> dict[str, str]:
        """Objects' ARNs → why a wildcard in them is bounded."""
        read = {arn: why for arn, why in self._access.read.items() if not streams or arn in files}
        if not self._settings.preflight.enabled:
            # A ceiling needs the manifest alone.
            read = {arn: why for arn, why in read.items() if arn not in files and self.input is None}
        if self.input is None:
            return read
        # All that is staged in one line: one more for each job would soon be too many for the role.
        below = staged_objects(self.input)
        own = below.removesuffix("*")
        return {arn: why for arn, why in read.items() if not arn.startswith(own)} | {below: STAGED_WHY}

    def _role(self) -> iam.IRole:
        """The job's role; what it may do is this job's alone, for as long as the job lives.

        Named after all that makes the job another one, so that a replacement comes with permissions of its
        own beside the old job's, which CloudFormation takes away when it cleans up, after the old job.
        """
        shared, settings = self._shared, self._settings
        retained = settings.removal_policy is RemovalPolicy.RETAIN
        if settings.role is not None:
            policy = grant_to(
                self._scope,
                settings.role,
                self._access,
                shared,
                check=self._check,
                identity=self._identity(),
            )
            if retained:
                keep(policy, *([settings.role] if isinstance(settings.role, iam.Role) else []))
            self.waits[policy] = None
            return settings.role
        role = execution_role(self._scope, self._access, shared, identity=self._identity())
        if retained:
            keep(role)
        # The job waits for the role with whatever the app grants it later.
        self.waits[role] = None
        return role

    def _identity(self) -> str:
        """The same for as long as the handler keeps the job: a hash of what its `fingerprint` hashes."""
        request = {key: value for key, value in self.request.items() if key != "LabelCategoryConfigS3Uri"}
        request["HumanTaskConfig"] = {
            key: value for key, value in request["HumanTaskConfig"].items() if key != "UiConfig"
        }
        made_of = [self._settings.job_name_prefix, self.images, request, self.identity]
        text = json.dumps(self._shared.stack.resolve(made_of), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8].upper()


def _writes_beside(config: ImagesConfig) -> bool:
    """Whether a manifest that takes over labels lies beside the output, as the app's own is not ours."""
    is_manifest = config.images["Source"] == contract.SOURCE_MANIFEST
    return is_manifest and not config.streaming and not config.cut
