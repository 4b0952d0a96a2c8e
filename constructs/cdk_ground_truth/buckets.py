"""Buckets: those made here, shared by all jobs of a stack, and those that a user brings."""

from __future__ import annotations

from dataclasses import dataclass, field

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IDependable

from .hardening import Hardening
from .iam_text import check_key, check_name
from .nag import acknowledge
from .validation import Checker, is_token

#: Ids of the stack's own buckets.
INPUT, OUTPUT = "InputBucket", "OutputBucket"
# Parts of an upload that was never finished cost as much as objects, and no listing shows them.
_UNFINISHED = Duration.days(7)
# Long enough to look at what a job was made of, after the next one has staged other files.
_REPLACED = Duration.days(90)
CORS_WARNING_ID = "cdk-ground-truth:image-bucket-cors"
_EXPOSED_HEADER = "Access-Control-Allow-Origin"
_CORS_RULES = (
    '{"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"],'
    f' "ExposeHeaders": ["{_EXPOSED_HEADER}"]}}]}}'
)
# Buckets of the app that already got the rule, whichever stack's job was first.
_OPENED: set[s3.Bucket] = set()


@dataclass(frozen=True, kw_only=True)
class BucketUse:
    """A bucket with what a job needs of it, asked of the jsii kernel once."""

    bucket: s3.IBucket
    name: str
    arn: str
    key: kms.IKey | None
    #: What has to be there before a job uses the bucket.
    dependables: tuple[IDependable, ...] = field(default=())


class Buckets:
    """The buckets of one stack's jobs."""

    def __init__(self, scope: Construct, hardening: Hardening) -> None:
        self._scope = scope
        self._hardening = hardening
        self._uses: dict[s3.IBucket, BucketUse] = {}
        self._made: dict[tuple[str, kms.IKey | None], s3.Bucket] = {}

    def created(self, construct_id: str, key: kms.IKey | None) -> BucketUse:
        """The stack's own bucket of that id and key, made when a job first needs it."""
        if (construct_id, key) not in self._made:
            bucket = _bucket(self._scope, construct_id, key, self._hardening)
            # What is staged can be staged again; of labels also a version that isn't the latest may be the
            # one that was paid for.
            expires = construct_id == INPUT
            bucket.add_lifecycle_rule(
                abort_incomplete_multipart_upload_after=_UNFINISHED,
                noncurrent_version_expiration=_REPLACED if expires else None,
            )
            self._made[construct_id, key] = bucket
        return self.use(self._made[construct_id, key])

    def use(self, bucket: s3.IBucket) -> BucketUse:
        """What a job needs to know of a bucket."""
        if bucket not in self._uses:
            policy, name, arn, key = (
                bucket.policy,
                bucket.bucket_name,
                bucket.bucket_arn,
                bucket.encryption_key,
            )
            check = Checker(bucket.node.path)
            check_name(check, "bucket", name, arn)
            check_key(check, "encryption_key", key)
            self._uses[bucket] = BucketUse(
                bucket=bucket,
                name=name,
                arn=arn,
                key=key,
                # The whole bucket is no dependency: below it are its notifications, which may need the job.
                dependables=(policy,) if policy is not None else (),
            )
        return self._uses[bucket]

    def open_to_browsers(self, job: Construct, use: BucketUse) -> None:
        """Let workers' browsers read images: set CORS where it can be set, warn where it can't."""
        if use.bucket in self._made.values():
            return
        if not isinstance(use.bucket, s3.Bucket):
            warn_about_cors(job, use.name)
        elif use.bucket not in _OPENED:
            # This works beside rules of its own: S3 takes the first that fits.
            _OPENED.add(use.bucket)
            use.bucket.add_cors_rule(
                allowed_methods=[s3.HttpMethods.GET], allowed_origins=["*"], exposed_headers=[_EXPOSED_HEADER]
            )


def warn_about_cors(job: Construct, bucket_name: str) -> None:
    """Say at synth time what would otherwise show as tasks that fail in the worker's browser."""
    bucket = "BUCKET" if is_token(bucket_name) else bucket_name
    Annotations.of(job).add_warning_v2(
        CORS_WARNING_ID,
        f"Workers' browsers load images from bucket {bucket}, whose CORS this stack can't set; without"
        f" it every task fails. Run: aws s3api put-bucket-cors --bucket {bucket} --cors-configuration"
        f" '{_CORS_RULES}'; then Annotations.of(job).acknowledge_warning({CORS_WARNING_ID!r}).",
    )


def _bucket(scope: Construct, construct_id: str, key: kms.IKey | None, hardening: Hardening) -> s3.Bucket:
    suffix = f"-{key.node.addr[-8:]}" if key is not None else ""
    bucket = s3.Bucket(
        scope,
        construct_id + suffix,
        encryption=s3.BucketEncryption.KMS if key is not None else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        bucket_key_enabled=True if key is not None else None,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        enforce_ssl=True,
        versioned=True,
        # Labels are paid for by the object: they outlive the stack.
        removal_policy=RemovalPolicy.RETAIN,
        cors=[
            s3.CorsRule(
                allowed_methods=[s3.HttpMethods.GET], allowed_origins=["*"], exposed_headers=[_EXPOSED_HEADER]
            )
        ],
        **hardening.bucket_options(construct_id + suffix),
    )
    if bucket.policy is not None:
        # The bucket that stays is to stay TLS-only.
        bucket.policy.apply_removal_policy(RemovalPolicy.RETAIN)
    acknowledge(
        bucket,
        {
            "AwsSolutions-S1": "Holds one stack's images or labels, private to the account. Where access logs"
            " are needed, pass an input_bucket and an output_bucket that write them."
        },
    )
    return bucket
