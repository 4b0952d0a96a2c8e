"""The operations on work teams and on tags."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from ..sources import Rule, assumed, model, observed
from .errors import ServiceError, not_found, validation
from .jobs import LIVE, JobBook
from .paging import page, sort
from .rules import check_tags
from .teams import TeamBook, team_arn
from .types import Call

TEAMS = Rule("workteams-most", "An account has at most 25 work teams in a Region.", model("CreateWorkteam"))
TEAM_NAME = Rule("workteam-name", "A work team's name is used once.", model("CreateWorkteam: ResourceInUse"))
TEAM_MISSING = Rule(
    "workteam-missing",
    "A work team that isn't there is a `ValidationException`.",
    observed("hashicorp/terraform-provider-aws, workteam.go: `ValidationException`, 'The work team'…"),
)
TEAM_BUSY = Rule(
    "workteam-busy",
    "The work team of a live job can't be deleted.",
    assumed("DeleteWorkteam knows ResourceLimitExceeded alone; a job without a team is worse"),
)
MEMBER_KINDS = Rule(
    "workteam-members",
    "Members come from Cognito or from OIDC, and all from one user pool and client.",
    model("CreateWorkteamRequest$MemberDefinitions"),
)
TAGS = Rule("tags-most", "A resource has at most 50 tags.", model("TagList"))

MAX_TEAMS = 25
MAX_TAGS = 50
_UPDATABLE = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")


class WorkteamOperations:
    """Create, describe, update, delete and list private work teams."""

    def __init__(self, *, teams: TeamBook, jobs: JobBook, clock: Callable[[], float]) -> None:
        self._teams = teams
        self._jobs = jobs
        self._clock = clock

    def create(self, call: Call) -> dict[str, Any]:
        """``CreateWorkteam``."""
        body = call.body
        _check_members(body["MemberDefinitions"])
        tags = body.get("Tags", [])
        check_tags(tags)
        if len(self._teams.of(call.account, call.region)) >= MAX_TEAMS:
            raise ServiceError(
                TEAMS, "ResourceLimitExceeded", f"There can be at most {MAX_TEAMS} work teams."
            )
        arn = team_arn(call.account, call.region, body["WorkteamName"])
        now = round(self._clock(), 3)
        workforce = body.get("WorkforceName", "default")
        document = {
            "WorkteamName": body["WorkteamName"],
            "WorkteamArn": arn,
            "WorkforceArn": f"arn:aws:sagemaker:{call.region}:{call.account}:workforce/{workforce}",
            "SubDomain": f"{_portal(arn)}.labeling.{call.region}.sagemaker.aws",
            "CreateDate": now,
            "LastUpdatedDate": now,
        } | {name: body[name] for name in _UPDATABLE if name in body}
        if not self._teams.add(arn, document, {tag["Key"]: tag["Value"] for tag in tags}):
            raise ServiceError(
                TEAM_NAME, "ResourceInUse", f"The work team name '{body['WorkteamName']}' is already used."
            )
        return {"WorkteamArn": arn}

    def _get(self, call: Call) -> dict[str, Any]:
        name = call.body["WorkteamName"]
        team = self._teams.get(team_arn(call.account, call.region, name))
        if team is None:
            # DescribeWorkteam has no ResourceNotFound in the model.
            raise validation(TEAM_MISSING, f"The work team '{name}' does not exist.")
        return team

    def describe(self, call: Call) -> dict[str, Any]:
        """``DescribeWorkteam``."""
        return {"Workteam": self._get(call)}

    def update(self, call: Call) -> dict[str, Any]:
        """``UpdateWorkteam``."""
        team = self._get(call)
        if "MemberDefinitions" in call.body:
            _check_members(call.body["MemberDefinitions"])
        team |= {name: call.body[name] for name in _UPDATABLE if name in call.body}
        team["LastUpdatedDate"] = round(self._clock(), 3)
        self._teams.save(team["WorkteamArn"], team)
        return {"Workteam": team}

    def delete(self, call: Call) -> dict[str, Any]:
        """``DeleteWorkteam``; a team that is gone already is an error here as in ``DescribeWorkteam``."""
        arn = self._get(call)["WorkteamArn"]
        busy = [job.name for job in self._jobs.with_status(LIVE) if job.team == arn]
        if busy:
            raise validation(
                TEAM_BUSY, f"The work team '{arn}' can't be deleted: the labeling job '{busy[0]}' uses it."
            )
        self._teams.remove(arn)
        return {"Success": True}

    def list(self, call: Call) -> dict[str, Any]:
        """``ListWorkteams``."""
        body = call.body
        part = body.get("NameContains", "").lower()
        teams = [
            team for team in self._teams.of(call.account, call.region) if part in team["WorkteamName"].lower()
        ]
        by_name = body.get("SortBy") == "Name"
        ordered = sort(
            teams,
            lambda team: team["WorkteamName"].lower() if by_name else team["CreateDate"],
            order=body.get("SortOrder"),
        )
        shown, more = page(ordered, body)
        return {"Workteams": shown, **more}


def _portal(arn: str) -> str:
    return hashlib.sha256(arn.encode()).hexdigest()[:10]


def _check_members(definitions: list[dict[str, Any]]) -> None:
    """``CreateWorkteamRequest$MemberDefinitions``: Cognito or OIDC, not both; one user pool and client."""
    kinds = {kind for definition in definitions for kind, value in definition.items() if value is not None}
    if len(kinds) != 1:
        raise validation(
            MEMBER_KINDS,
            "MemberDefinitions must hold either CognitoMemberDefinition or OidcMemberDefinition entries.",
        )
    pools = {
        (definition["CognitoMemberDefinition"]["UserPool"], definition["CognitoMemberDefinition"]["ClientId"])
        for definition in definitions
        if definition.get("CognitoMemberDefinition")
    }
    if len(pools) > 1:
        raise validation(
            MEMBER_KINDS, "All CognitoMemberDefinition entries must have the same UserPool and ClientId."
        )


class TagOperations:
    """Tags of labeling jobs and work teams, by ARN."""

    def __init__(self, jobs: JobBook) -> None:
        self._jobs = jobs

    def _tags(self, call: Call) -> dict[str, str]:
        arn = call.body["ResourceArn"]
        tags = self._jobs.tags(arn)
        if tags is None or arn.split(":")[3:5] != [call.region, call.account]:
            raise not_found(
                f"Could not find the resource '{arn}' in account {call.account}, Region {call.region}."
            )
        return tags

    def add(self, call: Call) -> dict[str, Any]:
        """``AddTags``: adds or overwrites."""
        check_tags(call.body["Tags"])
        tags = self._tags(call) | {tag["Key"]: tag["Value"] for tag in call.body["Tags"]}
        if len(tags) > MAX_TAGS:
            raise validation(TAGS, f"A resource can have at most {MAX_TAGS} tags.")
        self._jobs.set_tags(call.body["ResourceArn"], tags)
        return {"Tags": _as_list(tags)}

    def list(self, call: Call) -> dict[str, Any]:
        """``ListTags``."""
        shown, more = page(_as_list(self._tags(call)), call.body, default=MAX_TAGS)
        return {"Tags": shown, **more}

    def delete(self, call: Call) -> dict[str, Any]:
        """``DeleteTags``: keys that aren't there are fine."""
        gone = set(call.body["TagKeys"])
        kept = {key: value for key, value in self._tags(call).items() if key not in gone}
        self._jobs.set_tags(call.body["ResourceArn"], kept)
        return {}


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
