"""Label Studio: tasks with brush masks as predictions, and the labeling interface that goes with them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from ..classes import IGNORE
from ..counts import class_counts
from .base import File, Format, Record, Records, Sample
from .brush import encode

#: The names of the two tags of the labeling interface; an annotation refers to them.
FROM, TO = "label", "image"


class LabelStudioFormat(Format):
    """`images/`, `tasks.json` and `label_config.xml`.

    The masks come as predictions, exact, holes included. An image's address in a task is that of local file
    serving, `/data/local-files/?d=images/<name>`, with this folder as the document root.
    """

    name = "label-studio"
    is_xml = True

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """The images."""
        for sample in samples:
            if sample.image is not None:
                yield f"images/{sample.name}{sample.image.suffix}", sample.image.data

    def record(self, sample: Sample) -> Record:
        """The task of one image."""
        name = f"{sample.name}{sample.image.suffix if sample.image else '.jpg'}"
        present = class_counts(sample.mask)
        result = [
            self._brush(sample, i) for i in present if i not in (self.labels.background, IGNORE)
        ]  # fmt: skip
        data = {
            "image": f"/data/local-files/?d=images/{name}",
            "name": sample.name,
            "source_ref": sample.item.source_ref,
            "split": sample.split,
        }
        prediction: Record = {"model_version": sample.item.job_name or "ground-truth", "result": result}
        if sample.item.confidence is not None:
            prediction["score"] = sample.item.confidence
        return {"task": {"data": data, "predictions": [prediction]}}

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """The tasks and the labeling interface."""
        yield "tasks.json", _tasks(records)
        colors = {n: self.labels.colors[self.labels.ids[n]] for n in self.labels.names}
        labels = "".join(
            f'    <Label value={quoteattr(n)} background="{color}"/>\n' for n, color in colors.items()
        )
        config = (
            f'<View>\n  <Image name="{TO}" value="$image" zoom="true"/>\n'
            f'  <BrushLabels name="{FROM}" toName="{TO}">\n{labels}  </BrushLabels>\n</View>\n'
        )
        yield "label_config.xml", [config.encode()]

    def _brush(self, sample: Sample, class_id: int) -> Record:
        height, width = sample.mask.shape
        return {
            "id": f"{sample.item.index}-{class_id}",
            "type": "brushlabels",
            "from_name": FROM,
            "to_name": TO,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {
                "format": "rle",
                "rle": list(encode(sample.mask == class_id)),
                "brushlabels": [self.labels.by_id[class_id]],
            },
        }


def _tasks(records: Records) -> Iterator[bytes]:
    for number, record in enumerate(records()):
        text = json.dumps(record["task"], ensure_ascii=False, separators=(",", ":"))
        yield (b",\n" if number else b"[\n") + text.encode()
    yield b"\n]\n"
