"""A batch of messages needs what one message needs, and nothing of the batch's own name, as on AWS."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from ground_truth_local.session import GatewaySession

NAME = "batches"
ENTRY = {"Id": "1", "ReceiptHandle": "nobodys"}


@pytest.fixture
def user(embedded_aws, aws_session):
    """A client of one service, of a user who may do one action."""
    iam = aws_session.client("iam")
    iam.create_user(UserName=NAME)
    key = iam.create_access_key(UserName=NAME)["AccessKey"]

    def client(action):
        may = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        iam.put_user_policy(UserName=NAME, PolicyName="p", PolicyDocument=document)
        session = GatewaySession(
            embedded_aws.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            region_name=embedded_aws.region,
        )
        return session.client(action.partition(":")[0])

    yield client
    iam.delete_access_key(UserName=NAME, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=NAME, PolicyName="p")
    iam.delete_user(UserName=NAME)


@pytest.fixture
def queue(aws_session):
    sqs = aws_session.client("sqs")
    url = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


CALLS = [
    ("SendMessage", "send_message_batch", {"Id": "1", "MessageBody": "x"}),
    ("DeleteMessage", "delete_message_batch", ENTRY),
    ("ChangeMessageVisibility", "change_message_visibility_batch", {**ENTRY, "VisibilityTimeout": 0}),
]


@pytest.mark.parametrize(("action", "call", "entry"), CALLS)
def test_a_batch_needs_the_permission_of_one_message(user, queue, action, call, entry) -> None:
    answer = getattr(user(f"sqs:{action}"), call)(QueueUrl=queue, Entries=[entry])
    assert answer.get("Successful") or answer.get("Failed")


@pytest.mark.parametrize(("action", "call", "entry"), CALLS)
def test_a_permission_of_the_batchs_own_name_is_none(user, queue, action, call, entry) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(user(f"sqs:{action}Batch"), call)(QueueUrl=queue, Entries=[entry])


def test_a_batch_of_notifications_needs_publish(user, aws_session) -> None:
    sns = aws_session.client("sns")
    topic = sns.create_topic(Name=NAME)["TopicArn"]
    entries = [{"Id": "1", "Message": "x"}]
    client = user("sns:Publish")
    assert client.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)["Successful"]
    sns.delete_topic(TopicArn=topic)
