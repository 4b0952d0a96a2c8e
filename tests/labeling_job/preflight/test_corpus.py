"""Every broken input is refused with its cause, and every odd one is taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.corpus.broken import BROKEN
from tests.corpus.fake_aws import FakeAws
from tests.corpus.odd import ODD
from tests.corpus.world import good_world


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_input_is_refused_with_its_cause(deploy: Callable[..., tuple[FakeAws, str]], name) -> None:
    check, change = BROKEN[name]
    world = good_world()
    change(world)
    aws, message = deploy(world)
    assert f"ERROR {check}" in message
    assert "no job was created" in message
    assert not aws.created
    assert len(message.encode()) <= 1_200 and message.count("\n") <= 20


@pytest.mark.parametrize("name", BROKEN)
def test_one_cause_is_told_as_one(
    deploy: Callable[..., tuple[FakeAws, str]], name, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person who mends what is told first must not meet a second cause that is the same in other words."""
    check, change = BROKEN[name]
    world = good_world()
    change(world)
    _, message = deploy(world)
    errors = {line.split()[1].rstrip(":") for line in message.splitlines() if line.startswith("ERROR")}
    assert errors <= {check, *CONSEQUENCES.get(name, ())}


#: What one cause brings along, and can't be told apart from a second cause.
CONSEQUENCES = {"manifest in no bucket": ["bucket-exists"], "UTF-16": ["manifest-json"]}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_input_is_taken(deploy: Callable[..., tuple[FakeAws, str]], name) -> None:
    world = good_world()
    ODD[name](world)
    aws, message = deploy(world)
    assert message == ""
    assert len(aws.created) == 1


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(BROKEN) >= 60
    assert len(ODD) >= 20
