"""What the items of one manifest share: where files are, and which class has which id."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, TypeVar

from .classes import LabelList
from .colormap import ColorEntry, ColorTable, color_table
from .decode import Alpha, Decoded, MaskArray, Unknown, decode, decode_mask
from .errors import LabelsError, LimitError, MaskError, MissingError
from .limits import Limits
from .orientation import Orientation, exif_orientation, seen_upright, sizes_tell, turn
from .resolve import Resolver
from .storage import Storage, is_s3, join, parent

if TYPE_CHECKING:
    from PIL import Image

    from .item import Item

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """Shared by the items of a manifest; see `read_manifest` for the meaning of each.

    `labels` is a call, because the names may have to be gathered from the whole manifest first.
    """

    storage: Storage
    resolver: Resolver
    labels: Callable[[], LabelList]
    unknown: Unknown
    alpha: Alpha = "visible"
    orientation: Orientation = "stored"

    def __getstate__(self) -> dict[str, object]:
        # A copy in another process needs the list itself, not the manifest that can gather it.
        labels = self.labels()
        return {**self.__dict__, "labels": partial(_constant, labels)}

    def mask(self, item: Item) -> MaskArray:
        """Decode an item's mask."""
        return self._decoded_by(decode_mask, item, item.mask_bytes())

    def decoded(self, item: Item, data: bytes) -> Decoded:
        """Decode an item's mask from its bytes, with what a check wants to know."""
        return self._decoded_by(decode, item, data)

    def _decoded_by(self, decoder: Callable[..., T], item: Item, data: bytes) -> T:
        return decoder(
            data,
            self.table(item.colors, item.where),
            unknown=self.unknown,
            alpha=self.alpha,
            name=f"{item.where}: {item.mask_ref}",
            limits=self.storage.limits,
        )

    def table(self, colors: tuple[ColorEntry, ...], where: str) -> ColorTable:
        """Colours bound to this manifest's class ids."""
        try:
            return _cached_table(colors, self.labels())
        except Exception:
            # It is not cached, and this time says it with the line in the message.
            return color_table(colors, self.labels(), where)

    def identity(self, item: Item) -> str:
        """What tells images apart: the key, or the file that a relative reference means."""
        if is_s3(item.source_ref):
            return item.source_ref
        try:
            found = self.resolver.locate(item.source_ref)
        except LabelsError:
            return join(parent(item.location), item.source_ref)
        return found if is_s3(found) else os.path.realpath(found)

    def read(self, reference: str, where: str, *, head: int | None = None, mask: bool = False) -> bytes:
        """The bytes behind a reference.

        Raises:
            LimitError: It is too large.
            MissingError: It is nowhere, with the places that were looked at.
        """
        try:
            location = self.resolver.locate(reference, mask=mask)
            return self.storage.read(location, head=head)
        except LimitError as error:
            raise LimitError(f"{where}: {error}") from error
        except MissingError as error:
            looked = self.resolver.looked(mask=mask)
            if not looked or looked in str(error):
                raise MissingError(f"{where}: {error}") from error
            # With a local manifest it is the copy that is missing; S3 was only the last resort.
            raise MissingError(f"{where}: {reference}: {looked}; S3 was asked last: {error}") from error

    def image(self, item: Item) -> Image.Image:
        """An item's image, lying as the workers saw it."""
        name = f"{item.where}: {item.source_ref}"
        data = item.image_bytes()
        stored = load_image(data, name=name, limits=self.storage.limits)
        found = exif_orientation(data)
        if found == 1:
            return stored
        mask = self._mask_size(item) if sizes_tell(found, stored.size) else None
        upright = seen_upright(found, stored.size, mask, self.orientation)
        return turn(stored, found) if upright else stored

    @staticmethod
    def _mask_size(item: Item) -> tuple[int, int] | None:
        if item.mask_ref is None:
            return None
        try:
            head = item.mask_bytes(head=33)
        except MissingError:
            return None
        if head[12:16] != b"IHDR" or len(head) < 24:
            return None
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _constant(labels: LabelList) -> LabelList:
    return labels


@lru_cache(maxsize=64)
def _cached_table(colors: tuple[ColorEntry, ...], labels: LabelList) -> ColorTable:
    return color_table(colors, labels, "")


def load_image(data: bytes, *, name: str, limits: Limits, orientation: int = 1) -> Image.Image:
    """An RGB image, turned as `orientation` says (default: not), its size checked before decoding.

    Raises:
        LimitError: Too many pixels.
        MaskError: Not an image.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        if image.width * image.height > limits.pixels:
            raise LimitError(
                f"{name}: has {image.width:,} x {image.height:,} pixels, limit {limits.pixels:,}"
            )
        profile = image.info.get("icc_profile")
        rgb = turn(_eight_bits(image).convert("RGB"), orientation)
    except LimitError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MaskError(f"{name}: cannot be decoded as an image: {error}") from error
    # A profile for grey or CMYK doesn't describe the RGB that these became.
    rgb.info["icc_profile"] = profile if image.mode in ("RGB", "RGBA", "P") else None
    return rgb


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled as browsers do; Pillow would cut all that is brighter than 255 off."""
    if not image.mode.startswith("I"):
        return image
    import numpy as np
    from PIL import Image

    values = np.asarray(image).astype(np.uint32)
    return Image.fromarray(((values * 255 + 32_895) >> 16).astype(np.uint8))
