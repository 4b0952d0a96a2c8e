"""A map-style dataset for PyTorch that works, and can be tested, without PyTorch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .counts import has_class
from .errors import LabelsError
from .opening import ManifestLike, opened
from .parallel import ordered_map

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
        manifest: What to read, or where its manifest is; several are one dataset.
        transform: Called with image (3, height, width) `uint8` and mask (height, width) `int64`; its result
            is the item. Default: the pair itself. Where torchvision is installed the two are its `tv_tensors`
            `Image` and `Mask`, so a transform of `torchvision.transforms.v2` turns both alike.
        negatives: Whether images are there whose mask is background all over. Default: yes. To leave them
            out, every mask is decoded once, now.
    """

    def __init__(
        self,
        manifest: ManifestLike,
        *,
        transform: Callable[[Any, Any], Any] | None = None,
        negatives: bool = True,
    ) -> None:
        if transform is not None and type(transform).__module__.partition(".")[0] == "albumentations":
            raise LabelsError(
                "transform: Albumentations is called by names and has channels last; give "
                "lambda image, mask: my_transform(image=image.permute(1, 2, 0).numpy(), mask=mask.numpy())"
            )
        manifest = opened(manifest)
        self.labels = manifest.labels
        self.transform = transform
        self._items = [item for item in manifest if item.state == "labeled"]
        if not negatives:
            kept = ordered_map(lambda item: has_class(item.mask(), self.labels), self._items)
            self._items = [item for item, keep in zip(self._items, kept, strict=True) if keep]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, position: int) -> Any:
        item = self._items[position]
        image = np.ascontiguousarray(np.asarray(item.image()).transpose(2, 0, 1))
        mask = item.mask().astype(np.int64)
        pair = (_tensor(image, "Image"), _tensor(mask, "Mask"))
        return self.transform(*pair) if self.transform else pair


def _tensor(array: Any, kind: str) -> Any:
    if _Base is object:
        return array
    import torch

    tensor = torch.from_numpy(array)
    try:
        # By name, as it is an extra of an extra: v2's transforms turn a mask only if it says that it is one.
        wrappers = importlib.import_module("torchvision.tv_tensors")
    except ImportError:
        return tensor
    return getattr(wrappers, kind)(tensor)
