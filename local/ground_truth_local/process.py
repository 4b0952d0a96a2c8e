"""The server's own process: ``python -m ground_truth_local.process <settings>``.

Prints one line of JSON on standard output when ready, and stops cleanly on SIGTERM, on SIGINT, or when its
standard input closes, which is how it notices the death of its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib
import json
import os
import runpy
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cdk_cli import node_path
from .service.types import AwsAccess, Service
from .settings import HOST, Settings, StateDir

if TYPE_CHECKING:
    from .access import ServiceAccess
    from .portal.server import PortalServer
    from .workers import SimulatedWorkers

# Only these pass: an AWS_ENDPOINT_URL would win over the gateway's in every Lambda, and so on.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "SYSTEMROOT")

#: Seconds that a stop may take; then the process ends whatever its threads wait for.
_GRACE = 12.0
_SWITCH_SECONDS = 0.0005


def configure_environment(settings: Settings, port: int) -> None:
    """Replace ``os.environ`` by what MiniStack, which reads it at import, and its Lambdas shall see."""
    state = StateDir(settings.state_dir)
    persist = "1" if settings.persist else "0"
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = node_path()
    os.environ.clear()
    os.environ.update(
        {
            **kept,
            "PATH": path,
            "HOME": str(state.home),
            "TMPDIR": str(state.temporary),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AUTH": "true",
            "BIND_HOST": HOST,
            "DOCKER_HOST": f"unix://{state.root / 'no-docker.sock'}",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LAMBDA_STRICT": "0",
            "LOG_LEVEL": settings.log_level,
            "MINISTACK_ACCOUNT_ID": settings.account,
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": settings.region,
            "PERSIST_STATE": persist,
            "S3_DATA_DIR": str(state.s3),
            "S3_PERSIST": persist,
            "SFN_WAIT_SCALE": str(settings.wait_scale),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(state.ministack),
        }
    )


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop."""
    settings = Settings.from_json((argv or sys.argv[1:])[0])
    # Workers, jobs and the loop hand requests to each other; each hand-over waits for one who computes.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Whatever is written from here on, by MiniStack and by Lambdas too, is its owner's alone.
    os.umask(0o077)
    state = StateDir(settings.state_dir)
    state.create()
    with state.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(json.dumps({"error": f"{state.root} is in use by another embedded AWS."}), flush=True)
            return 1
        _empty(state.temporary)
        try:
            listener = socket.create_server((HOST, settings.port), backlog=512)
        except OSError as error:
            reason = f"Port {settings.port} of {HOST} is not free: {error.strerror}. Choose another, or 0."
            print(json.dumps({"error": reason}), flush=True)
            return 1
        port = listener.getsockname()[1]
        configure_environment(settings, port)
        _provide_sdk(settings)
        try:
            asyncio.run(_serve(settings, listener, port))
        except BaseException:
            # However the server ends, a Ctrl-C included, its Lambda functions and temporary files go with it;
            # the log stays for the parent, which says why.
            _stop_lambdas()
            _empty(state.temporary)
            raise
        _clean_up(settings)
    return 0


def _provide_sdk(settings: Settings) -> None:
    from .mends.lambda_files import provide_sdk

    provide_sdk(Path(settings.node_modules) if settings.node_modules else None)


