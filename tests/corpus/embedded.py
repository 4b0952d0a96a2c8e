"""Plays a `World` on the embedded AWS: real buckets, role, keys and team, under names of its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from tests.corpus.world import Bucket, World

_PREFIX = "corpus-"
TEAM = "corpus-team"
#: It has two people.
SMALL_TEAM = "corpus-two"
_UPLOADS = 8


def renamed(world: World, number: int) -> World:
    """The same world under other names of the same length."""
    prefix = f"c{number:05}-"
    old, new = _PREFIX.encode(), prefix.encode()
    text = json.dumps([world.request, world.statements, world.listed]).replace(_PREFIX, prefix)
    if world.teams:
        # There can be few teams: worlds share one, but for a team that isn't there.
        [members] = world.teams.values()
        text = text.replace(f"{prefix}team", TEAM if len(members) > 2 else SMALL_TEAM)
    request, statements, listed = json.loads(text)
    buckets = {
        name.replace(_PREFIX, prefix): replace(
            bucket, objects={key: body.replace(old, new) for key, body in bucket.objects.items()}
        )
        for name, bucket in world.buckets.items()
    }
    request["LabelingJobName"] = f"{prefix}job"
    return replace(world, request=request, statements=statements, listed=listed, buckets=buckets)


class Stage:
    """The embedded AWS with what worlds need; `client` makes the administrator's clients."""

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self._clients: dict[tuple[str, str], Any] = {}
        self._pool = ThreadPoolExecutor(_UPLOADS)
        #: The service's own book of jobs and objects.
        self.store = next(aws.state.root.rglob("ground-truth.sqlite"))
        aws.create_workteam(TEAM, ["ada", "grace", "katherine"])
        aws.create_workteam(SMALL_TEAM, ["ada", "grace"])

    def client(self, service: str, region: str = "") -> Any:
        key = (service, region or self.aws.region)
        if key not in self._clients:
            self._clients[key] = self.aws.session(region=key[1]).client(service)
        return self._clients[key]

    def play(self, world: World, *, images: bool = True) -> None:
        """Make what the world has; its many images only where they are to be looked at."""
        keys = {name: self._key(key.state) for name, key in world.keys.items()}
        for name, bucket in world.buckets.items():
            self._bucket(name, bucket, keys, images)
        if world.has_role:
            granted = [keys[name] for name, key in world.keys.items() if key.granted]
            self._role(world, granted)

    def _key(self, state: str) -> str:
        kms = self.client("kms")
        arn = kms.create_key()["KeyMetadata"]["Arn"]
        if state == "Disabled":
            kms.disable_key(KeyId=arn)
        return str(arn)

    def _bucket(self, name: str, bucket: Bucket, keys: dict[str, str], images: bool) -> None:
        s3 = self.client("s3", bucket.region)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": bucket.region})
        if bucket.cors is not None:
            s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": bucket.cors})

        def put(key: str) -> None:
            options = (
                {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": keys[bucket.encrypted[key]]}
                if (key in bucket.encrypted)
                else {}
            )
            # Nothing can be written with a disabled key: such an object is left out.
            with contextlib.suppress(ClientError) if options else contextlib.nullcontext():
                s3.put_object(Bucket=name, Key=key, Body=bucket.objects[key], **options)

        list(self._pool.map(put, (key for key in bucket.objects if images or not key.startswith("many/"))))

    def _role(self, world: World, keys: list[str]) -> None:
        iam, name = self.client("iam"), world.role_arn.rsplit("/", 1)[1]
        trust = {"Effect": "Allow", "Principal": {"Service": world.trusts}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
        use = [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": keys}] if keys else []
        iam.put_role_policy(
            RoleName=name, PolicyName="job", PolicyDocument=_document([*world.statements, *use])
        )


def fill(aws: Any, bucket: str, keys: Sequence[str], body: bytes) -> None:
    """Put the same small object under many keys, without what a client costs for each."""
    credentials = aws.session().get_credentials()

    def put(some: Sequence[str]) -> None:
        with contextlib.closing(HTTPConnection(urlsplit(aws.endpoint_url).netloc)) as connection:
            for key in some:
                request = AWSRequest("PUT", f"{aws.endpoint_url}/{bucket}/{key}", data=body)
                S3SigV4Auth(credentials, "s3", aws.region).add_auth(request)
                connection.request("PUT", f"/{bucket}/{key}", body, dict(request.headers))
                answer = connection.getresponse()
                assert answer.read() == b"" and answer.status == 200

    with ThreadPoolExecutor(_UPLOADS) as pool:
        list(pool.map(put, (keys[start::_UPLOADS] for start in range(_UPLOADS))))


def _document(statements: list[dict]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
