"""What a web page or a stranger's tool may not do."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from ground_truth_local import bodies
from ground_truth_local.guards import Guard
from ground_truth_local.session import GatewaySession


def ask(aws, method="GET", path="/_ministack/health", **headers):
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint_url).netloc, timeout=10)
    connection.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_own_pages_and_tools_are_served(aws) -> None:
    port = urlsplit(aws.endpoint_url).port
    assert ask(aws)[0] == 200
    assert ask(aws, Origin=f"http://127.0.0.1:{port}")[0] == 200
    assert ask(aws, Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"]
)
@pytest.mark.attack("a web page", "the embedded AWS")
def test_a_foreign_page_is_refused_in_plain_words(aws, origin: str) -> None:
    status, text = ask(aws, "POST", "/", Origin=origin, X_Amz_Target="SageMaker.CreateLabelingJob")
    assert status == 403
    assert "Origin" in text
    assert origin in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "bucket.localhost"])
@pytest.mark.attack("a web page", "the embedded AWS")
def test_a_foreign_host_is_refused(aws, host: str) -> None:
    status, text = ask(aws, Host=host)
    assert status == 403
    assert "Host" in text


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_ministack/config", "/_ministack/ses/messages", "/_aws/execute-api/x/y"]
)
@pytest.mark.attack("a web page", "the embedded AWS")
def test_administration_without_authentication_is_closed(aws, path: str) -> None:
    assert ask(aws, "POST", path)[0] == 403


def test_other_origins_can_be_let_in() -> None:
    guard = Guard(80, origins=["http://localhost:5173"])
    assert guard.refusal("/", {"host": "127.0.0.1:80", "origin": "http://localhost:5173"}) is None
    assert guard.refusal("/", {"host": "127.0.0.1:80", "origin": "http://localhost:5174"})


@pytest.mark.attack("a web page", "the embedded AWS")
def test_only_a_presigned_read_may_come_from_elsewhere(aws) -> None:
    aws.session().client("s3").create_bucket(Bucket="pages")
    query = (
        "/pages/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60"
        "&X-Amz-SignedHeaders=host&X-Amz-Signature=0&X-Amz-Credential=AKIA/20260101/us-east-1/s3/aws4_request"
    )
    for method in ("POST", "PUT", "DELETE"):
        assert "Origin" in ask(aws, method, query, Origin="https://evil.example")[1]
    # Let through, and refused by S3 for its signature.
    status, text = ask(aws, "GET", query, Origin="https://evil.example")
    assert status in (400, 403)
    assert "Origin" not in text


def test_only_loopback_listens(aws) -> None:
    port = urlsplit(aws.endpoint_url).port
    with socket.socket() as probe:
        # Were 0.0.0.0 taken, this bind would fail.
        probe.bind(("127.0.0.2", port))


@pytest.mark.parametrize("key", ["test", "111122223333", "000000000000", "AKIAUNKNOWN"])
@pytest.mark.attack("another user of the machine", "the embedded AWS")
def test_there_is_no_root(aws, key: str) -> None:
    session = GatewaySession(
        aws.endpoint_url, aws_access_key_id=key, aws_secret_access_key="test", region_name="us-east-1"
    )
    with pytest.raises(ClientError, match=r"invalid|InvalidAccessKeyId|does not exist"):
        session.client("iam").list_users()
    with pytest.raises(ClientError, match="invalid"):
        session.client("sagemaker").describe_labeling_job(LabelingJobName="j")


@pytest.mark.attack("another user of the machine", "the embedded AWS")
def test_a_wrong_secret_is_refused(aws) -> None:
    key = aws._credentials("administrator")[0]
    session = GatewaySession(
        aws.endpoint_url, aws_access_key_id=key, aws_secret_access_key="wrong", region_name="us-east-1"
    )
    for call in (
        lambda: session.client("s3").list_buckets(),
        lambda: session.client("sagemaker").describe_labeling_job(LabelingJobName="j"),
    ):
        with pytest.raises(ClientError, match="signature"):
            call()


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/x/y/z/w"}],
)
@pytest.mark.attack("another user of the machine", "the embedded AWS")
def test_unsigned_actions_are_refused(aws, headers) -> None:
    status, text = ask(aws, "POST", "/", X_Amz_Target="SageMaker.DescribeLabelingJob", **headers)
    assert status == 403
    assert json.loads(text)["__type"]


@pytest.mark.attack("another user of the machine", "the embedded AWS")
def test_unsigned_reads_of_objects_are_refused_and_presigned_ones_served(aws, admin) -> None:
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="private-pictures")
    s3.put_object(Bucket="private-pictures", Key="a.jpg", Body=b"picture")
    assert ask(aws, path="/private-pictures/a.jpg")[0] == 403
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "private-pictures", "Key": "a.jpg"})
    assert "X-Amz-Signature" in url
    assert ask(aws, path=url.removeprefix(aws.endpoint_url)) == (200, "picture")


def test_an_operation_that_is_not_embedded_says_so(admin) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        admin.client("sagemaker").list_models()


def test_browser_preflights_meet_the_buckets_own_cors(aws, admin) -> None:
    port = urlsplit(aws.endpoint_url).port
    own = f"http://localhost:{port}"
    s3 = admin.client("s3")
    s3.create_bucket(Bucket="with-cors")
    asked = {"Origin": own, "Access_Control_Request_Method": "GET"}
    assert ask(aws, "OPTIONS", "/with-cors/a.jpg", **asked)[0] == 403
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket="with-cors", CORSConfiguration={"CORSRules": [rule]})
    assert ask(aws, "OPTIONS", "/with-cors/a.jpg", **asked)[0] == 200


def test_boto3_finds_the_server_through_the_environment(aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    identity = boto3.session.Session().client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{aws.account}:user/deploy"


@pytest.mark.attack("another user of the machine", "the embedded AWS")
@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("PUT", "/a-bucket-of-nobodys", ""),
        ("PUT", "/a-bucket-of-nobodys/key", ""),
        ("GET", "/", ""),
        ("POST", "/", "AmazonEC2ContainerServiceV20141113.ListClusters"),
        ("POST", "/", "AmazonSSM.DescribeParameters"),
        ("POST", "/?Action=ListUsers", ""),
        ("GET", "/v2/", ""),
        ("GET", "/v2/_catalog", ""),
        ("GET", "/latest/meta-data/", ""),
        ("PUT", "/latest/api/token", ""),
        ("GET", "/v3/metadata", ""),
        ("GET", "/v4/metadata", ""),
        ("GET", "/2015-03-31/functions", ""),
        ("GET", "/oauth2/authorize", ""),
    ],
)
def test_nothing_answers_who_does_not_sign(aws, method: str, path: str, target: str) -> None:
    headers = {"X_Amz_Target": target} if target else {}
    assert ask(aws, method, path, **headers)[0] == 403
    made_up = "AWS4-HMAC-SHA256 Credential=AKIAMADEUP/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host"
    status, text = ask(aws, method, path, Authorization=f"{made_up}, Signature={'0' * 64}", **headers)
    assert status in (400, 403, 404), text


@pytest.mark.attack("a web page", "the embedded AWS")
@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Signature=x",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x&X-Amz-Credential=AKIA/1/us-east-1/s3/aws4_request",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=00&X-Amz-Credential=AKIA/20260101/us-east-1/lambda/aws4_request",
    ],
)
def test_made_up_presigned_parameters_do_not_open_the_door_to_other_pages(aws, query: str) -> None:
    aws.session().client("s3").create_bucket(Bucket="origins")
    for path in ("/origins/a", "/2015-03-31/functions", "/latest/meta-data/"):
        status, text = ask(aws, "GET", f"{path}?{query}", Origin="https://evil.example")
        assert (status, "Origin" in text) == (403, True)


def test_a_body_that_was_not_signed_is_refused(aws) -> None:
    client = aws.session().client("s3")
    client.create_bucket(Bucket="signed-bodies")

    def another_body(request, **kwargs) -> None:
        request.body = b"swapped"

    client.meta.events.register("before-send.s3.PutObject", another_body)
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket="signed-bodies", Key="a", Body=b"honest!", ChecksumAlgorithm="SHA256")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    assert "Contents" not in aws.session().client("s3").list_objects_v2(Bucket="signed-bodies")


def test_a_body_is_whole_signed_and_in_time() -> None:
    async def body(*parts, sha256="", patience=5.0):
        messages = [
            {"type": "http.request", "body": part, "more_body": number + 1 < len(parts)}
            for number, part in enumerate(parts)
        ]

        async def receive():
            if messages:
                return messages.pop(0)
            await asyncio.sleep(60)

        again = await bodies.read(receive, {"x-amz-content-sha256": sha256}, patience)
        return (await again())["body"]

    def run(coroutine):
        # In a thread: another test's browser may have left a loop running in this one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    right = hashlib.sha256(b"honest").hexdigest()
    assert run(body(b"hon", b"est", sha256=right)) == b"honest"
    assert run(body(b"anything", sha256="UNSIGNED-PAYLOAD")) == b"anything"
    with pytest.raises(bodies.BadBody) as caught:
        run(body(b"swapped", sha256=right))
    assert caught.value.code == "XAmzContentSHA256Mismatch"
    with pytest.raises(bodies.BadBody) as caught:
        run(body(patience=0.01))
    assert caught.value.code == "RequestTimeout"
