"""Compares masks, and shows where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


def assert_same_mask(
    found: npt.NDArray[np.integer],
    expected: npt.NDArray[np.integer],
    *,
    tolerance: float = 0.0,
    labels: Sequence[str] = (),
    picture: Path | None = None,
) -> None:
    """Hold a mask against another one.

    Args:
        found: class ids, height by width.
        expected: the same size.
        tolerance: share of the pixels that may differ, 0 to 1.
        labels: names of the classes, for the message; the first is that of id 1.
        picture: where to write a PNG of both masks and their differences (red), if they differ too much.

    Raises:
        AssertionError: they differ in size, or in more pixels; the message has each class's overlap.
    """
    if found.shape != expected.shape:
        raise AssertionError(f"the masks have other sizes: {found.shape}, expected {expected.shape}")
    different = found != expected
    share = float(different.mean()) if different.size else 0.0
    if share <= tolerance:
        return
    lines = [f"{share:.2%} of the pixels differ, at most {tolerance:.2%} may"]
    for class_id in sorted(set(np.unique(found)) | set(np.unique(expected))):
        mine, theirs = found == class_id, expected == class_id
        overlap = float((mine & theirs).sum() / max(1, (mine | theirs).sum()))
        lines.append(f"  {_named(int(class_id), labels)}: intersection over union {overlap:.3f}")
    if picture is not None:
        _draw(found, expected, different).save(picture)
        lines.append(f"  found, expected and their differences: {picture}")
    raise AssertionError("\n".join(lines))


def _named(class_id: int, labels: Sequence[str]) -> str:
    if class_id == 0:
        return "background"
    return labels[class_id - 1] if class_id <= len(labels) else f"class {class_id}"


def _draw(
    found: npt.NDArray[np.integer], expected: npt.NDArray[np.integer], different: npt.NDArray[np.bool_]
) -> Image.Image:
    most = max(1, int(max(found.max(initial=0), expected.max(initial=0))))
    panes = [(mask.astype(np.float32) / most * 255).astype(np.uint8) for mask in (found, expected)]
    red = np.zeros((*different.shape, 3), dtype=np.uint8)
    red[different] = (255, 0, 0)
    return Image.fromarray(np.concatenate([*(np.stack([pane] * 3, axis=-1) for pane in panes), red], axis=1))
