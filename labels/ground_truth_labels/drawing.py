"""A picture of a mask over its image, with a legend of class names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from .classes import BACKGROUND, IGNORE, LabelList
from .errors import MaskError
from .item import Item

Classes = LabelList | Mapping[int, "str | tuple[str, str]"]

_PAPER, _INK, _MUTED = (255, 255, 255), (31, 35, 40), (101, 109, 118)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    id: int
    name: str
    rgb: tuple[int, int, int]
    share: float


def overlay(
    image: Image.Image | npt.NDArray[np.uint8] | Item,
    mask: npt.NDArray[np.integer] | None = None,
    classes: Classes | None = None,
    *,
    opacity: float = 0.5,
    outline: bool = True,
    legend: bool = True,
) -> Image.Image:
    """Draw class colours over an image.

    Args:
        image: The picture; an array is (height, width, 3) in RGB. Or an item, which has the other two.
        mask: Class ids, (height, width). Another size than the image's is scaled without mixing ids.
        classes: A `LabelList`, or id → name, or id → (name, `#rrggbb`). Ids that it does not name, the
            background and 255 stay uncoloured. Default: an item's own; of a mask alone, each id but 0.
        opacity: 0 (image only) to 1 (colours only). Default: 0.5.
        outline: A line around each region. Default: yes.
        legend: A strip below the picture with the classes present and their share. Default: yes.

    Raises:
        MaskError: There is no mask or it is not two-dimensional, opacity is outside 0-1, or a colour is none.
    """
    if isinstance(image, Item):
        image, mask, classes = _of_item(image, mask, classes)
    if mask is None:
        raise MaskError("overlay needs an item of a manifest, or an image and its mask")
    if classes is None:
        classes = {i: f"class {i}" for i in np.unique(mask).tolist() if i not in (0, IGNORE)}
    if mask.ndim != 2 or not 0 <= opacity <= 1:
        raise MaskError(f"overlay needs a 2-D mask and opacity in 0..1, got {mask.shape} and {opacity!r}")
    picture = Image.fromarray(np.asarray(image)) if not isinstance(image, Image.Image) else image
    base = np.asarray(picture.convert("RGB"))
    height, width = base.shape[:2]
    if mask.shape != (height, width):
        rows = np.arange(height) * mask.shape[0] // height
        mask = mask[rows[:, None], np.arange(width) * mask.shape[1] // width]
    entries = _entries(mask, classes)
    blended = _blend(base, mask, entries, opacity, outline)
    result = Image.fromarray(blended)
    return _with_legend(result, entries) if legend and entries else result


def _of_item(
    item: Item, mask: npt.NDArray[np.integer] | None, classes: Classes | None
) -> tuple[Image.Image, npt.NDArray[np.integer], Classes | None]:
    if classes is None and item.context is not None:
        classes = item.context.labels()
    return item.image(), item.mask() if mask is None else mask, classes


def _entries(mask: npt.NDArray[np.integer], classes: Classes) -> list[_Entry]:
    if isinstance(classes, LabelList):
        named = {i: (n, classes.colors[i]) for i, n in classes.by_id.items() if n != BACKGROUND}
    else:
        defaults = LabelList(tuple(f"c{i}" for i in range(len(classes)))).colors
        palette = [color for i, color in sorted(defaults.items()) if i]
        foreground = [
            (i, v)
            for i, v in sorted(classes.items())
            if (v if isinstance(v, str) else v[0]).upper() != BACKGROUND
        ]
        named = {
            i: (v, color) if isinstance(v, str) else v
            for (i, v), color in zip(foreground, palette, strict=False)
        }
    ids, counts = np.unique(mask, return_counts=True)
    present = dict(zip(ids.tolist(), (counts / mask.size).tolist(), strict=True))
    return [
        _Entry(id=i, name=name, rgb=_rgb(color), share=present[i])
        for i, (name, color) in named.items()
        if i in present and i != IGNORE
    ]


def _rgb(color: str) -> tuple[int, int, int]:
    if not re.fullmatch("#[0-9a-fA-F]{6}", color):
        raise MaskError(f"overlay needs a class's colour as '#rrggbb', got {color!r}")
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue


def _blend(
    base: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.integer],
    entries: list[_Entry],
    opacity: float,
    outline: bool,
) -> npt.NDArray[np.uint8]:
    size = max([int(mask.max(initial=0)), *(e.id for e in entries)]) + 1
    colors = np.zeros((size, 3), np.float32)
    weight = np.zeros((size, 1), np.float32)
    for entry in entries:
        colors[entry.id], weight[entry.id] = entry.rgb, opacity
    alpha = weight[mask]
    out = base * (1 - alpha) + colors[mask] * alpha
    if outline and opacity:
        edge = _edges(mask, max(1, round(min(mask.shape) / 400))) & (alpha[..., 0] > 0)
        out[edge] = colors[mask[edge]] * 0.85
    pixels: npt.NDArray[np.uint8] = out.round().astype(np.uint8)
    return pixels


def _edges(mask: npt.NDArray[np.integer], thickness: int) -> npt.NDArray[np.bool_]:
    edge = np.zeros(mask.shape, bool)
    for step in range(1, thickness + 1):
        below = mask[step:] != mask[:-step]
        right = mask[:, step:] != mask[:, :-step]
        edge[step:] |= below
        edge[:-step] |= below
        edge[:, step:] |= right
        edge[:, :-step] |= right
    return edge


def _with_legend(picture: Image.Image, entries: list[_Entry]) -> Image.Image:
    size = min(max(12, round(picture.width / 42)), 36)
    font = ImageFont.load_default(size)
    pad, swatch = round(size * 0.9), round(size * 0.95)
    cells = [
        (e, _label(e), round(font.getlength(_label(e)))) for e in sorted(entries, key=lambda e: -e.share)
    ]
    places, x, y = [], pad, pad
    for entry, text, length in cells:
        cell = swatch + size // 2 + length + round(1.4 * size)
        if x > pad and x + cell > picture.width:
            x, y = pad, y + round(1.6 * size)
        places.append((entry, text, x, y))
        x += cell
    sheet = Image.new("RGB", (picture.width, picture.height + y + round(1.2 * size) + pad), _PAPER)
    sheet.paste(picture, (0, 0))
    draw = ImageDraw.Draw(sheet)
    for entry, text, left, row in places:
        top = picture.height + row
        draw.rounded_rectangle((left, top, left + swatch, top + swatch), round(size / 5), fill=entry.rgb)
        name, _, share = text.rpartition(" ")
        at = left + swatch + size // 2
        middle = top + swatch // 2
        draw.text((at, middle), name, fill=_INK, font=font, anchor="lm")
        draw.text((at + font.getlength(f"{name} "), middle), share, fill=_MUTED, font=font, anchor="lm")
    return sheet


def _label(entry: _Entry) -> str:
    name = entry.name if len(entry.name) <= 40 else f"{entry.name[:39]}…"
    share = f"{entry.share:.0%}" if entry.share >= 0.01 else "<1%"
    return f"{name} {share}"
