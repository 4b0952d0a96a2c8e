"""Hugging Face `datasets`: an image folder with metadata, or Parquet with features."""

from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import ExportError
from .base import File, Format, Record, Records, Sample, json_bytes
from .png import index_png


class ImageFolderFormat(Format):
    """`load_dataset("imagefolder", data_dir=…)`: columns `image`, `mask` and where they come from."""

    name = "hf-imagefolder"
    needs_images = True
    default_split = {"train": 1.0}  # noqa: RUF012

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """One image and one mask a sample."""
        for sample in samples:
            assert sample.image is not None
            yield f"{sample.split}/images/{sample.name}{sample.image.suffix}", sample.image.data
            yield f"{sample.split}/masks/{sample.name}.png", index_png(sample.mask, self.labels)

    def record(self, sample: Sample) -> Record:
        """The line of `metadata.jsonl`."""
        assert sample.image is not None
        return {
            "split": sample.split,
            "line": {
                "file_name": f"images/{sample.name}{sample.image.suffix}",
                "mask_file_name": f"masks/{sample.name}.png",
                **_facts(sample),
            },
        }

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """`<split>/metadata.jsonl`, and the class names by id."""
        for split in splits:
            yield f"{split}/metadata.jsonl", _lines(records, split)
        yield "id2label.json", [json_bytes({str(i): n for i, n in self.labels.by_id.items()})]


class ParquetFormat(Format):
    """`load_dataset(folder)`, or a folder to push: `data/<split>-00000.parquet`, with features."""

    name = "hf-parquet"
    needs_images = True
    batch = 32
    default_split = {"train": 1.0}  # noqa: RUF012

    def files(self, samples: list[Sample], number: int) -> Iterable[File]:
        """One file for each 32 samples."""
        pa, pq = _pyarrow()
        rows = [self._row(sample) for sample in samples]
        picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        schema = pa.schema(
            [
                ("image", picture),
                ("mask", picture),
                ("source_ref", pa.string()),
                ("confidence", pa.float64()),
                ("human", pa.bool_()),
                ("job_name", pa.string()),
            ],
            metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
        )
        buffer = io.BytesIO()
        # Pictures are compressed already.
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), buffer, compression="none")
        yield f"data/{samples[0].split}-{number:05d}.parquet", buffer.getvalue()

    def finish(self, records: Records, splits: tuple[str, ...]) -> Iterable[tuple[str, Iterable[bytes]]]:
        """The class names by id."""
        yield "id2label.json", [json_bytes({str(i): n for i, n in self.labels.by_id.items()})]

    def _row(self, sample: Sample) -> Record:
        assert sample.image is not None
        mask = index_png(sample.mask, self.labels)
        return {
            "image": {"bytes": sample.image.data, "path": f"{sample.name}{sample.image.suffix}"},
            "mask": {"bytes": mask, "path": f"{sample.name}.png"},
            **_facts(sample),
        }


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


_FEATURES = {
    "image": {"_type": "Image"},
    "mask": {"_type": "Image"},
    "source_ref": _value("string"),
    "confidence": _value("float64"),
    "human": _value("bool"),
    "job_name": _value("string"),
}


def _facts(sample: Sample) -> Record:
    item = sample.item
    return {
        "source_ref": item.source_ref,
        "confidence": item.confidence,
        "human": item.human,
        "job_name": item.job_name,
    }


def _lines(records: Records, split: str) -> Iterator[bytes]:
    for record in records():
        if record["split"] == split:
            yield (json.dumps(record["line"], ensure_ascii=False) + "\n").encode()


def _pyarrow() -> tuple[Any, Any]:
    try:
        pyarrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ExportError(
            "format 'hf-parquet' writes Parquet with pyarrow, which is not installed; "
            "pip install 'ground-truth-labels[parquet]', or use 'hf-imagefolder'"
        ) from error
    return pyarrow, parquet
