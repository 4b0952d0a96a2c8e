"""A directory of as many files as a job takes: its archive is neither held in memory nor on disk."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

from labeling_job.contract import Images
from labeling_job.limits import OBJECTS_MAX
from tests.labeling_job.fakes import published

BYTES_EACH = 4_096
MEMORY_MAX = 48 * 1024 * 1024


class Disk:
    """An S3 with one archive, read from disk; what is put is counted."""

    def __init__(self, path) -> None:
        self.path = path
        self.put: dict[str, int] = {}
        self.manifest = b""

    def head_object(self, Bucket, Key):
        return {"ContentLength": self.path.stat().st_size}

    def get_object(self, Bucket, Key, Range):
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        with self.path.open("rb") as file:
            file.seek(first)
            return {"Body": io.BytesIO(file.read(last + 1 - first))}

    def put_object(self, Bucket, Key, Body, ContentType) -> None:
        if Key.endswith(".manifest"):
            self.manifest = Body.read()
        else:
            self.put[Key] = len(Body)

    def list_objects_v2(self, **request):
        return {}


def test_20000_files_in_less_memory_than_their_content(tmp_path: Path) -> None:
    path = tmp_path / "0123456789abcdef0123.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(OBJECTS_MAX):
            archive.writestr(f"2026/{number:05}.jpg", number.to_bytes(4) * (BYTES_EACH // 4))
    assert path.stat().st_size > OBJECTS_MAX * BYTES_EACH > MEMORY_MAX
    s3 = Disk(path)
    images = Images(
        source="Directory", archive_s3_uri=f"s3://assets/{path.name}", staging_s3_uri="s3://in/s/"
    )
    tracemalloc.start()
    try:
        published(s3, images, job_name="job")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_MAX
    assert len(s3.put) == OBJECTS_MAX and set(s3.put.values()) == {BYTES_EACH}
    lines = s3.manifest.decode().splitlines()
    # In the order of the files' names; before them, a key has a folder named by the content.
    keys = sorted(s3.put, key=lambda key: key.rpartition("/")[2])
    assert [json.loads(line)["source-ref"] for line in lines] == [f"s3://in/{key}" for key in keys]
