"""A map-style dataset for PyTorch that works, and can be tested, without PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .manifest import Manifest

if TYPE_CHECKING:

    class _Base: ...

else:
    try:
        from torch.utils.data import Dataset as _Base
    except ImportError:
        _Base = object


class SegmentationDataset(_Base):
    """The labeled objects of a manifest as `(image, mask)`.

    Where PyTorch is installed it is a `torch.utils.data.Dataset` and gives tensors; without it, the same
    numbers as NumPy arrays. Only line positions and references are held; pixels are read when asked for, so
    it can be handed to a `DataLoader` with workers.

    Args:
        manifest: What to read.
        transform: Called with image (3, height, width) `uint8` and mask (height, width) `int64`; its result
            is the item. Default: the pair itself.
    """

    def __init__(self, manifest: Manifest, *, transform: Callable[[Any, Any], Any] | None = None) -> None:
        self.labels = manifest.labels
        self.transform = transform
        self._items = [item for item in manifest if item.state == "labeled"]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, position: int) -> Any:
        item = self._items[position]
        image = np.ascontiguousarray(np.asarray(item.image()).transpose(2, 0, 1))
        mask = item.mask().astype(np.int64)
        pair = (_tensor(image), _tensor(mask))
        return self.transform(*pair) if self.transform else pair


def _tensor(array: Any) -> Any:
    if _Base is object:
        return array
    import torch

    return torch.from_numpy(array)
