"""What is checked before a job is created, and what the handler has to be allowed for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Annotations, Duration
from aws_cdk import aws_kms as kms
from constructs import Construct

from ._rooms import findings
from .buckets import BucketUse
from .handler import Handler
from .iam_text import objects
from .validation import Checker

#: Below a job's output path; the handler writes nothing else there.
REPORTS: Final = "preflight"

_SECONDS_MAX: Final = 600
_MEMBERS_WHY: Final = (
    "A work team names its user pool at deploy time; whether anybody is in its group is asked, and nothing"
    " is kept."
)
_REPORT_WHY: Final = "What preflight found, beside the output: a job's name is made at deploy time."


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What `cdk deploy` reads and checks before it creates a job.

    Errors stop the deploy, all in one message; warnings are logged and reported.

    Args:
        enabled: False checks nothing at all: what is wrong shows when the job runs, or to the workers.
        skip: Names of checks to leave out, see docs/preflight.md; nor is the handler allowed to ask what they
            alone ask. Default: none.
        image_time: How long to look at images, up to 10 minutes; those looked at until then are a random
            sample. Default: 4 minutes.
    """

    enabled: bool = True
    skip: Sequence[str] = ()
    image_time: Duration | None = None

    def check(self, check: Checker) -> None:
        """Refuse what isn't a check.

        Raises:
            ValueError: an unknown name, or too long a time.
        """
        check.items("preflight.skip", self.skip)
        for name in self.skip:
            if name not in findings.CHECKS:
                check.fail("preflight.skip", "name checks of docs/preflight.md", name)
        name = "preflight.image_time"
        check.known(name, check.seconds(name, self.image_time, 1, _SECONDS_MAX))

    @property
    def skipped_checks(self) -> frozenset[str]:
        """Checks that nobody makes."""
        return frozenset(self.skip if self.enabled else findings.CHECKS)

    def properties(self) -> dict[str, Any]:
        """The contract's ``Preflight``, if there is to be one."""
        if not self.enabled:
            return {}
        found: dict[str, Any] = {}
        if self.skip:
            found["Skip"] = sorted(set(self.skip))
        if self.image_time is not None:
            found["Seconds"] = int(self.image_time.to_seconds())
        return {"Preflight": found}


@dataclass(frozen=True, kw_only=True)
class PreflightNeeds:
    """What a job's preflight reads and asks about."""

    #: Objects, as ARN → why a wildcard in it is bounded.
    read: Mapping[str, str]
    #: ARNs of all buckets that the job names, and of those among them that hold images.
    buckets: Collection[str]
    image_buckets: Collection[str]
    keys: Iterable[kms.IKey]
    output: BucketUse
    output_prefix: str
    #: Whether output is encrypted as its bucket says, which then is asked.
    bucket_encrypts: bool
    #: Whether somebody else has written the manifest, so that images that it names may be missing.
    names_images: bool
    role_arn: str
    workteam_arn: str
    #: This ARN stands for all user pools of the job's account and Region.
    user_pools: str
    #: Checks that nobody makes.
    skipped_checks: frozenset[str]

    def wants(self, *checks: str) -> bool:
        """Whether any of the checks is made."""
        return not self.skipped_checks.issuperset(checks)

    def asked_of_bucket(self, arn: str, *, is_of_images: bool) -> list[str]:
        """All that is asked of a bucket: in one list, as hundreds of buckets soon fill a role."""
        asked = ["s3:GetBucketCORS"] if is_of_images else []
        if arn in self.buckets:
            asked += ["s3:GetBucketLocation", *(["s3:GetBucketPolicy"] * self.wants("role-access"))]
        if is_of_images and self.names_images:
            # Without it S3 answers "denied" where an image is missing.
            asked.append("s3:ListBucket")
        return sorted(asked)


def warn(scope: Construct, found: findings.Findings) -> None:
    """Say at synth what a deploy would say as well, and not refuse."""
    if found.warnings():
        text = found.message("Preflight will warn:", "docs/preflight.md has all checks.")
        Annotations.of(scope).add_warning_v2("cdk-ground-truth:preflight", text)


def allow(handler: Handler, needs: PreflightNeeds) -> None:
    """Let the handler read what the job will, and ask about what it can't read; it writes a report alone."""
    for arn, why in needs.read.items():
        handler.allow_on("PreflightRead", arn, ["s3:GetObject"], why)
    images = dict.fromkeys(needs.image_buckets)
    for arn in {**dict.fromkeys(needs.buckets), **images}:
        handler.allow_on("PreflightBuckets", arn, needs.asked_of_bucket(arn, is_of_images=arn in images))
    reports = objects(needs.output.arn, f"{needs.output_prefix}/{REPORTS}/")
    handler.allow_on("PreflightReport", reports, ["s3:PutObject"], _REPORT_WHY)
    if needs.output.key is not None:
        handler.allow_key(needs.output.key)
    trust = ["iam:GetRole"] if needs.wants("role-trust") else []
    simulation = ["iam:SimulatePrincipalPolicy"] if needs.wants("role-access", "kms-key") else []
    handler.allow_on("PreflightRole", needs.role_arn, [*trust, *simulation])
    if needs.wants("workteam", "workteam-members"):
        handler.allow_on("PreflightTeam", needs.workteam_arn, ["sagemaker:DescribeWorkteam"])
    if needs.wants("workteam-members"):
        handler.allow_on("PreflightMembers", needs.user_pools, ["cognito-idp:ListUsersInGroup"], _MEMBERS_WHY)
    about_keys = ["kms:DescribeKey", "kms:GetKeyPolicy"] if needs.wants("kms-key") else []
    for key in needs.keys:
        key.grant(handler.role, "kms:Decrypt", *about_keys)
    if needs.wants("kms-key") and needs.bucket_encrypts:
        handler.allow_on("PreflightEncryption", needs.output.arn, ["s3:GetEncryptionConfiguration"])
