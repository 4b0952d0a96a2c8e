"""The checks themselves."""

from __future__ import annotations

import jsii
import pytest
from aws_cdk import Aws, Duration, INumberProducer, Lazy, Token

from cdk_ground_truth.validation import Checker, is_token

CHECK = Checker("Test/Job")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Aws.REGION, True),
        (f"a {Aws.REGION}", True),
        ("Token[no.1]", False),
        ("plain", False),
        (Token.as_number({"Ref": "x"}), True),
        (1.5, False),
        (3, False),
        ([Aws.REGION], True),
        (("a",), False),
        (Token.as_list({"Ref": "x"}), True),
        (None, False),
    ],
    # A token's text differs between the processes that pytest-xdist compares.
    ids=range(11),
)
def test_tokens_are_known_from_values(value, expected: bool) -> None:
    assert is_token(value) is expected


def test_the_form_of_a_message() -> None:
    with pytest.raises(ValueError) as raised:
        CHECK.fail("name", "be short", "x" * 3, "cut it")
    assert str(raised.value) == "Test/Job: 'name' must be short, got 'xxx'; cut it"
    with pytest.raises(ValueError, match=r"got 1$"):
        CHECK.fail("name", "be short", 1)


def test_seconds() -> None:
    assert CHECK.seconds("t", None, 1, 9) is None
    assert CHECK.seconds("t", Duration.seconds(9), 1, 9) == 9
    late = CHECK.seconds("t", Duration.seconds(Lazy.uncached_number(_Producer())), 1, 9)
    assert Token.is_unresolved(late)
    with pytest.raises(ValueError, match=r"1 seconds to 1 minute\), got '61 seconds'"):
        CHECK.seconds("t", Duration.seconds(61), 1, 60)


def test_text_passes_a_token() -> None:
    CHECK.text("t", Aws.REGION, longest=1)
    with pytest.raises(ValueError, match="be a string, got None"):
        CHECK.text("t", None, longest=1)  # type: ignore[arg-type]


@jsii.implements(INumberProducer)
class _Producer:
    def produce(self, context) -> int:
        return 5
