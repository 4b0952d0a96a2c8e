"""Simulated workers: they paint something that depends on the picture, and disagree a little at its edges.

A label that they are asked to verify they compare with what they would have painted.

They are the users of the work team's Cognito groups; where these are fewer than an object wants, spares help.

Reproducible: what a worker paints follows from the seed, the worker and the picture alone.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from .orders import Orders
from .service.api import GroundTruthService
from .service.errors import TaskError
from .service.masks import Mask, empty_mask, encode_answer
from .service.tasks import Task
from .service.teams import Directory, nobody
from .verifiers import verdict

_SMALL_SIDE = 192  # pictures are understood at this size and painted at their own
_ITERATIONS = 8
_SMOOTHING = 2.4
_WOBBLE = 0.8  # pixels of the small picture by which a worker's edge strays
_PATCH = 8  # pixels of a side of what a worker gets wrong
_log = logging.getLogger(__name__)

_Floats = npt.NDArray[np.float32]


def paint(
    picture: Image.Image, labels: Sequence[str], *, seed: int, worker: str = "", accuracy: float = 1.0
) -> Mask:
    """Return the mask that a worker paints of a picture as it is stored: regions of like colour, no frame.

    All workers see the same regions; where exactly a region ends, each draws in their own way. Where a worker
    errs, a patch has another class, so that about `accuracy` of the pixels are right.
    """
    # The picture is painted as it is stored, and as the people's page shows it.
    image = picture.convert("RGB")
    width, height = image.size
    scale = min(1.0, _SMALL_SIDE / max(width, height))
    small = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    pixels = np.asarray(small, dtype=np.float32) / 255.0
    content = hashlib.sha256(pixels.tobytes()).digest()
    membership = _regions(pixels, len(labels) + 1, _generator(seed, content))
    strayed = _stray(membership, _generator(seed, content, worker.encode()))
    mask = _enlarge(strayed, width, height, len(labels))
    return _with_errors(mask, len(labels), 1 - accuracy, _generator(seed, content, worker.encode(), b"errs"))


def _with_errors(mask: Mask, labels: int, share: float, generator: np.random.Generator) -> Mask:
    """Give that share of the mask's patches another class."""
    if share <= 0 or not labels:
        return mask
    rows, columns = (-(-length // _PATCH) for length in mask.shape)
    wrong = generator.random((rows, columns)) < share
    steps = np.where(wrong, generator.integers(1, labels + 1, (rows, columns)), 0).astype(mask.dtype)
    large = np.kron(steps, np.ones((_PATCH, _PATCH), dtype=mask.dtype))[: mask.shape[0], : mask.shape[1]]
    wrong_mask: Mask = ((mask.astype(np.int64) + large) % (labels + 1)).astype(mask.dtype)
    return wrong_mask


def _generator(seed: int, *parts: bytes) -> np.random.Generator:
    digest = hashlib.sha256(str(seed).encode() + b"/" + b"/".join(parts)).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _regions(pixels: _Floats, count: int, generator: np.random.Generator) -> _Floats:
    """Cluster by colour and a little by place; return each class's smoothed share of each pixel."""
    height, width, _ = pixels.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    place = np.stack([rows / max(height, 1), columns / max(width, 1)], axis=-1) * 0.12
    flat = ndimage.median_filter(pixels, size=(9, 9, 1))
    features = np.concatenate([flat, place], axis=-1).reshape(-1, 5)
    cluster = _k_means(features, count, generator).reshape(height, width)
    order = _class_order(cluster, count)
    shares = np.stack(
        [ndimage.gaussian_filter((cluster == each).astype(np.float32), _SMOOTHING) for each in order]
    )
    return shares.astype(np.float32)


def _k_means(features: _Floats, count: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    centers = features[generator.choice(len(features), size=count, replace=len(features) < count)].copy()
    nearest = np.full(len(features), -1, dtype=np.int64)
    for _ in range(_ITERATIONS):
        # |x - c|² without |x|², which is the same for all centers.
        distance = (centers**2).sum(axis=1) - 2.0 * features @ centers.T
        before, nearest = nearest, distance.argmin(axis=1)
        if np.array_equal(before, nearest):
            # Nothing moves any more, as in pictures of few colours at once.
            break
        for each in range(count):
            members = features[nearest == each]
            if len(members):
                centers[each] = members.mean(axis=0)
    return nearest


def _class_order(cluster: npt.NDArray[np.int64], count: int) -> list[int]:
    """Choose the background: what the picture's frame shows most; the others go from top to bottom."""
    frame = np.concatenate([cluster[0], cluster[-1], cluster[:, 0], cluster[:, -1]])
    background = int(np.bincount(frame, minlength=count).argmax())
    rows = np.arange(cluster.shape[0])[:, None]
    middle = {
        each: float((rows * (cluster == each)).sum() / max((cluster == each).sum(), 1))
        for each in range(count)
    }
    others = sorted(
        (each for each in range(count) if each != background), key=lambda each: (middle[each], each)
    )
    return [background, *others]


def _stray(membership: _Floats, generator: np.random.Generator) -> _Floats:
    """Bend the regions by a smooth random field, as no two hands draw one line alike."""
    _, height, width = membership.shape
    field = generator.standard_normal((2, height, width)).astype(np.float32)
    smooth = np.stack([ndimage.gaussian_filter(part, 6.0) for part in field])
    smooth *= _WOBBLE / max(float(np.abs(smooth).std()), 1e-6)
    grid = np.mgrid[0:height, 0:width].astype(np.float32)
    coordinates = grid + smooth.clip(-3 * _WOBBLE, 3 * _WOBBLE)
    return np.stack(
        [ndimage.map_coordinates(part, coordinates, order=1, mode="nearest") for part in membership]
    )


def _enlarge(membership: _Floats, width: int, height: int, labels: int) -> Mask:
    """Give each pixel of the full size the class with the greatest share, so that edges come out smooth."""
    best = np.full((height, width), -1.0, dtype=np.float32)
    mask = empty_mask(height, width, labels)
    for class_id, share in enumerate(membership):
        large = np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BILINEAR))
        better = large > best
        np.copyto(best, large, where=better)
        mask[better] = class_id
    return mask


class SimulatedWorkers:
    """The members of all work teams, at work in one thread of the server's process."""

    def __init__(
        self,
        service: GroundTruthService,
        *,
        directory: Directory = nobody,
        seed: int = 0,
        seconds_per_task: float = 0.0,
        error_rate: float = 0.0,
    ) -> None:
        """Prepare the workers; ``start`` sets them to work.

        Args:
            service: whose queue they take tasks from.
            directory: who is in a Cognito group.
            seed: makes what they paint reproducible.
            seconds_per_task: how long a worker rests after a task; several work side by side.
            error_rate: share of the labels that a verifier misjudges.
        """
        self.service = self._service = service
        self._directory = directory
        self._orders = Orders(seed=seed)
        self._rest = seconds_per_task
        self._error_rate = error_rate
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._free_at: dict[str, float] = {}
        self._hands: dict[str, frozenset[str]] = {}

    def take(self, orders: Orders) -> None:
        """Work as ordered from the next task on; who rests takes none."""
        self._orders = orders
        if orders.work and self._thread is None:
            self.start()

    def start(self) -> None:
        """Set them to work."""
        self._halt.clear()
        self._thread = threading.Thread(target=self._run, name="simulated workers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let them finish the task in hand and go home."""
        self._halt.set()
        self._service.queue.notify()
        if self._thread is not None:
            self._thread.join(10.0)
            self._thread = None

    def _run(self) -> None:
        taken_up = False
        while not self._halt.is_set():
            try:
                if not taken_up:
                    self.take_up()
                    taken_up = True
                busy = self.work_once()
            except Exception:
                # This thread does the tasks of all jobs: what goes wrong with one must not stop the others.
                if self._halt.is_set():
                    return
                _log.exception("simulated workers")
                busy = False
            if not busy:
                with self._service.queue.changed:
                    self._service.queue.changed.wait(0.1)

    def take_up(self) -> None:
        """Go on with what was in their hands when the server last ended, which nobody else gets until then.

        A task with a draft is a person's, who has it in a browser.
        """
        for worker in self._service.queue.workers():
            drafts = self._service.queue.drafts.kept(worker)
            for task in self._service.queue.held(worker):
                if worker in self._hands_of(task.job) and (task.job, task.index) not in drafts:
                    self._do(task)

    def work_once(self) -> bool:
        """Let each worker who is free do one task; ``False`` if there was nothing to do for any."""
        busy = False
        for worker in self._service.queue.workers() if self._orders.work else ():
            if self._halt.is_set() or time.monotonic() < self._free_at.get(worker, 0.0):
                continue
            for arn in self._service.queue.jobs_of(worker):
                if worker not in self._hands_of(arn):
                    continue
                task = self._service.queue.accept(arn, worker, first=self._orders.images)
                if task is not None:
                    self._free_at[worker] = time.monotonic() + self._rest
                    self._do(task)
                    busy = True
                    break
        return busy

    def _hands_of(self, arn: str) -> frozenset[str]:
        """Who labels a job: the team's own people, and no more spares than an object wants besides."""
        if arn not in self._hands:
            job = self._service.job(arn)
            assert job is not None, "jobs are never removed"
            people = [member.worker for member in self._service.teams.enroll(job.team, self._directory)]
            members = [member.worker for member in self._service.queue.members(job.team)]
            everybody = dict.fromkeys([*people, *members])
            self._hands[arn] = frozenset(list(everybody)[: max(job.workers_per_object, len(people))])
        return self._hands[arn]

    def _do(self, task: Task) -> None:
        started = time.monotonic()
        if any(fnmatchcase(task.source.key, pattern) for pattern in self._orders.declines):
            self._decline(task)
            return
        try:
            with Image.open(io.BytesIO(self._service.picture_in_browser(task))) as picture:
                answer = {task.element: self._answer(task, picture)}
            self._service.queue.submit(task.id, task.worker, answer, time.monotonic() - started)
        except Exception as error:
            # Whatever a picture or its bucket is like: who can't do a task declines it, and the job goes on.
            _log.warning("a simulated worker declines object %d of %s: %s", task.index, task.job, error)
            self._decline(task)

    def _answer(self, task: Task, picture: Image.Image) -> dict[str, Any]:
        orders = self._orders
        if not task.is_verification:
            mask = paint(picture, task.labels, seed=orders.seed, worker=task.worker, accuracy=orders.accuracy)
            return encode_answer(mask, task.labels)
        names, earlier = self._service.earlier_label_in_browser(task)
        # Who verifies looks closely, however badly they were told to paint.
        own = paint(picture, names, seed=orders.seed, worker=task.worker)
        return verdict(
            earlier,
            own,
            task.labels,
            seed=orders.seed,
            worker=task.worker,
            error_rate=self._error_rate,
        )

    def _decline(self, task: Task) -> None:
        try:
            self._service.queue.decline(task.id, task.worker)
        except TaskError:
            _log.info("the task was over already")
