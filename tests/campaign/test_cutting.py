"""Cutting and merging against plain dictionaries, which hold everything at once and know no order."""

from __future__ import annotations

import random

from labeling_campaign.cutting import cut, sizes
from labeling_campaign.merging import Answer, Image, merged, missing
from labeling_campaign.sorting import Sorted

CASES = 5_000


def _uris(rng: random.Random) -> list[bytes]:
    """Some with a common start, some twice, in any order."""
    names = ["a", "aa", "a/b", "ä", "b", "b-1", "b-10", "b-9", "Z", "~"]
    return [f"s3://{rng.choice('xy')}/{rng.choice(names)}".encode() for _ in range(rng.randrange(25))]


def test_what_is_cut_covers_and_is_disjoint_ordered_bounded_and_even() -> None:
    rng = random.Random(17)
    for _ in range(CASES):
        total, most = rng.randrange(300), rng.randint(1, 40)
        lines = [b"%d" % number for number in range(total)]
        parts = sizes(total, most)
        jobs = list(cut(lines, parts))
        assert [line for job in jobs for line in job] == lines
        assert [len(job) for job in jobs] == parts
        assert len(jobs) == (total + most - 1) // most
        assert not jobs or (max(parts) <= most and max(parts) - min(parts) <= 1)


def test_what_is_missing_is_what_a_dictionary_says() -> None:
    rng = random.Random(18)
    for _ in range(CASES):
        images = [Image(uri, rng.randrange(9), b"line of " + uri) for uri in _uris(rng)]
        labels = {uri: b"%d" % rng.randrange(9) for uri in _uris(rng)}
        ordered = sorted(images, key=lambda image: image.uri)
        found = list(missing(ordered, sorted(labels.items()), lambda image, line: image.modified > int(line)))
        first = {image.uri: image for image in reversed(ordered)}
        wanted = {
            uri for uri, image in first.items() if uri not in labels or image.modified > int(labels[uri])
        }
        assert [image.uri for image in found] == sorted(wanted)
        assert all(image is first[image.uri] for image in found)


def test_what_is_merged_is_each_image_once_with_its_newest_label() -> None:
    rng = random.Random(19)
    for _ in range(CASES):
        labels = {uri: b"old " + uri for uri in _uris(rng)}
        answers = [
            Answer(uri, b"new %d" % job if rng.random() < 0.5 else b"", b"why %d" % job)
            for job in range(rng.randrange(4))
            for uri in set(_uris(rng))
        ]
        newest: dict[bytes, Answer] = {}
        for answer in answers:
            if answer.line or not newest.get(answer.uri, answer).line:
                newest[answer.uri] = answer
        kept = Sorted(chunk_bytes=rng.choice([200, 1 << 20]))
        for number, answer in enumerate(answers):
            kept.add(answer.uri, b"%d" % number)
        found = list(merged(sorted(labels.items()), [answers[int(value)] for _, value in kept]))
        assert [answer.uri for answer in found] == sorted(labels.keys() | newest.keys())
        for answer in found:
            wanted = newest.get(answer.uri) or Answer(answer.uri, labels[answer.uri], b"")
            assert answer.line == wanted.line
            assert answer.line or answer.reason == wanted.reason


def test_sorting_in_pieces_is_sorting_and_equal_keys_stay_as_they_came() -> None:
    rng = random.Random(20)
    for _ in range(CASES // 10):
        records = [(b"%d" % rng.randrange(30), b"%d" % number) for number in range(rng.randrange(200))]
        kept = Sorted(chunk_bytes=rng.randint(1, 5_000))
        for key, value in records:
            kept.add(key, value)
        assert list(kept) == sorted(records, key=lambda record: record[0])
