"""Runs a stack on the embedded AWS: deployed, labeled by simulated workers, and read back."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..orders import Orders
from .app import AppLike, synthesized
from .deploying import DeployedStack, Deployer
from .events import Listener
from .results import JOB, JobRun, Run, Synthesized

if TYPE_CHECKING:
    from ..clock import ClockHand
    from ..server import EmbeddedAws

_ENDED = ("Completed", "Failed", "Stopped")
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Simulated workers: what they paint follows from the seed, the worker and the picture alone.

    Attributes:
        accuracy: share of the pixels that each gets right, 0 to 1; the rest has another class.
        seed: another one, other masks.
        declines: patterns of keys (`*` and `?`) of images that everybody declines.
        images: they do the first so many images of each job and go home; the run ends then, with the job
            still `InProgress`. Default: all images.
    """

    accuracy: float = 1.0
    seed: int = 0
    declines: Sequence[str] = ()
    images: int | None = None


@dataclass(frozen=True, kw_only=True)
class Failures:
    """What goes wrong, on order.

    Attributes:
        no_cors: the images' buckets lose their CORS rules once the stack is deployed: no worker sees a
            picture.
        throttle_every: each so many-th request of all services is throttled.
        break_every: each so many-th object that is read breaks off in its middle.
        short_every: each so many-th object that is read comes without its second half, as if it were whole.
        bare_403_every: each so many-th request of the stack's Lambdas to S3 is a 403 without a body.
        iam_spread_seconds: how long a new role, its trust and its policies don't work yet.
        s3_spread_seconds: how long a bucket's configuration is seen as before a change.
        black_holes: services that the stack's Lambdas get no answer from, `iam` or `cognito-idp`, say.
    """

    no_cors: bool = False
    throttle_every: int = 0
    break_every: int = 0
    short_every: int = 0
    bare_403_every: int = 0
    iam_spread_seconds: float = 0.0
    s3_spread_seconds: float = 0.0
    black_holes: Sequence[str] = ()


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
        # Whoever only synthesizes doesn't pay for this import.
        from ..service.teams import team_arn

        self.aws.when_ready(lambda: self.aws.create_workteam(name))
        return team_arn(self.aws.account, self.aws.region, name)

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
        orders = Orders(
            work=False,
            seed=workers.seed,
            accuracy=workers.accuracy,
            declines=tuple(workers.declines),
            images=workers.images,
            throttle_every=fail.throttle_every,
            break_every=fail.break_every,
            short_every=fail.short_every,
            bare_403_every=fail.bare_403_every,
            iam_spread_seconds=fail.iam_spread_seconds,
            s3_spread_seconds=fail.s3_spread_seconds,
            black_holes=tuple(fail.black_holes),
        )
        # Asking for the server has it start; the app is synthesized meanwhile.
        aws = self.aws
        assembly = self.synth(app, **dict(context or {})).assembly
        # Nobody works until all that was ordered holds.
        aws.order(orders)
        with Listener(aws) as listener:
            stacks = self._deployer.deploy(assembly)
            names = dict(_jobs_of(stacks))
            if fail.no_cors:
                self._remove_cors(names.values())
            aws.order(replace(orders, work=True))
            ended = {
                logical_id: self._ended(name, seconds, workers.images) for logical_id, name in names.items()
            }
            told = listener.heard({name: ended[logical_id] for logical_id, name in names.items()})
        session = aws.session()
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
            self.aws.order(Orders(work=False))
            self._deployer.destroy_all()

    def _ended(self, name: str, seconds: float, images: int | None) -> Mapping[str, Any]:
        sagemaker = self.aws.session().client("sagemaker")
        deadline = time.monotonic() + seconds
        while True:
            job: Mapping[str, Any] = sagemaker.describe_labeling_job(LabelingJobName=name)
            counters = job["LabelCounters"]
            done = counters["TotalLabeled"] + counters["FailedNonRetryableError"]
            if job["LabelingJobStatus"] in _ENDED or (images is not None and done >= images):
                return job
            if time.monotonic() > deadline:
                told = {key: value for key, value in counters.items() if value}
                raise AssertionError(
                    f"the job {name} is {job['LabelingJobStatus']} after {seconds:g} s: {told};"
                    f" the server's log: {self.aws.state.log}"
                )
            time.sleep(_POLL_SECONDS)

    def _remove_cors(self, names: Iterable[str]) -> None:
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
            if resource["Type"] == JOB:
                yield logical_id, stack.physical_ids[logical_id]
