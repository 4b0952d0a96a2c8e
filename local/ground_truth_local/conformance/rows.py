"""The rows of the table: what is asked, what is documented or was seen to come of it, and who says so."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from ..sources import Kind

_KINDS = {
    "model": Kind.MODEL,
    "docs": Kind.REFERENCE,
    "observed": Kind.OBSERVED,
    "assumed": Kind.ASSUMED,
    "twin": Kind.TWIN,
}
_READS = ("Describe", "List")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One request, or one data set with what workers do to it.

    Attributes:
        name: of the row.
        source: kind and place, as `model: CreateLabelingJobRequest$LabelAttributeName`.
        rule: the embedded AWS's rule that is tried.
        call: the operation.
        request: for CreateLabelingJob the members that are changed in a correct request, by dotted path; the
            value `"~"` removes a member. For others the whole body.
        manifest: the manifest's text; without it `objects` correct lines.
        objects: how many images there are.
        workers: workers per object.
        images: content of single images by number: `png`, `gif`, `text`, `exif`, `missing`, `large` (in
            bytes), `huge` (in pixels).
        categories: the label category file's text.
        template: replacements in a correct template, pairs of old and new.
        cors: the CORS rules of the images' bucket.
        denied: what the role may not do, pairs of action and part of the resource.
        slow: whether the service takes its time: a minute until the job is in progress, two until it is set
            up, one for a stop. Nothing waits for it: the step `advance` moves the clock.
        steps: what happens then, one after the other.
        expect: path in what is seen afterwards → value; `~…` is a regular expression.
    """

    name: str
    source: str
    expect: dict[str, Any]
    rule: str = ""
    call: str = "CreateLabelingJob"
    request: dict[str, Any] = field(default_factory=dict)
    manifest: str | None = None
    objects: int = 2
    workers: int = 1
    images: dict[str, str] = field(default_factory=dict)
    categories: str | None = None
    template: list[list[str]] = field(default_factory=list)
    cors: list[dict[str, Any]] | None = None
    denied: list[list[str]] = field(default_factory=list)
    slow: bool = False
    steps: list[str] = field(default_factory=list)

    @property
    def kind(self) -> Kind:
        """The source's kind."""
        return _KINDS[self.source.partition(":")[0]]

    @property
    def is_free(self) -> bool:
        """Whether a real account may be asked: a read, or a request that is refused.

        A job that it makes by mistake is stopped; a work team would stay.
        """
        return (
            self.call != "CreateWorkteam"
            and not self.steps
            and (self.call.startswith(_READS) or "error.code" in self.expect)
        )


def load() -> list[Row]:
    """Return all rows of the table; no two have the same name."""
    rows: list[Row] = []
    for file in sorted(
        resources.files(__package__).joinpath("table").iterdir(), key=lambda entry: entry.name
    ):
        if file.name.endswith(".toml"):
            rows += [Row(**entry) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["row"]]
    names = [row.name for row in rows]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"rows of the same name: {sorted(twice)}")
    return rows
