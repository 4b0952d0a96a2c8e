"""Datumaro's own format: everything in one JSON file for each split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ..classes import IGNORE
from .base import WHOLE, File, Format, Record, Records, Sample
from .rle import class_runs, compress


class DatumaroFormat(Format):
    """`annotations/<split>.json` and `images/<split>/`, for `Dataset.import_from(folder, "datumaro")`.

    The label numbers in it are positions in the list of classes, from 0; `classes.csv` has the class ids.
    """

    name = "datumaro"

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """The images."""
        for sample in samples:
            if sample.image is not None:
                yield f"images/{sample.split or WHOLE}/{_file(sample)}", sample.image.data

    def record(self, sample: Sample) -> Record:
        """The item of one image."""
        positions = {self.labels.ids[name]: i for i, name in enumerate(self.labels.names)}
        size = list(sample.mask.shape)
        runs = [r for r in class_runs(sample.mask) if r.id not in (self.labels.background, IGNORE)]
        return {
            "split": sample.split,
            "item": {
                "id": sample.name,
                "attr": {"source_ref": sample.item.source_ref},
                "image": {"path": _file(sample), "size": size},
                "annotations": [
                    {
                        "id": number,
                        "type": "mask",
                        "attributes": {},
                        "group": number,
                        "label_id": positions[r.id],
                        "rle": {"counts": compress(r.counts), "size": size},
                        "z_order": 0,
                    }
                    for number, r in enumerate(runs, 1)
                ],
            },
        }

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """One file for each split."""
        for split in splits:
            yield f"annotations/{split or WHOLE}.json", self._document(records, split)

    def _document(self, records: Records, split: str) -> Iterator[bytes]:
        colors = [bytes.fromhex(self.labels.colors[self.labels.ids[n]][1:]) for n in self.labels.names]
        categories = {
            "label": {
                "labels": [{"name": n, "parent": "", "attributes": []} for n in self.labels.names],
                "attributes": [],
            },
            "mask": {
                "colormap": [{"label_id": i, "r": c[0], "g": c[1], "b": c[2]} for i, c in enumerate(colors)]
            },
        }
        head = {"dm_format_version": "1.0", "media_type": 2, "infos": {}, "categories": categories}
        yield json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "items": ['
        chosen = (record["item"] for record in records() if record["split"] == split)
        for number, item in enumerate(chosen):
            text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
            yield (b",\n" if number else b"\n") + text.encode()
        yield b"]}\n"


def _file(sample: Sample) -> str:
    return f"{sample.name}{sample.image.suffix if sample.image else '.jpg'}"
