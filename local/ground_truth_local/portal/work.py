"""What the portal does with the Ground Truth service: a member's jobs, tasks and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..service.api import GroundTruthService
from ..service.errors import JobFailure, TaskError
from ..service.tasks import Task
from ..service.teams import Directory, Member
from .frame import FrameError, TemplatePage
from .http import HttpError
from .points import Hint
from .sessions import Session

if TYPE_CHECKING:
    from .auto_segment import Segment


@dataclass(frozen=True, kw_only=True)
class TeamCard:
    """A work team on the sign-in page."""

    arn: str
    people: list[Member]
    """Those that the team's definition names; its local stand-ins, where it names nobody known here."""
    spares: list[Member]
    jobs: int

    def to_page(self) -> dict[str, Any]:
        """Return the values for the page."""
        return {
            "arn": self.arn,
            "name": self.arn.rpartition("/")[2],
            "region": self.arn.split(":")[3],
            "jobs": self.jobs,
            "people": _shown(self.people),
            "spares": _shown(self.spares),
        }


@dataclass(frozen=True, kw_only=True)
class JobCard:
    """A job with work for a member."""

    arn: str
    name: str
    title: str
    description: str
    open: int
    labeled: int
    total: int
    time: str


@dataclass(frozen=True, kw_only=True)
class HeldCard:
    """A task in a member's hands."""

    path: str
    title: str
    picture: str
    seconds: int
    left: str
    """The time that is left, in words."""
    painted: bool
    """Whether something is painted already, by what this server knows."""


class PortalWork:
    """The portal's side of the service."""

    def __init__(self, service: GroundTruthService, directory: Directory) -> None:
        self._service = service
        self._queue = service.queue
        self.drafts = service.queue.drafts
        self._directory = directory

    def teams(self) -> list[TeamCard]:
        """Return all work teams and their members."""
        return [self._team(arn) for arn in self._service.teams.all()]

    def _team(self, arn: str) -> TeamCard:
        people = self._service.teams.enroll(arn, self._directory)
        members = self._queue.members(arn)
        spares = [one for one in members if one not in people]
        busy = {job.job for member in members for job in self._queue.open_tasks(member.worker)}
        return TeamCard(arn=arn, people=people or spares, spares=spares if people else [], jobs=len(busy))

    def member(self, team: str, worker: str) -> Member | None:
        """Return a member of a team."""
        return next((one for one in self._queue.members(team) if one.worker == worker), None)

    def jobs(self, session: Session) -> list[JobCard]:
        """Return the jobs that have something to take for the member."""
        return [self._card(tasks.job, tasks.open) for tasks in self._queue.open_tasks(session.worker)]

    def held(self, session: Session) -> list[HeldCard]:
        """Return the tasks in the member's hands, the one that ends first in front."""
        painted = self.drafts.kept(session.worker)
        return [
            HeldCard(
                path=f"/tasks/{task.id}",
                title=self.title(task),
                picture=task.source.key.rpartition("/")[2],
                seconds=round(self.time_left(task)),
                left=_duration(max(60, round(self.time_left(task)))),
                painted=(task.job, task.index) in painted,
            )
            for task in self._queue.held(session.worker)
        ]

    def _card(self, arn: str, waiting: int) -> JobCard:
        job = self._service.job(arn)
        assert job is not None, "jobs are never removed"
        labeled, total = self.progress(arn)
        return JobCard(
            arn=arn,
            name=job.name,
            title=job.task["TaskTitle"],
            description=job.task["TaskDescription"],
            open=waiting,
            labeled=labeled,
            total=total,
            time=_duration(job.task["TaskTimeLimitInSeconds"]),
        )

    def progress(self, arn: str) -> tuple[int, int]:
        """Return how many of the job's objects are labeled, of how many."""
        job = self._service.job(arn)
        assert job is not None, "jobs are never removed"
        counters = self._service.counters(job)
        return counters["TotalLabeled"], sum(
            counters[name] for name in ("TotalLabeled", "FailedNonRetryableError", "Unlabeled")
        )

    def next(self, session: Session, job: str) -> str:
        """Return the page of the task at hand in a job, or of the next one; the list of jobs if none is left.

        Raises:
            HttpError: the job isn't one of this member's.
        """
        at_hand = next((task for task in self._queue.held(session.worker) if task.job == job), None)
        try:
            task = at_hand or self._queue.accept(job, session.worker)
        except TaskError as error:
            raise HttpError(404, f"{error}.") from error
        return f"/tasks/{task.id}" if task else "/jobs"

    def task(self, session: Session, task_id: str) -> Task:
        """Return a task in the member's hands.

        Raises:
            TaskError: it isn't.
        """
        task = self._queue.get(task_id, session.worker)
        if self.time_left(task) < 0:
            raise TaskError("the task's time limit is over")
        return task

    def time_left(self, task: Task) -> float:
        """Return the seconds until a task's time is over."""
        return task.deadline - self._service.clock()

    def submitted(self, session: Session, task_id: str) -> str | None:
        """Return the job of a task that the member has submitted before."""
        return self._queue.submitted(task_id, session.worker)

    def title(self, task: Task) -> str:
        """Return the title of a task's job."""
        job = self._service.job(task.job)
        return str(job.task["TaskTitle"]) if job else ""

    def page(self, task: Task) -> TemplatePage:
        """Return a task's page, rendered as the service renders it.

        Raises:
            FrameError: it can't be rendered or shown here.
        """
        try:
            return TemplatePage(self._service.page(task))
        except JobFailure as error:
            raise FrameError(str(error)) from error

    def offers_auto_segment(self, task: Task) -> bool:
        """Tell whether the auto-segmentation tool is there; a page that can't be shown has no tools."""
        job = self._service.job(task.job)
        try:
            return job is not None and self.page(task).offers_auto_segment(job.team)
        except FrameError:
            return False

    def warm_up(self) -> None:
        """Load what the auto-segmentation tool needs, before somebody waits for it."""
        from . import auto_segment  # noqa: F401

    def auto_segment(
        self, task: Task, points: list[tuple[float, float]], hints: Sequence[Hint] = ()
    ) -> Segment:
        """Run the auto-segmentation tool on a task's picture."""
        # OpenCV takes longer to import than the whole server: only when somebody uses the tool.
        from .auto_segment import auto_segment

        return auto_segment(self._service.image(task), points, hints)

    def submit(self, session: Session, task: Task, answer: Any) -> None:
        """Take an answer; the queue checks it.

        Raises:
            TaskError: it is refused.
        """
        self._queue.submit(task.id, session.worker, answer, self._service.clock() - task.accepted)

    def release(self, session: Session, task: Task, *, decline: bool) -> None:
        """Give a task back, for good if it is declined."""
        give_back = self._queue.decline if decline else self._queue.return_task
        give_back(task.id, session.worker)


def _shown(members: list[Member]) -> list[dict[str, str]]:
    return [{"worker": one.worker, "name": one.name, "initials": _initials(one.name)} for one in members]


def _initials(name: str) -> str:
    parts = [part for part in name.replace("@", " ").replace("-", " ").replace(".", " ").split() if part]
    return "".join(part[0] for part in parts[:2]).upper()


def _duration(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if seconds < 60:
        return f"{seconds} s"
    return f"{hours} h {minutes} min" if hours and minutes else f"{hours} h" if hours else f"{minutes} min"
