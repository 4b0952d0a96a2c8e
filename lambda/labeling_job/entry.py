"""The Lambda function's entry: clients, the event's kind, the answer that goes to its ResponseURL."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from . import log
from .contract import ContractError, JobProperties, parse
from .errors import NotYetError, said
from .images import manifest_uri
from .jobs import Jobs
from .lifecycle import Lifecycle, Outcome, planned_name
from .patience import Patience
from .removal import NOT_CREATED
from .stack import Stack

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=5, read_timeout=30)
# CloudFormation takes 4,096 bytes in all; names, ids and URIs need the rest.
_REASON_MAX = 1_500
_ATTEMPTS = 5
_clients: dict[str, Any] = {}


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Handle one custom-resource event that CloudFormation delivered."""
    log.action(
        event["RequestType"],
        stack=event["StackId"],
        resource=event["LogicalResourceId"],
        request=event["RequestId"],
        job=event.get("PhysicalResourceId"),
    )
    try:
        outcome = _handle(event, context)
        body = answer(event, status="SUCCESS", physical_id=outcome.physical_id, data=outcome.data)
    except NotYetError as error:
        log.action("NotYet", why=str(error))
        raise
    except Exception as error:
        log.action("Failed", reason=said(error))
        body = answer(
            event,
            status="FAILED",
            physical_id=_physical_id(event),
            reason=f"{said(error)} [log group {context.log_group_name}, stream {context.log_stream_name}]",
        )
    send(event["ResponseURL"], body)
    log.action("Answered", status=body["Status"], job=body["PhysicalResourceId"])


def _handle(event: Mapping[str, Any], context: Any) -> Outcome:
    patience = Patience(
        remaining_ms=context.get_remaining_time_in_millis,
        sleep=time.sleep,
        now=_now,
        issued=issued_at(event["ResponseURL"]),
    )
    lifecycle = Lifecycle(
        event,
        jobs=Jobs(_client("sagemaker"), patience),
        stack=Stack(event, lambda: _client("cloudformation"), patience),
        patience=patience,
        manifest_uri=lambda images, **job: manifest_uri(_client("s3"), images, **job),
        preflight=lambda request, properties: _preflight(request, properties, context),
    )
    steps = {"Create": lifecycle.create, "Update": lifecycle.update, "Delete": lifecycle.delete}
    return steps[event["RequestType"]]()


def _preflight(request: Mapping[str, Any], properties: JobProperties, context: Any) -> Mapping[str, str]:
    # Only a create needs it: an update of tags and a delete don't pay for its import.
    from .preflight import gate

    return gate.passed(request, properties, client=_client, context=context)


def _client(service: str) -> Any:
    # Made when first needed: a job over a ready manifest never pays for an S3 client.
    if service not in _clients:
        _clients[service] = boto3.client(service, config=_CONFIG)
    return _clients[service]


def _now() -> datetime:
    return datetime.now(UTC)


def _physical_id(event: Mapping[str, Any]) -> str:
    """A failed update keeps its id; a failed create says so in it, and what job it may have left."""
    if "PhysicalResourceId" in event:
        return str(event["PhysicalResourceId"])
    try:
        return NOT_CREATED + planned_name(event, parse(event["ResourceProperties"]))
    except ContractError:
        return NOT_CREATED + str(event["RequestId"])


def answer(
    event: Mapping[str, Any],
    *,
    status: str,
    physical_id: str,
    reason: str = "",
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The answer's body; a long reason is cut, because an oversized answer is dropped whole."""
    text = reason.encode()[:_REASON_MAX].decode(errors="ignore")
    return {
        "Status": status,
        "Reason": text if len(text) == len(reason) else f"{text} … (cut)",
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data or {}),
    }


def issued_at(url: str) -> datetime | None:
    """When CloudFormation issued the event: the presigned URL says when it was signed."""
    match = re.search(r"[?&]X-Amz-Date=(\d{8}T\d{6})Z(?:&|$)", url)
    return datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if match else None


def send(url: str, body: Mapping[str, Any]) -> None:
    """PUT the answer; an answer that is lost leaves the stack waiting, so it is tried again."""
    payload = json.dumps(body).encode()
    for attempt in range(1, _ATTEMPTS + 1):
        request = urllib.request.Request(url, data=payload, method="PUT", headers={"Content-Type": ""})
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except OSError:
            if attempt == _ATTEMPTS:
                raise
            time.sleep(2.0**attempt / 2)
