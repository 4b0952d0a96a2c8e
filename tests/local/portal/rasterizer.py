"""What each tool should paint, worked out another way: by the distance or parity of every single pixel."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import segmentation


def centres(shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return x + 0.5, y + 0.5


def stroke(points, diameter, shape):
    """Pixels whose centre is within the radius of a line through the centres of the pixels that were met."""
    x, y = centres(shape)
    places = [(np.floor(px) + 0.5, np.floor(py) + 0.5) for px, py in points]
    nearest = np.full(shape, np.inf)
    for (ax, ay), (bx, by) in zip(places, places[1:] or places, strict=False):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.zeros(shape)
        if length:
            along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1)
        distance = (x - ax - along * (bx - ax)) ** 2 + (y - ay - along * (by - ay)) ** 2
        nearest = np.minimum(nearest, distance)
    return nearest <= (diameter / 2) ** 2 + 1e-9


def polygon(corners, shape):
    """Pixels from whose centre a ray to the right meets the outline an odd number of times."""
    x, y = centres(shape)
    inside = np.zeros(shape, bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        spans = (ay <= y) != (by <= y)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = ax + (y - ay) / (by - ay) * (bx - ax)
        inside ^= spans & (crossing > x)
    return inside


def like(picture, place, tolerance):
    """Pixels whose three channels are within the tolerance of a place's."""
    x, y = place
    difference = np.abs(picture.astype(int) - picture[y, x].astype(int)).max(axis=2)
    return difference <= tolerance


def region(accepted, place):
    """The accepted pixels connected with a place by their sides."""
    x, y = place
    return segmentation.flood(accepted, (y, x), connectivity=1) & accepted


def holes(mask, label):
    """The unlabeled pixels that a label encloses."""
    return ndimage.binary_fill_holes(mask == label) & (mask == 0)
