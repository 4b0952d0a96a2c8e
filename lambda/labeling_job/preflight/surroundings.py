"""What is around a job: its buckets, the PRE-/ACS- functions, quotas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..errors import answer_of, code_of, part_of, said
from ..limits import CONCURRENT_TASKS_UNASKED, FUNCTION_ACCOUNTS
from ..rules.places import Place
from ..transport import AWS_ERRORS
from .access import NO_BUCKET, kind_of
from .inspection import Inspection
from .plan import Plan, function_name

#: No more of a manifest's buckets are looked at: each takes half a dozen calls, and 20,000 may be named.
BUCKETS_MAX: Final = 100
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


def check_buckets(inspection: Inspection, image_buckets: Iterable[str]) -> frozenset[str]:
    """Check each bucket, and answer which can be used: nobody reads from the others.

    Of the buckets of images the first are looked at, in the manifest's order; the others are counted.
    """
    own = _uses(inspection.plan)
    images = sorted(dict.fromkeys(image_buckets), key=lambda bucket: bucket not in own)
    uses = {bucket: [*own.get(bucket, ())] for bucket in (*own, *images[:BUCKETS_MAX])}
    for bucket in images[:BUCKETS_MAX]:
        uses[bucket].append("images")
    usable, unseen = set(), len(images[BUCKETS_MAX:])
    for bucket, why in uses.items():
        if bucket not in own and inspection.out_of_time():
            unseen += 1
        elif _is_usable(inspection, bucket, why):
            usable.add(bucket)
            if "images" in why or (inspection.plan.is_chain and "output" in why):
                _check_cors(inspection, bucket)
    if unseen:
        rule = (
            f"not looked at, nor their images: of a manifest's buckets the first {BUCKETS_MAX} are, in time"
        )
        inspection.warn("bucket-exists", rule, f"{unseen:,} of {len(images):,} buckets")
    return frozenset(usable)


def check_overlap(inspection: Inspection, images: Iterable[tuple[int, Place]]) -> None:
    """Labels written among the images would be images of the next deploy."""
    plan = inspection.plan
    if plan.output is None:
        return
    rule = "images must not lie below the output path; move one of them"
    for line, image in images:
        if _is_below(image, plan.output):
            inspection.error("output-overlap", rule, f"{image} is below {plan.output}", line=line)
    if plan.listed is not None and _is_below(plan.output, plan.listed):
        rule = "the output path must not lie below the prefix that is listed for images; set another"
        inspection.error("output-overlap", rule, f"{plan.output} is below {plan.listed}")


def _uses(plan: Plan) -> dict[str, list[str]]:
    """The buckets that the request names, and what each is for."""
    uses: dict[str, list[str]] = {}
    for name, place in (
        ("the manifest", plan.manifest),
        ("the template", plan.template),
        ("the category file", plan.categories),
        ("output", plan.output),
    ):
        if place is not None:
            uses.setdefault(place.bucket, []).append(name)
    return uses


def _is_usable(inspection: Inspection, bucket: str, uses: list[str]) -> bool:
    reader, region = inspection.reader, inspection.plan.region
    got = f"{bucket}, for {' and '.join(uses)}"
    try:
        answer = reader.settled(lambda: reader.s3.get_bucket_location(Bucket=bucket), also=("NoSuchBucket",))
        there = _OLD_NAMES.get(str(answer.get("LocationConstraint")), answer.get("LocationConstraint"))
    except AWS_ERRORS as error:
        if kind_of(error) == NO_BUCKET:
            inspection.error("bucket-exists", "a bucket must exist; make it, or name another", got)
            return False
        # A refusal names the Region as well.
        headers = answer_of(error).get("ResponseMetadata", {}).get("HTTPHeaders", {})
        there = headers.get("x-amz-bucket-region", "")
        if not there:
            inspection.warn("bucket-region", "not checked", f"{got}: {said(error)}")
    if there and there != region:
        rule = f"a bucket must be in the job's Region, {region}; copy its objects to one that is"
        inspection.error("bucket-region", rule, f"{got}, is in {there}")
        return False
    return True


def _check_cors(inspection: Inspection, bucket: str) -> None:
    reader = inspection.reader
    try:
        answer = reader.settled(
            lambda: reader.s3.get_bucket_cors(Bucket=bucket), also=("NoSuchCORSConfiguration",)
        )
        rules = part_of(answer, "CORSRules")
    except AWS_ERRORS as error:
        if code_of(error) == "NoSuchCORSConfiguration":
            inspection.error("bucket-cors", _CORS, f"{bucket} has none")
        else:
            inspection.warn("bucket-cors", f"not checked; {_CORS}", f"{bucket}: {said(error)}")
        return
    fitting = [rule for rule in rules if _allows_browsers(rule)]
    if not fitting:
        inspection.error("bucket-cors", _CORS, f"{bucket} has other rules")
    elif not any(map(_exposes_the_header, fitting)):
        # The guide prints the header, and public set-ups without it work.
        inspection.warn("bucket-cors", _EXPOSE, bucket)


def _allows_browsers(rule: Mapping[str, Any]) -> bool:
    return "GET" in rule.get("AllowedMethods", ()) and "*" in rule.get("AllowedOrigins", ())


def _exposes_the_header(rule: Mapping[str, Any]) -> bool:
    return _EXPOSED in (header.lower() for header in rule.get("ExposeHeaders", ()))


def _is_below(inner: Place, outer: Place) -> bool:
    prefix = outer.key if not outer.key or outer.key.endswith("/") else f"{outer.key}/"
    return inner.bucket == outer.bucket and f"{inner.key}/".startswith(prefix)


def check_functions(inspection: Inspection) -> None:
    """Both functions belong to the Region's account: another one looks like a lack of permissions."""
    plan = inspection.plan
    account = FUNCTION_ACCOUNTS.get(plan.region)
    if account is None:
        inspection.error("function-region", "Ground Truth segments images in few Regions", plan.region)
        return
    for stage, arn in zip(("PRE", "ACS"), plan.functions, strict=True):
        name = function_name(arn)
        wanted = f":lambda:{plan.region}:{account}:function:{stage}-{plan.task_type}"
        if not name or not re.fullmatch(f"arn:[^:]+{re.escape(wanted)}", arn):
            inspection.error(
                "function-region", f"the {stage}- function must be arn:aws{wanted}", arn or "none"
            )


def check_quotas(inspection: Inspection) -> None:
    """What an account has to ask AWS for."""
    plan = inspection.plan
    if plan.concurrent_tasks > CONCURRENT_TASKS_UNASKED:
        rule = f"more than {CONCURRENT_TASKS_UNASKED:,} concurrent tasks have to be asked for at AWS Support"
        inspection.warn("quota", rule, f"{plan.concurrent_tasks:,}")
