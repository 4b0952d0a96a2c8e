"""Pytest fixtures: an AWS account of your own for the session, and the real ``cdk deploy`` into it.

Installed with ``ground-truth-local``; nothing heavy is imported until a fixture is used.

* ``embedded_aws`` (session): a running ``EmbeddedAws``, fresh and gone afterwards.
  ``embedded_aws.clock.advance(days=10)`` moves the clock of labeling jobs, for all tests of the session.
* ``embedded_aws_options`` (session): override it in the topmost ``conftest.py`` to return keyword arguments
  for ``EmbeddedAws``: the session has one server, and the first test that wants it starts it.
* ``aws_session`` (session): a boto3 session as the account's administrator.
* ``ground_truth``: ``ground_truth.run(MyStack)`` deploys a stack, has its jobs labeled by simulated workers,
  and returns request, labels as arrays, manifest, failures and events; ``ground_truth.synth(MyStack)``
  synthesizes alone, without a server.
* ``deploy``: ``deploy(app, *stacks, **context)`` runs ``cdk deploy`` as the deploy user and returns the
  outputs by stack; what was deployed is destroyed when the test ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .server import EmbeddedAws
    from .session import GatewaySession
    from .testing import GroundTruth


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Let the CDK's Node take no more threads than there are cores: tests synthesize beside the server.

    An import of `aws_cdk` starts Node, so this comes before any test's module.
    """
    from .cdk_cli import node_options

    os.environ["NODE_OPTIONS"] = node_options()


@pytest.fixture(scope="session")
def embedded_aws_options() -> dict[str, Any]:
    """Keyword arguments for ``EmbeddedAws``; override to set a Region, say."""
    return {}


@pytest.fixture(scope="session")
def embedded_aws(embedded_aws_options: dict[str, Any]) -> Iterator[EmbeddedAws]:
    """Give a running embedded AWS, one for the whole session."""
    from .server import EmbeddedAws

    # Whoever asks for its address waits until it is ready; a first synthesis goes on beside its start.
    aws = EmbeddedAws(**embedded_aws_options).launch()
    try:
        yield aws
    finally:
        aws.stop()


@pytest.fixture(scope="session")
def aws_session(embedded_aws: EmbeddedAws) -> GatewaySession:
    """Give a boto3 session as the account's administrator."""
    return embedded_aws.session()


@pytest.fixture
def ground_truth(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GroundTruth]:
    """Give what runs a stack of your own and reads its labels; everything is destroyed at the end."""
    from .testing import GroundTruth

    # The server starts when something is deployed: who only synthesizes waits for none.
    one = GroundTruth(lambda: request.getfixturevalue("embedded_aws"), tmp_path)
    yield one
    one.close()


@pytest.fixture
def deploy(embedded_aws: EmbeddedAws) -> Iterator[Callable[..., dict[str, dict[str, str]]]]:
    """Give a function that deploys an app and returns its outputs; everything is destroyed at the end."""
    from .cdk_cli import CdkCli

    made: list[tuple[CdkCli, tuple[str, ...]]] = []

    def run(app: str, *stacks: str, **context: str) -> dict[str, dict[str, str]]:
        cli = CdkCli(app, embedded_aws.environment, context=context)
        # It is listed before the deploy: what a failed one leaves is destroyed, too.
        made.append((cli, stacks))
        return cli.deploy(*stacks)

    yield run
    for cli, stacks in reversed(made):
        cli.destroy(*stacks)
