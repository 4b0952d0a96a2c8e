"""Runs a stack on the embedded AWS: deployed, labeled by simulated workers, and read back."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..orders import Orders
from .app import AppLike, synthesized
from .deploying import DeployedStack, Deployer
from .events import Listener

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..clock import ClockHand
    from ..server import EmbeddedAws

_JOB = "Custom::SemanticSegmentationLabelingJob"
_ENDED = ("Completed", "Failed", "Stopped")
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Simulated workers: what they paint follows from the seed, the worker and the picture alone.

    Attributes:
        accuracy: share of the pixels that each gets right, 0 to 1; the rest has another class.
        seed: another one, other masks.
        declines: patterns of keys (`*` and `?`) of images that everybody declines.
    """

    accuracy: float = 1.0
    seed: int = 0
    declines: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Failures:
    """What goes wrong, on order.

    Attributes:
        no_cors: the images' buckets lose their CORS rules once the stack is deployed: no worker sees a
            picture.
        throttle_every: each so many-th request of all services is throttled.
        break_every: each so many-th object that is read breaks off in its middle.
        black_holes: services that the stack's Lambdas get no answer from, `iam` or `cognito-idp`, say.
    """

    no_cors: bool = False
    throttle_every: int = 0
    break_every: int = 0
    black_holes: Sequence[str] = ()


@dataclass(frozen=True)
class Synthesized:
    """A stack that was only synthesized: no server, nothing deployed.

    Attributes:
        assembly: the folder of the cloud assembly.
        templates: by stack.
    """

    assembly: Path
    templates: Mapping[str, Mapping[str, Any]]

    @property
    def requests(self) -> list[Mapping[str, Any]]:
        """CreateLabelingJob of each job, in the service's own shape; CloudFormation's functions stay."""
        return [
            resource["Properties"]["Request"]
            for template in self.templates.values()
            for resource in template.get("Resources", {}).values()
            if resource["Type"] == _JOB
        ]


@dataclass(frozen=True)
class JobRun:
    """A labeling job that has ended.

    Attributes:
        name: the job's.
        request: DescribeLabelingJob, which holds what was asked for, its end and its counters.
        events: what EventBridge told of it, the oldest first.
    """

    name: str
    request: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    _session: Any = field(repr=False)

    @property
    def status(self) -> str:
        """Completed, Failed or Stopped."""
        return str(self.request["LabelingJobStatus"])

    @property
    def failure_reason(self) -> str:
        """The service's own; empty unless the job failed."""
        return str(self.request.get("FailureReason", ""))

    @cached_property
    def manifest(self) -> list[dict[str, Any]]:
        """The output manifest's lines; empty where the job wrote none."""
        uri = self.request.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        if not uri:
            return []
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = self._session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in body.splitlines()]

    @cached_property
    def labels(self) -> dict[str, npt.NDArray[np.integer]]:
        """Each labeled image's class ids, height by width; 0 is the background.

        By the image's file name, or by its whole key where two images of the job have one name.
        """
        from ground_truth_labels import read_manifest
        from ground_truth_labels.storage import Storage

        uri = self.request.get("LabelingJobOutput", {}).get("OutputDatasetS3Uri", "")
        if not self.manifest:
            return {}
        storage = Storage(client=self._session.client("s3"))
        found = read_manifest(uri, labels=self.request["LabelCategoryConfigS3Uri"], storage=storage)
        return {self._named(item.source_ref): item.mask() for item in found if item.state == "labeled"}

    @cached_property
    def failures(self) -> dict[str, str]:
        """Images without a label, named as in `labels`, each with the reason."""
        metadata = f"{self.request['LabelAttributeName']}-metadata"
        return {
            self._named(line["source-ref"]): line[metadata]["failure-reason"]
            for line in self.manifest
            if "failure-reason" in line.get(metadata, {})
        }

    def _named(self, uri: str) -> str:
        name = uri.rpartition("/")[2]
        return name if self._file_names[name] == 1 else uri.partition("://")[2].partition("/")[2]

    @cached_property
    def _file_names(self) -> Counter[str]:
        return Counter(line["source-ref"].rpartition("/")[2] for line in self.manifest)


@dataclass(frozen=True)
class Run:
    """What a test's app became.

    Attributes:
        stacks: as they were deployed.
        jobs: the labeling jobs, by logical id.
    """

    stacks: Sequence[DeployedStack]
    jobs: Mapping[str, JobRun]

    @property
    def outputs(self) -> dict[str, Mapping[str, str]]:
        """The outputs of each stack."""
        return {stack.name: stack.outputs for stack in self.stacks}

    @property
    def job(self) -> JobRun:
        """The job of an app that has one.

        Raises:
            LookupError: it has none or several: take one of `jobs`.
        """
        if len(self.jobs) != 1:
            raise LookupError(
                f"the app has {len(self.jobs)} labeling jobs, take one of jobs: {list(self.jobs)}"
            )
        return next(iter(self.jobs.values()))

    request = property(lambda self: self.job.request, doc="`job.request`")
    status = property(lambda self: self.job.status, doc="`job.status`")
    failure_reason = property(lambda self: self.job.failure_reason, doc="`job.failure_reason`")
    manifest = property(lambda self: self.job.manifest, doc="`job.manifest`")
    labels = property(lambda self: self.job.labels, doc="`job.labels`")
    failures = property(lambda self: self.job.failures, doc="`job.failures`")
    events = property(lambda self: self.job.events, doc="`job.events`")


