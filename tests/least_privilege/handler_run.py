"""The real handler, in this process, with a role's credentials: a job's whole life."""

from __future__ import annotations

import importlib.util
import itertools
import sys
import time
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from botocore.config import Config

import labeling_job.entry
from ground_truth_local.session import GatewaySession
from tests.least_privilege.deployed import Deployed, denied, job_of

_numbers = itertools.count()


class DeniedError(BaseException):
    """Ends a run at once: no retry and no error handling is to hide it."""


class _Clients(dict[str, Any]):
    """For the entry's own cache of clients."""

    def __init__(self, session: GatewaySession) -> None:
        super().__init__()
        self._session = session

    def __contains__(self, service: object) -> bool:
        return True

    def __missing__(self, service: str) -> Any:
        client = self._session.client(service, config=Config(retries={"total_max_attempts": 1}))
        client.meta.events.register("after-call.*.*", _watch)
        if service == "cloudformation":
            client.meta.events.register("after-call.cloudformation.DescribeStacks", _in_progress)
        self[service] = client
        return client


def _watch(http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
    why = denied(parsed)
    if why:
        # A HEAD has no body to say more in.
        needs = {"HeadObject": "s3:GetObject"}.get(model.name, "")
        raise DeniedError(f"{model.name}: {why} {needs}")


def _in_progress(parsed: Any, **_: Any) -> None:
    # The stack stands still while the handler is run beside CloudFormation.
    for stack in parsed.get("Stacks", []):
        stack["StackStatus"] = "UPDATE_IN_PROGRESS"


class HandlerRun:
    """Sends events to a copy of the handler's entry that acts as one role."""

    def __init__(self, deployed: Deployed, session: GatewaySession) -> None:
        self._deployed = deployed
        self._entry = _copy_of_entry()
        self._entry._clients = _Clients(session)  # type: ignore[attr-defined]
        self._answers: list[Mapping[str, Any]] = []
        real = labeling_job.entry.response
        self._entry.response = SimpleNamespace(  # type: ignore[attr-defined]
            answer=real.answer,
            issued_at=lambda url: None,
            send=lambda url, body: self._answers.append(body),
        )

    def event(
        self, logical_id: str, kind: str, properties: Mapping[str, Any], **more: Any
    ) -> Mapping[str, Any]:
        """One event; returns the answer to CloudFormation."""
        token = properties["ServiceToken"]
        event = {
            "RequestType": kind,
            "RequestId": f"request-{next(_numbers)}",
            "StackId": self._deployed.stack_id,
            "LogicalResourceId": logical_id,
            "ResponseURL": "http://127.0.0.1/answer",
            "ResourceType": "Custom::SemanticSegmentationLabelingJob",
            "ServiceToken": token,
            "ResourceProperties": properties,
            **more,
        }
        deadline = time.monotonic() + 60
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int((deadline - time.monotonic()) * 1000) + 600_000,
            log_group_name="group",
            log_stream_name="stream",
            invoked_function_arn=token,
        )
        self._entry.handler(event, context)
        return self._answers[-1]

    def life(self) -> list[Mapping[str, Any]]:
        """Create each kind of job, change tags, replace, and delete what was made."""
        made = []
        for kind in ("Automated", "Streaming", "Bucket", "Directory"):
            name = job_of(self._deployed, kind)
            properties = self._deployed.jobs[name]
            created = self.event(name, "Create", properties)
            made.append(created)
            if created["Status"] != "SUCCESS":
                continue
            physical_id = created["PhysicalResourceId"]
            tags = [{"Key": "stage", "Value": "live"}]
            if kind == "Directory":
                old, properties = properties, {**properties, "Tags": tags}
                made.append(
                    self.event(
                        name, "Update", properties, OldResourceProperties=old, PhysicalResourceId=physical_id
                    )
                )
            if kind == "Bucket":
                task = {**properties["Request"]["HumanTaskConfig"], "TaskTitle": "Another"}
                new = {**properties, "Request": {**properties["Request"], "HumanTaskConfig": task}}
                replaced = self.event(
                    name, "Update", new, OldResourceProperties=properties, PhysicalResourceId=physical_id
                )
                made += [
                    replaced,
                    self.event(name, "Delete", new, PhysicalResourceId=replaced["PhysicalResourceId"]),
                ]
            made.append(self.event(name, "Delete", properties, PhysicalResourceId=physical_id))
        return made


def _copy_of_entry() -> ModuleType:
    spec = importlib.util.find_spec("labeling_job.entry")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # As part of its package, but under no name: each run has its own clients.
    assert sys.modules["labeling_job.entry"] is not module
    spec.loader.exec_module(module)
    return module
