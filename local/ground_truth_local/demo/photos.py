"""Photographs to label, from scikit-image's wheel: nothing is downloaded."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import skimage

NAMES = ("astronaut.png", "camera.png", "coffee.png", "coins.png", "ihc.png", "retina.jpg")


def write(folder: Path) -> Path:
    """Copy the photographs into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(skimage.__file__).parent / "data"
    for name in NAMES:
        shutil.copyfile(source / name, folder / name)
    return folder


if __name__ == "__main__":
    write(Path(sys.argv[1]))
