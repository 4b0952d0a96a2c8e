"""Start and stop the embedded AWS from tests, scripts and the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from . import account as accounts
from . import profiles
from .cdk_cli import sdk_path
from .clock import ClockHand
from .door import ORDER, Door
from .launching import end, message_of, process_of
from .orders import Orders
from .service.quotas import Quotas
from .session import GatewaySession
from .settings import ACCOUNT, Settings, StateDir

_NOT_RUNNING = "The embedded AWS is not running; call start() first."


class EmbeddedAwsError(RuntimeError):
    """The embedded AWS did not start; the message says why."""


class EmbeddedAws:
    """An AWS account of its own on a loopback port: IAM, S3, Lambda, CloudFormation, Ground Truth and more.

    ``with EmbeddedAws() as aws: …`` starts it in a process of its own and stops it at the end. That process
    also ends when this one does, however that happens.

    Args:
        state_dir: where everything is kept, over restarts too. Default: a temporary folder, removed at stop.
        port: the port to listen on. Default: a free one.
        portal_port: the worker portal's port. Default: a free one.
        real_elements: worker templates load AWS's own elements from the network. Default: ours, offline.
        region: the Region that is bootstrapped; ``bootstrap`` adds others.
        origins: web origins besides the server's own that may call it.
        service: the class that answers SageMaker's actions, as ``module:Class``.
        simulated_workers: whether the members of all work teams label by themselves, reproducibly.
            Default: tasks wait for people.
        seed: what simulated workers paint follows from it and the picture.
        seconds_per_task: how long a simulated worker rests after a task. Default: not at all.
        verifier_error_rate: share of the labels that a simulated verifier misjudges, 0 to 1. Default: none.
        source_account: whether a service that assumes a role sends ``aws:SourceAccount``. That Ground Truth
            does is documented nowhere: switch it off to see whether your roles need it.
        black_holes: services that Lambdas get no answer from, as in an isolated network: ``["iam"]``.
        throttle_every: each so many-th request is throttled. Default: none.
        break_every: each so many-th object that is read breaks off in its middle. Default: none.
        short_every: each so many-th object that is read comes without its second half, as if it were whole,
            as a proxy can do that counts anew what it has cut off. Default: none.
        bare_403_every: each so many-th request of a Lambda's to S3 is refused by a 403 that has no body,
            as a proxy or an answer to HEAD does. Default: none.
        iam_spread_seconds: how long a new role, its trust and its policies don't work yet. Default: at once.
        s3_spread_seconds: how long CORS, policy and notifications of a bucket are seen as before a change.
            Default: at once.
        asset_bucket_key: what encrypts the CDK's bucket of assets: ``"aws/s3"``, AWS's managed key;
            ``"customer-key"``, as ``cdk bootstrap --bootstrap-customer-key`` makes it; ``"own-key"``, whose
            readers need ``kms:Decrypt``. Default: S3's own keys.
        node_modules: the folder with the AWS SDK for JavaScript, which Lambda's Node runtimes have. Default:
            that of the current folder, of one above it, or of this project's checkout.
        set_up_seconds: how long a labeling job is in progress before what is wrong with its input fails it;
            on AWS these are minutes. Default: at once.
        foreign_tags: tags that other tools put on each labeling job when it is made (auto-tagging, say).
        quotas: of objects in a job and of jobs that live at once, ``Quotas(objects=5, jobs=2)``. Default:
            20,000 and 100.
        wait_scale: how long state machines wait, between tries too, as a part of what they say: with ``0.01``
            a minute is 0.6 seconds. Time-outs are not scaled. Default: as they say.
        log_level: of ``server.log``.
    """

    def __init__(
        self,
        state_dir: str | os.PathLike[str] | None = None,
        *,
        port: int = 0,
        portal_port: int = 0,
        real_elements: bool = False,
        region: str = "us-east-1",
        origins: Sequence[str] = (),
        service: str = Settings.service,
        simulated_workers: bool = False,
        seed: int = 0,
        seconds_per_task: float = 0.0,
        verifier_error_rate: float = 0.0,
        source_account: bool = True,
        black_holes: Sequence[str] = (),
        throttle_every: int = 0,
        break_every: int = 0,
        short_every: int = 0,
        bare_403_every: int = 0,
        iam_spread_seconds: float = 0.0,
        s3_spread_seconds: float = 0.0,
        asset_bucket_key: str = "",
        node_modules: str | os.PathLike[str] | None = None,
        set_up_seconds: float = 0.0,
        foreign_tags: Mapping[str, str] | None = None,
        quotas: Quotas | None = None,
        wait_scale: float = 1.0,
        log_level: str = "WARNING",
    ) -> None:
        if asset_bucket_key not in ("", *accounts.ASSET_KEYS):
            keys = ", ".join(accounts.ASSET_KEYS)
            raise EmbeddedAwsError(f"asset_bucket_key is one of {keys}, got {asset_bucket_key!r}.")
        self._temporary = state_dir is None
        folder = (
            Path(tempfile.mkdtemp(prefix="ground-truth-local-")) if state_dir is None else Path(state_dir)
        )
        self.state = StateDir(folder.absolute())
        self._settings = Settings(
            state_dir=self.state.root,
            port=port,
            portal_port=portal_port,
            real_elements=real_elements,
            region=region,
            persist=not self._temporary,
            origins=tuple(origins),
            service=service,
            simulated_workers=simulated_workers,
            seed=seed,
            seconds_per_task=seconds_per_task,
            verifier_error_rate=verifier_error_rate,
            source_account=source_account,
            black_holes=tuple(black_holes),
            throttle_every=throttle_every,
            break_every=break_every,
            short_every=short_every,
            bare_403_every=bare_403_every,
            iam_spread_seconds=iam_spread_seconds,
            s3_spread_seconds=s3_spread_seconds,
            asset_bucket_key=asset_bucket_key,
            node_modules=sdk_path() if node_modules is None else str(Path(node_modules).absolute()),
            set_up_seconds=set_up_seconds,
            foreign_tags=dict(foreign_tags or {}),
            quotas=quotas or Quotas(),
            wait_scale=wait_scale,
            log_level=log_level,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint_url = ""
        self._portal_url = ""
        self._profiles: dict[str, str] = {}
        self._not_running = _NOT_RUNNING
        self._starting = False
        self._listening = threading.RLock()
        self._steps: list[Callable[[], object]] = []

    @property
    def endpoint_url(self) -> str:
        """The address of all services; waits for a server that was only launched."""
        self._wait()
        if not self._endpoint_url:
            raise EmbeddedAwsError(self._not_running)
        return self._endpoint_url

    @property
    def portal_url(self) -> str:
        """The address of the worker portal, where people label."""
        self._wait()
        if not self._portal_url:
            raise EmbeddedAwsError("The embedded AWS is not running, or its service has no portal.")
        return self._portal_url

    @property
    def console_url(self) -> str:
        """The address of the author's console, with the key that opens it."""
        key = accounts.console_key(self._credentials(accounts.ANALYST))
        return f"{self.portal_url}/console/sign-in?key={key}"

    @property
    def profiles(self) -> dict[str, str]:
        """The profiles in `config_file`, and what each is for."""
        self._wait()
        return dict(self._profiles)

    @property
    def config_file(self) -> Path:
        """A file for `AWS_CONFIG_FILE` with a profile for each of the account's users."""
        self._wait()
        return self.state.config

    @property
    def profile_environment(self) -> dict[str, str]:
        """Variables for a person's terminal: the profiles, and the one that reads labels as the default."""
        return profiles.environment(
            self.config_file,
            self.endpoint_url,
            account=self.account,
            region=self.region,
            cdk_home=self.state.cdk_home,
        )

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def region(self) -> str:
        """The Region that is bootstrapped."""
        return self._settings.region

    @property
    def account(self) -> str:
        """The account's number."""
        return ACCOUNT

    @property
    def environment(self) -> dict[str, str]:
        """Variables for ``cdk deploy`` and other tools, as the deploy user."""
        return accounts.environment(
            self.endpoint_url,
            self._credentials(accounts.DEPLOY_USER),
            account=self.account,
            region=self.region,
            cdk_home=self.state.cdk_home,
        )

    def session(self, user: str = accounts.ADMINISTRATOR, *, region: str | None = None) -> GatewaySession:
        """Return a session as one of the account's users, whose clients talk to the embedded AWS."""
        key, secret = self._credentials(user)
        return GatewaySession(
            self.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name=region or self.region,
        )

    @property
    def clock(self) -> ClockHand:
        """The clock of labeling jobs, their objects and tasks: ``aws.clock.advance(days=10)``."""
        return ClockHand(self.endpoint_url, self._credentials(accounts.ADMINISTRATOR), self.region)

    def order(self, orders: Orders) -> None:
        """Tell simulated workers and the wire what holds from now on, until the next order.

        Raises:
            DoorError: the server refused it, or isn't there.
        """
        door = Door(self.endpoint_url, self._credentials(accounts.ADMINISTRATOR), self.region)
        door.ask(ORDER, orders.to_body())

    def bootstrap(self, region: str) -> None:
        """Make the CDK's bucket and roles in another Region."""
        accounts.bootstrap(self.session(region=region), self._settings.asset_bucket_key)

    def create_workteam(self, name: str, members: Sequence[str] = ()) -> str:
        """Make a private work team and return its ARN."""
        return accounts.create_workteam(self.session(), name, members)

    def start(self) -> Self:
        """Start the server and wait until it is ready."""
        self.launch()
        self._wait()
        return self

    def when_ready(self, step: Callable[[], object]) -> None:
        """Take a step at once, or before anybody gets the address of a server that is still starting."""
        self._steps.append(step)
        if not self._starting:
            self._take_steps()

    def launch(self) -> Self:
        """Start the server, and have whoever asks for its address wait until it is ready.

        What needs no server, a synthesis say, can be done meanwhile.
        """
        try:
            self.state.create()
        except OSError as error:
            reason = error.strerror or str(error)
            raise EmbeddedAwsError(
                f"The state directory {self.state.root} can't be written: {reason}. Choose another."
            ) from error
        self._process = process_of(self._settings)
        self._starting, self._not_running = True, _NOT_RUNNING
        return self

    def _wait(self) -> None:
        # The server tells its address once, so one thread listens for all that ask.
        if self._starting:
            with self._listening:
                self._hear()

    def _hear(self) -> None:
        process = self._process
        # Who takes a step asks for the address, too.
        if process is None or not self._starting or self._endpoint_url:
            return
        try:
            told = message_of(process, self.state.log)
            if "error" in told:
                self._not_running = f"The embedded AWS is not running: it did not start: {told['error']}"
                raise EmbeddedAwsError(f"The embedded AWS did not start: {told['error']}")
            self._endpoint_url, self._portal_url = told["endpoint_url"], told["portal_url"]
            credentials = accounts.load_credentials(self.state)
            self._profiles = profiles.write(self.config_file, self._endpoint_url, self.region, credentials)
            self._take_steps()
            self._starting = False
        except BaseException:
            # A Ctrl-C while one waits counts too: no process may stay behind that nobody has a handle of.
            self.stop()
            raise

    def _take_steps(self) -> None:
        while self._steps:
            self._steps.pop(0)()

    def stop(self) -> None:
        """Stop the server; with a ``state_dir`` its state is saved."""
        process, self._process, self._endpoint_url, self._portal_url = self._process, None, "", ""
        self._starting, self._steps = False, []
        if process is not None:
            end(process)
        if self._temporary:
            shutil.rmtree(self.state.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _credentials(self, user: str) -> tuple[str, str]:
        # The server makes them when it starts; two at once would make different ones.
        self._wait()
        return accounts.load_credentials(self.state)[user]
