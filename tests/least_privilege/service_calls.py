"""What the Developer Guide says that the service does with a job's role, and the embedded engine doesn't.

Each call is really made on the embedded AWS with the role's credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.least_privilege.deployed import RoleSession, denial

Call = Callable[[], Any]
Simulate = Callable[..., None]


def first_denial(
    session: RoleSession,
    simulate: Simulate,
    *,
    job: Mapping[str, Any],
    role_arn: str,
    image: str,
    topic_key: str,
) -> str:
    """Make all calls for a job; what the first one says that is refused, with its action.

    Args:
        session: With the job's role.
        simulate: (action, resource, **condition keys): raises unless IAM would let the role.
        job: The custom resource's properties.
        role_arn: The job's role.
        image: One of the job's images, if the embedded engine doesn't run such a job.
        topic_key: Encrypts the messages of the output topic.
    """
    for action, call in calls(
        session,
        simulate,
        request=job["Request"],
        images=job["Images"],
        role_arn=role_arn,
        image=image,
        topic_key=topic_key,
    ):
        try:
            call()
        except ClientError as error:
            why = denial(error)
            if why:
                return f"{action}: {why}"
    return ""


def calls(
    session: RoleSession,
    simulate: Simulate,
    *,
    request: Mapping[str, Any],
    images: Mapping[str, Any],
    role_arn: str,
    image: str,
    topic_key: str,
) -> Iterator[tuple[str, Call]]:
    """(action, call) of everything documented for such a job."""
    client = session.client
    yield from _logs(client("logs"), client("cloudwatch"))
    yield from _buckets(client("s3"), request, images)
    output_key = request["OutputConfig"].get("KmsKeyId")
    algorithms = request.get("LabelingJobAlgorithmsConfig")
    if output_key:
        yield from _key(client("kms"), simulate, output_key)
    if request["OutputConfig"].get("SnsTopicArn"):
        topic = request["OutputConfig"]["SnsTopicArn"]
        yield "sns:Publish", lambda: client("sns").publish(TopicArn=topic, Message="{}")
        # The embedded SNS asks nobody whether the publisher may use the topic's key.
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            yield action, partial(simulate, action, topic_key)
    source = request.get("InputConfig", {}).get("DataSource", {}).get("SnsDataSource")
    if source:
        yield from _queue(client("sqs"), simulate, source["SnsTopicArn"])
    if algorithms:
        yield from _training(client, simulate, algorithms["LabelingJobResourceConfig"], role_arn)
    if image:
        yield from _reads(client("s3"), [image, *_uris(request)])
    beside = images.get("StagingS3Uri", "") if images["Source"] == "Manifest" else ""
    if beside:
        # What the handler writes there when an update goes on from labels, once it has.
        bucket, _, prefix = beside.removeprefix("s3://").partition("/")
        manifest = f"arn:aws:s3:::{bucket}/{prefix}manifests/next.manifest"
        yield "s3:GetObject", lambda: simulate("s3:GetObject", manifest)


def _logs(logs: Any, metrics: Any) -> Iterator[tuple[str, Call]]:
    group = {"logGroupName": "/aws/sagemaker/LabelingJobs"}
    stream = {**group, "logStreamName": "stream"}
    yield "logs:CreateLogGroup", lambda: logs.create_log_group(**group)
    yield "logs:CreateLogStream", lambda: logs.create_log_stream(**stream)
    yield "logs:DescribeLogStreams", lambda: logs.describe_log_streams(**group)
    events = [{"timestamp": 1_700_000_000_000, "message": "x"}]
    yield "logs:PutLogEvents", lambda: logs.put_log_events(**stream, logEvents=events)
    data = [{"MetricName": "TotalDatasetObjectsLabeled", "Value": 1.0}]
    yield (
        "cloudwatch:PutMetricData",
        lambda: metrics.put_metric_data(Namespace="AWS/SageMaker", MetricData=data),
    )


def _buckets(s3: Any, request: Mapping[str, Any], images: Mapping[str, Any]) -> Iterator[tuple[str, Call]]:
    output, _, prefix = request["OutputConfig"]["S3OutputPath"].removeprefix("s3://").partition("/")
    job = f"{prefix}/{{}}/annotations/big.png"
    buckets = {output: None}
    for uri in (*images.values(), *_uris(request.get("InputConfig", {}))):
        if uri.startswith("s3://"):
            buckets[uri.removeprefix("s3://").partition("/")[0]] = None
    for bucket in buckets:
        if not bucket.startswith("cdk-"):
            yield "s3:ListBucket", partial(s3.list_objects_v2, Bucket=bucket, MaxKeys=1)
            yield "s3:GetBucketLocation", partial(s3.get_bucket_location, Bucket=bucket)
    name = request["LabelAttributeName"].removesuffix("-ref") + "-0123abcd-89abcdef"
    place = {"Bucket": output, "Key": job.format(name)}
    yield "s3:PutObject", lambda: s3.put_object(**place, Body=b"x")
    yield "s3:GetObject", lambda: s3.get_object(**place)

    def abort() -> None:
        upload = s3.create_multipart_upload(**place)["UploadId"]
        s3.abort_multipart_upload(**place, UploadId=upload)

    yield "s3:AbortMultipartUpload", abort


def _uris(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _uris(each)
    elif isinstance(value, str):
        yield value


def _reads(s3: Any, uris: list[str]) -> Iterator[tuple[str, Call]]:
    for uri in uris:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if uri.startswith("s3://") and "." in key:
            yield "s3:GetObject", partial(s3.get_object, Bucket=bucket, Key=key)
            yield "s3:GetBucketLocation", partial(s3.get_bucket_location, Bucket=bucket)
            if not bucket.startswith("cdk-"):
                yield "s3:ListBucket", partial(s3.list_objects_v2, Bucket=bucket, MaxKeys=1)


def _key(kms: Any, simulate: Simulate, key: str) -> Iterator[tuple[str, Call]]:
    yield "kms:DescribeKey", lambda: kms.describe_key(KeyId=key)
    yield "kms:GenerateDataKey", lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    plain = {"KeyId": key, "KeySpec": "AES_256"}
    yield "kms:GenerateDataKeyWithoutPlaintext", lambda: kms.generate_data_key_without_plaintext(**plain)
    cipher: dict[str, bytes] = {}
    yield "kms:Encrypt", lambda: cipher.update(x=kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
    yield "kms:Decrypt", lambda: kms.decrypt(CiphertextBlob=cipher["x"], KeyId=key)
    # The embedded AWS asks for kms:ReEncrypt, which isn't an action of AWS.
    for action in ("kms:ReEncryptFrom", "kms:ReEncryptTo"):
        yield action, partial(simulate, action, key)


def _queue(sqs: Any, simulate: Simulate, topic: str) -> Iterator[tuple[str, Call]]:
    name = "GroundTruth-leastprivilege"
    found: dict[str, str] = {}
    yield "sqs:CreateQueue", lambda: found.update(url=sqs.create_queue(QueueName=name)["QueueUrl"])
    yield "sqs:GetQueueUrl", lambda: sqs.get_queue_url(QueueName=name)
    attributes = ["QueueArn"]

    def arn() -> None:
        answer = sqs.get_queue_attributes(QueueUrl=found["url"], AttributeNames=attributes)
        found["arn"] = answer["Attributes"]["QueueArn"]

    yield "sqs:GetQueueAttributes", arn
    timeout = {"VisibilityTimeout": "30"}
    yield (
        "sqs:SetQueueAttributes",
        lambda: sqs.set_queue_attributes(QueueUrl=found["url"], Attributes=timeout),
    )
    # The embedded SNS doesn't tell its IAM sns:Protocol and sns:Endpoint.
    yield "sns:Subscribe", lambda: simulate("sns:Subscribe", topic, protocol="sqs", endpoint=found["arn"])
    # The embedded SNS asks for it on the topic, AWS on "*": it has no resource type.
    yield "sns:Unsubscribe", lambda: simulate("sns:Unsubscribe", "*")
    yield "sqs:SendMessage", lambda: sqs.send_message(QueueUrl=found["url"], MessageBody="{}")

    def receive() -> None:
        found["handle"] = sqs.receive_message(QueueUrl=found["url"], VisibilityTimeout=0)["Messages"][0][
            "ReceiptHandle"
        ]

    yield "sqs:ReceiveMessage", receive
    yield (
        "sqs:DeleteMessage",
        lambda: sqs.delete_message(QueueUrl=found["url"], ReceiptHandle=found["handle"]),
    )


def _training(
    client: Callable[[str], Any], simulate: Simulate, config: Mapping[str, Any], role: str
) -> Iterator[tuple[str, Call]]:
    key = config["VolumeKmsKeyId"]
    kms, ec2 = client("kms"), client("ec2")
    yield from _key(kms, simulate, key)
    # The embedded KMS doesn't tell its IAM for whom a grant is.
    yield "kms:CreateGrant", lambda: simulate("kms:CreateGrant", key, GrantIsForAWSResource="true")
    for name in ("dhcp_options", "network_interfaces", "security_groups", "subnets", "vpcs"):
        yield f"ec2:Describe{name.title().replace('_', '')}", getattr(ec2, f"describe_{name}")
    made: dict[str, str] = {}

    def create() -> None:
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
        made["id"] = interface["NetworkInterfaceId"]

    yield "ec2:CreateNetworkInterface", create
    permit = {"AwsAccountId": "111122223333", "Permission": "INSTANCE-ATTACH"}
    yield (
        "ec2:CreateNetworkInterfacePermission",
        lambda: made.update(
            permission=ec2.create_network_interface_permission(NetworkInterfaceId=made["id"], **permit)[
                "InterfacePermission"
            ]["NetworkInterfacePermissionId"]
        ),
    )
    yield (
        "ec2:DeleteNetworkInterfacePermission",
        lambda: ec2.delete_network_interface_permission(
            NetworkInterfacePermissionId=made.get("permission", "eni-perm-1")
        ),
    )
    yield "ec2:DeleteNetworkInterface", lambda: ec2.delete_network_interface(NetworkInterfaceId=made["id"])
    passed = {"PassedToService": "sagemaker.amazonaws.com"}
    yield "iam:PassRole", lambda: simulate("iam:PassRole", role, **passed)
