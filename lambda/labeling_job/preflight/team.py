"""The work team and how many people are in it; nothing is kept of who they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..errors import code_of, part_of, said
from ..limits import PUBLIC_WORKTEAM, WORKTEAM_ARN
from ..transport import AWS_ERRORS
from .inspection import Inspection

_GROUPS_ASKED = 5


def check_workteam(inspection: Inspection) -> None:
    """The team exists where the job is, and enough people are in it."""
    arn, region = inspection.plan.workteam_arn, inspection.plan.region
    match = WORKTEAM_ARN.fullmatch(arn)
    if match is None:
        inspection.error("workteam", "the work team must be named by its ARN", arn)
    elif PUBLIC_WORKTEAM.fullmatch(arn):
        rule = "Amazon Mechanical Turk closed on 2026-09-30; use a private or vendor work team"
        inspection.error("workteam", rule, arn)
    elif match["region"] != region:
        inspection.error("workteam", f"the work team must be in the job's Region, {region}", arn)
    elif match["name"].startswith("private-crowd/"):
        _ask(inspection, match["name"].partition("/")[2])
    # A vendor's people are the vendor's affair, and its team isn't the account's own to describe.


def _ask(inspection: Inspection, name: str) -> None:
    arn = inspection.plan.workteam_arn
    try:
        answer = inspection.reader.settled(
            lambda: inspection.client("sagemaker").describe_workteam(WorkteamName=name)
        )
        team = part_of(answer, "Workteam")
    except AWS_ERRORS as error:
        if code_of(error) in ("ResourceNotFound", "ValidationException"):
            inspection.error("workteam", "the work team must exist in the job's account and Region", arn)
        else:
            inspection.warn("workteam", "not checked", said(error))
        return
    if team.get("WorkteamArn", arn).lower() != arn.lower():
        rule = "the work team must be of the job's account"
        inspection.error("workteam", rule, f"{arn}, where {team['WorkteamArn']} is the one of that name")
    elif inspection.findings.wants("workteam-members"):
        _check_members(inspection, team)


def _check_members(inspection: Inspection, team: Any) -> None:
    """Whether enough people are in the team's Cognito groups."""
    plan = inspection.plan
    definitions = team.get("MemberDefinitions", [])
    groups = [d["CognitoMemberDefinition"] for d in definitions if d.get("CognitoMemberDefinition")]
    if any(d.get("OidcMemberDefinition") for d in definitions):
        return  # The people are in an identity provider that has no API for this.
    people: set[str] = set()
    listed = len(groups) <= _GROUPS_ASKED

    def members(group: Mapping[str, str]) -> Any:
        return inspection.client("cognito-idp").list_users_in_group(
            UserPoolId=group["UserPool"], GroupName=group["UserGroup"], Limit=plan.workers
        )

    for group in groups[:_GROUPS_ASKED]:
        try:
            page = inspection.reader.settled(partial(members, group))
            people.update(user["Username"] for user in part_of(page, "Users"))
        except AWS_ERRORS as error:
            inspection.warn("workteam-members", "not checked", said(error))
            return
        # Cognito may answer with fewer than it was asked for, and go on on another page.
        listed = listed and not page.get("NextToken")
        if len(people) >= plan.workers:
            return
    rule = f"each object waits for {plan.workers} different workers of the team; invite people"
    if listed:
        rule += ", or set number_of_human_workers_per_data_object"
        inspection.error("workteam-members", rule, f"{plan.workteam_arn} has {len(people) or 'nobody'}")
    elif len(groups) <= _GROUPS_ASKED:
        inspection.warn("workteam-members", rule, f"{plan.workteam_arn} has {len(people)} or more")
