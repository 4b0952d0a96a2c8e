"""The output topic, which hears of each label."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ..sources import holds
from .errors import INTERNAL, SORRY, JobFailure
from .jobs import Job
from .life import TOPIC, TOPIC_DENIED
from .s3 import RoleS3


@holds(TOPIC)
def publish(labels: Iterable[dict[str, Any]], job: Job, clients: RoleS3) -> None:
    """Publish labels to the job's output topic, if it has one, as the job's role.

    Raises:
        JobFailure: the role may not, or the topic can't be reached.
    """
    topic = job.request["OutputConfig"].get("SnsTopicArn")
    for label in labels if topic else ():
        try:
            clients.client("sns").publish(
                TopicArn=topic, Message=json.dumps(label), Subject="Ground Truth label"
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise JobFailure(
                TOPIC_DENIED,
                f"ClientError: The role {job.role} couldn't publish to the output topic {topic}: "
                f"it needs sns:Publish. ({code})",
            ) from error
        except BotoCoreError as error:
            raise JobFailure(INTERNAL, SORRY) from error
