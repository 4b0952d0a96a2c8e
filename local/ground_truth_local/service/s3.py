"""S3 as the job's own role sees it; each refusal becomes a reason that names object, role and permission."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..sources import Rule, assumed, guide, reference
from .errors import INTERNAL, JobFailure
from .rules import S3Location
from .types import AssumeRoleDenied, AwsAccess

ASSUMED_ROLE = Rule(
    "role-assumed",
    "All that the service reads and writes, it reads and writes as the job's role.",
    guide("sms-security-permission-execution-role"),
)
FILE_SIZE = Rule("file-size", "An image has at most 40 MB.", guide("input-data-limits"))
MISSING = Rule("file-missing", "A file that isn't there ends what needs it.", reference("S3: NoSuchKey"))
DENIED = Rule(
    "file-denied",
    "What the role may not do, the job can't: read, write, and use the key.",
    guide("sms-security-permission-execution-role"),
)
OTHER_S3 = Rule(
    "s3-error", "Another refusal of S3's ends what needs the file.", assumed("it is not retried for ever")
)

_SESSION_SECONDS = 1_800  # half of what the role's credentials last
_CONFIGS = {
    "s3": Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        # Nothing is lost on the way within a process, so nobody takes sums of what is sent.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
}
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "AccessDeniedException"})
_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})


class RoleS3:
    """S3 with the permissions of a role; its credentials are renewed as they age."""

    def __init__(self, aws: AwsAccess, *, role: str, account: str, region: str) -> None:
        self._aws = aws
        self._role = role
        self._account = account
        self._region = region
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._since = 0.0

    def client(self, service: str = "s3") -> Any:
        """Return a client of a service with the role's credentials.

        Raises:
            JobFailure: the role can't be assumed.
        """
        with self._lock:
            if self._session is None or time.monotonic() - self._since > _SESSION_SECONDS:
                self._session, self._since = self._new_session(), time.monotonic()
                self._clients = {}
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=_CONFIGS.get(service))
            return self._clients[service]

    def _new_session(self) -> Any:
        try:
            return self._aws.session_for_role(self._role, self._region, self._account)
        except AssumeRoleDenied as error:
            raise JobFailure(
                ASSUMED_ROLE,
                f"ClientError: Ground Truth can't assume the role {self._role}. Make sure that it exists and "
                f"that its trust policy allows sagemaker.amazonaws.com to assume it. {error}",
            ) from error

    def read(self, location: S3Location, what: str, *, limit: int) -> bytes:
        """Return a whole object of at most ``limit`` bytes."""
        with self.stream(location, what) as (body, length):
            if length > limit:
                raise JobFailure(
                    FILE_SIZE,
                    f"ClientError: The {what} {location} has {length} bytes, at most {limit} are allowed.",
                )
            data: bytes = body.read()
            return data

    @contextmanager
    def stream(self, location: S3Location, what: str) -> Iterator[tuple[Any, int]]:
        """Open an object for reading; gives its body and length."""
        try:
            answer = self.client().get_object(Bucket=location.bucket, Key=location.key)
            body = answer["Body"]
            try:
                yield body, int(answer["ContentLength"])
            finally:
                body.close()
        except (ClientError, BotoCoreError) as error:
            raise self._failure(
                error, f"read the {what} {location}", "s3:GetObject", "kms:Decrypt", location
            ) from error

    def write(
        self,
        location: S3Location,
        body: bytes | IO[bytes],
        what: str,
        *,
        kms_key: str | None,
        content_type: str,
    ) -> None:
        """Write an object, encrypted with the key if there is one."""
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        try:
            self.client().put_object(
                Bucket=location.bucket, Key=location.key, Body=body, ContentType=content_type, **encryption
            )
        except (ClientError, BotoCoreError) as error:
            raise self._failure(
                error, f"write the {what} {location}", "s3:PutObject", "kms:GenerateDataKey", location
            ) from error

    def bucket_region(self, bucket: str) -> str:
        """Return the Region of a bucket; takes ``s3:GetBucketLocation``, which the guide asks of the role."""
        try:
            answer = self.client().get_bucket_location(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            where = S3Location(bucket, "")
            raise self._failure(
                error, f"get the location of the bucket {bucket}", "s3:GetBucketLocation", "", where
            ) from error
        location = answer.get("LocationConstraint") or "us-east-1"
        return "eu-west-1" if location == "EU" else str(location)

    def presign(self, location: S3Location, *, seconds: int) -> str:
        """Return a URL that lets a browser read the object with the role's permissions."""
        url: str = self.client().generate_presigned_url(
            "get_object", Params={"Bucket": location.bucket, "Key": location.key}, ExpiresIn=seconds
        )
        return url

    def _failure(
        self, error: Exception, action: str, permission: str, key_permission: str, location: S3Location
    ) -> JobFailure:
        if not isinstance(error, ClientError):
            return JobFailure(INTERNAL, f"InternalServerError: Ground Truth couldn't {action}.")
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        if code in _MISSING:
            missing = (
                f"bucket {location.bucket} doesn't exist"
                if code == "NoSuchBucket"
                else f"{location} doesn't exist"
            )
            return JobFailure(
                MISSING, f"ClientError: Ground Truth couldn't {action}: {missing}. ({code}: {message})"
            )
        if code in _DENIED:
            # S3 answers AccessDenied for the key's permission too, and says so only in its message.
            needed = key_permission if key_permission and "kms" in message.lower() else permission
            return JobFailure(
                DENIED,
                f"ClientError: Access denied. The role {self._role} is not allowed to {action}: "
                f"it needs {needed}. ({code}: {message})",
            )
        return JobFailure(
            OTHER_S3, f"ClientError: The role {self._role} couldn't {action}. ({code}: {message})"
        )
