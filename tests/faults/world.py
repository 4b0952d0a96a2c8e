"""One account in virtual time: the handler, the embedded Ground Truth service, a simulated CloudFormation."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.message import Message
from types import SimpleNamespace
from typing import Any, Self
from unittest import mock

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import HTTPClientError

from ground_truth_local.service.api import GroundTruthService
from ground_truth_local.service.errors import JobFailure
from ground_truth_local.service.pace import Pace
from labeling_job import clients, entry, patience
from labeling_job.preflight import gate
from tests.faults.cloudformation import CloudFormation
from tests.faults.faults import Injector, Killed, Kind
from tests.faults.material import GroundTruthAws
from tests.faults.wire import ACCOUNT, REGION, Aws, Request, reply
from tests.sleeping import by_own_threads

LIVE = ("Initializing", "InProgress")
_LAMBDA_SECONDS = 900
_START = datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp()
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "AKIAHANDLER",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    # What is watched then is a matter of the lifecycle's own tests.
    entry.WATCH_SECONDS: "0",
    # A body as it is, without a trailer.
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
}
_clients: dict[str, Any] = {}
_current: list[World] = []


class World:
    """Everything that a cell needs; `with World(…) as world` puts the handler into it."""

    handler = staticmethod(entry.handler)

    def __init__(self, injector: Injector | None = None, *, pace: float = 20) -> None:
        self.time = _START
        self.injector = injector or Injector(None, None)
        self.injector.meanwhile = self._meanwhile
        self.injector.now = lambda: self.time
        self.injector.connect = lambda service: self._sleep(_connect_timeout(service))
        self.log = io.StringIO()
        self.material = GroundTruthAws()
        self.service = GroundTruthService(
            None,
            self.material,
            workteams=[self.material.team],
            clock=lambda: self.time,
            # Some jobs are to fail while they are waited for.
            pace=Pace(initializing=pace, stopping=pace, set_up_while_initializing=True),
        )
        self.cloudformation = CloudFormation(self._invoke, lambda: self.time, self.wait)
        #: Another stack of the account, with the same name of everything; no fault strikes its requests.
        self.neighbour = CloudFormation(
            lambda event, index: self._invoke(event, -1 - index), lambda: self.time, self.wait, "Avenues"
        )
        self.aws = Aws(self.service, self._describe)
        self.aws.objects = self.material.objects
        self.aws.now = lambda: self.time
        self.lambda_timeouts = 0
        #: Job → what others than the stack have put on it.
        self.foreign: dict[str, dict[str, str]] = {}
        self._deadline = float("inf")
        self._event: dict[str, Any] = {}
        self._depth = 0
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        enter = self._exit.enter_context
        enter(mock.patch.dict(os.environ, _ENVIRONMENT))
        enter(mock.patch.object(time, "sleep", by_own_threads(self._sleep)))
        enter(mock.patch.object(entry, "_now", lambda: datetime.fromtimestamp(self.time, UTC)))
        enter(mock.patch.object(entry, "_clients", _clients))
        enter(mock.patch.object(entry, "_client", _client))
        enter(mock.patch.object(urllib.request, "urlopen", self._put_answer))
        # The same pauses in each run, so that a call's number means the same call.
        enter(mock.patch.object(patience, "random", random.Random(7)))
        enter(
            mock.patch.object(gate, "time", SimpleNamespace(sleep=self._sleep, monotonic=lambda: self.time))
        )
        # A fifth of the time, to say who asks.
        enter(mock.patch("botocore.useragent.UserAgentString.to_string", lambda _: "handler"))
        # This client lives as long as a test run, not as a Lambda, and would use its quota up.
        enter(mock.patch("botocore.retries.quota.RetryQuota.acquire", lambda *_: True))
        _current.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _current.remove(self)
        self._exit.close()
        self.service.stop()

    def _describe(self, action: str, form: Mapping[str, str]) -> str | None:
        return self._stack(form["StackName"]).describe(action, form)

    def _stack(self, stack_id: str) -> CloudFormation:
        return self.neighbour if f"/{self.neighbour.name}/" in stack_id else self.cloudformation

    def wait(self, seconds: float) -> None:
        """Let time pass; the service's jobs go on."""
        self.time += seconds
        self._advance_jobs()

    def jobs(self, *statuses: str) -> list[str]:
        """Names of the jobs in one of the statuses."""
        return [
            job.name
            for job in self.service._jobs.of(ACCOUNT, REGION)
            if job.status in (statuses or ("Initializing", "InProgress", "Stopping"))
        ]

    def tags(self) -> dict[str, dict[str, str]]:
        """Each job's tags."""
        return {
            job.name: self.service._jobs.tags(job.arn) or {} for job in self.service._jobs.of(ACCOUNT, REGION)
        }

    def tag(self, name: str, tags: dict[str, str]) -> None:
        """Somebody puts tags on a job, as cost allocation and auto-tagging do."""
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}"
        self.service._jobs.set_tags(arn, {**(self.service._jobs.tags(arn) or {}), **tags})
        self.foreign.setdefault(name, {}).update(tags)

    def stop_by_hand(self, name: str) -> None:
        """Somebody stops a job in the console."""
        job = self.service.job(f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}")
        assert job is not None
        job.status, job.modified = "Stopping", self.time
        self.service._jobs.save(job)

    def complete(self, name: str) -> None:
        """The last object gets its label."""
        job = self.service.job(f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}")
        assert job is not None
        job.status, job.modified = "Completed", self.time
        self.service._jobs.save(job)

    def _advance_jobs(self) -> None:
        """The job engine's own steps, without its threads."""
        for job in self.service._jobs.with_status(("Initializing", "Stopping")):
            runner = self.service._engine._runner(job)
            try:
                runner._initialize() if job.status == "Initializing" else runner._stop()
            except JobFailure as failure:
                runner._fail(failure.reason)

    def _sleep(self, seconds: float) -> None:
        if self.time + seconds > self._deadline:
            self.wait(self._deadline - self.time)
            self.lambda_timeouts += 1
            raise Killed
        self.wait(seconds)

    def _invoke(self, event: dict[str, Any], index: int) -> bool:
        """One run of the handler, as the Lambda service sees it: whether it ended well."""
        try:
            self.call(event, index)
            return True
        except (Killed, Exception):
            return False

    def call(self, event: dict[str, Any], index: int) -> Any:
        """One run of the handler: its result or its error."""
        outer = self._event, self._deadline, self.injector.request, self.injector.call
        self._event, self._deadline = event, self.time + _LAMBDA_SECONDS
        self.injector.begin(index)
        context = SimpleNamespace(
            get_remaining_time_in_millis=lambda: int((self._deadline - self.time) * 1000),
            log_group_name="handler-logs",
            log_stream_name="stream",
            invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:handler",
        )
        try:
            with contextlib.redirect_stdout(self.log):
                return self.handler(event, context)
        finally:
            self._event, self._deadline = outer[:2]
            if self._depth:
                self.injector.request, self.injector.call = outer[2:]

    def _meanwhile(self, kind: Kind) -> None:
        self._depth += 1
        state = self.injector.request, self.injector.call
        try:
            if kind is Kind.DUPLICATE:
                self.cloudformation.again(self._event)
            elif kind is Kind.CANCELLED:
                self.cloudformation.cancel()
            else:
                for name in self.tags():
                    self.tag(name, {"auto:creator": "ada"})
        finally:
            self._depth -= 1
            self.injector.request, self.injector.call = state

    def answer(self, request: Any, operation: str) -> Any:
        """Botocore's `before-send`: what comes back instead of going out."""
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        wire = Request(
            service=operation.split(".")[0],
            operation=operation.split(".")[1],
            method=request.method,
            url=request.url,
            headers=request.headers,
            body=body if isinstance(body, bytes) else body.encode(),
        )
        return self.injector.through(wire, lambda: self.aws.answer(wire))

    def _put_answer(self, request: Any, timeout: float) -> Any:
        wire = Request("cloudformation", "Answer", "PUT", request.full_url, {}, request.data)

        def effect() -> Any:
            answer = json.loads(request.data)
            self._stack(answer["StackId"]).take_answer(answer)
            return reply(200)

        try:
            answered = self.injector.through(wire, effect)
        except HTTPClientError as error:
            raise urllib.error.URLError(str(error)) from error
        if answered.status_code >= 400:
            raise urllib.error.HTTPError("https://127.0.0.1", answered.status_code, "no", Message(), None)
        return contextlib.nullcontext()


def _client(service: str) -> Any:
    """The handler's client, configured as the handler does it; made once, its model takes long to load."""
    if service not in _clients:
        # Signing is not what is tested.
        config = entry.config_of(service).merge(Config(signature_version=UNSIGNED))
        client = clients.client(service, config)
        client.meta.events.register("before-send", _before_send)
        _clients[service] = client
    return _clients[service]


def _connect_timeout(service: str) -> float:
    name = "cognito-idp" if service == "cognito-identity-provider" else service
    return float(entry.config_of(name).connect_timeout)


def _before_send(request: Any, event_name: str, **_: Any) -> Any:
    return _current[-1].answer(request, event_name.removeprefix("before-send."))


@contextlib.contextmanager
def world(injector: Injector | None = None, **options: Any) -> Iterator[World]:
    """A world for one cell."""
    with World(injector, **options) as made:
        yield made
