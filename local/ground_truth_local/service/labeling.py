"""One data object: opened for workers, and later consolidated into its label."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from ..sources import Rule, guide, holds, observed
from ..sources import model as in_model
from . import adjustment, builtin, palette, verification
from .consolidation import consolidate
from .errors import JobFailure, ObjectFailure
from .jobs import Job
from .manifest import source_of_line
from .masks import Mask, decode_answer, encode_mask
from .output import OutputWriter, creation_date
from .s3 import RoleS3
from .store import Store

MAX_IMAGE_BYTES = 40 * 1024 * 1024
MAX_IMAGE_PIXELS = 100_000_000
MAX_AUTOMATED_PIXELS = 1920 * 1080
IMAGE_FORMAT = Rule("image-format", "An image is a JPEG or a PNG.", guide("sms-supported-data-formats"))
IMAGE_PIXELS = Rule(
    "image-pixels",
    "An image has at most 100 million pixels, 1920 x 1080 with automated labeling.",
    guide("input-data-limits"),
)
ALONE = Rule(
    "object-fails-alone",
    "An object that can't be labeled counts as `FailedNonRetryableError`, and its line says why.",
    observed(
        "awslabs/aiops-modules, run_verification_job.py: `failure-reason` in the label's metadata; the "
        "counter is the model's LabelCounters$FailedNonRetryableError"
    ),
)
AS_STORED = Rule(
    "image-as-stored",
    "Workers see and paint a picture as it is stored, without the turn by EXIF.",
    guide("sms-cors-update"),
)
COLOR_MAP = Rule(
    "color-map",
    "A label's metadata: `internal-color-map`, `type`, `human-annotated`, `creation-date`, `job-name`.",
    guide("sms-data-output, semantic segmentation"),
)
FAILED_CONSOLIDATION = Rule(
    "consolidation-fails-object",
    "What can't be consolidated fails its object.",
    in_model("LabelCounters$FailedNonRetryableError: objects that could not be labeled due to an error"),
)

_log = logging.getLogger(__name__)


@holds(AS_STORED)
def shown_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height as the worker's page shows the picture: as it is stored."""
    return image.size


