"""The AWS around the service, in memory: S3 with roles, keys, CORS and Regions, and what it was told."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from ..service.types import AssumeRoleDenied

CORS = [
    {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["Access-Control-Allow-Origin"]}
]


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Bucket:
    """A bucket and what it holds."""

    region: str
    cors: list[dict[str, Any]] = field(default_factory=lambda: copy.deepcopy(CORS))
    objects: dict[str, bytes] = field(default_factory=dict)
    puts: dict[str, dict[str, Any]] = field(default_factory=dict)


class S3Client:
    """The few operations the service uses, refused where the role's denials say so."""

    def __init__(self, aws: MemoryAws) -> None:
        self._aws = aws

    def _bucket(self, name: str, operation: str) -> Bucket:
        if name not in self._aws.buckets:
            raise _error("NoSuchBucket", "The specified bucket does not exist", operation)
        return self._aws.buckets[name]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """Read an object."""
        bucket = self._bucket(Bucket, "GetObject")
        self._aws.check("s3:GetObject", f"{Bucket}/{Key}", "GetObject")
        self._aws.check("kms:Decrypt", f"{Bucket}/{Key}", "GetObject")
        if Key not in bucket.objects:
            raise _error("NoSuchKey", "The specified key does not exist.", "GetObject")
        data = bucket.objects[Key]
        return {"Body": io.BytesIO(data), "ContentLength": len(data)}

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **options: Any) -> None:
        """Write an object."""
        bucket = self._bucket(Bucket, "PutObject")
        self._aws.check("s3:PutObject", f"{Bucket}/{Key}", "PutObject")
        if "SSEKMSKeyId" in options:
            self._aws.check("kms:GenerateDataKey", options["SSEKMSKeyId"], "PutObject")
        bucket.objects[Key] = Body if isinstance(Body, bytes) else Body.read()
        bucket.puts[Key] = options

    def get_bucket_location(self, *, Bucket: str) -> dict[str, Any]:
        """Tell the Region."""
        bucket = self._bucket(Bucket, "GetBucketLocation")
        self._aws.check("s3:GetBucketLocation", Bucket, "GetBucketLocation")
        return {"LocationConstraint": None if bucket.region == "us-east-1" else bucket.region}

    def generate_presigned_url(self, operation: str, *, Params: dict[str, str], ExpiresIn: int) -> str:
        """Give an address that nobody can load."""
        return f"http://127.0.0.1:1/{Params['Bucket']}/{Params['Key']}?X-Amz-Expires={ExpiresIn}"


class OtherClient:
    """Metrics, logs and topics, as far as the service uses them."""

    def __init__(self, aws: MemoryAws) -> None:
        self._aws = aws

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        """Keep metrics."""
        self._aws.check("cloudwatch:PutMetricData", Namespace, "PutMetricData")
        self._aws.metrics += [(Namespace, metric) for metric in MetricData]

    def create_log_group(self, *, logGroupName: str) -> None:
        """Make nothing: a group is there when it is written to."""
        self._aws.check("logs:CreateLogGroup", logGroupName, "CreateLogGroup")

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:
        """Make nothing."""
        self._aws.check("logs:CreateLogStream", logGroupName, "CreateLogStream")

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> None:
        """Keep log lines."""
        self._aws.check("logs:PutLogEvents", logGroupName, "PutLogEvents")
        self._aws.logs += [(logGroupName, logStreamName, event["message"]) for event in logEvents]

    def publish(self, *, TopicArn: str, Message: str, Subject: str) -> None:
        """Keep a message."""
        self._aws.check("sns:Publish", TopicArn, "Publish")
        self._aws.published.append((TopicArn, Message))


class _Session:
    def __init__(self, aws: MemoryAws) -> None:
        self._aws = aws

    def client(self, service: str, **_: Any) -> Any:
        return S3Client(self._aws) if service == "s3" else OtherClient(self._aws)


class MemoryAws:
    """Implements ``AwsAccess`` without any AWS.

    Args:
        region: of the buckets ``input`` and ``output``, which are there.
        roles: the roles that the service may assume.

    Attributes:
        denied: pairs of an action and a part of the resource that no role may use it on.
    """

    def __init__(self, region: str, *roles: str) -> None:
        self.endpoint_url = "http://127.0.0.1:1"
        self.buckets = {"input": Bucket(region), "output": Bucket(region, cors=[])}
        self.denied: set[tuple[str, str]] = set()
        self.roles = set(roles)
        self.assumed: list[tuple[str, str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.published: list[tuple[str, str]] = []
        self.metrics: list[tuple[str, dict[str, Any]]] = []
        self.logs: list[tuple[str, str, str]] = []

    def check(self, permission: str, resource: str, operation: str) -> None:
        """Refuse what is denied."""
        if any(permission == action and part in resource for action, part in set(self.denied)):
            message = f"User is not authorized to perform: {permission} on {resource}"
            raise _error("AccessDenied", message, operation)

    def session_for_role(self, role_arn: str, region: str, account: str) -> Any:
        """Return a session with the role's rights."""
        if role_arn not in self.roles:
            raise AssumeRoleDenied(f"{role_arn} is not there")
        self.assumed.append((role_arn, region, account))
        return _Session(self)

    def bucket_cors(self, bucket: str, account: str, region: str) -> list[dict[str, Any]]:
        """Return a bucket's CORS rules."""
        return self.buckets[bucket].cors

    def put_event(self, **event: Any) -> None:
        """Keep an event."""
        self.events.append(event)

    def put(self, uri: str, body: bytes | str) -> None:
        """Put an object by its URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.buckets[bucket].objects[key] = body.encode() if isinstance(body, str) else body

    def get(self, uri: str) -> bytes:
        """Return an object by its URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.buckets[bucket].objects[key]

    def keys(self, bucket: str, part: str = "") -> list[str]:
        """Return the keys that have a part, sorted."""
        return sorted(key for key in list(self.buckets[bucket].objects) if part in key)
