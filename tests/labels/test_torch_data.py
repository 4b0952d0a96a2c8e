"""What training code gets with PyTorch, with torchvision beside it, and with neither.

PyTorch's own loader reads the dataset in `test_export.py`, where it is installed.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from ground_truth_labels import SegmentationDataset, torch_data


class Image(np.ndarray):
    """As torchvision's: by its class a transform knows what to turn."""


class Mask(np.ndarray):
    """As torchvision's."""


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch of which only what the dataset asks for is there."""
    monkeypatch.setattr(torch_data, "_Base", type)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(from_numpy=lambda array: array))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.tv_tensors", None)


@pytest.fixture
def torchvision(torch: None, monkeypatch: pytest.MonkeyPatch) -> None:
    wrappers = ModuleType("torchvision.tv_tensors")
    wrappers.Image = lambda array: array.view(Image)  # type: ignore[attr-defined]
    wrappers.Mask = lambda array: array.view(Mask)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.tv_tensors", wrappers)


def flip(*inputs: np.ndarray) -> tuple[np.ndarray, ...]:
    """As a transform of `torchvision.transforms.v2`: a plain second array is left as it is."""
    return tuple(each[..., ::-1] if isinstance(each, Image | Mask) else each for each in inputs)


def test_a_transform_of_torchvision_turns_the_mask_with_the_image(shared_job, torchvision: None) -> None:
    (plain_image, plain_mask), (image, mask) = (
        SegmentationDataset(shared_job.root, transform=transform)[0] for transform in (None, flip)
    )
    assert type(plain_image) is Image and type(plain_mask) is Mask
    assert np.array_equal(image, plain_image[..., ::-1]) and np.array_equal(mask, plain_mask[..., ::-1])
    assert not np.array_equal(mask, plain_mask)


def test_without_torchvision_they_are_plain_tensors(shared_job, torch: None) -> None:
    image, mask = SegmentationDataset(shared_job.root)[0]
    assert type(image) is type(mask) is np.ndarray and mask.dtype == np.int64 and len(image) == 3