class GroundTruth:
    """The fixture `ground_truth`: runs apps, and takes down what they deployed.

    Args:
        server: gives the embedded AWS; asked when something is first deployed.
        folder: for what is synthesized.
    """

    def __init__(self, server: Callable[[], EmbeddedAws], folder: Path) -> None:
        self._server, self._folder = server, folder
        self._numbers = itertools.count()

    @cached_property
    def aws(self) -> EmbeddedAws:
        """The embedded AWS."""
        return self._server()

    @cached_property
    def _deployer(self) -> Deployer:
        return Deployer(self.aws)

    @property
    def clock(self) -> ClockHand:
        """The clock of labeling jobs: ``ground_truth.clock.advance(days=30)``."""
        return self.aws.clock

    def workteam(self, name: str = "annotators") -> str:
        """Make a private work team of three; its ARN."""
        return self.aws.create_workteam(name)

    def synth(self, app: AppLike, **context: str) -> Synthesized:
        """Synthesize an app; no server is started.

        The construct's own checks run: labels, template, images of a folder, manifests of this machine.

        Raises:
            AppError: it can't be synthesized.
        """
        assembly = synthesized(app, self._folder / f"cdk.out-{next(self._numbers)}", context)
        artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
        templates = {
            name: json.loads((assembly / each["properties"]["templateFile"]).read_text())
            for name, each in artifacts.items()
            if each["type"] == "aws:cloudformation:stack"
        }
        return Synthesized(assembly, templates)

    def run(
        self,
        app: AppLike,
        *,
        workers: Workers | None = None,
        fail: Failures | None = None,
        context: Mapping[str, str] | None = None,
        seconds: float = 120,
    ) -> Run:
        """Deploy an app, have its labeling jobs labeled, and return what came out.

        The same app again updates its stacks. What was deployed is destroyed at the test's end.

        Args:
            app: a class of stack, a function that is given an ``App``, an app's file or command, or a folder
                with a cloud assembly.
            workers: who labels. Default: workers who agree but for the edges.
            fail: what goes wrong. Default: nothing.
            context: for ``node.try_get_context``.
            seconds: how long the jobs may take.

        Raises:
            AppError: the app can't be synthesized.
            DeployFailed: a stack was refused; the message has the reasons.
            AssertionError: a job hasn't ended in time.
        """
        workers, fail = workers or Workers(), fail or Failures()
        orders = {
            "seed": workers.seed,
            "accuracy": workers.accuracy,
            "declines": tuple(workers.declines),
            "throttle_every": fail.throttle_every,
            "break_every": fail.break_every,
            "black_holes": tuple(fail.black_holes),
        }
        assembly = self.synth(app, **dict(context or {})).assembly
        # Nobody works until all that was ordered holds.
        self.aws.order(Orders(work=False, **orders))
        with Listener(self.aws) as listener:
            stacks = self._deployer.deploy(assembly)
            names = dict(_jobs_of(stacks))
            if fail.no_cors:
                self._remove_cors(names.values())
            self.aws.order(Orders(**orders))
            ended = {logical_id: self._ended(name, seconds) for logical_id, name in names.items()}
            told = listener.heard({name: ended[logical_id] for logical_id, name in names.items()})
        session = self.aws.session()
        return Run(
            stacks,
            {
                logical_id: JobRun(name, ended[logical_id], told[name], session)
                for logical_id, name in names.items()
            },
        )

    def close(self) -> None:
        """Destroy what was deployed, and have everything as before."""
        if "_deployer" in self.__dict__:
            self._deployer.destroy_all()
            self.aws.order(Orders(work=False))

    def _ended(self, name: str, seconds: float) -> Mapping[str, Any]:
        sagemaker = self.aws.session().client("sagemaker")
        deadline = time.monotonic() + seconds
        while True:
            job: Mapping[str, Any] = sagemaker.describe_labeling_job(LabelingJobName=name)
            if job["LabelingJobStatus"] in _ENDED:
                return job
            if time.monotonic() > deadline:
                counters = {key: value for key, value in job["LabelCounters"].items() if value}
                raise AssertionError(
                    f"the job {name} is {job['LabelingJobStatus']} after {seconds:g} s: {counters};"
                    f" the server's log: {self.aws.state.log}"
                )
            time.sleep(_POLL_SECONDS)

    def _remove_cors(self, names: Iterator[str] | Any) -> None:
        s3, sagemaker = (self.aws.session().client(service) for service in ("s3", "sagemaker"))
        for name in names:
            job = sagemaker.describe_labeling_job(LabelingJobName=name)
            uri = job["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
            sources = {json.loads(line)["source-ref"].partition("://")[2].partition("/")[0] for line in lines}
            for source in sources:
                s3.delete_bucket_cors(Bucket=source)


def _jobs_of(stacks: Sequence[DeployedStack]) -> Iterator[tuple[str, str]]:
    for stack in stacks:
        for logical_id, resource in stack.template.get("Resources", {}).items():
            if resource["Type"] == _JOB:
                yield logical_id, stack.physical_ids[logical_id]