async def _serve(settings: Settings, listener: socket.socket, port: int) -> None:
    from . import account, identity, inside, mends
    from .access import ServiceAccess
    from .durability import Journal
    from .gateway import Gateway
    from .guards import Guard
    from .serving import serve
    from .session import GatewaySession
    from .spreading import Spreading
    from .wire import Wire

    state = StateDir(settings.state_dir)
    endpoint_url = f"http://{HOST}:{port}"
    credentials = account.load_credentials(state)
    administrator = credentials[account.ADMINISTRATOR]
    spreading = Spreading(settings.iam_spread_seconds, settings.s3_spread_seconds)
    access = ServiceAccess(
        endpoint_url, administrator, source_account=settings.source_account, trust=spreading.trust
    )
    service = _load_service(settings, access)
    workers = _load_workers(settings, service, access)
    mends.install(service, access)
    inside.install()
    spreading.install()
    journal = Journal(state.ministack) if settings.persist else None
    if journal is not None:
        journal.install()
    portal = _load_portal(settings, service, access, credentials[account.ANALYST])
    stopping = asyncio.Event()
    _on_stop_request(asyncio.get_running_loop(), stopping.set, lambda: _end_now(settings))

    async def started() -> None:
        if journal is not None:
            journal.start()
        identity.ensure_users(settings.account, credentials)
        service.start()
        if workers is not None and settings.simulated_workers:
            workers.start()

    async def stopped() -> None:
        mends.custom_resources.give_up()
        if journal is not None:
            await journal.stop()
        if workers is not None:
            await asyncio.to_thread(workers.stop)
        await asyncio.to_thread(service.stop)

    wire = Wire(
        settings.black_holes,
        throttle_every=settings.throttle_every,
        break_every=settings.break_every,
        short_every=settings.short_every,
        bare_403_every=settings.bare_403_every,
    )
    if workers is not None:
        workers.service.on_order(workers.take)
        workers.service.on_order(wire.take)
        workers.service.on_order(spreading.take)
    guard = Guard(port, settings.origins)
    app = Gateway(guard, service, on_startup=started, on_shutdown=stopped, journal=journal, wire=wire)
    access.transport = inside.InsideSession(app, asyncio.get_running_loop())
    listening = serve(_wrapped(app, settings.middleware), listener, stopping, graceful_seconds=3)
    serving = asyncio.create_task(listening)
    session = GatewaySession(
        endpoint_url,
        aws_access_key_id=administrator[0],
        aws_secret_access_key=administrator[1],
        region_name=settings.region,
    )
    bootstrapping = asyncio.create_task(
        asyncio.to_thread(account.bootstrap, session, settings.asset_bucket_key)
    )
    await asyncio.wait({serving, bootstrapping}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        if bootstrapping.cancelled() or bootstrapping.exception() is not None:
            stopping.set()
            await serving
        # Raises what the bootstrap raised.
        bootstrapping.result()
        wire.open()
        spreading.open()
        ready = {"endpoint_url": endpoint_url, "port": port, "portal_url": portal.url if portal else ""}
        # The portal's socket listens already, so nobody who reads this line can come too early.
        print(json.dumps(ready), flush=True)
        if portal is not None:
            await portal.serve(stopping)
    await serving


def _wrapped(app: Any, middleware: tuple[str, ...]) -> Any:
    if not middleware:
        return app
    file, function, *rest = middleware
    return runpy.run_path(file)[function](app, *rest)


def _load_service(settings: Settings, access: AwsAccess) -> Service:
    module, _, name = settings.service.partition(":")
    factory = getattr(importlib.import_module(module), name)
    folder = StateDir(settings.state_dir).ground_truth if settings.persist else None
    options: dict[str, Any] = {}
    if settings.service == Settings.service:
        from .service.pace import Pace

        options = {
            "pace": Pace(set_up=settings.set_up_seconds),
            "foreign_tags": settings.foreign_tags,
            "quotas": settings.quotas,
        }
    service: Service = factory(folder, access, **options)
    return service


def _load_portal(
    settings: Settings, service: Service, access: ServiceAccess, analyst: tuple[str, str]
) -> PortalServer | None:
    from .account import console_key
    from .console.account import Account
    from .portal.server import PortalServer
    from .service.api import GroundTruthService
    from .session import GatewaySession

    if not isinstance(service, GroundTruthService):
        return None
    # The console goes through the gateway and sees what an analyst sees, and nothing else.
    session = GatewaySession(
        access.endpoint_url,
        aws_access_key_id=analyst[0],
        aws_secret_access_key=analyst[1],
        region_name=settings.region,
    )
    return PortalServer(
        service,
        gateway=access.endpoint_url,
        directory=access.group_members,
        port=settings.portal_port,
        real_elements=settings.real_elements,
        account=Account(session, read_only=False),
        console_key=console_key(analyst),
    )


def _load_workers(settings: Settings, service: Service, access: ServiceAccess) -> SimulatedWorkers | None:
    from .service.api import GroundTruthService
    from .workers import SimulatedWorkers

    if not isinstance(service, GroundTruthService):
        assert not settings.simulated_workers, "workers need the real service"
        return None
    return SimulatedWorkers(
        service,
        directory=access.group_members,
        seed=settings.seed,
        seconds_per_task=settings.seconds_per_task,
        error_rate=settings.verifier_error_rate,
    )


def _on_stop_request(
    loop: asyncio.AbstractEventLoop, stop: Callable[[], None], end_now: Callable[[], None]
) -> None:
    """Stop on a signal or with the parent; end for certain when that takes too long."""

    def requested() -> None:
        # A request that never ends holds a thread of the loop's pool, which asyncio would wait for.
        timer = threading.Timer(_GRACE, end_now)
        timer.daemon = True
        timer.start()
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, requested)

    def watch_parent() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(1):
                pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(requested)

    threading.Thread(target=watch_parent, daemon=True, name="parent-watch").start()


def _end_now(settings: Settings) -> None:
    _clean_up(settings)
    os._exit(1)


def _clean_up(settings: Settings) -> None:
    """Leave no Lambda's process, no temporary folder and, unless it is kept, no state behind."""
    state = StateDir(settings.state_dir)
    _stop_lambdas()
    _empty(state.temporary)
    if not settings.persist:
        # The parent does so too, unless it was killed.
        shutil.rmtree(state.root, ignore_errors=True)


def _stop_lambdas() -> None:
    runtime = sys.modules.get("ministack.core.lambda_runtime")
    if runtime is not None:
        runtime.reset()


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
