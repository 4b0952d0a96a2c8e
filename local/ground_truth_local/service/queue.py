"""The tasks that workers take: each data object goes to N different members of the job's work team."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from ..sources import Rule, assumed, guide, holds
from ..sources import model as in_model
from .drafts import DraftBook
from .errors import TaskError
from .jobs import Job, JobBook
from .store import Store
from .tasks import JobTasks, Task, checked
from .teams import Member, TeamBook

DIFFERENT_WORKERS = Rule(
    "different-workers",
    "The answers of one object come from different workers of the team.",
    guide("sms-batching"),
)
TIME_LIMIT = Rule(
    "task-time",
    "A task that isn't submitted within its time limit goes back to the others.",
    in_model("HumanTaskConfig$TaskTimeLimitInSeconds"),
)
AFTER_STOP = Rule(
    "answer-after-stop",
    "An answer that comes after the job was stopped is refused.",
    assumed(
        "a stopped job hands out nothing and takes nothing; A2I, which has the same workers, lets accepted "
        "tasks be finished while it is stopping (a2i-delete-human-loop), and of labeling jobs nobody tells"
    ),
)
DECLINE = Rule(
    "decline",
    "A worker who declined an object isn't offered it again; one who returned it may be.",
    guide("sms-point-cloud-worker-instructions-semantic-segmentation: Decline, Release"),
)

_ACTIVE = "('accepted', 'submitted', 'declined')"


class TaskQueue:
    """Hands out tasks and takes answers; safe for many threads, and all of it is in the store."""

    def __init__(self, store: Store, jobs: JobBook, teams: TeamBook, clock: Callable[[], float]) -> None:
        self._store = store
        self._jobs = jobs
        self._teams = teams
        self._clock = clock
        self.drafts = DraftBook(store, clock)
        """What was painted and not submitted."""
        self.changed = threading.Condition()
        """Notified when tasks come up, are answered or go away."""
        self._answers: dict[str, threading.Event] = {}

    def notify(self, job: str = "") -> None:
        """Wake whoever waits for tasks, and what runs the job; without a job, what runs any."""
        with self.changed:
            self.changed.notify_all()
        for arn in (job,) if job else tuple(self._answers):
            if arn in self._answers:
                self._answers[arn].set()

    def wait(self, job: str, seconds: float) -> None:
        """Return when something has happened to a job's tasks, since the last time or within so many seconds.

        Each job has an event of its own: with one for all, an answer would wake as many threads as jobs live.
        """
        happened = self._answers.setdefault(job, threading.Event())
        happened.wait(seconds)
        happened.clear()

    def forget(self, job: str) -> None:
        """Nobody waits for the job any more."""
        self._answers.pop(job, None)

    def members(self, team: str) -> list[Member]:
        """Return the members of a work team, by its ARN."""
        return self._teams.members(team)

    def workers(self) -> list[str]:
        """Return the members of all teams that have objects out for workers."""
        teams = dict.fromkeys(job.team for job in self._with_open_objects())
        return list(dict.fromkeys(member.worker for team in teams for member in self._teams.members(team)))

    def jobs_of(self, worker: str) -> Iterator[str]:
        """Yield the jobs of the worker's teams with objects out; whether one is for them, `accept` says."""
        teams = set(self._teams.teams_of(worker))
        return (job.arn for job in self._with_open_objects() if job.team in teams)

    def _with_open_objects(self) -> Iterator[Job]:
        # However many jobs live, only those are looked at in which something can be done.
        for row in self._store.rows("SELECT DISTINCT job FROM objects WHERE state = 'open'"):
            job = self._jobs.get(row["job"])
            if job is not None and job.status == "InProgress":
                yield job

    def open_tasks(self, worker: str) -> list[JobTasks]:
        """Return the jobs of the worker's teams that have objects which this worker may take now."""
        teams = set(self._teams.teams_of(worker))
        found = []
        for job in self._jobs.with_status(("InProgress",)):
            count = self._count_open(job, worker) if job.team in teams else 0
            if count:
                found.append(
                    JobTasks(
                        job=job.arn,
                        name=job.name,
                        title=job.task["TaskTitle"],
                        description=job.task["TaskDescription"],
                        time_limit_seconds=job.task["TaskTimeLimitInSeconds"],
                        open=count,
                    )
                )
        return found

    def _count_open(self, job: Job, worker: str) -> int:
        row = self._store.row(
            f"SELECT COUNT(*) AS n {self._AVAILABLE}",
            job.arn,
            job.workers_per_object,
            job.workers_per_object,
            worker,
        )
        return int(row["n"]) if row else 0

    _AVAILABLE = (
        "FROM objects o WHERE o.job = ? AND o.state = 'open' AND o.taken < ? AND o.declined < ?"
        " AND NOT EXISTS ("
        "SELECT 1 FROM tasks t WHERE t.job = o.job AND t.idx = o.idx AND t.worker = ?"
        f" AND t.state IN {_ACTIVE})"
    )

    @holds(DIFFERENT_WORKERS)
    def accept(self, job: str, worker: str, *, first: int | None = None) -> Task | None:
        """Give the worker the next object of the job, or ``None`` if there is none for them.

        Args:
            job: its ARN.
            worker: who asks.
            first: only one of the first so many objects. Default: any.

        Raises:
            TaskError: the worker is not in the job's work team.
        """
        found = self._require_member(job, worker)
        with self._store.transaction():
            current = self._jobs.get(job)
            if current is None or current.status != "InProgress":
                return None
            row = self._store.row(
                f"SELECT o.idx {self._AVAILABLE} AND (? IS NULL OR o.idx < ?) ORDER BY o.idx LIMIT 1",
                job,
                found.workers_per_object,
                found.workers_per_object,
                worker,
                first,
                first,
            )
            if row is None:
                return None
            now = self._clock()
            task_id = uuid.uuid4().hex
            self._store.execute(
                "INSERT INTO tasks (id, job, idx, worker, state, accepted, deadline)"
                " VALUES (?, ?, ?, ?, 'accepted', ?, ?)",
                task_id, job, row["idx"], worker, now, now + found.task["TaskTimeLimitInSeconds"],
            )  # fmt: skip
            self._store.execute(
                "UPDATE objects SET taken = taken + 1 WHERE job = ? AND idx = ?", job, row["idx"]
            )
            self._note(job, worker, "Accepted", accepted=now)
        return self.get(task_id, worker)

    def _require_member(self, job: str, worker: str) -> Job:
        found = self._jobs.get(job)
        if found is None:
            raise TaskError(f"there is no labeling job {job}")
        if self._teams.member(found.team, worker) is None:
            raise TaskError(f"the worker {worker} is not in the work team of {found.name}")
        return found

    def get(self, task_id: str, worker: str) -> Task:
        """Return a task that the worker has accepted and not yet given back.

        Raises:
            TaskError: there is no such task in this worker's hands.
        """
        row = self._store.row(f"{self._IN_HAND} AND t.id = ?", worker, task_id)
        if row is None:
            raise TaskError("the task is not (or no longer) in this worker's hands")
        return self._task(row)

    _IN_HAND = (
        "SELECT t.*, o.line, o.width, o.height FROM tasks t JOIN objects o"
        " ON o.job = t.job AND o.idx = t.idx WHERE t.worker = ? AND t.state = 'accepted'"
    )

    def held(self, worker: str) -> list[Task]:
        """Return the tasks in a worker's hands whose time isn't over, the one that ends first in front."""
        rows = self._store.rows(
            f"{self._IN_HAND} AND t.deadline >= ? ORDER BY t.deadline, t.rowid", worker, self._clock()
        )
        return [self._task(row) for row in rows]

    def _task(self, row: Any) -> Task:
        job = self._jobs.get(row["job"])
        assert job is not None, "jobs are never removed"
        return Task(
            id=row["id"],
            job=row["job"],
            worker=row["worker"],
            index=row["idx"],
            line=json.loads(row["line"]),
            width=row["width"],
            height=row["height"],
            labels=tuple(job.labels),
            element=job.element,
            task_type=job.task_type,
            accepted=row["accepted"],
            deadline=row["deadline"],
        )

    @holds(AFTER_STOP)
    def submit(self, task_id: str, worker: str, answer_content: dict[str, Any], time_spent: float) -> None:
        """Take an answer: the page's form as JSON, with the element's answer under the element's name.

        Raises:
            TaskError: the task isn't this worker's, its time is over, or the answer isn't valid.
        """
        task = self.get(task_id, worker)
        answer = checked(task, answer_content)
        # It is on the disk before the worker is thanked: an hour's work is nobody's to lose.
        with self._store.transaction(durable=True):
            now = self._clock()
            # The time limit and a stop of the job are looked at in the very moment of the change.
            job = self._jobs.get(task.job)
            if job is None or job.status != "InProgress":
                raise TaskError("the labeling job takes no more answers")
            changed = self._store.execute(
                "UPDATE tasks SET state = 'submitted', submitted = ?, seconds = ?, answer = ?"
                " WHERE id = ? AND state = 'accepted' AND deadline >= ?",
                now, max(0.0, min(time_spent, now - task.accepted)), answer, task_id, now,
            )  # fmt: skip
            if changed != 1:
                raise TaskError("the task's time limit is over")
            self._count_answer(task)
            self.drafts.remove(task)
            self._note(task.job, worker, "Submitted", accepted=task.accepted)
        self.notify(task.job)

    def submitted(self, task_id: str, worker: str) -> str | None:
        """Return the job of a task that this worker has submitted: an answer that is sent twice came once."""
        row = self._store.row(
            "SELECT job FROM tasks WHERE id = ? AND worker = ? AND state = 'submitted'", task_id, worker
        )
        return str(row["job"]) if row else None

    def _note(self, job: str, worker: str, kind: str, *, accepted: float) -> None:
        """Keep what a worker did, in the transaction of the doing; ``Telemetry`` sends it."""
        self._store.execute(
            "INSERT INTO activity (job, worker, kind, accepted, at) VALUES (?, ?, ?, ?, ?)",
            job, worker, kind, accepted, self._clock(),
        )  # fmt: skip

    def _count_answer(self, task: Task) -> None:
        job = self._jobs.get(task.job)
        assert job is not None, "jobs are never removed"
        self._store.execute(
            "UPDATE objects SET answered = answered + 1,"
            " state = CASE WHEN answered + 1 >= ? AND state = 'open' THEN 'ready' ELSE state END"
            " WHERE job = ? AND idx = ?",
            job.workers_per_object, task.job, task.index,
        )  # fmt: skip

    def return_task(self, task_id: str, worker: str) -> None:
        """Give a task back; the same worker may take it again later."""
        self._release(task_id, worker, "returned")

    @holds(DECLINE)
    def decline(self, task_id: str, worker: str) -> None:
        """Refuse a task; this worker is not offered the object again."""
        self._release(task_id, worker, "declined")

    def _release(self, task_id: str, worker: str, state: str) -> None:
        task = self.get(task_id, worker)
        with self._store.transaction():
            changed = self._store.execute(
                "UPDATE tasks SET state = ? WHERE id = ? AND state = 'accepted'", state, task_id
            )
            if changed == 1:
                self._store.execute(
                    "UPDATE objects SET taken = taken - 1, declined = declined + ? WHERE job = ? AND idx = ?",
                    int(state == "declined"), task.job, task.index,
                )  # fmt: skip
                self._note(task.job, worker, state.capitalize(), accepted=task.accepted)
                if state == "declined":
                    self.drafts.remove(task)
        self.notify(task.job)

    @holds(TIME_LIMIT)
    def expire(self, job: str) -> int:
        """Take back the job's tasks whose time limit is over; return how many."""
        return self._close_accepted(job, "expired", before=self._clock())

    def cancel(self, job: str) -> int:
        """Take back all tasks under way, because the job stops."""
        return self._close_accepted(job, "cancelled", before=float("inf"))

    def _close_accepted(self, job: str, state: str, *, before: float) -> int:
        with self._store.transaction():
            rows = self._store.rows(
                "SELECT id, idx FROM tasks WHERE job = ? AND state = 'accepted' AND deadline < ?", job, before
            )
            for row in rows:
                self._store.execute("UPDATE tasks SET state = ? WHERE id = ?", state, row["id"])
                self._store.execute(
                    "UPDATE objects SET taken = taken - 1 WHERE job = ? AND idx = ?", job, row["idx"]
                )
        if rows:
            self.notify(job)
        return len(rows)
