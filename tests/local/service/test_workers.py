"""Simulated workers paint pictures, alike but not the same, and always the same again."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from ground_truth_local.workers import paint

LABELS = ["road", "sky", "tree"]
FOLDER = Path(skimage.__file__).parent / "data"


@pytest.fixture(params=["astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg"])
def photograph(request: pytest.FixtureRequest):
    return Image.open(FOLDER / request.param)


def test_a_worker_paints_the_same_again(photograph) -> None:
    first = paint(photograph, LABELS, seed=3, worker="a")
    assert first.shape == photograph.size[::-1]
    assert (first == paint(photograph, LABELS, seed=3, worker="a")).all()


def test_workers_disagree_a_little_at_the_edges(photograph) -> None:
    one, other = (paint(photograph, LABELS, seed=3, worker=worker) for worker in ("a", "b"))
    assert 0.8 < (one == other).mean() < 0.999


def test_every_label_is_used_and_some_is_left_unlabeled(photograph) -> None:
    share = np.bincount(paint(photograph, LABELS, seed=3).ravel(), minlength=4) / np.prod(photograph.size)
    assert (share > 0.02).all()


def test_the_picture_decides(photograph) -> None:
    mirrored = photograph.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert (paint(photograph, LABELS, seed=3) != paint(mirrored, LABELS, seed=3)).mean() > 0.1


def test_a_thousand_pixels_square_take_well_under_a_second() -> None:
    picture = Image.open(FOLDER / "astronaut.png").resize((1_000, 1_000))
    started = time.thread_time()
    paint(picture, LABELS, seed=0)
    assert time.thread_time() - started < 1.0


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 50)])
@pytest.mark.parametrize("labels", [["a"], [str(number) for number in range(300)]])
def test_the_smallest_pictures_and_many_labels(size, labels) -> None:
    assert paint(Image.new("RGB", size), labels, seed=0).shape == size[::-1]
