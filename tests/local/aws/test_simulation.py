"""A simulation of a role's policies may be allowed for that role alone, as on AWS."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def roles(aws_session):
    """Two roles that may read one bucket, and a user who may simulate the first."""
    iam = aws_session.client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    arns = []
    for name in ("simulated-one", "simulated-two"):
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        arns.append(made["Role"]["Arn"])
        read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::in/*"}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(read))
    iam.create_user(UserName="simulator")
    may = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": arns[0]}
    iam.put_user_policy(UserName="simulator", PolicyName="p", PolicyDocument=document(may))
    key = iam.create_access_key(UserName="simulator")["AccessKey"]
    yield arns, key
    iam.delete_access_key(UserName="simulator", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="simulator", PolicyName="p")
    iam.delete_user(UserName="simulator")
    for name in ("simulated-one", "simulated-two"):
        iam.delete_role_policy(RoleName=name, PolicyName="p")
        iam.delete_role(RoleName=name)


def test_the_simulated_role_is_the_resource(embedded_aws, roles) -> None:
    from ground_truth_local.session import GatewaySession

    arns, key = roles
    session = GatewaySession(
        embedded_aws.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name=embedded_aws.region,
    )
    iam = session.client("iam")

    def decision(role: str, resource: str) -> str:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["s3:GetObject"], ResourceArns=[resource]
        )
        return answer["EvaluationResults"][0]["EvalDecision"]

    assert decision(arns[0], "arn:aws:s3:::in/a.jpg") == "allowed"
    assert decision(arns[0], "arn:aws:s3:::out/a.jpg") == "implicitDeny"
    with pytest.raises(ClientError, match="AccessDenied"):
        decision(arns[1], "arn:aws:s3:::in/a.jpg")
