"""Splits by what they promise: every share's number of images, each class spread, one image in one split."""

from __future__ import annotations

import math
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ground_truth_labels import ExportError, export
from ground_truth_labels.cli import main
from ground_truth_labels.exports.split import by_image, check_shares, stratify
from ground_truth_labels.shares import SPLITS, parse_shares
from tests.labels.sets import street

IMAGES = st.lists(st.frozensets(st.integers(0, 4), max_size=3), min_size=1, max_size=60)
SHARES = st.lists(st.integers(1, 20), min_size=1, max_size=3).map(
    lambda parts: dict(zip(SPLITS, parts, strict=False))
)


def numbers(images, shares):
    """How many images each split gets: whole shares, the rest to the largest remainders, none empty."""
    exact = {
        name: Fraction(share) * images / Fraction(sum(shares.values())) for name, share in shares.items()
    }
    return exact, {name: math.floor(value) for name, value in exact.items()}


@settings(max_examples=200, deadline=None)
@given(presence=IMAGES, parts=SHARES, seed=st.integers(0, 9))
def test_every_split_gets_its_number_of_images(presence, parts, seed: int) -> None:
    shares = check_shares(parts)
    chosen = Counter(stratify(presence, shares, seed=seed))
    _exact, least = numbers(len(presence), parts)
    assert chosen.total() == len(presence) and set(chosen) <= set(parts)
    for name in parts:
        # Less than one image from its share, but for those that one without any was given.
        given_away = sum(1 for other in parts if least[other] == 0)
        assert least[name] - given_away <= chosen[name] <= least[name] + 1
    if len(presence) >= len(parts):
        assert all(chosen[name] for name in parts)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(4, 40), seed=st.integers(0, 9), classes=st.integers(1, 4))
def test_a_class_that_each_image_has_alone_is_spread_like_the_shares(
    count: int, seed: int, classes: int
) -> None:
    presence = [frozenset({number % classes}) for number in range(count * classes)]
    chosen = stratify(presence, {"train": 0.5, "validation": 0.5}, seed=seed)
    for number in range(classes):
        inside = Counter(name for name, here in zip(chosen, presence, strict=True) if number in here)
        assert abs(inside["train"] - inside["validation"]) <= 1


def test_a_rare_class_is_in_both_splits() -> None:
    """Two of a hundred images have it: by chance alone both would be in `train` two times of three."""
    presence = [frozenset({0}) for _ in range(98)] + [frozenset({0, 7})] * 2
    for seed in range(30):
        chosen = stratify(presence, check_shares({"train": 1, "validation": 1}), seed=seed)
        assert sorted(chosen[98:]) == ["train", "validation"]


def test_images_without_a_class_fill_what_is_left() -> None:
    presence = [frozenset({1})] * 4 + [frozenset[int]()] * 6
    chosen = stratify(presence, check_shares({"train": 8, "test": 2}), seed=3)
    assert Counter(chosen) == {"train": 8, "test": 2}
    assert Counter(chosen[:4])["test"] == 1


@settings(max_examples=60, deadline=None)
@given(presence=IMAGES, parts=SHARES, seed=st.integers(0, 9))
def test_the_same_seed_gives_the_same_split_and_another_may_not(presence, parts, seed: int) -> None:
    shares = check_shares(parts)
    assert stratify(presence, shares, seed=seed) == stratify(presence, shares, seed=seed)
    # Sizes of shares count, not how they are written.
    doubled = check_shares({name: 2 * share for name, share in parts.items()})
    assert stratify(presence, doubled, seed=seed) == stratify(presence, shares, seed=seed)


def test_seeds_make_a_difference() -> None:
    presence = [frozenset({1})] * 30
    shares = {"train": 0.5, "validation": 0.5}
    assert len({tuple(stratify(presence, shares, seed=seed)) for seed in range(10)}) > 5


@settings(max_examples=100, deadline=None)
@given(
    lines=st.lists(
        st.tuples(st.sampled_from("abcdefgh"), st.frozensets(st.integers(0, 3), max_size=2)),
        min_size=1,
        max_size=30,
    ),
    parts=SHARES,
)
def test_all_lines_of_one_image_go_together(lines, parts) -> None:
    images, presence = [image for image, _ in lines], [classes for _, classes in lines]
    assume(len(set(images)) >= len(parts))
    chosen = by_image(images, presence, check_shares(parts), seed=1)
    together: dict[str, set[str]] = {}
    for image, name in zip(images, chosen, strict=True):
        together.setdefault(image, set()).add(name)
    assert all(len(names) == 1 for names in together.values())
    # The number of images counts, not that of lines.
    alone = list(dict.fromkeys(images))
    merged = [frozenset().union(*(c for i, c in lines if i == image)) for image in alone]
    assert [min(together[image]) for image in alone] == stratify(merged, check_shares(parts), seed=1)


# --- how shares are written ---


@pytest.mark.parametrize(
    ("written", "shares"),
    [
        ("80/20", {"train": 80, "validation": 20}),
        ("80/10/10", {"train": 80, "validation": 10, "test": 10}),
        ("0.8", {"train": 0.8, "validation": 0.2}),
        (0.7, {"train": 0.7, "validation": 0.3}),
        ((3, 1), {"train": 3, "validation": 1}),
        ([0.5, 0.25, 0.25], {"train": 0.5, "validation": 0.25, "test": 0.25}),
        ("train=0.8,test=0.2", {"train": 0.8, "test": 0.2}),
        (" train = 3 , validation = 1 ", {"train": 3, "validation": 1}),
        ("90/0/10", {"train": 90, "test": 10}),
        ({"test": 1, "train": 9}, {"test": 1, "train": 9}),
        ("1e2/1e1", {"train": 100, "validation": 10}),
    ],
)
def test_shares_as_people_write_them(written, shares) -> None:
    assert parse_shares(written) == shares
    checked = check_shares(parse_shares(written))
    assert list(checked) == [name for name in SPLITS if name in shares]
    assert sum(checked.values()) == pytest.approx(1)


WRONG: list[Any] = [
    {"train": "0.8", "test": 0.2},
    {"train": 0.8, "test": None},
    {"train": math.inf, "test": 1},
    {"train": math.nan, "test": 1},
    {"train": -1, "test": 2},
    {"train": 0, "test": 1},
    {"train": 1, "dev": 1},
    {"Train": 1},
    {3: 1},
    {},
    "train=inf,test=1",
    "train=nan,test=1",
    "inf/1",
    "-1/2",
    "train=1e400,test=1",
]


@pytest.mark.parametrize("written", WRONG, ids=str)
def test_shares_that_are_none_are_named_and_nothing_is_written(written, tmp_path: Path) -> None:
    """A mapping without anything means no split, as None does; what is in it has to be a share."""
    if written == {}:
        with pytest.raises(ExportError, match="split must give positive shares"):
            check_shares(written)
        return
    with pytest.raises(ExportError, match=r"split must (give positive|be like)"):
        export(street(tmp_path / "job"), tmp_path / "out", split=written, images=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "written", ["train=inf,test=1", "nan/1", "train=1,dev=1", "train=,test=1", "=1", "train"]
)
def test_the_command_says_the_same(written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "export",
        str(street(tmp_path / "job")),
        str(tmp_path / "out"),
        "--split",
        written,
        "--no-images",
    ]
    try:
        code = main(words)
    except SystemExit as wrong_usage:
        code = int(wrong_usage.code or 0)
    told = capsys.readouterr().err
    assert code not in (0, None) and re.search("split:? must", told) and "Traceback" not in told
    assert not (tmp_path / "out").exists()
