"""The account that people deploy into: its users, the CDK's bootstrap, a private work team.

There is no root: MiniStack's root-like keys are closed (``mends/no_root.py``). The *administrator* is an IAM
user with all rights, for tests and for looking around. The *deploy user* may assume the CDK's roles and
nothing else, so a deploy never has more rights than a careful company gives it. The *analyst* reads what jobs
are asked, do and give, and may stop one: who looks at labels, also through the author's console.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from .settings import StateDir

ADMINISTRATOR = "administrator"
DEPLOY_USER = "deploy"
ANALYST = "analyst"

PURPOSES = {
    DEPLOY_USER: "cdk deploy and cdk destroy: assumes the CDK's roles, nothing else",
    ANALYST: "reads jobs, labels, logs and events, and may stop a job",
    ADMINISTRATOR: "may do everything",
}
"""The account's users, and what each is for."""

ASSET_KEYS = ("aws/s3", "customer-key", "own-key")
"""What can encrypt the CDK's bucket of assets: AWS's managed key, ``cdk bootstrap``'s own, yours."""

_TOOLKIT_STACK = "CDKToolkit"
_USE_KEY = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"]
_OF_IAM = {
    "Effect": "Allow",
    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
    "Action": "kms:*",
    "Resource": "*",
}
# The CDK's own template says the same: all of the account, through S3.
_THROUGH_S3 = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": _USE_KEY,
    "Resource": "*",
    "Condition": {
        "StringEquals": {
            "kms:CallerAccount": {"Ref": "AWS::AccountId"},
            "kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.amazonaws.com"},
        }
    },
}
_ANALYST_ACTIONS = [
    "sagemaker:DescribeLabelingJob",
    "sagemaker:DescribeWorkteam",
    "sagemaker:ListLabelingJobs",
    "sagemaker:ListLabelingJobsForWorkteam",
    "sagemaker:ListTags",
    "sagemaker:ListWorkteams",
    "sagemaker:StopLabelingJob",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListAllMyBuckets",
    "kms:Decrypt",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
    "cloudformation:ListStacks",
    "sts:GetCallerIdentity",
]
_ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policies(account: str) -> dict[str, dict[str, Any]]:
    """Return each user's one policy."""
    roles = f"arn:aws:iam::{account}:role/cdk-hnb659fds-*"
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
    look = {"Effect": "Allow", "Action": _ANALYST_ACTIONS, "Resource": "*"}
    return {
        ANALYST: {"Version": "2012-10-17", "Statement": [look]},
        ADMINISTRATOR: {"Version": "2012-10-17", "Statement": [_ALLOW_ALL]},
        DEPLOY_USER: {"Version": "2012-10-17", "Statement": [assume]},
    }


def load_credentials(state: StateDir) -> dict[str, tuple[str, str]]:
    """Return `{user: (access key id, secret)}`, made on first use and kept with the state."""
    known: dict[str, list[str]] = (
        json.loads(state.credentials.read_text()) if state.credentials.exists() else {}
    )
    # A state of an older version lacks the users that came since.
    missing = [user for user in PURPOSES if user not in known]
    if missing:
        known |= {user: [f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20)] for user in missing}
        fresh = state.credentials.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(known, file)
        fresh.replace(state.credentials)
    return {user: (key, secret) for user, (key, secret) in known.items()}


def console_key(credentials: tuple[str, str]) -> str:
    """Return the key to the author's console: who has the analyst's secret has it, nobody else."""
    return hmac.new(credentials[1].encode(), b"console", hashlib.sha256).hexdigest()[:40]


def general_environment(endpoint_url: str, *, account: str, region: str, cdk_home: Path) -> dict[str, str]:
    """Return the variables that lead AWS tools and the CDK to the embedded AWS, without credentials."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Nothing of the user's own profile may decide where a call goes.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
        "CDK_HOME": str(cdk_home),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
    }


def environment(
    endpoint_url: str, credentials: tuple[str, str], *, account: str, region: str, cdk_home: Path
) -> dict[str, str]:
    """Return the environment variables with which AWS tools and `cdk deploy` talk to the embedded AWS."""
    general = general_environment(endpoint_url, account=account, region=region, cdk_home=cdk_home)
    key, secret = credentials
    return {**general, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}


def bootstrap(session: boto3.Session, asset_bucket_key: str = "") -> None:
    """Make the CDK's staging bucket and roles in the session's Region, unless they are there.

    The same as ``cdk bootstrap`` in under a second, from ``bootstrap.template.json``.
    """
    client = session.client("cloudformation")
    template = _bootstrap_template(asset_bucket_key)
    try:
        client.create_stack(
            StackName=_TOOLKIT_STACK, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise
        return
    client.get_waiter("stack_create_complete").wait(
        StackName=_TOOLKIT_STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )


def _bootstrap_template(asset_bucket_key: str) -> str:
    """The CDK's own encrypts with `aws:kms`; ours with S3's keys, unless told otherwise."""
    text = resources.files("ground_truth_local").joinpath("bootstrap.template.json").read_text()
    if not asset_bucket_key:
        return text
    template = json.loads(text)
    parts = template["Resources"]
    encryption: dict[str, Any] = {"SSEAlgorithm": "aws:kms"}
    if asset_bucket_key != "aws/s3":
        of_customer = asset_bucket_key == "customer-key"
        policy = {"Version": "2012-10-17", "Statement": [_OF_IAM, *([_THROUGH_S3] if of_customer else [])]}
        parts["FileAssetsBucketEncryptionKey"] = {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": policy},
        }
        key = {"Fn::GetAtt": ["FileAssetsBucketEncryptionKey", "Arn"]}
        encryption["KMSMasterKeyID"] = key
        template["Outputs"]["FileAssetKeyArn"] = {"Value": key}
        use = {"Effect": "Allow", "Action": _USE_KEY, "Resource": key}
        for role in ("FilePublishingRole", "DeploymentActionRole"):
            parts[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(use)
    rule = {"ServerSideEncryptionByDefault": encryption}
    parts["StagingBucket"]["Properties"]["BucketEncryption"] = {"ServerSideEncryptionConfiguration": [rule]}
    return json.dumps(template)


_SIMULATED = ("worker@example.com", "worker-2@example.com", "worker-3@example.com")


def create_workteam(session: boto3.Session, name: str, members: Sequence[str] = ()) -> str:
    """Make a private work team with its Cognito pool and users, unless it exists; return its ARN.

    Args:
        session: an administrator's session with the embedded AWS.
        name: the team's name; the user group gets it too.
        members: e-mail addresses. Default: three simulated workers, as many as label an object unless told.
    """
    sagemaker = session.client("sagemaker")
    with contextlib.suppress(ClientError):
        return str(sagemaker.describe_workteam(WorkteamName=name)["Workteam"]["WorkteamArn"])
    cognito = session.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=f"{name}-workers")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName=name)["UserPoolClient"]["ClientId"]
    cognito.create_group(UserPoolId=pool, GroupName=name)
    for member in members or _SIMULATED:
        cognito.admin_create_user(UserPoolId=pool, Username=member, MessageAction="SUPPRESS")
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=member, GroupName=name)
    definition = {"UserPool": pool, "UserGroup": name, "ClientId": client}
    response = sagemaker.create_workteam(
        WorkteamName=name,
        MemberDefinitions=[{"CognitoMemberDefinition": definition}],
        Description=f"Private work team {name}",
    )
    return str(response["WorkteamArn"])
