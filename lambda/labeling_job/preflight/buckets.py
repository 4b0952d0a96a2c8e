"""Buckets that a job names: there, in its Region, readable by browsers, input apart from output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import code_of, said
from .access import NO_BUCKET, Reader, kind_of
from .findings import Findings
from .plan import Place, Plan

# What S3 calls its first two Regions.
_OLD_NAMES = {"None": "us-east-1", "EU": "eu-west-1"}
_EXPOSED = "access-control-allow-origin"
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
        answer = reader.settled(bucket, lambda: reader.s3.get_bucket_location(Bucket=bucket))
        there = _OLD_NAMES.get(str(answer.get("LocationConstraint")), answer.get("LocationConstraint"))
    except Exception as error:
        if kind_of(error) == NO_BUCKET:
            findings.error("bucket-exists", "a bucket must exist; make it, or name another", got)
            return False
        # A refusal names the Region as well.
        headers = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders", {})
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
        rules = reader.settled(bucket, lambda: reader.s3.get_bucket_cors(Bucket=bucket))["CORSRules"]
    except Exception as error:
        if code_of(error) == "NoSuchCORSConfiguration":
            findings.error("bucket-cors", _CORS, f"{bucket} has none")
        else:
            findings.warn("bucket-cors", f"not checked; {_CORS}", f"{bucket}: {said(error)}")
        return
    if not any(map(_allows_browsers, rules)):
        findings.error("bucket-cors", _CORS, f"{bucket} has other rules")


def _allows_browsers(rule: Mapping[str, Any]) -> bool:
    return (
        "GET" in rule.get("AllowedMethods", ())
        and "*" in rule.get("AllowedOrigins", ())
        and _EXPOSED in (header.lower() for header in rule.get("ExposeHeaders", ()))
    )


def _is_below(inner: Place, outer: Place) -> bool:
    prefix = outer.key if not outer.key or outer.key.endswith("/") else f"{outer.key}/"
    return inner.bucket == outer.bucket and f"{inner.key}/".startswith(prefix)
