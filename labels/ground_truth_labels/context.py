"""What the items of one manifest share: where files are, and which class has which id."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from .classes import LabelList
from .colormap import ColorEntry, ColorTable, color_table
from .decode import MaskArray, Unknown, decode_mask
from .errors import LimitError, MaskError, MissingError
from .limits import Limits
from .resolve import Resolver
from .storage import Storage

if TYPE_CHECKING:
    from PIL import Image

    from .item import Item


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """Shared by the items of a manifest; see `read_manifest` for the meaning of each.

    `labels` is a call, because the names may have to be gathered from the whole manifest first.
    """

    storage: Storage
    resolver: Resolver
    labels: Callable[[], LabelList]
    unknown: Unknown

    def __getstate__(self) -> dict[str, object]:
        # A copy in another process needs the list itself, not the manifest that can gather it.
        labels = self.labels()
        return {**self.__dict__, "labels": partial(_constant, labels)}

    def mask(self, item: Item, *, unknown: Unknown | None = None) -> MaskArray:
        """Decode an item's mask."""
        data = item.mask_bytes()
        table = self.table(item.colors, item.where)
        name = f"{item.where}: {item.mask_ref}"
        return decode_mask(
            data, table, unknown=unknown or self.unknown, name=name, limits=self.storage.limits
        )

    def table(self, colors: tuple[ColorEntry, ...], where: str) -> ColorTable:
        """Colours bound to this manifest's class ids."""
        try:
            return _cached_table(colors, self.labels())
        except Exception:
            # Not cached, and this time with the line in the message.
            return color_table(colors, self.labels(), where)

    def read(self, reference: str, where: str, *, head: int | None = None) -> bytes:
        """The bytes behind a reference."""
        try:
            return self.storage.read(self.resolver.locate(reference), head=head)
        except (MissingError, LimitError) as error:
            raise type(error)(f"{where}: {error}") from error

    def image(self, item: Item) -> Image.Image:
        """An item's image."""
        name = f"{item.where}: {item.source_ref}"
        return load_image(item.image_bytes(), name=name, limits=self.storage.limits)


def _constant(labels: LabelList) -> LabelList:
    return labels


@lru_cache(maxsize=64)
def _cached_table(colors: tuple[ColorEntry, ...], labels: LabelList) -> ColorTable:
    return color_table(colors, labels, "")


def load_image(data: bytes, *, name: str, limits: Limits, turn: bool = True) -> Image.Image:
    """An RGB image, turned as its EXIF orientation says, its size checked before decoding.

    Raises:
        LimitError: Too many pixels.
        MaskError: Not an image.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        if image.width * image.height > limits.pixels:
            raise LimitError(
                f"{name}: has {image.width:,} x {image.height:,} pixels, limit {limits.pixels:,}"
            )
        return (ImageOps.exif_transpose(image) if turn else image).convert("RGB")
    except LimitError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaskError(f"{name}: cannot be decoded as an image: {error}") from error
