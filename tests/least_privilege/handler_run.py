"""The real handler, in this process, with a role's credentials: a job's whole life."""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from tests.least_privilege.app import DEAD_LETTERS, QUEUE_KEY
from tests.least_privilege.deployed import Deployed, RoleSession, denied, job_of

_numbers = itertools.count()
_LAMBDA = "Lambda"
_LOG_GROUP = "CdkGroundTruthHandlerLogs"


class DeniedError(BaseException):
    """Ends a run at once: no retry and no error handling is to hide it."""


class _Clients(dict[str, Any]):
    """For the entry's own cache of clients."""

    def __init__(self, session: RoleSession, run: HandlerRun) -> None:
        super().__init__()
        self._session, self._run = session, run

    def __contains__(self, service: object) -> bool:
        return True

    def __missing__(self, service: str) -> Any:
        client = self._session.client(service)
        events = client.meta.events
        events.register("after-call.*.*", self._run.watch)
        if service == "s3":
            events.register("before-parameter-build.s3.*", _remember_bucket)
        if service == "cloudformation":
            events.register("after-call.cloudformation.DescribeStacks", self._run.in_progress)
        if service == "sagemaker":
            events.register("after-call.sagemaker.DescribeLabelingJob", self._run.with_labels)
        self[service] = client
        return client


