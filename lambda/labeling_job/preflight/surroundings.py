"""What is around a job: its buckets, the PRE-/ACS- functions, the work team and its members, quotas."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..errors import answer_of, code_of, part_of, said
from ..limits import CONCURRENT_TASKS_UNASKED, FUNCTION_ACCOUNTS, PUBLIC_WORKTEAM, WORKTEAM_ARN
from ..rules.findings import Findings
from ..rules.places import Place
from ..transport import AWS_ERRORS
from .access import NO_BUCKET, Reader, kind_of
from .plan import Plan, function_name

_GROUPS_ASKED = 5
# What S3 calls its first two Regions.
_OLD_NAMES = {"None": "us-east-1", "EU": "eu-west-1"}
_EXPOSED = "access-control-allow-origin"
_EXPOSE = (
    "the guide's CORS rule has ExposeHeaders Access-Control-Allow-Origin; add it if workers see no picture"
)
_CORS = (
    "a bucket of images needs a CORS rule with AllowedMethods GET, AllowedOrigins * and ExposeHeaders"
    " Access-Control-Allow-Origin, or every task fails in the worker's browser; add it"
)


def check_buckets(
    plan: Plan, image_buckets: Iterable[str], reader: Reader, findings: Findings
) -> frozenset[str]:
    """Check each bucket; those that can't be used are answered, so that nobody reads from them."""
    used_for = _uses(plan, image_buckets)
    unusable = set()
    for bucket, uses in used_for.items():
        if not _is_usable(bucket, uses, plan.region, reader, findings):
            unusable.add(bucket)
        elif "images" in uses or (plan.is_chain and "output" in uses):
            _check_cors(bucket, reader, findings)
    return frozenset(unusable)


def check_overlap(plan: Plan, images: Iterable[tuple[int, Place]], findings: Findings) -> None:
    """Labels written among the images would be images of the next deploy."""
    if plan.output is None:
        return
    rule = "images must not lie below the output path; move one of them"
    for line, image in images:
        if _is_below(image, plan.output):
            findings.error("output-overlap", rule, f"{image} is below {plan.output}", line=line)
    if plan.listed is not None and _is_below(plan.output, plan.listed):
        rule = "the output path must not lie below the prefix that is listed for images; set another"
        findings.error("output-overlap", rule, f"{plan.output} is below {plan.listed}")


def _uses(plan: Plan, image_buckets: Iterable[str]) -> dict[str, list[str]]:
    uses: dict[str, list[str]] = {}
    for name, place in (
        ("the manifest", plan.manifest),
        ("the template", plan.template),
        ("the category file", plan.categories),
        ("output", plan.output),
    ):
        if place is not None:
            uses.setdefault(place.bucket, []).append(name)
    for bucket in sorted(set(image_buckets)):
        uses.setdefault(bucket, []).append("images")
    return uses


def _is_usable(bucket: str, uses: list[str], region: str, reader: Reader, findings: Findings) -> bool:
    got = f"{bucket}, for {' and '.join(uses)}"
    try:
        answer = reader.settled(lambda: reader.s3.get_bucket_location(Bucket=bucket), also=("NoSuchBucket",))
        there = _OLD_NAMES.get(str(answer.get("LocationConstraint")), answer.get("LocationConstraint"))
    except AWS_ERRORS as error:
        if kind_of(error) == NO_BUCKET:
            findings.error("bucket-exists", "a bucket must exist; make it, or name another", got)
            return False
        # A refusal names the Region as well.
        headers = answer_of(error).get("ResponseMetadata", {}).get("HTTPHeaders", {})
        there = headers.get("x-amz-bucket-region", "")
        if not there:
            findings.warn("bucket-region", "not checked", f"{got}: {said(error)}")
    if there and there != region:
        rule = f"a bucket must be in the job's Region, {region}; copy its objects to one that is"
        findings.error("bucket-region", rule, f"{got}, is in {there}")
        return False
    return True


