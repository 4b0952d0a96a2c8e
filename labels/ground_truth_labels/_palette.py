"""What each index of a palette stands for, by its colour."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image

from .colormap import ColorTable

if TYPE_CHECKING:
    from .decode import Alpha

#: Alpha of a pixel that hides nothing.
OPAQUE = 255
#: Palettes whose ids are kept: the masks of a job have one or two.
_KEPT = 8
_GREYS = bytes(i for i in range(256) for _ in "rgb")


def palette_entries(image: Image.Image) -> list[tuple[int, int]]:
    """`(0xRRGGBB, opacity 0-255)` of each index of a palette or grey PNG."""
    return _entries(*_written(image))


def palette_ids(
    image: Image.Image, table: ColorTable, sentinel: int, alpha: Alpha
) -> tuple[tuple[int, ...], bool]:
    """The id of each of the 256 indices of a palette or grey PNG, and whether all its colours are opaque."""
    return _ids(*_written(image), table, sentinel, alpha)


def id_of_color(color: int, opacity: int, table: ColorTable, otherwise: int, alpha: Alpha) -> int:
    """What one colour (`0xRRGGBB`) of one opacity (0-255) stands for; `decode` follows it for arrays."""
    known = table.by_color.get(color)
    if alpha == "color":
        return known if known is not None else (otherwise if opacity else table.background)
    if opacity < (1 if alpha == "visible" else OPAQUE):
        return table.background
    return otherwise if known is None else known


@lru_cache(_KEPT)
def _ids(
    rgb: bytes, transparency: object, table: ColorTable, sentinel: int, alpha: Alpha
) -> tuple[tuple[int, ...], bool]:
    entries = _entries(rgb, transparency)
    ids = [id_of_color(color, opacity, table, sentinel, alpha) for color, opacity in entries]
    return (*ids, *[sentinel] * (256 - len(ids))), all(opacity == OPAQUE for _, opacity in entries)


def _written(image: Image.Image) -> tuple[bytes, object]:
    """The palette as `RGBRGB…`, and what the PNG says of its opacity."""
    rgb = bytes(image.getpalette("RGB") or ()) if image.mode == "P" else _GREYS
    return rgb, image.info.get("transparency")


def _entries(rgb: bytes, transparency: object) -> list[tuple[int, int]]:
    colors = [int.from_bytes(rgb[i : i + 3], "big") for i in range(0, len(rgb) - 2, 3)]
    opacity = [OPAQUE] * len(colors)
    if isinstance(transparency, bytes):
        opacity[: len(transparency)] = transparency[: len(colors)]
    elif isinstance(transparency, int) and 0 <= transparency < len(colors):
        opacity[transparency] = 0
    return list(zip(colors, opacity, strict=True))