class Labeler:
    """Takes the objects of one job through their states."""

    def __init__(
        self, job: Job, *, store: Store, s3: RoleS3, output: OutputWriter, clock: Callable[[], float]
    ) -> None:
        self._job = job
        self._store = store
        self._s3 = s3
        self._output = output
        self._clock = clock

    def open(self, index: int, line: str) -> None:
        """Check the object's image and offer it to workers; an image that can't be labeled fails alone."""
        try:
            if self._job.task_type != builtin.SEGMENTATION:
                adjustment.earlier_mask(line, self._job.attribute)
            width, height = self._measure(line)
        except (ObjectFailure, JobFailure) as error:
            self.fail(index, str(error))
        except Exception:
            # A picture that trips over an error of ours or of Pillow's fails alone, not with the whole job.
            _log.exception("opening object %d of %s", index, self._job.arn)
            self.fail(index, "InternalServerError: The image couldn't be opened.")
        else:
            self._store.execute(
                "UPDATE objects SET state = 'open', opened = ?, width = ?, height = ?"
                " WHERE job = ? AND idx = ?",
                self._clock(), width, height, self._job.arn, index,
            )  # fmt: skip

    def _measure(self, line: str) -> tuple[int, int]:
        location = source_of_line(line)
        data = self._s3.read(location, "image", limit=MAX_IMAGE_BYTES)
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
                width, height = shown_size(image)
        except (OSError, SyntaxError, ValueError) as error:
            raise ObjectFailure(
                IMAGE_FORMAT, f"ClientError: The image {location} is not a readable JPEG or PNG."
            ) from error
        except Image.DecompressionBombError:
            width = height = MAX_IMAGE_PIXELS
        automated = self._job.request.get("LabelingJobAlgorithmsConfig") is not None
        maximum = MAX_AUTOMATED_PIXELS if automated else MAX_IMAGE_PIXELS
        if width * height > maximum:
            raise ObjectFailure(
                IMAGE_PIXELS, f"ClientError: The image {location} has more than {maximum} pixels."
            )
        return width, height

    @holds(ALONE, FAILED_CONSOLIDATION)
    def fail(self, index: int, reason: str) -> None:
        """Count an object as ``FailedNonRetryableError``; its line in the output says why."""
        metadata = {
            "failure-reason": reason,
            "human-annotated": "yes",
            "creation-date": creation_date(self._clock()),
            "job-name": f"labeling-job/{self._job.name}",
            "type": verification.TYPE if self._verifies else "groundtruth/semantic-segmentation",
        }
        self._store.execute(
            "UPDATE objects SET state = 'failed', result = ? WHERE job = ? AND idx = ?",
            json.dumps({f"{self._job.attribute}-metadata": metadata}), self._job.arn, index,
        )  # fmt: skip

    def consolidate(self, rows: Sequence[sqlite3.Row], iteration: int) -> list[dict[str, Any]]:
        """Consolidate some objects, write their files, and return their labels."""
        name = self._output.chunk_name()
        requests: list[dict[str, Any]] = []
        responses: list[dict[str, Any]] = []
        labels: list[dict[str, Any]] = []
        for row in rows:
            tasks = self.submitted(row["idx"])
            requests.append(self._request_entry(row, tasks))
            self._output.worker_response(self._job, row["idx"], iteration, tasks)
            label = self._label(row, tasks)
            if label is not None:
                content = {"datasetObjectId": str(row["idx"]), "consolidatedAnnotation": {"content": label}}
                responses.append(content)
                labels.append(json.loads(row["line"]) | label)
        self._output.consolidation(self._job, "request", iteration, name, requests)
        self._output.consolidation(self._job, "response", iteration, name, responses)
        return labels

    def submitted(self, index: int) -> list[sqlite3.Row]:
        """Return the answers for an object, in the order they came."""
        return self._store.rows(
            "SELECT * FROM tasks WHERE job = ? AND idx = ? AND state = 'submitted' ORDER BY submitted, rowid",
            self._job.arn, index,
        )  # fmt: skip

    def _request_entry(self, row: sqlite3.Row, tasks: Sequence[sqlite3.Row]) -> dict[str, Any]:
        """The consolidation request's form is that of "Post-annotation Lambda"."""
        annotations = [
            {"workerId": task["worker"], "annotationData": {"content": task["answer"]}} for task in tasks
        ]
        return {
            "datasetObjectId": str(row["idx"]),
            "dataObject": {"s3Uri": str(source_of_line(row["line"]))},
            "annotations": annotations,
        }

    def _label(self, row: sqlite3.Row, tasks: Sequence[sqlite3.Row]) -> dict[str, Any] | None:
        try:
            made = self._verdict(tasks) if self._verifies else self._painted(row, tasks)
        except Exception:
            # Whatever the consolidation function raises fails one object, as the service's own does.
            _log.exception("consolidating object %d of %s", row["idx"], self._job.arn)
            self.fail(
                row["idx"], "ClientError: The annotation consolidation function failed for this object."
            )
            return None
        label = {self._job.attribute: made[0], f"{self._job.attribute}-metadata": made[1]}
        with self._store.transaction():
            self._store.execute(
                "UPDATE objects SET state = 'labeled', result = ? WHERE job = ? AND idx = ?",
                json.dumps(label), self._job.arn, row["idx"],
            )  # fmt: skip
            # The answers are in S3 now; kept here as well, they would double the disk that a job takes.
            self._store.execute(
                "UPDATE tasks SET answer = NULL WHERE job = ? AND idx = ?", self._job.arn, row["idx"]
            )
        return label

    @property
    def _verifies(self) -> bool:
        return self._job.task_type == builtin.VERIFICATION

    def _verdict(self, tasks: Sequence[sqlite3.Row]) -> tuple[str, dict[str, Any]]:
        answers = [json.loads(task["answer"])[self._job.element] for task in tasks]
        index, metadata = verification.consolidated(answers, self._job.labels)
        return index, metadata | self._provenance(self._clock())

    def _painted(self, row: sqlite3.Row, tasks: Sequence[sqlite3.Row]) -> tuple[str, dict[str, Any]]:
        png, confidence, extra = self._vote(row, tasks)
        when = self._clock()
        mask = self._output.mask(self._job, row["idx"], png, when)
        return str(mask), self._metadata(confidence, when) | extra

    def _provenance(self, when: float) -> dict[str, str]:
        return {
            "human-annotated": "yes",
            "creation-date": creation_date(when),
            "job-name": f"labeling-job/{self._job.name}",
        }

    def _vote(self, row: sqlite3.Row, tasks: Sequence[sqlite3.Row]) -> tuple[bytes, float, dict[str, str]]:
        answers = [json.loads(task["answer"])[self._job.element] for task in tasks]
        masks = [
            decode_answer(answer, labels=self._job.labels, width=row["width"], height=row["height"])
            for answer in answers
        ]
        result = consolidate(masks)
        png = encode_mask(result.mask, len(self._job.labels))
        return png, result.confidence, self._adjustment(row["line"], result.mask)

    def _adjustment(self, line: str, mask: Mask) -> dict[str, str]:
        if self._job.task_type != builtin.ADJUSTMENT:
            return {}
        location = adjustment.earlier_mask(line, self._job.attribute)
        png = self._s3.read(location, "earlier mask", limit=adjustment.MAX_MASK_BYTES)
        changed = adjustment.is_changed(line, self._job.attribute, png, mask, self._job.labels)
        return {"adjustment-status": "adjusted" if changed else "unadjusted"}

    @holds(COLOR_MAP)
    def _metadata(self, confidence: float, when: float) -> dict[str, Any]:
        names = [palette.BACKGROUND, *self._job.labels]
        colors = [palette.BACKGROUND_COLOR, *palette.colors(len(self._job.labels))]
        return {
            "internal-color-map": {
                str(index): {"class-name": name, "hex-color": color, "confidence": round(confidence, 6)}
                for index, (name, color) in enumerate(zip(names, colors, strict=True))
            },
            "type": "groundtruth/semantic-segmentation",
            **self._provenance(when),
        }
