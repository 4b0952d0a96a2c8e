"""The people and functions that a task needs: work team, its members, the PRE-/ACS- functions, quotas."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import code_of, said
from ..limits import CONCURRENT_TASKS_UNASKED, FUNCTION_ACCOUNTS, PUBLIC_WORKTEAM, WORKTEAM_ARN
from .findings import Findings
from .plan import Plan, function_name

_GROUPS_ASKED = 5


def check_functions(plan: Plan, findings: Findings) -> None:
    """Both functions belong to the Region's account: another one looks like a lack of permissions."""
    account = FUNCTION_ACCOUNTS.get(plan.region)
    if account is None:
        findings.error("function-region", "Ground Truth segments images in few Regions", plan.region)
        return
    for stage, arn in zip(("PRE", "ACS"), plan.functions, strict=True):
        name = function_name(arn)
        wanted = f":lambda:{plan.region}:{account}:function:{stage}-{plan.task_type}"
        if not name or not re.fullmatch(f"arn:[^:]+{re.escape(wanted)}", arn):
            findings.error("function-region", f"the {stage}- function must be arn:aws{wanted}", arn or "none")


def check_quotas(plan: Plan, findings: Findings) -> None:
    """What an account has to ask AWS for."""
    if plan.concurrent_tasks > CONCURRENT_TASKS_UNASKED:
        rule = f"more than {CONCURRENT_TASKS_UNASKED:,} concurrent tasks have to be asked for at AWS Support"
        findings.warn("quota", rule, f"{plan.concurrent_tasks:,}")


def check_workteam(plan: Plan, client: Callable[[str], Any], findings: Findings) -> None:
    """The team exists where the job is, and enough people are in it."""
    match = WORKTEAM_ARN.fullmatch(plan.workteam_arn)
    if match is None:
        findings.error("workteam", "the work team must be named by its ARN", plan.workteam_arn)
    elif PUBLIC_WORKTEAM.fullmatch(plan.workteam_arn):
        rule = "Amazon Mechanical Turk closed on 2026-09-30; use a private or vendor work team"
        findings.error("workteam", rule, plan.workteam_arn)
    elif match["region"] != plan.region:
        findings.error(
            "workteam", f"the work team must be in the job's Region, {plan.region}", plan.workteam_arn
        )
    elif match["name"].startswith("private-crowd/"):
        _ask(match["name"].partition("/")[2], plan, client, findings)
    # A vendor's people are the vendor's affair, and its team isn't the account's own to describe.


def _ask(name: str, plan: Plan, client: Callable[[str], Any], findings: Findings) -> None:
    arn = plan.workteam_arn
    try:
        team = client("sagemaker").describe_workteam(WorkteamName=name)["Workteam"]
    except Exception as error:
        if code_of(error) in ("ResourceNotFound", "ValidationException"):
            findings.error("workteam", "the work team must exist in the job's account and Region", arn)
        else:
            findings.warn("workteam", "not checked", said(error))
        return
    if team.get("WorkteamArn", arn).lower() != arn.lower():
        rule = "the work team must be of the job's account"
        findings.error("workteam", rule, f"{arn}, where {team['WorkteamArn']} is the one of that name")
    elif findings.wants("workteam-members"):
        _check_members(team, plan, client, findings)


def _check_members(team: Any, plan: Plan, client: Callable[[str], Any], findings: Findings) -> None:
    """Whether enough people are in the team's Cognito groups; nothing is kept of who that is."""
    definitions = team.get("MemberDefinitions", [])
    groups = [d["CognitoMemberDefinition"] for d in definitions if d.get("CognitoMemberDefinition")]
    if any(d.get("OidcMemberDefinition") for d in definitions):
        return  # The people are in an identity provider that has no API for this.
    people: set[str] = set()
    for group in groups[:_GROUPS_ASKED]:
        try:
            page = client("cognito-idp").list_users_in_group(
                UserPoolId=group["UserPool"], GroupName=group["UserGroup"], Limit=plan.workers
            )
        except Exception as error:
            findings.warn("workteam-members", "not checked", said(error))
            return
        people.update(user["Username"] for user in page.get("Users", []))
        if len(people) >= plan.workers:
            return
    if len(groups) <= _GROUPS_ASKED:
        rule = f"each object waits for {plan.workers} different workers of the team; invite people"
        findings.warn("workteam-members", rule, f"{plan.workteam_arn} has {len(people) or 'nobody'}")
