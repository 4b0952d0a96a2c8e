"""S3 as the job's own role sees it; each refusal becomes a reason that names object, role and permission."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .errors import JobFailure
from .rules import S3Location
from .types import AssumeRoleDenied, AwsAccess

_SESSION_SECONDS = 1_800  # half of what the role's credentials last
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
        self._client: Any = None
        self._since = 0.0

    def client(self) -> Any:
        """Return a client with the role's credentials.

        Raises:
            JobFailure: the role can't be assumed.
        """
        with self._lock:
            if self._client is None or time.monotonic() - self._since > _SESSION_SECONDS:
                self._client, self._since = self._new_client(), time.monotonic()
            return self._client

    def _new_client(self) -> Any:
        try:
            session = self._aws.session_for_role(self._role, self._region, self._account)
        except AssumeRoleDenied as error:
            raise JobFailure(
                f"ClientError: Ground Truth can't assume the role {self._role}. Make sure that it exists and "
                f"that its trust policy allows sagemaker.amazonaws.com to assume it. {error}"
            ) from error
        return session.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))

    def read(self, location: S3Location, what: str, *, limit: int) -> bytes:
        """Return a whole object of at most ``limit`` bytes."""
        with self.stream(location, what) as (body, length):
            if length > limit:
                raise JobFailure(
                    f"ClientError: The {what} {location} has {length} bytes, at most {limit} are allowed."
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
            return JobFailure(f"InternalServerError: Ground Truth couldn't {action}: {error}")
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        if code in _MISSING:
            missing = (
                f"bucket {location.bucket} doesn't exist"
                if code == "NoSuchBucket"
                else f"{location} doesn't exist"
            )
            return JobFailure(f"ClientError: Ground Truth couldn't {action}: {missing}. ({code}: {message})")
        if code in _DENIED:
            # S3 answers AccessDenied for the key's permission too, and says so only in its message.
            needed = key_permission if key_permission and "kms" in message.lower() else permission
            return JobFailure(
                f"ClientError: Access denied. The role {self._role} is not allowed to {action}: "
                f"it needs {needed}. ({code}: {message})"
            )
        return JobFailure(f"ClientError: The role {self._role} couldn't {action}. ({code}: {message})")
