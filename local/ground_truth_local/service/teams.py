"""Private work teams with local members."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..sources import Rule, guide, holds, twin
from .store import Store

IDENTITY = Rule(
    "worker-identity",
    "A worker's `sub` and `issuer` are those of the work team's Cognito user pool.",
    guide("sms-data-output, worker identity; examples' worker_contribution_private_workforce"),
)
WORKER_ID = Rule(
    "worker-id",
    "A worker's id is `private.<Region>.<16 hex digits>`, the same in all teams.",
    guide("sms-custom-templates-step3-lambda-requirements: the payloads; sms-data-output, Worker Metadata"),
)
SPARES = Rule(
    "spare-workers",
    "A team has nine local members besides its Cognito users, so that any job finds its workers.",
    twin("a laptop has no nine people"),
)


class Person(NamedTuple):
    """A user of a Cognito group."""

    name: str
    sub: str


Directory = Callable[[str, str, str], list[Person]]
"""The users in a Cognito user pool's group, by pool, group and Region."""


def nobody(user_pool: str, group: str, region: str) -> list[Person]:
    """A directory without any user."""
    return []


@dataclass(frozen=True, kw_only=True)
class Member:
    """A local person (or simulated one) of a work team."""

    name: str
    worker: str
    """Ground Truth's worker id."""
    subject: str
    """The ``sub`` that Cognito would have given them."""


def team_arn(account: str, region: str, name: str) -> str:
    """Return the ARN of a private work team; its name is lower-cased as in all of SageMaker's ARNs."""
    return f"arn:aws:sagemaker:{region}:{account}:workteam/private-crowd/{name.lower()}"


class TeamBook:
    """The work teams, and who is in them.

    On AWS the members are a Cognito group's; here each team gets ``size`` local members, so that any job can
    find its workers. More can be added.
    """

    def __init__(self, store: Store, *, size: int) -> None:
        self._store = store
        self._size = size

    def add(self, arn: str, document: dict[str, Any], tags: dict[str, str]) -> bool:
        """Keep a new team with its default members; ``False`` if there is one of that ARN."""
        region, account = arn.split(":")[3:5]
        with self._store.transaction():
            changed = self._store.execute(
                "INSERT OR IGNORE INTO resources (arn, kind, account, region, status, document, tags)"
                " VALUES (?, 'workteam', ?, ?, 'Active', ?, ?)",
                arn, account, region, json.dumps(document), json.dumps(tags),
            )  # fmt: skip
            if changed == 1:
                for number in range(1, self._size + 1):
                    self.add_member(arn, f"worker-{number}")
        return changed == 1

    def get(self, arn: str) -> dict[str, Any] | None:
        """Return a team as ``DescribeWorkteam`` shows it."""
        row = self._store.row("SELECT document FROM resources WHERE arn = ? AND kind = 'workteam'", arn)
        return dict(json.loads(row["document"])) if row else None

    def save(self, arn: str, document: dict[str, Any]) -> None:
        """Write a team back."""
        self._store.execute("UPDATE resources SET document = ? WHERE arn = ?", json.dumps(document), arn)

    def remove(self, arn: str) -> None:
        """Remove a team and its members."""
        with self._store.transaction():
            self._store.execute("DELETE FROM members WHERE team = ?", arn)
            self._store.execute("DELETE FROM resources WHERE arn = ? AND kind = 'workteam'", arn)

    def of(self, account: str, region: str) -> list[dict[str, Any]]:
        """Return an account's teams in a Region, in the order they were made."""
        rows = self._store.rows(
            "SELECT document FROM resources WHERE kind = 'workteam' AND account = ? AND region = ?"
            " ORDER BY rowid",
            account, region,
        )  # fmt: skip
        return [json.loads(row["document"]) for row in rows]

    def all(self) -> list[str]:
        """Return the ARNs of all teams, in the order they were made."""
        return [
            row["arn"]
            for row in self._store.rows("SELECT arn FROM resources WHERE kind = 'workteam' ORDER BY rowid")
        ]

    @holds(WORKER_ID, SPARES)
    def add_member(self, arn: str, name: str, sub: str = "") -> Member:
        """Put a member into a team; the same name in an account and Region is one worker.

        Args:
            arn: the team.
            name: of the member.
            sub: of the Cognito user; a spare's is made up.
        """
        region, account = arn.split(":")[3:5]
        identity = f"{account}/{region}/{name}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        subject = sub or str(uuid.uuid5(uuid.NAMESPACE_URL, identity))
        member = Member(name=name, worker=f"private.{region}.{digest}", subject=subject)
        self._store.execute(
            "INSERT INTO members (team, name, worker, subject) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (team, name) DO UPDATE SET subject = excluded.subject",
            arn, member.name, member.worker, member.subject,
        )  # fmt: skip
        return member

    @holds(IDENTITY)
    def user_pool(self, arn: str) -> str:
        """Return the id of a team's Cognito user pool, empty if it has none."""
        parts = (self.get(arn) or {}).get("MemberDefinitions", [])
        pools = [
            part["CognitoMemberDefinition"]["UserPool"]
            for part in parts
            if part.get("CognitoMemberDefinition")
        ]
        return str(pools[0]) if pools else ""

    def enroll(self, arn: str, directory: Directory) -> list[Member]:
        """Put the users of the team's Cognito groups into the team, as they are now; return them."""
        parts = (self.get(arn) or {}).get("MemberDefinitions", [])
        groups = [part["CognitoMemberDefinition"] for part in parts if part.get("CognitoMemberDefinition")]
        region = arn.split(":")[3]
        return [
            self.add_member(arn, *person)
            for group in groups
            for person in directory(group["UserPool"], group["UserGroup"], region)
        ]

    def members(self, arn: str) -> list[Member]:
        """Return a team's members, in the order they came."""
        rows = self._store.rows(
            "SELECT name, worker, subject FROM members WHERE team = ? ORDER BY rowid", arn
        )
        return [Member(**dict(row)) for row in rows]

    def teams_of(self, worker: str) -> list[str]:
        """Return the ARNs of the teams that a worker is in."""
        return [row["team"] for row in self._store.rows("SELECT team FROM members WHERE worker = ?", worker)]

    def member(self, team: str, worker: str) -> Member | None:
        """Return a worker as a member of a team, if they are one."""
        row = self._store.row(
            "SELECT name, worker, subject FROM members WHERE team = ? AND worker = ?", team, worker
        )
        return Member(**dict(row)) if row else None
