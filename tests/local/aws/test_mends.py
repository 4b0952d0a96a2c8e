"""One contract test for each mend; each fails where MiniStack does otherwise than AWS, or has changed."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from botocore.exceptions import ClientError

# buckets


def bucket(**properties):
    return {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}


def test_a_buckets_encryption_lifecycle_and_tags_are_set(stack, admin) -> None:
    key = {"Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": []}}}}
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    rules = [
        {"Id": "a", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 3},
        {
            "Id": "b",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 9}],
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ]
    properties = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]
        },
        "LifecycleConfiguration": {"Rules": rules},
        "Tags": [{"Key": "team", "Value": "vision"}],
    }
    outputs = {"Name": {"Value": {"Ref": "Bucket"}}, "Key": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}
    made = stack({**bucket(**properties), **key}, outputs=outputs)
    assert made["StackStatus"] == "CREATE_COMPLETE", made["Reasons"]
    s3, name = admin.client("s3"), made["Outputs"]["Name"]
    [rule] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": made["Outputs"]["Key"],
    }
    first, second = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (first["Expiration"]["Days"], first["Filter"]) == (3, {"Prefix": "tmp/"})
    assert second["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    assert second["Transitions"] == [{"Days": 9, "StorageClass": "GLACIER"}]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["team"] == "vision"
    assert tags["aws:cloudformation:logical-id"] == "Bucket"
    changed = stack({**bucket(), **key}, name=made["StackName"], outputs=outputs, update=True)
    assert changed["StackStatus"] == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=name)


def test_cors_versioning_and_policy_are_set(stack, admin) -> None:
    cors = {"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    resources = bucket(CorsConfiguration=cors, VersioningConfiguration={"Status": "Enabled"})
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    resources["Policy"] = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document},
    }
    name = stack(resources, outputs={"Name": {"Value": {"Ref": "Bucket"}}})["Outputs"]["Name"]
    s3 = admin.client("s3")
    assert s3.get_bucket_cors(Bucket=name)["CORSRules"][0]["AllowedOrigins"] == ["*"]
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=name, Key="a", Body=b"")


def test_a_bucket_that_is_not_empty_stays(stack, settle, admin) -> None:
    made = stack(bucket(), outputs={"Name": {"Value": {"Ref": "Bucket"}}})
    s3, client, name = admin.client("s3"), admin.client("cloudformation"), made["Outputs"]["Name"]
    s3.put_object(Bucket=name, Key="label", Body=b"x")
    client.delete_stack(StackName=made["StackName"])
    failed = settle(made["StackId"])
    assert failed["StackStatus"] == "DELETE_FAILED"
    assert "not empty" in failed["Reasons"]
    assert s3.get_object(Bucket=name, Key="label")
    s3.delete_object(Bucket=name, Key="label")
    client.delete_stack(StackName=made["StackName"])
    assert settle(made["StackId"])["StackStatus"] == "DELETE_COMPLETE"


# conditions


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::AccountId"}, "111122223333"),
        ({"Ref": "Size"}, "small"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "acct"]}, "432418664414"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Partition"}]]}, "a-aws"),
        ({"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::Sub": "${AWS::Region}!"}, "us-east-1!"),
    ],
)
def test_conditions_compare_values(stack, left, right: str) -> None:
    sections = {
        "Parameters": {"Size": {"Type": "String", "Default": "small"}},
        "Mappings": {"M": {"us-east-1": {"acct": "432418664414"}}},
        "Conditions": {
            "Same": {"Fn::Equals": [left, right]},
            "Other": {"Fn::Not": [{"Condition": "Same"}]},
            "Both": {"Fn::And": [{"Condition": "Same"}, {"Fn::Equals": [right, left]}]},
        },
    }
    names = ("Same", "Other", "Both")
    outputs = {name: {"Value": {"Fn::If": [name, "yes", "no"]}} for name in names}
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    made = stack(topic, outputs=outputs, **sections)
    assert made["Outputs"] == {"Same": "yes", "Other": "no", "Both": "yes"}


# work teams, what the service may do


def test_a_work_team_in_a_template(stack, settle, admin) -> None:
    member = {
        "CognitoMemberDefinition": {"CognitoUserPool": "p", "CognitoUserGroup": "g", "CognitoClientId": "c"}
    }
    properties = {
        "WorkteamName": "crowd",
        "MemberDefinitions": [member],
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    team = {"Team": {"Type": "AWS::SageMaker::Workteam", "Properties": properties}}
    made = stack(team, outputs={"Arn": {"Value": {"Ref": "Team"}}})
    assert made["Outputs"]["Arn"].endswith(":workteam/private-crowd/crowd")
    sagemaker = admin.client("sagemaker")
    kept = json.loads(sagemaker.describe_workteam(WorkteamName="crowd")["Workteam"]["Description"])
    assert kept["Tags"] == [{"Key": "team", "Value": "a"}]
    definition = {"UserPool": "p", "UserGroup": "g", "ClientId": "c"}
    assert kept["MemberDefinitions"] == [{"CognitoMemberDefinition": definition}]
    client = admin.client("cloudformation")
    client.delete_stack(StackName=made["StackName"])
    settle(made["StackId"])
    with pytest.raises(ClientError, match="No such team"):
        sagemaker.describe_workteam(WorkteamName="crowd")


def act_as(admin, role, bucket):
    with pytest.raises(ClientError) as caught:
        admin.client("sagemaker").stop_labeling_job(LabelingJobName=f"{role}--{bucket}")
    return caught.value.response["Error"]


@pytest.mark.parametrize(
    ("service", "account", "works"),
    [
        ("sagemaker.amazonaws.com", "111122223333", True),
        ("sagemaker.amazonaws.com", "999999999999", False),
        ("lambda.amazonaws.com", "111122223333", False),
    ],
)
def test_the_service_gets_a_role_only_as_its_trust_allows(
    admin, service: str, account: str, works: bool
) -> None:
    role = f"labeler-{time.monotonic_ns()}"
    condition = {"StringEquals": {"aws:SourceAccount": account}}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    trust = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
    admin.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    admin.client("s3").create_bucket(Bucket=role)
    admin.client("s3").put_object(Bucket=role, Key="a", Body=b"x")
    error = act_as(admin, role, role)
    if not works:
        assert error["Code"] == "AssumeRoleDenied"
        assert role in error["Message"]
        return
    found = json.loads(error["Message"])
    assert found["caller"] == f"arn:aws:sts::111122223333:assumed-role/{role}/SageMaker"
    assert "s3:GetObject" in found["read"]
    assert "X-Amz-Algorithm=AWS4" in found["url"]
    assert found["cors"] == []


def test_the_services_events_reach_a_rule(admin) -> None:
    events, sqs = admin.client("events"), admin.client("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": arn}])
    test_the_service_gets_a_role_only_as_its_trust_allows(
        admin, "sagemaker.amazonaws.com", "111122223333", True
    )
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    event = json.loads(message["Body"])
    assert event["source"] == "aws.sagemaker"
    assert event["detail"] == {"LabelingJobName": "j"}


# events


def test_a_rule_and_an_archive_get_an_event_that_nothing_else_keeps(admin) -> None:
    events, sqs = admin.client("events"), admin.client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = events.describe_event_bus(Name="default")["Arn"]
    pattern = json.dumps({"source": ["test.mends"]})
    rule = events.put_rule(Name="kept", EventPattern=pattern)["RuleArn"]
    policy = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
    }
    statement = {**policy, "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document})
    events.put_targets(Rule="kept", Targets=[{"Id": "queue", "Arn": queue}])
    events.create_archive(ArchiveName="kept", EventSourceArn=bus, EventPattern=pattern)
    entry = {"Source": "test.mends", "DetailType": "Test", "Detail": '{"a": 1}'}
    events.put_events(Entries=[entry, {**entry, "Source": "test.others"}])
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["detail"] == {"a": 1}
    [archive] = events.list_archives(NamePrefix="kept")["Archives"]
    assert archive["EventCount"] == 1


def test_events_take_no_memory_of_the_server() -> None:
    """In a process of its own: MiniStack reads its settings when it is imported."""
    words = (
        "from ground_truth_local.mends import events; from ministack.services import eventbridge as e; "
        "before = {name for name in vars(e) if 'log' in name}; events.install(); "
        "e._put_events({'Entries': [{'Source': 'a', 'DetailType': 'b', 'Detail': '{}'}] * 5}); "
        "assert '_events_log_list' in before; assert not e._events_log._data, e._events_log._data; "
        "assert not e._events_log_list()"
    )
    subprocess.run([sys.executable, "-c", words], check=True)
