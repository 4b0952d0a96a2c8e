"""Manifests of any size, depth, repetition, number of buckets and alphabet, and what each breaks first."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

OBJECTS_MAX = 20_000
INPUT = "corpus-input"
ALPHABETS = ("abc", "äöü", "Жизнь", "路上", "🚗🛣", "\"'\\", "\n\t\x7f", "\u2028\u0085", "{{ }}", "$*?%")


@dataclass
class Shape:
    """How the lines of one manifest look."""

    alphabet: str = "abc"
    #: Characters of a key, besides the line's number.
    key: int = 5
    attributes: int = 0
    depth: int = 0
    #: Each line has another bucket.
    spread: bool = False

    def image(self, number: int, chance: random.Random) -> dict[str, object]:
        """A line of its image alone, which no other line has."""
        start = chance.randrange(len(self.alphabet))
        text = (self.alphabet * (self.key // len(self.alphabet) + 2))[start : start + self.key]
        text = text.encode()[:1_000].decode(errors="ignore")
        bucket = f"corpus-{number:05}" if self.spread else INPUT
        return {"source-ref": f"s3://{bucket}/{text}{number}"}

    def entry(self, number: int, chance: random.Random) -> dict[str, object]:
        """A line that breaks no rule."""
        entry, text = self.image(number, chance), self.alphabet[:2]
        entry |= {f"x{text}{n}": n for n in range(self.attributes)}
        if self.depth:
            entry["deep"] = json.loads("[" * self.depth + "]" * self.depth)
        return entry


def _line(entry: object) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode()


def _with(text: str) -> Callable[[dict[str, object], random.Random], bytes]:
    """The entry, with more JSON, or what looks like it, at its end."""
    return lambda entry, _: _line(entry)[:-1] + b", " + text.encode() + b"}"


def _twice(entry: dict[str, object], chance: random.Random) -> bytes:
    keys = chance.choice([2, 100, 10_300])
    return _line(entry)[:-1] + b"," + b",".join(b'"%d":1' % n for n in range(keys)) + b',"1":1}'


#: Kind → the check that has to name it, and a line of it.
KINDS: dict[str, tuple[str, Callable[[dict[str, object], random.Random], bytes]]] = {
    "no JSON": ("manifest-json", lambda entry, chance: bytes(chance.choices(b'{}[]:,"ab1 ', k=30)) + b"!"),
    "cut": ("manifest-json", lambda entry, _: _line(entry)[:-2]),
    "NaN": ("manifest-json", _with('"x": NaN')),
    "a key twice": ("manifest-json", _twice),
    "brackets": ("manifest-json", lambda entry, chance: b'{"x": ' + b"[" * chance.choice([201, 40_000])),
    "nested": ("manifest-json", _with('"x": ' + "[" * 300 + "]" * 300)),
    "objects in objects": ("manifest-json", _with('"x": ' + '{"x":' * 9_000 + "1" + "}" * 9_000)),
    "half a pair": ("manifest-json", _with(r'"x": "\ud83d"')),
    "digits": ("manifest-json", _with('"x": ' + "7" * 5_000)),
    "empty": ("manifest-json", lambda *_: b""),
    "an array": ("manifest-json", lambda entry, _: _line([entry])),
    "Latin-1": ("manifest-encoding", lambda entry, _: _line(entry)[:-1] + b', "x": "\xe9"}'),
    "a long line": ("manifest-line-length", lambda entry, _: _line(entry)[:-1] + b" " * 100_001 + b"}"),
    "a long attribute": ("manifest-line-length", _with('"x": "' + "é" * 20_001 + '"')),
    "dollars": (
        "manifest-attribute-name",
        lambda entry, chance: _line(entry | {f"${n}": 1 for n in range(chance.choice([1, 50, 7_000]))}),
    ),
    "no image": ("manifest-source", lambda *_: b'{"x": 1}'),
    "a bucket of stars": ("manifest-source", lambda *_: b'{"source-ref": "s3://*/a"}'),
    "a long key": ("manifest-source", lambda *_: _line({"source-ref": f"s3://{INPUT}/{'ж' * 1_000}"})),
    "a list for an image": ("manifest-source", lambda *_: _line({"source-ref": [["s3://a/b"] * 900]})),
    "text": ("manifest-source", lambda entry, _: _line(entry | {"source": "x"})),
}


@dataclass
class Manifest:
    """A body that is made while it is read, and what was put into it."""

    seed: int
    shape: Shape
    lines: int
    bytes_max: int
    kinds: list[str] = field(default_factory=list)
    #: This share of the lines breaks a rule.
    share: float = 0.0
    #: The bytes of a line without an end.
    endless: int = 0
    #: Check → the first line that breaks it, known when all was read.
    broken: dict[str, int] = field(default_factory=dict)
    written: int = 0

    def chunks(self) -> Iterator[bytes]:
        chance, left = random.Random(self.seed), self.bytes_max
        self.broken, self.written = {}, 0
        good: bytes | None = None
        while self.written < self.lines and left > 0:
            self.written += 1
            if self.kinds and chance.random() < self.share:
                kind = chance.choice(self.kinds)
                check, make = KINDS[kind]
                # It has the image alone, so that a line breaks the rule that it is to break.
                line = make(self.shape.image(self.written, chance), chance)
            elif good is not None and self.share and chance.random() < self.share / 9:
                check, line = "manifest-duplicates", good
            else:
                check, line = "", _line(self.shape.entry(self.written, chance))
                good = good or line
            if check and self.written <= OBJECTS_MAX:
                self.broken.setdefault(check, self.written)
            left -= len(line)
            yield line + b"\n"
        if self.endless:
            self.written += 1
            if self.written <= OBJECTS_MAX:
                self.broken.setdefault("manifest-line-length", self.written)
            for _ in range(0, self.endless, 1 << 20):
                yield b"x" * (1 << 20)
        if not 0 < self.written <= OBJECTS_MAX:
            self.broken.setdefault("manifest-count", 0)


def drawn(seed: int) -> Manifest:
    """A manifest by its number: most are small, some are as large as the handler's bounds."""
    chance = random.Random(seed)
    [size] = chance.choices([2_000, 50_000, 1_000_000, 30_000_000, 150_000_000], [80, 15, 4.2, 0.6, 0.2])
    shape = Shape(
        alphabet=chance.choice(ALPHABETS),
        key=chance.choice([1, 5, 5, 40, 1_000]),
        attributes=chance.choice([0, 0, 0, 3, 3, 200, 4_000]),
        depth=chance.choice([0, 0, 0, 0, 5, 150]),
        spread=chance.random() < 0.3,
    )
    return Manifest(
        seed=seed,
        shape=shape,
        lines=chance.choice([0, 1, 2, 7, 60, 400, 20_000, 20_001, 30_000]),
        bytes_max=size,
        kinds=chance.sample(sorted(KINDS), chance.randint(0, 6)),
        share=chance.choice([0.01, 0.2, 1.0]),
        endless=chance.choice([0] * 30 + [1 << 20, 1 << 26]) if size > 2_000 else 0,
    )


def _named(kinds: list[str], lines: int, shape: Shape | None = None, **more: Any) -> Manifest:
    return Manifest(
        seed=1, shape=shape or Shape(), lines=lines, bytes_max=1 << 30, kinds=kinds, share=1.0, **more
    )


#: What has hurt, or would have: each once stopped a handler for want of time, memory, calls or words.
NAMED = {
    "20,000 buckets": _named([], 20_000, Shape(spread=True)),
    "20,000 buckets, none good": _named(["text"], 20_000, Shape(spread=True)),
    "10,300 keys in a line, one twice": _named(["a key twice"], 500),
    "thousands of bad attributes in a line": _named(["dollars"], 500),
    "a line without an end": _named([], 3, endless=1 << 28),
    "deep nesting in every line": _named(["brackets", "nested", "objects in objects"], 1_000),
    "keys of a thousand characters": _named(["text"], 20_000, Shape("🚗", 1_000)),
    "control characters": _named(["text", "dollars"], 300, Shape("\n\x00\x1b\x7f", 300)),
    "a million lines": _named(["empty"], 1_000_100),
}
