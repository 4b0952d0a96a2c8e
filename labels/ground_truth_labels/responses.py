"""What each worker answered, before consolidation."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._numbers import number
from .classes import LabelList
from .colormap import color_table, parse_label_mappings
from .context import Context
from .decode import MaskArray, Unknown, decode_mask
from .errors import ManifestError
from .item import Item
from .manifest import Manifest
from .pseudonyms import pseudonym
from .storage import is_s3, join, parent


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One worker's mask of one image.

    Attributes:
        worker: The worker's pseudonym, or `workerId` where names were asked for.
        submitted: `submissionTime`, or None.
        seconds: `timeSpentInSeconds`, or None.
        mask: Class ids, in the ids of the manifest's label list.
    """

    worker: str
    seconds: float | None
    mask: MaskArray
    submitted: str | None = None


class WorkerResponses:
    """The `annotations/worker-response/` of a job, found beside its manifest.

    Layout (Developer Guide, "Output Directories"): `iteration-N/<object number>/<time>.json`, each file with
    one or several `answers`. An item's object number is the one its mask's name begins with, as its position
    changes when a manifest is filtered or merged.

    Args:
        manifest: The job.
        location: Where the responses are. Default: beside the manifest.
        names: Whether workers are called by their `workerId`. Default: by a pseudonym.
        labels: The classes, with the ids that the masks get. Default: the manifest's.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        location: str | None = None,
        names: bool = False,
        labels: LabelList | None = None,
    ) -> None:
        if len(manifest.parts) > 1:
            raise ManifestError(f"answers of workers belong to one job, got {manifest.location}; name one")
        self.names = names
        self._context: Context = manifest.context
        self._labels = labels
        self.location = location or _beside(manifest.location)
        self._files: dict[int, list[str]] = {}
        for name in manifest.storage.list(self.location) if self._listable() else ():
            found = re.fullmatch(r"(?:.*/)?iteration-\d+/(\d+)/[^/]+\.json", name)
            if found:
                self._files.setdefault(int(found[1]), []).append(name)

    def __len__(self) -> int:
        return len(self._files)

    def answers(self, item: Item) -> Iterator[Answer]:
        """The workers' masks of one object, decoded; colours that no label has are 255.

        Raises:
            LabelsError: A response breaks the documented format.
        """
        for name in self._files.get(_object_number(item), ()):
            where = join(self.location, *name.split("/"))
            for answer in _load(self._context.storage.read(where), where):
                yield self._decode(answer, where)

    def _decode(self, answer: Mapping[str, Any], where: str, unknown: Unknown = "ignore") -> Answer:
        worker = self.name(str(answer.get("workerId") or "unknown"))
        content = _element(answer.get("answerContent"), where)
        entries = parse_label_mappings(content.get("labelMappings"), where)
        try:
            data = base64.b64decode(content["labeledImage"]["pngImageData"], validate=True)
        except (KeyError, TypeError, binascii.Error, ValueError) as error:
            raise ManifestError(
                f"{where}: 'labeledImage' must hold 'pngImageData' in base64: {error!r}"
            ) from error
        table = color_table(entries, self._listed(), where)
        limits = self._context.storage.limits
        mask = decode_mask(data, table, unknown=unknown, name=f"{where} ({worker})", limits=limits)
        submitted = answer.get("submissionTime")
        return Answer(
            worker=worker,
            seconds=number(answer.get("timeSpentInSeconds"), where, "'timeSpentInSeconds'"),
            mask=mask,
            submitted=submitted if isinstance(submitted, str) else None,
        )

    @property
    def classes(self) -> dict[str, int]:
        """Class name → id in the masks."""
        return self._listed().ids

    def _listed(self) -> LabelList:
        return self._labels or self._context.labels()

    def name(self, worker: str) -> str:
        """What a worker is called here."""
        return worker if self.names else pseudonym(worker)

    def _listable(self) -> bool:
        from pathlib import Path

        return is_s3(self.location) or Path(self.location).is_dir()


def _beside(manifest: str) -> str:
    """The job's folder is three above `manifests/output/output.manifest`."""
    job = parent(parent(parent(manifest)))
    return join(job, "annotations", "worker-response")


def _object_number(item: Item) -> int:
    found = re.search(r"/(\d+)_[^/]*$", item.mask_ref or "")
    return int(found[1]) if found else item.index


def _load(data: bytes, where: str) -> list[Mapping[str, Any]]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{where}: must be JSON: {error}") from error
    answers = value.get("answers") if isinstance(value, Mapping) else None
    if not isinstance(answers, list) or not all(isinstance(a, Mapping) for a in answers):
        raise ManifestError(f"{where}: must be an object with a list of 'answers'")
    return answers


def _element(content: Any, where: str) -> Mapping[str, Any]:
    """The segmentation element's answer; its name is the template's choice."""
    if isinstance(content, Mapping):
        for value in content.values():
            if isinstance(value, Mapping) and "labelMappings" in value:
                return value
    raise ManifestError(f"{where}: 'answerContent' must hold an answer with 'labelMappings'")