def _check_cors(bucket: str, reader: Reader, findings: Findings) -> None:
    try:
        answer = reader.settled(
            lambda: reader.s3.get_bucket_cors(Bucket=bucket), also=("NoSuchCORSConfiguration",)
        )
        rules = part_of(answer, "CORSRules")
    except AWS_ERRORS as error:
        if code_of(error) == "NoSuchCORSConfiguration":
            findings.error("bucket-cors", _CORS, f"{bucket} has none")
        else:
            findings.warn("bucket-cors", f"not checked; {_CORS}", f"{bucket}: {said(error)}")
        return
    fitting = [rule for rule in rules if _allows_browsers(rule)]
    if not fitting:
        findings.error("bucket-cors", _CORS, f"{bucket} has other rules")
    elif not any(map(_exposes_the_header, fitting)):
        # The guide prints the header, and public set-ups without it work.
        findings.warn("bucket-cors", _EXPOSE, bucket)


def _allows_browsers(rule: Mapping[str, Any]) -> bool:
    return "GET" in rule.get("AllowedMethods", ()) and "*" in rule.get("AllowedOrigins", ())


def _exposes_the_header(rule: Mapping[str, Any]) -> bool:
    return _EXPOSED in (header.lower() for header in rule.get("ExposeHeaders", ()))


def _is_below(inner: Place, outer: Place) -> bool:
    prefix = outer.key if not outer.key or outer.key.endswith("/") else f"{outer.key}/"
    return inner.bucket == outer.bucket and f"{inner.key}/".startswith(prefix)


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


def check_workteam(plan: Plan, reader: Reader, client: Callable[[str], Any], findings: Findings) -> None:
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
        _ask(match["name"].partition("/")[2], plan, reader, client, findings)
    # A vendor's people are the vendor's affair, and its team isn't the account's own to describe.


def _ask(name: str, plan: Plan, reader: Reader, client: Callable[[str], Any], findings: Findings) -> None:
    arn = plan.workteam_arn
    try:
        answer = reader.settled(lambda: client("sagemaker").describe_workteam(WorkteamName=name))
        team = part_of(answer, "Workteam")
    except AWS_ERRORS as error:
        if code_of(error) in ("ResourceNotFound", "ValidationException"):
            findings.error("workteam", "the work team must exist in the job's account and Region", arn)
        else:
            findings.warn("workteam", "not checked", said(error))
        return
    if team.get("WorkteamArn", arn).lower() != arn.lower():
        rule = "the work team must be of the job's account"
        findings.error("workteam", rule, f"{arn}, where {team['WorkteamArn']} is the one of that name")
    elif findings.wants("workteam-members"):
        _check_members(team, plan, reader, client, findings)


def _check_members(
    team: Any, plan: Plan, reader: Reader, client: Callable[[str], Any], findings: Findings
) -> None:
    """Whether enough people are in the team's Cognito groups; nothing is kept of who that is."""
    definitions = team.get("MemberDefinitions", [])
    groups = [d["CognitoMemberDefinition"] for d in definitions if d.get("CognitoMemberDefinition")]
    if any(d.get("OidcMemberDefinition") for d in definitions):
        return  # The people are in an identity provider that has no API for this.
    people: set[str] = set()

    def members(group: Mapping[str, str]) -> Any:
        return client("cognito-idp").list_users_in_group(
            UserPoolId=group["UserPool"], GroupName=group["UserGroup"], Limit=plan.workers
        )

    for group in groups[:_GROUPS_ASKED]:
        try:
            page = reader.settled(partial(members, group))
        except AWS_ERRORS as error:
            findings.warn("workteam-members", "not checked", said(error))
            return
        people.update(user["Username"] for user in page.get("Users", []))
        if len(people) >= plan.workers:
            return
    if len(groups) <= _GROUPS_ASKED:
        rule = f"each object waits for {plan.workers} different workers of the team; invite people"
        findings.warn("workteam-members", rule, f"{plan.workteam_arn} has {len(people) or 'nobody'}")
