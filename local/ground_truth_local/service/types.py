"""What the gateway and the Ground Truth service say to each other.

The gateway (HTTP, identity, IAM) and the service (labeling jobs) meet only here, so that each can be tested
with a stand-in for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.config import Config


@dataclass(frozen=True, kw_only=True)
class Call:
    """One authenticated request to the SageMaker API."""

    operation: str
    body: dict[str, Any]
    account: str
    region: str
    principal_arn: str
    """The caller's ARN; an assumed role has its ``arn:aws:sts::…:assumed-role/…`` form."""
    access_key: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer in the JSON 1.1 protocol; an error carries ``__type`` and ``message``."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def error(cls, code: str, message: str, *, status: int = 400) -> Answer:
        """Answer with a service error, e.g. ``Answer.error("ResourceInUse", "…")``."""
        return cls(status=status, body={"__type": code, "message": message})


@dataclass(frozen=True, kw_only=True)
class Check:
    """One permission that the caller needs; the gateway refuses the call where IAM doesn't allow it."""

    action: str
    """Service prefix and action, e.g. ``sagemaker:CreateLabelingJob`` or ``iam:PassRole``."""
    resource_arn: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """Condition keys of this request: ``aws:RequestTag/<key>``, ``aws:TagKeys``, ``aws:ResourceTag/<key>``,
    ``iam:PassedToService`` and the service's own."""


class AssumeRoleDenied(Exception):
    """STS refused the role to ``sagemaker.amazonaws.com``: it doesn't exist or its trust says no."""


class Session(Protocol):
    """What of a boto3 session the service uses."""

    def client(self, service: str, config: Config | None = None) -> Any:
        """Return a client of a service."""
        ...


class AwsAccess(Protocol):
    """What the service may do with the AWS around it."""

    @property
    def endpoint_url(self) -> str:
        """The gateway's address, by the one host name that presigned URLs are signed for."""
        ...

    def session_for_role(self, role_arn: str, region: str, account: str) -> Session:
        """Return a session with the role's credentials, whose clients talk to the gateway.

        The role is assumed as ``sagemaker.amazonaws.com`` on behalf of ``account``, so its trust policy is
        evaluated with ``aws:SourceAccount``. Clients sign with SigV4 and need no ``endpoint_url``. Each call
        gives fresh credentials, good for one hour.

        Raises:
            AssumeRoleDenied: the role doesn't exist or its trust policy doesn't allow it.
        """
        ...

    def bucket_cors(self, bucket: str, account: str, region: str) -> list[dict[str, Any]]:
        """Return the bucket's CORS rules as ``GetBucketCors`` lists them, ``[]`` if it has none.

        Read with the embedded AWS's own rights, because a browser meets CORS without a role.
        """
        ...

    def put_event(
        self,
        *,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: Sequence[str],
        account: str,
        region: str,
    ) -> None:
        """Put a service event (``aws.sagemaker``) on the account's default event bus."""
        ...


class Service(Protocol):
    """A service the gateway serves; ``ground_truth_local.service.api.GroundTruthService`` is one.

    Its constructor is ``(state_dir: Path | None, aws: AwsAccess, *, clock=…, …)``; with ``None`` nothing is
    kept. ``AWS::SageMaker::Workteam`` in a template goes through ``handle`` as ``CreateWorkteam``,
    ``UpdateWorkteam`` and ``DeleteWorkteam``.
    """

    ACTIONS: frozenset[str]
    """The SageMaker operations it answers; all others are passed on."""

    def start(self) -> None:
        """Load the state and start the job engine; return at once."""
        ...

    def stop(self) -> None:
        """Stop the engine within a few seconds and persist the state."""
        ...

    def authorization(self, call: Call) -> list[Check]:
        """List the permissions the call needs; a malformed body is ``handle``'s to refuse."""
        ...

    def handle(self, call: Call) -> Answer:
        """Answer the call. Runs in a worker thread; several may run at once."""
        ...
