"""A campaign's account in virtual time: its function, its state machine, workers who label, and the hours."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from botocore.awsrequest import AWSResponse

from cdk_ground_truth import campaign_states
from labeling_campaign import clients
from labeling_campaign import entry as campaign_entry
from labeling_job.campaign import FOLDER
from tests.faults import material, world
from tests.faults.campaigns.machine import Execution, Machine
from tests.faults.faults import Injector, Kind
from tests.faults.wire import ACCOUNT, REGION, Request, error_reply, reply

IMAGES = 7
FOLDER_URI = "s3://output/labels/campaigns/streets/"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:streets"
LABEL = "streets-ref"
#: How long workers take for a job.
_WORK_SECONDS = 3_600.0
_HOUR = 3_600.0


def properties() -> dict[str, Any]:
    """The custom resource's properties."""
    job = material.properties(images="Bucket")
    job["Request"]["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = "1"
    return {
        "ServiceToken": job.pop("ServiceToken"),
        "ServiceTimeout": job.pop("ServiceTimeout"),
        "Job": job,
        "Campaign": {
            "FolderS3Uri": FOLDER_URI,
            "ImagesPerJob": "3",
            "StateMachineArn": MACHINE,
        },
    }


class CampaignWorld(world.World):
    """The account.

    Attributes:
        bought: image → the jobs that were paid for a label of it.
        spoiled: numbers of jobs, in the order in which they were made, that fail.
    """

    handler = staticmethod(campaign_entry.handler)

    def __init__(self, injector: Injector | None = None, *, pace: float) -> None:
        super().__init__(injector, pace=pace)
        del self.aws.objects["photos", "day/1.jpg"]
        for number in range(IMAGES):
            self.add_image(number)
        self.bought: dict[str, list[str]] = defaultdict(list)
        self.spoiled: set[int] = set()
        #: The custom resource's.
        self.properties = properties()
        self._ended: set[str] = set()
        self._begun: dict[str, float] = {}
        self._numbers: dict[str, int] = {}
        self.aws.others = {"sfn": self._states_api}
        definition = campaign_states.states(function_arn="function", partition="aws", jobs_at_once=2)
        self.machine = Machine(definition, MACHINE, self._step, lambda: self.time, self.wait)
        hours = iter(range(10**6))
        self.machine.every(_HOUR, lambda: {"step": "look", "hour": next(hours)})
        self._exit.enter_context(mock.patch.dict("os.environ", {FOLDER: FOLDER_URI}))
        self._exit.enter_context(mock.patch.object(clients, "client", world._client))
        self._exit.enter_context(mock.patch.object(clients, "now", self._moment))

    def _moment(self) -> Any:
        return datetime.fromtimestamp(self.time, UTC)

    def add_image(self, number: int) -> None:
        """A photograph arrives."""
        self.aws.objects["photos", f"day/{number}.jpg"] = material._PHOTO
        self.aws.modified["photos", f"day/{number}.jpg"] = self.time - 10

    def rest(self, days: float) -> bool:
        """Let time pass until nothing goes on any more; whether that came within so many days."""
        until = self.time + days * 24 * _HOUR
        while self.machine.running() or self.machine.under_way or self.jobs():
            if self.time > until:
                return False
            self.machine.step()
        return True

    def until(self, condition: Any) -> None:
        """Let time pass until something is so."""
        for _ in range(10_000):
            if condition():
                return
            self.machine.step()
        raise AssertionError("it never came")

    def run(self, name: str) -> Execution:
        """Begin a run."""
        return self.machine.start(name)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """A JSON Lines file of the campaign's folder."""
        body = self.aws.objects.get(("output", f"labels/campaigns/streets/{name}"), b"")
        return [json.loads(line) for line in body.splitlines()]

    def state(self, kind: str) -> list[str]:
        """The keys of what the campaign has in hand."""
        below = f"labels/campaigns/streets/state/{kind}/"
        return [key for bucket, key in self.aws.objects if bucket == "output" and key.startswith(below)]

    def index(self, event: dict[str, Any]) -> int:
        """The number of what is asked for; a step that is tried again has the number that it had."""
        if "RequestId" in event:
            what = event["RequestId"]
        elif event.get("source") == "aws.sagemaker":
            what = event["resources"][0]
        elif event.get("source") == "aws.states":
            what = "ended " + event["detail"]["executionArn"]
        else:
            what = " ".join(str(event.get(key, "")) for key in ("step", "run", "job", "hour"))
        return self._numbers.setdefault(what, len(self._numbers))

    def _step(self, event: dict[str, Any]) -> Any:
        return self.call(event, self.index(event))

    def _invoke(self, event: dict[str, Any], index: int) -> bool:
        return super()._invoke(event, self.index(event))

    def _meanwhile(self, kind: Kind) -> None:
        """A delivery of what is under way comes twice, or somebody stops all runs."""
        self._depth += 1
        state = self.injector.request, self.injector.call
        try:
            if kind is Kind.DUPLICATE:
                super()._invoke(self._event, self.index(self._event))
            else:
                for each in self.machine.running():
                    self.machine.stop(each.arn, "by hand")
        finally:
            self._depth -= 1
            self.injector.request, self.injector.call = state

    def _advance_jobs(self) -> None:
        super()._advance_jobs()
        for number, job in enumerate(self._all()):
            if job.status == "InProgress":
                begun = self._begun.setdefault(job.name, self.time)
                if number in self.spoiled:
                    job.status, job.failure_reason, job.modified = "Failed", "ClientError: spoiled", self.time
                    self.service._jobs.save(job)
                elif self.time >= begun + _WORK_SECONDS:
                    self._label(job, 1.0)
                    self.complete(job.name)
            elif job.status == "Stopped" and job.name not in self._ended:
                self._label(job, (self.time - self._begun.get(job.name, self.time)) / _WORK_SECONDS)
        self._tell_ends()

    def _all(self) -> list[Any]:
        found = self.service._jobs.of(ACCOUNT, REGION)
        return sorted(found, key=lambda job: (job.created, job.name))

    def _label(self, job: Any, share: float) -> None:
        """Workers have painted that share of a job's images, in order; each is paid for."""
        source = job.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
        bucket, _, key = source.removeprefix("s3://").partition("/")
        lines = [json.loads(line) for line in self.aws.objects[bucket, key].splitlines()]
        for line in lines[: int(len(lines) * min(1.0, share))]:
            self.bought[line["source-ref"]].append(job.name)
            line[LABEL] = f"s3://output/{job.name}/{len(self.bought[line['source-ref']])}.png"
            line[f"{LABEL}-metadata"] = {
                "type": "groundtruth/semantic-segmentation",
                "job-name": f"labeling-job/{job.name}",
            }
        output = ("output", f"labels/{job.name}/manifests/output/output.manifest")
        self.aws.objects[output] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    def _tell_ends(self) -> None:
        for job in self._all():
            if job.status in ("Completed", "Failed", "Stopped") and job.name not in self._ended:
                self._ended.add(job.name)
                detail = {"LabelingJobStatus": job.status}
                self.machine.deliver({"source": "aws.sagemaker", "resources": [job.arn], "detail": detail})

    def labeled_twice(self) -> dict[str, int]:
        """Images that more than one label was bought of."""
        counts = Counter({image: len(jobs) for image, jobs in self.bought.items()})
        return {image: count for image, count in counts.items() if count > 1}

    def _states_api(self, request: Request) -> AWSResponse:
        asked = json.loads(request.body)
        match request.operation:
            case "DescribeExecution":
                found = self.machine.executions.get(asked["executionArn"])
                if found is None:
                    return error_reply(request, 400, "ExecutionDoesNotExist")
                return _json({"executionArn": found.arn, "status": found.status})
            case "ListExecutions":
                return _json({"executions": [{"executionArn": each.arn} for each in self.machine.running()]})
            case "StartExecution":
                return _json({"executionArn": self.machine.start(asked["name"]).arn})
            case "StopExecution":
                self.machine.stop(asked["executionArn"], asked.get("cause", ""))
                return _json({"stopDate": self.time})
            case "SendTaskSuccess":
                code = self.machine.succeed(asked["taskToken"], json.loads(asked["output"]))
                return error_reply(request, 400, code) if code else _json({})
        raise AssertionError(request.operation)


def _json(body: dict[str, Any]) -> AWSResponse:
    return reply(200, json.dumps(body).encode())
