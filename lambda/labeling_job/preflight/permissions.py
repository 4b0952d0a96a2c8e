"""What the job's own role may do, asked of IAM.

The handler can't become the role: that would take a trust policy which hands it all that the role may. It
asks IAM to simulate the role's policies instead, boundary and organization included. What a simulation of a
role can't take in is a bucket's or key's policy: where the role's own don't allow, that one is searched for
an Allow that names the role.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from ..errors import DENIED_CODES, code_of, document_of, part_of, said
from ..rules.places import Place
from ..transport import AWS_ERRORS
from .inspection import Inspection
from .plan import Plan

_DIRECTORIES_PER_BUCKET = 20
_READ = ("s3:GetObject",)
_WRITE = ("s3:PutObject", "s3:GetObject")
_FIND = ("s3:GetBucketLocation",)
# The guide asks for it on buckets of data; of the buckets of files only the Region matters.
_LIST = ("s3:ListBucket",)
# Over plain http nobody reads from S3, and the service doesn't either.
_CONTEXT = [
    {"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}
]
_SERVICE = "sagemaker.amazonaws.com"
_DENIALS = {"explicitDeny": "a policy denies it", "implicitDeny": "no policy allows it"}


class RolePermissions:
    """The role of one plan, against the resources that the plan names."""

    def __init__(self, inspection: Inspection) -> None:
        self._inspection, self._plan = inspection, inspection.plan
        self._client, self._findings = inspection.client, inspection.findings
        self._reader = inspection.reader
        self._partition = self._plan.role_arn.partition("arn:")[2].partition(":")[0] or "aws"

    def check_trust(self) -> None:
        """SageMaker may assume the role."""
        name = self._plan.role_arn.rsplit("/", 1)[-1]
        try:
            role = self._reader.settled(lambda: self._client("iam").get_role(RoleName=name))
            document = part_of(role, "Role", "AssumeRolePolicyDocument")
        except AWS_ERRORS as error:
            if code_of(error) == "NoSuchEntity" and self._reader.wait():
                self.check_trust()
            elif code_of(error) == "NoSuchEntity":
                self._findings.error("role-trust", "the job's role must exist", self._plan.role_arn)
            else:
                self._findings.warn("role-trust", "not checked", said(error))
            return
        if not any(_trusts(statement) for statement in _statements(document)):
            rule = f"the role's trust policy must let {_SERVICE} assume it (sts:AssumeRole); add it"
            self._findings.error("role-trust", rule, self._plan.role_arn)

    def check_buckets(self, images: Iterable[tuple[int, Place]], buckets: Container[str]) -> None:
        """The role may read the input and write the output, as far as it is in these buckets."""
        near = (each for each in images if each[1].bucket in buckets)
        for bucket, actions in _wanted(self._plan, near, self._inspection.job_name).items():
            policy = self._bucket_policy(bucket)
            for action, keys in actions.items():
                arns = [self._arn(bucket, key) for key in keys]
                for arn, why in self._denied(action, arns, "role-access"):
                    self._judge(action, arn, why, policy, "role-access")

    def check_keys(self, image_buckets: Container[str]) -> None:
        """The role may use the keys that encrypt input and output."""
        met = self._reader.keys
        wanted: dict[str, tuple[str, ...]] = dict.fromkeys(sorted(met), ("kms:Decrypt",))
        # The job's files are in the bucket that the CDK publishes to; the handler may not ask about its key.
        published = {key for key, buckets in met.items() if not any(b in image_buckets for b in buckets)}
        if key := self._plan.output_key or self._default_key():
            wanted[key] = ("kms:GenerateDataKey", "kms:Decrypt")
            published.discard(key)
        for key, actions in wanted.items():
            arn = self._usable_key(key, is_published=key in published)
            policy = self._key_policy(arn) if arn else None
            for action in actions if arn else ():
                for _, why in self._denied(action, [arn], "kms-key"):
                    self._judge(action, arn, why, policy, "kms-key")

    def _denied(self, action: str, arns: list[str], check: str) -> list[tuple[str, str]]:
        """The resources on which the role may not do it, and IAM's decision.

        A policy made seconds ago may not be known to the simulation yet.
        """
        while True:
            denied = list(self._asked(action, arns, check))
            if not denied or not self._reader.wait():
                return denied

    def _asked(self, action: str, arns: list[str], check: str) -> Iterator[tuple[str, str]]:
        """Ask until all resources are answered: a simulation may answer one at a time."""
        pending = list(arns)
        while pending:
            try:
                answer = self._reader.settled(partial(self._simulate, action, pending))
                answered = dict(_decisions(answer))
            except AWS_ERRORS as error:
                self._findings.warn(check, "not checked, as IAM didn't simulate the role", said(error))
                return
            yield from ((arn, answered[arn]) for arn in pending if answered.get(arn, "allowed") != "allowed")
            rest = [arn for arn in pending if arn not in answered]
            pending = rest if len(rest) < len(pending) else []

    def _simulate(self, action: str, arns: list[str]) -> Any:
        return self._client("iam").simulate_principal_policy(
            PolicySourceArn=self._plan.role_arn,
            ActionNames=[action],
            ResourceArns=arns,
            ContextEntries=_CONTEXT,
        )

    def _judge(self, action: str, arn: str, why: str, policy: object, check: str) -> None:
        rule = f"the job's role must be allowed {action}; add it to {self._plan.role_arn}"
        got = f"{arn}: {_DENIALS.get(why, why)}"
        if why == "implicitDeny" and (policy is None or self._may_allow(policy)):
            self._findings.warn(check, f"the resource's policy alone may allow the role {action}", got)
            return
        if why == "unknown":
            self._findings.warn(
                check, f"whether the role may {action} depends on what IAM can't simulate", got
            )
            return
        self._findings.error(check, rule, got)

    def _may_allow(self, document: object) -> bool:
        named = {"*", self._plan.role_arn}
        return any(
            statement.get("Effect") == "Allow" and not named.isdisjoint(_principals(statement))
            for statement in _statements(document)
        )

    def _bucket_policy(self, bucket: str) -> object:
        return self._policy(lambda: self._client("s3").get_bucket_policy(Bucket=bucket))

    def _key_policy(self, arn: str) -> object:
        return self._policy(lambda: self._client("kms").get_key_policy(KeyId=arn, PolicyName="default"))

    def _policy(self, ask: Callable[[], Any]) -> object:
        """A resource's policy; ``{}`` if there is none, None if it can't be read."""
        try:
            return document_of(part_of(self._reader.settled(ask), "Policy"))
        except AWS_ERRORS as error:
            return {} if code_of(error) == "NoSuchBucketPolicy" else None

    def _usable_key(self, key: str, *, is_published: bool) -> str:
        """The key's ARN if permissions matter for it: AWS's own keys are open to whoever may use S3."""

        def ask() -> Any:
            return self._client("kms").describe_key(KeyId=key)

        try:
            # A denial of the published files' key doesn't pass: nobody granted it.
            answer = ask() if is_published else self._reader.settled(ask)
            about = part_of(answer, "KeyMetadata")
            aws_owned = about.get("KeyManager") == "AWS"
            arn = "" if aws_owned else str(part_of(about, "Arn"))
        except AWS_ERRORS as error:
            if code_of(error) == "NotFoundException":
                self._findings.error("kms-key", "the key must exist in the job's account and Region", key)
            elif not (is_published and code_of(error) in DENIED_CODES):
                self._findings.warn("kms-key", "not checked", f"{key}: {said(error)}")
            return ""
        if aws_owned:
            return ""
        if about.get("KeyState", "Enabled") != "Enabled":
            self._findings.error("kms-key", "the key must be enabled", f"{key} is {about['KeyState']}")
            return ""
        if arn.split(":")[3] != self._plan.region:
            rule = f"the key must be in the job's Region, {self._plan.region}"
            self._findings.error("kms-key", rule, arn)
            return ""
        return arn

    def _default_key(self) -> str:
        """The key with which the output bucket encrypts what is written to it."""
        if self._plan.output is None:
            return ""
        try:
            bucket = self._plan.output.bucket
            answer = self._reader.settled(lambda: self._client("s3").get_bucket_encryption(Bucket=bucket))
            rule = part_of(answer, "ServerSideEncryptionConfiguration", "Rules", 0)
            return str(part_of(rule, "ApplyServerSideEncryptionByDefault").get("KMSMasterKeyID", ""))
        except AWS_ERRORS:
            return ""

    def _arn(self, bucket: str, key: str) -> str:
        return f"arn:{self._partition}:s3:::{bucket}{'/' if key else ''}{key}"


def _wanted(
    plan: Plan, images: Iterable[tuple[int, Place]], job_name: str
) -> dict[str, dict[str, list[str]]]:
    """Bucket → action → keys; of images one of each directory, as policies go by prefix."""
    wanted: dict[str, dict[str, list[str]]] = {}

    def want(bucket: str, actions: tuple[str, ...], keys: Iterable[str]) -> None:
        for action in actions:
            known = wanted.setdefault(bucket, {}).setdefault(action, [])
            known.extend(key for key in keys if key not in known)

    for place in filter(None, (plan.manifest, plan.categories, plan.template)):
        want(place.bucket, _READ, [place.key])
    images_by_bucket = _one_of_each_directory(images)
    for bucket, keys in images_by_bucket.items():
        want(bucket, _READ, keys)
    if plan.output is not None:
        prefix = plan.output.key.rstrip("/")
        manifest = f"{job_name}/manifests/output/output.manifest"
        want(plan.output.bucket, _WRITE, [f"{prefix}/{manifest}" if prefix else manifest])
    for bucket in list(wanted):
        want(bucket, _FIND, [""])
    for bucket in {*images_by_bucket, *([plan.output.bucket] if plan.output else [])}:
        want(bucket, _LIST, [""])
    return wanted


def _one_of_each_directory(images: Iterable[tuple[int, Place]]) -> dict[str, list[str]]:
    first: dict[str, dict[str, str]] = {}
    for _, place in images:
        # A policy's wildcard takes any character, but not every simulation of it a line break.
        key = place.key
        if not key.isprintable():
            key = "".join(character if character.isprintable() else "?" for character in key)
        first.setdefault(place.bucket, {}).setdefault(key.rpartition("/")[0], key)
    chosen = {}
    for bucket, directories in first.items():
        keys = list(directories.values())
        step = -(-len(keys) // _DIRECTORIES_PER_BUCKET)
        chosen[bucket] = keys[::step]
    return chosen


def _decisions(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for result in part_of(answer, "EvaluationResults"):
        specific = result.get("ResourceSpecificResults", [])
        for each in specific:
            yield each["EvalResourceName"], _decision(each, each["EvalResourceDecision"])
        if not specific:
            yield result["EvalResourceName"], _decision(result, result["EvalDecision"])


def _decision(result: Mapping[str, Any], decision: str) -> str:
    """A refusal for want of context, such as the endpoint's, isn't one yet."""
    unknown = decision == "implicitDeny" and result.get("MissingContextValues")
    return "unknown" if unknown else decision


def _trusts(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = principal.get("Service", ()) if isinstance(principal, Mapping) else ()
    actions = _list(statement.get("Action"))
    return (
        statement.get("Effect") == "Allow"
        and _SERVICE in _list(services)
        and any(action in ("sts:AssumeRole", "sts:*", "*") for action in actions)
    )


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    return _list(principal.get("AWS")) if isinstance(principal, Mapping) else _list(principal)


def _statements(document: object) -> list[Mapping[str, Any]]:
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    listed = [statements] if isinstance(statements, Mapping) else statements
    return [statement for statement in listed if isinstance(statement, Mapping)]


def _list(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]
