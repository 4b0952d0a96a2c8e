"""Compares and merges what is sorted by image: nothing but two places is held."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple


class Image(NamedTuple):
    """An image as it is now."""

    uri: bytes
    #: When it was last written, in seconds since 1970; 0 where nobody says.
    modified: float
    #: This is the manifest's line.
    line: bytes


class Answer(NamedTuple):
    """What a job made of an image that it was asked for."""

    uri: bytes
    #: The label's line; empty where there is none.
    line: bytes
    #: What there is to say where there is none.
    reason: bytes


def missing(
    images: Iterable[Image], labeled: Iterable[tuple[bytes, bytes]], changed: Callable[[Image, bytes], bool]
) -> Iterator[Image]:
    """The images that have no label, or another content than was labeled; each once.

    Args:
        images: sorted by URI; of one that comes twice the first counts.
        labeled: URI and line of each label, sorted by URI.
        changed: whether the image is another one than the line is about.
    """
    labels = iter(labeled)
    label = next(labels, None)
    before = None
    for image in images:
        uri = image.uri
        if uri == before:
            continue
        before = uri
        while label is not None and label[0] < uri:
            label = next(labels, None)
        if label is None or label[0] != uri or changed(image, label[1]):
            yield image


def merged(labeled: Iterable[tuple[bytes, bytes]], answers: Iterable[Answer]) -> Iterator[Answer]:
    """Each image that has a label or was asked for, once, sorted by URI: its newest label, or why none.

    An image that was asked for had no label that is worth anything, so an older one never comes back.

    Args:
        labeled: URI and line of each label so far, sorted by URI, each once.
        answers: sorted by URI, those of one image from the oldest job to the newest.
    """
    labels = iter(labeled)
    label = next(labels, None)
    for uri, group in itertools.groupby(answers, key=itemgetter(0)):
        while label is not None and label[0] < uri:
            yield Answer(label[0], label[1], b"")
            label = next(labels, None)
        if label is not None and label[0] == uri:
            label = next(labels, None)
        # A job that was asked later may still have failed where an earlier one had not.
        given = list(group)
        yield next((answer for answer in reversed(given) if answer.line), given[-1])
    while label is not None:
        yield Answer(label[0], label[1], b"")
        label = next(labels, None)
