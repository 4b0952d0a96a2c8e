from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import LabelList, MaskError
from ground_truth_labels.drawing import overlay

GREY = np.full((60, 90, 3), 128, np.uint8)
MASK = np.zeros((60, 90), np.uint8)
MASK[10:40, 20:50] = 1


def test_colours_only_the_named_classes() -> None:
    drawn = np.asarray(overlay(GREY, MASK, {1: ("road", "#ff0000")}, outline=False, legend=False))
    assert drawn[20, 30].tolist() == [192, 64, 64]
    assert drawn[0, 0].tolist() == [128, 128, 128]


def test_ids_without_a_name_and_ignored_pixels_stay_as_they_are() -> None:
    mask = np.where(MASK, 255, 9).astype(np.uint8)
    assert np.array_equal(np.asarray(overlay(GREY, mask, LabelList(("a",)), legend=True)), GREY)


def test_the_legend_goes_below_and_names_classes() -> None:
    plain = overlay(Image.fromarray(GREY), MASK, LabelList(("road",)), legend=False)
    drawn = overlay(Image.fromarray(GREY), MASK, LabelList(("road",)))
    assert plain.size == (90, 60) and drawn.width == 90 and drawn.height > 60
    assert np.array_equal(np.asarray(drawn)[:60], np.asarray(plain))


def test_a_mask_of_another_size_is_scaled_without_new_ids() -> None:
    drawn = overlay(GREY, MASK[::2, ::2], {1: "road"}, outline=False, legend=False)
    same = overlay(GREY, MASK, {1: "road"}, outline=False, legend=False)
    assert np.array_equal(np.asarray(drawn), np.asarray(same))


@pytest.mark.parametrize(("mask", "opacity"), [(MASK[None], 0.5), (MASK, 1.5)])
def test_wrong_arguments(mask, opacity: float) -> None:
    with pytest.raises(MaskError, match="overlay needs"):
        overlay(GREY, mask, {1: "a"}, opacity=opacity)