def _remember_bucket(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["asked_bucket"] = params.get("Bucket")


class HandlerRun:
    """Sends events to a copy of the handler's entry that acts as one role."""

    def __init__(self, deployed: Deployed, role_arn: str, session: RoleSession) -> None:
        self._deployed = deployed
        self._simulate = deployed.simulate(role_arn)
        self._status = ""
        #: How many labels the jobs are said to have: nobody works for this stack.
        self._labels = 0
        self._entry = _copy_of_entry()
        self._clients = _Clients(session, self)
        self._entry._clients = self._clients  # type: ignore[attr-defined]
        self._answers: list[Mapping[str, Any]] = []
        self._entry.send = lambda url, body: self._answers.append(body)  # type: ignore[attr-defined]

    def watch(self, parsed: Any, model: Any, context: Mapping[str, Any], **_: Any) -> None:
        """End the run at a refusal, and where AWS would refuse what the embedded S3 doesn't."""
        why = denied(parsed)
        if why:
            # A HEAD has no body to say more in.
            needs = {"HeadObject": "s3:GetObject"}.get(model.name, "")
            raise DeniedError(f"{model.name}: {why} {needs}")
        if model.name in ("GetObject", "HeadObject") and _is_missing(parsed):
            # S3 says that an object isn't there to whom may list its bucket, and "denied" to others.
            self._may("s3:ListBucket", f"arn:aws:s3:::{context['asked_bucket']}")

    def in_progress(self, parsed: Any, **_: Any) -> None:
        """The stack stands still while the handler is run beside CloudFormation."""
        for stack in parsed.get("Stacks", []):
            stack["StackStatus"] = self._status

    def with_labels(self, parsed: Any, **_: Any) -> None:
        """A job that has labels is gone on from."""
        if self._labels and "LabelCounters" in parsed:
            parsed["LabelCounters"]["TotalLabeled"] = self._labels

    def _may(self, action: str, resource: str, **context: str) -> None:
        try:
            self._simulate(action, resource, **context)
        except ClientError as error:
            raise DeniedError(str(error)) from error

    def event(
        self, logical_id: str, kind: str, properties: Mapping[str, Any], **more: Any
    ) -> Mapping[str, Any]:
        """One event; returns the answer to CloudFormation."""
        self._status = "UPDATE_IN_PROGRESS" if kind != "Delete" else "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        token = properties["ServiceToken"]
        event = {
            "RequestType": kind,
            "RequestId": f"request-{next(_numbers)}",
            "StackId": self._deployed.stack_id,
            "LogicalResourceId": logical_id,
            "ResponseURL": "http://127.0.0.1/answer",
            "ResourceType": "Custom::SemanticSegmentationLabelingJob",
            "ServiceToken": token,
            # Nothing is watched but where a job is to fail.
            "ResourceProperties": {"WatchSeconds": "0", **properties},
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

    def life(self, resources: Iterable[str] = ()) -> None:
        """All that the role is for; what has to do with some resources comes first.

        Raises:
            DeniedError: a call was refused.
            AssertionError: something else went another way than it has to.
        """
        chapters: dict[str, Callable[[], None]] = {
            # Quick ones are first.
            _LAMBDA: self._lambda,
            "Streaming": self._streaming,
            "File": self._file,
            "Automated": self._automated,
            "Directory": self._directory,
            "Bucket": self._bucket,
        }
        parts = [part for resource in resources for part in _parts(resource)]

        def is_unrelated(chapter: str) -> bool:
            text = self._text(chapter)
            return not any(part in text for part in parts)

        for chapter in sorted(chapters, key=is_unrelated):
            chapters[chapter]()

    def _text(self, chapter: str) -> str:
        group = self._deployed.named(_LOG_GROUP)
        return group if chapter == _LAMBDA else json.dumps(self._properties(chapter)[1])

    def _properties(self, kind: str) -> tuple[str, Mapping[str, Any]]:
        name = job_of(self._deployed, kind)
        return name, self._deployed.jobs[name]

    def _expect(
        self, status: str, logical_id: str, kind: str, properties: Mapping[str, Any], **more: Any
    ) -> str:
        """One event; the physical id, if it ends as it has to."""
        answer = self.event(logical_id, kind, properties, **more)
        told = f"{answer['Status']}: {answer.get('Reason', '')}"
        assert re.match(status, told), f"{logical_id} {kind}: {told}"
        return str(answer["PhysicalResourceId"])

    def _lambda(self) -> None:
        """What the Lambda service does with its function's role."""
        aws, ec2 = self._deployed.aws, self._clients["ec2"]
        group = f"arn:aws:logs:{aws.region}:{aws.account}:log-group:{self._deployed.named(_LOG_GROUP)}"
        # The embedded AWS asks its IAM about the group without what follows its name.
        self._may("logs:CreateLogStream", f"{group}:log-stream:")
        self._may("logs:PutLogEvents", f"{group}:log-stream:2026/11/23/[$LATEST]0123")
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        ec2.describe_network_interfaces()
        # The embedded AWS has none of these operations.
        self._may("ec2:AssignPrivateIpAddresses", "*")
        self._may("ec2:UnassignPrivateIpAddresses", "*")
        ec2.delete_network_interface(NetworkInterfaceId=interface)
        queue = self._deployed.named(DEAD_LETTERS)
        self._clients["sqs"].send_message(QueueUrl=queue, MessageBody="{}")
        # The embedded SQS asks nobody whether the sender may use the queue's key.
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            self._may(action, self._deployed.named(QUEUE_KEY, "Arn"))

    def _streaming(self) -> None:
        name, properties = self._properties("Streaming")
        made = self._expect("FAILED.*runs no streaming labeling jobs", name, "Create", properties)
        self._expect("SUCCESS", name, "Delete", properties, PhysicalResourceId=made)

    def _file(self) -> None:
        """A job with labels is changed: the app's own manifest is gone on from beside the output."""
        name, properties = self._properties("File")
        made = self._expect("SUCCESS", name, "Create", properties)
        new, second = self._continued(name, properties, made)
        self._expect("SUCCESS", name, "Delete", properties, PhysicalResourceId=made)
        self._expect("SUCCESS", name, "Delete", new, PhysicalResourceId=second)

    def _continued(
        self, name: str, properties: Mapping[str, Any], made: str
    ) -> tuple[Mapping[str, Any], str]:
        """Change a job that has labels; its new properties and its new id."""
        new = _changed(properties)
        more = {"OldResourceProperties": properties, "PhysicalResourceId": made}
        self._labels = 1
        try:
            second = self._expect("SUCCESS", name, "Update", new, **more)
        finally:
            self._labels = 0
        assert second != made
        return new, second

    def _automated(self) -> None:
        """The same of a manifest that was there before the stack."""
        name, properties = self._properties("Automated")
        # Nobody waits for it: of so few objects the service soon makes a failure.
        properties = {**properties, "ProbationSeconds": "0"}
        made = self._expect("SUCCESS", name, "Create", properties)
        new, second = self._continued(name, properties, made)
        self._expect("SUCCESS", name, "Delete", properties, PhysicalResourceId=made)
        self._expect("SUCCESS", name, "Delete", new, PhysicalResourceId=second)

    def _directory(self) -> None:
        """Tags change in place, and the job is stopped with its stack."""
        name, properties = self._properties("Directory")
        made = self._expect("SUCCESS", name, "Create", properties)
        tagged = {**properties, "Tags": [{"Key": "stage", "Value": "live"}]}
        same = self._expect(
            "SUCCESS", name, "Update", tagged, OldResourceProperties=properties, PhysicalResourceId=made
        )
        assert same == made
        new, second = self._continued(name, tagged, made)
        self._expect("SUCCESS", name, "Delete", tagged, PhysicalResourceId=made)
        self._expect("SUCCESS", name, "Delete", new, PhysicalResourceId=second)

    def _bucket(self) -> None:
        """A job is replaced; the old one is stopped, the new one retained."""
        name, properties = self._properties("Bucket")
        first = self._expect("SUCCESS", name, "Create", properties)
        new = _changed(properties)
        second = self._expect(
            "SUCCESS", name, "Update", new, OldResourceProperties=properties, PhysicalResourceId=first
        )
        assert second != first
        self._expect("SUCCESS", name, "Delete", properties, PhysicalResourceId=first)
        self._expect("SUCCESS", name, "Delete", {**new, "RemovalPolicy": "Retain"}, PhysicalResourceId=second)


def _changed(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """What another job is made of; no run may take up what another run has made of the same."""
    title = f"Another {next(_numbers)}"
    task = {**properties["Request"]["HumanTaskConfig"], "TaskTitle": title}
    return {**properties, "Request": {**properties["Request"], "HumanTaskConfig": task}}


def _is_missing(parsed: Mapping[str, Any]) -> bool:
    return parsed.get("Error", {}).get("Code") in ("404", "NoSuchKey")


def _parts(arn: str) -> list[str]:
    """What a job's properties say where they mean a resource."""
    if arn.startswith("arn:aws:s3:::"):
        name = arn.removeprefix("arn:aws:s3:::")
        return [name if "*" not in name else name.partition("/")[0]]
    if ":log-group:" in arn:
        return [arn.partition(":log-group:")[2].partition(":")[0]]
    return [] if "*" in arn else [arn]


def _copy_of_entry() -> ModuleType:
    spec = importlib.util.find_spec("labeling_job.entry")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # As part of its package, but under no name: each run has its own clients.
    spec.loader.exec_module(module)
    return module
