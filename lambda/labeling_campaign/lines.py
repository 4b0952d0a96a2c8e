"""Lines of manifests, as far as a campaign reads them: most of it is about images, not about labels."""

from __future__ import annotations

import json
from typing import Any, Final

from labeling_job.chain import parsed

_START: Final = b'{"source-ref": "'
_METADATA: Final = "-metadata"


def image_of(raw: bytes) -> bytes:
    """The image that a line names, as UTF-8; empty where it names none.

    The service's lines begin with it, and a million of them are read for it alone.

    Raises:
        DeployError: it is no JSON object.
    """
    if raw.startswith(_START):
        end = raw.index(b'"', len(_START))
        image = raw[len(_START) : end]
        if b"\\" not in image:
            return image
    found = parsed(raw, "a line").get("source-ref")
    return found.encode("utf-8", "surrogatepass") if isinstance(found, str) else b""


def line_of(image: bytes) -> bytes:
    """The line of an image alone, without its end."""
    if image.isascii() and image.decode().isprintable() and b'"' not in image and b"\\" not in image:
        return _START + image + b'"}'
    # It is escaped to ASCII: a key may hold line separators that a reader takes for the end of a line.
    return json.dumps({"source-ref": image.decode("utf-8", "surrogatepass")}).encode()


def metadata_of(raw: bytes, attribute: str) -> dict[str, Any]:
    """What a line says of its label; empty where it has none."""
    found = parsed(raw, "a line").get(attribute + _METADATA)
    return found if isinstance(found, dict) else {}


def job_of(raw: bytes, attribute: str) -> str:
    """The name of the job that gave the label."""
    return str(metadata_of(raw, attribute).get("job-name", "")).removeprefix("labeling-job/")
