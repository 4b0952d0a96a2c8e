"""AWS as a `World` has it, with the calls that preflight makes."""

from __future__ import annotations

import fnmatch
import json
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests import s3
from tests.corpus.world import World


def error(operation: str, code: str, **headers: Any) -> ClientError:
    return s3.service_error(operation, code, code, **headers)


class FakeAws:
    """Call it with a service's name for the client."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read: list[tuple[str, str, int]] = []
        self.written: dict[tuple[str, str], bytes] = {}
        self.created: list[dict] = []
        self._clients = {
            "s3": S3(self),
            "iam": Iam(world),
            "kms": Kms(world),
            "sagemaker": SageMaker(self),
            "cognito-idp": Cognito(world),
        }

    def __call__(self, service: str):
        return self._clients[service]

    def allows(self, action: str, resource: str) -> str:
        matching = [
            statement["Effect"]
            for statement in self.world.statements
            if fnmatch.fnmatchcase(action, statement["Action"])
            and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        ]
        return "explicitDeny" if "Deny" in matching else "allowed" if matching else "implicitDeny"


class S3:
    def __init__(self, aws: FakeAws) -> None:
        self._aws, self._world = aws, aws.world

    def _bucket(self, name: str, operation: str):
        bucket = self._world.buckets.get(name)
        if bucket is None:
            raise error(operation, "NoSuchBucket")
        if bucket.region != self._world.region:
            raise error(operation, "PermanentRedirect", **{"x-amz-bucket-region": bucket.region})
        return bucket

    def get_bucket_location(self, Bucket: str) -> dict:
        if Bucket not in self._world.buckets:
            raise error("GetBucketLocation", "NoSuchBucket")
        return {"LocationConstraint": self._world.buckets[Bucket].region}

    def get_bucket_cors(self, Bucket: str) -> dict:
        rules = self._bucket(Bucket, "GetBucketCors").cors
        if rules is None:
            raise error("GetBucketCors", "NoSuchCORSConfiguration")
        return {"CORSRules": rules}

    def get_bucket_policy(self, Bucket: str) -> dict:
        policy = self._bucket(Bucket, "GetBucketPolicy").policy
        if policy is None:
            raise error("GetBucketPolicy", "NoSuchBucketPolicy")
        return {"Policy": json.dumps(policy)}

    def get_bucket_encryption(self, Bucket: str) -> dict:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}

    def get_object(self, Bucket: str, Key: str, Range: str = "") -> dict:
        bucket = self._bucket(Bucket, "GetObject")
        if Key not in bucket.objects:
            raise error("GetObject", "NoSuchKey")
        if Key in bucket.archived:
            raise error("GetObject", "InvalidObjectState")
        answer = s3.answer(bucket.objects[Key], Range)
        self._aws.read.append((Bucket, Key, answer["ContentLength"]))
        if Key in bucket.encrypted:
            answer["SSEKMSKeyId"] = _key_arn(self._world, bucket.encrypted[Key])
        return answer

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self._bucket(Bucket, "PutObject")
        self._aws.written[Bucket, Key] = Body


class Iam:
    def __init__(self, world: World) -> None:
        self._world, self._aws = world, FakeAws.allows

    def get_role(self, RoleName: str) -> dict:
        if not self._world.has_role or not self._world.role_arn.endswith(f"/{RoleName}"):
            raise error("GetRole", "NoSuchEntity")
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": self._world.trusts},
            "Action": "sts:AssumeRole",
        }
        return {"Role": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}

    def simulate_principal_policy(self, PolicySourceArn, ActionNames, ResourceArns, ContextEntries) -> dict:
        if not self._world.has_role:
            raise error("SimulatePrincipalPolicy", "NoSuchEntity")
        [action] = ActionNames
        decide = SimpleNamespace(world=self._world)
        results = [
            {"EvalResourceName": arn, "EvalResourceDecision": self._decide(decide, action, arn)}
            for arn in ResourceArns
        ]
        return {"EvaluationResults": [{"EvalActionName": action, "ResourceSpecificResults": results}]}

    def _decide(self, aws, action: str, arn: str) -> str:
        if action.startswith("kms:"):
            key = self._world.keys[arn.rsplit("/", 1)[1]]
            return "allowed" if key.granted else "implicitDeny"
        return FakeAws.allows(aws, action, arn)


class Kms:
    def __init__(self, world: World) -> None:
        self._world = world

    def describe_key(self, KeyId: str) -> dict:
        name = KeyId.rsplit("/", 1)[-1]
        if name not in self._world.keys:
            raise error("DescribeKey", "NotFoundException")
        state = self._world.keys[name].state
        return {
            "KeyMetadata": {"Arn": _key_arn(self._world, name), "KeyState": state, "KeyManager": "CUSTOMER"}
        }

    def get_key_policy(self, KeyId: str, PolicyName: str) -> dict:
        root = {"AWS": f"arn:aws:iam::{self._world.account}:root"}
        return {
            "Policy": json.dumps({"Statement": [{"Effect": "Allow", "Principal": root, "Action": "kms:*"}]})
        }


class SageMaker:
    def __init__(self, aws: FakeAws) -> None:
        self._aws = aws
        self.meta = SimpleNamespace(region_name=aws.world.region)

    def describe_workteam(self, WorkteamName: str) -> dict:
        world = self._aws.world
        if WorkteamName not in world.teams:
            raise error("DescribeWorkteam", "ValidationException")
        arn = f"arn:aws:sagemaker:{world.region}:{world.account}:workteam/private-crowd/{WorkteamName}"
        member = {"UserPool": "pool", "UserGroup": WorkteamName, "ClientId": "client"}
        return {"Workteam": {"WorkteamArn": arn, "MemberDefinitions": [{"CognitoMemberDefinition": member}]}}

    def create_labeling_job(self, **request) -> None:
        self._aws.created.append(request)


class Cognito:
    def __init__(self, world: World) -> None:
        self._world = world

    def list_users_in_group(self, UserPoolId: str, GroupName: str, Limit: int) -> dict:
        return {"Users": [{"Username": name} for name in self._world.teams[GroupName]][:Limit]}


def _key_arn(world: World, name: str) -> str:
    return f"arn:aws:kms:{world.region}:{world.account}:key/{name}"
