"""The Lambda function's entry: clients, the event's kind, the answer that goes to its ResponseURL."""

from __future__ import annotations

import json
import os
import time
import traceback
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from . import clients, log
from .contract import SOURCE_MANIFEST, WATCH_SECONDS_DEFAULT, ContractError, Images, JobProperties, parse
from .errors import NotYetError, is_own_fault, said
from .event import Event, read
from .jobs import Jobs
from .lifecycle import Lifecycle, Outcome, planned_name
from .patience import Patience, pauses
from .reachable import Reachable
from .removal import NOT_CREATED
from .stack import Stack

if TYPE_CHECKING:
    from .images import Staging
    from .storage import Storage

# "Custom resource response objects" of CloudFormation's guide: a larger one is dropped whole.
ANSWER_BYTES_MAX = 4_096
# A longer reason is cut as it is sent, so that the console's list of events stays one.
_REASON_BYTES_MAX = 2_400
_CUT = " … (cut)"
_ATTEMPTS = 5
# A job can't be made without these two, so they are asked for a long time.
_NEEDED = Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=30)
# All others advise. In a VPC without a way to one of them nobody answers, and each call takes all its tries.
_ADVISING = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=10)
#: The function's environment says by this for how long a deploy watches a job in progress, unless the job's
#: properties do. An AWS sets it where mistakes show sooner than after minutes.
WATCH_SECONDS = "CDK_GROUND_TRUTH_WATCH_SECONDS"
_clients: dict[str, Any] = {}


def config_of(service: str) -> Config:
    """How long one call to a service may take."""
    return _NEEDED if service in ("sagemaker", "s3") else _ADVISING


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Handle one custom-resource event that CloudFormation delivered."""
    answered(event, context, _handle, _physical_id)


def answered(
    event: Mapping[str, Any],
    context: Any,
    handle: Callable[[Event, Any], Outcome],
    failed_id: Callable[[Event], str],
) -> None:
    """Do what an event asks for, and answer CloudFormation.

    Args:
        event: as it was delivered.
        context: of the invocation.
        handle: does it.
        failed_id: the physical id of what couldn't be done.

    Raises:
        NotYetError: this invocation is out of time; the event comes again.
    """
    asked = read(event)
    log.action(
        asked.request_type,
        stack=asked.stack_id,
        resource=asked.logical_id,
        request=asked.request_id,
        job=asked.physical_id,
    )
    try:
        outcome = handle(asked, context)
        body = answer(asked, status="SUCCESS", physical_id=outcome.physical_id, data=outcome.data)
    except NotYetError as error:
        log.action("NotYet", why=str(error))
        raise
    except Exception as error:  # whatever it was, CloudFormation waits for an answer
        # The user gets the words; where they only say that the handler is at fault, all of it for us.
        fault = {"traceback": traceback.format_exc()} if is_own_fault(error) else {}
        log.action("Failed", reason=said(error), **fault)
        body = answer(
            asked,
            status="FAILED",
            physical_id=failed_id(asked),
            reason=f"{said(error)} [log group {context.log_group_name}, stream {context.log_stream_name}]",
        )
    send(asked.response_url, body)
    log.action("Answered", status=body["Status"], job=body["PhysicalResourceId"])


def _handle(event: Event, context: Any) -> Outcome:
    patience = Patience(
        remaining_ms=context.get_remaining_time_in_millis,
        sleep=time.sleep,
        now=_now,
        issued=event.issued,
    )
    lifecycle = Lifecycle(
        event,
        jobs=Jobs(_client("sagemaker"), patience),
        stack=Stack(event, lambda: _client("cloudformation"), patience),
        patience=patience,
        staging=_StagingArea(patience),
        preflight=lambda request, properties: _preflight(request, properties, context),
        in_progress=timedelta(seconds=int(os.environ.get(WATCH_SECONDS, WATCH_SECONDS_DEFAULT))),
    )
    steps = {"Create": lifecycle.create, "Update": lifecycle.update, "Delete": lifecycle.delete}
    return steps[event.request_type]()


class _StagingArea:
    """Makes the S3 client only when there is something to stage: a ready manifest needs none."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def staged(self, images: Images, **job: Any) -> Staging | None:
        # A ready manifest needs no S3 client, unless labels are taken over into it.
        if images.source == SOURCE_MANIFEST and not (job["before"] and images.staging_s3_uri):
            return None
        # A ready manifest and a delete don't pay for these imports.
        from .images import staged

        return staged(self._storage(), images, **job)

    def publish(self, staging: Staging, before_copying: Callable[[], None]) -> None:
        staging.publish(self._storage(), before_copying)

    def _storage(self) -> Storage:
        from .storage import Storage

        return Storage(_client("s3"), self._patience)


def _preflight(request: Mapping[str, Any], properties: JobProperties, context: Any) -> Mapping[str, str]:
    # Only a create needs it: an update of tags and a delete don't pay for its import.
    from .preflight import gate

    return gate.passed(request, properties, client=Reachable(_client), context=context)


def _client(service: str) -> Any:
    # It is made when first needed: a job over a ready manifest never pays for an S3 client.
    if service not in _clients:
        _clients[service] = clients.client(service, config_of(service))
    return _clients[service]


def _now() -> datetime:
    return datetime.now(UTC)


def _physical_id(event: Event) -> str:
    """A failed update keeps its id; a failed create says so in it, and what job it may have left."""
    if event.physical_id is not None:
        return event.physical_id
    try:
        return NOT_CREATED + planned_name(event, parse(event.properties))
    except ContractError:
        return NOT_CREATED + event.request_id


def answer(
    event: Event,
    *,
    status: str,
    physical_id: str,
    reason: str = "",
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The answer's body; a long reason is cut, because an oversized answer is dropped whole."""
    body = {
        "Status": status,
        "Reason": "",
        "PhysicalResourceId": physical_id,
        "StackId": event.stack_id,
        "RequestId": event.request_id,
        "LogicalResourceId": event.logical_id,
        "Data": dict(data or {}),
    }
    room = min(_REASON_BYTES_MAX, ANSWER_BYTES_MAX - len(sent(body)))
    return {**body, "Reason": _fitting(reason, room)}


def sent(body: Mapping[str, Any]) -> bytes:
    """The answer as it is sent: UTF-8, where an escape would take three times the room in most alphabets."""
    # Half a surrogate pair, which UTF-8 can't spell, becomes JSON's own escape of it.
    return json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")


def _fitting(reason: str, room: int) -> str:
    """As much of the reason as its bytes have room for; quotes and line breaks are two of them."""
    spare = room - len(sent({"": reason})) + len(sent({"": ""}))
    if spare >= 0:
        return reason
    spare = room - len(_CUT.encode())
    for index, character in enumerate(reason):
        spare -= len(json.dumps(character, ensure_ascii=False).encode(errors="backslashreplace")) - 2
        if spare < 0:
            return reason[:index] + _CUT
    return reason


def send(url: str, body: Mapping[str, Any]) -> None:
    """PUT the answer; an answer that is lost leaves the stack waiting, so it is tried again."""
    payload = sent(body)
    waits = pauses()
    for attempt in range(1, _ATTEMPTS + 1):
        request = urllib.request.Request(url, data=payload, method="PUT", headers={"Content-Type": ""})
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except (OSError, HTTPException):
            if attempt == _ATTEMPTS:
                raise
            time.sleep(4 * next(waits))
