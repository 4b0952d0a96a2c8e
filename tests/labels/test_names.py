from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ground_truth_labels.exports.workspace import Workspace
from ground_truth_labels.names import safe_name
from ground_truth_labels.storage import Storage


@given(st.integers(0, 10**7), st.text(min_size=1, max_size=300))
def test_legal_everywhere_whatever_the_key(index, reference) -> None:
    name = safe_name(index, reference)
    assert re.fullmatch(r"\d{6,8}(_[A-Za-z0-9_-]+)?", name) and len(name) < 100


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("s3://b/day 1/12:30:00.jpg", "000003_12_30_00"),
        ("s3://b/Straße é.png", "000003_Strae_e"),
        ("s3://b/CON.png", "000003_CON_"),
        ("s3://b/日本.png", "000003"),
        ("s3://b/a/../..\\x.png", "000003_x"),
    ],
)
def test_examples(reference: str, name: str) -> None:
    assert safe_name(3, reference) == name


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a//x", "a\\x", "c:x", "."])
def test_nothing_is_written_outside_the_target(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name below the target"):
        Workspace(Storage(), str(tmp_path / "t")).write(name, b"x")
    assert not list(tmp_path.iterdir())
