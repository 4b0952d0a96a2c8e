"""Stands between the lifecycle and CreateLabelingJob."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import cost, log
from ..contract import PREFLIGHT_SECONDS, TAG_COST, TAG_OBJECTS, TAG_TASKS, TAG_WARNINGS, JobProperties
from ..errors import DeployError, said
from ..rules.findings import CHECKS, Findings, clipped, printable
from ..rules.manifest import Manifest
from ..rules.places import Place
from ..transport import AWS_ERRORS
from .access import Reader
from .inspection import Inspection
from .manifest import read_manifest
from .plan import Plan, plan_of
from .run import run

# So much is left of the invocation after the images, to create the job, and after the manifest, to answer.
_MARGIN_MS = 180_000
_END_MS = 45_000
_LOGGED_AT_ONCE = 100
# The report's URI takes no more of the message's bytes, so that its findings have room.
_URI_SHOWN = 250


def passed(
    request: Mapping[str, Any], properties: JobProperties, *, client: Callable[[str], Any], context: Any
) -> Mapping[str, str]:
    """Check the request and all that it names; the tags that the job gets.

    Raises:
        DeployError: the job should not be created; the message says everything that is wrong.
    """
    if properties.preflight is None and properties.cost is None:
        return {}
    started = time.monotonic()
    inspection = _inspection(request, properties, client, context)
    plan, findings = inspection.plan, inspection.findings
    manifest = _inspect(inspection, properties)
    estimate = _estimate(request, properties, plan, manifest)
    for text in cost.exceeded(estimate, cost.terms(properties.cost or {})):
        rule = "the job is above its ceiling; raise it, label fewer objects, or set StoppingConditions"
        findings.error("cost-ceiling", rule, f"{text} ({estimate.text})")
    seconds = round(time.monotonic() - started, 1)
    about = {
        "manifest": str(plan.manifest),
        "lines": manifest.objects,
        "estimate": estimate.text,
        "seconds": seconds,
    }
    log.action("Preflight", errors=findings.errors(), warnings=findings.warnings(), **about)
    _report(inspection, about, list(properties.labels), context.log_group_name)
    return {
        TAG_OBJECTS: str(estimate.objects),
        TAG_TASKS: str(estimate.tasks),
        TAG_COST: _price(estimate, properties),
        TAG_WARNINGS: str(findings.warnings()),
    }


def _inspect(inspection: Inspection, properties: JobProperties) -> Manifest:
    """Run what is wanted; a job with a ceiling alone has only its manifest read, for the count."""
    if properties.preflight is None:
        return Manifest() if inspection.plan.streaming else read_manifest(inspection)
    manifest, reader = run(inspection), inspection.reader
    log.action("PreflightRead", objects=manifest.objects, requests=reader.requests, bytes=reader.bytes)
    return manifest


def _inspection(
    request: Mapping[str, Any], properties: JobProperties, client: Callable[[str], Any], context: Any
) -> Inspection:
    deadline = time.monotonic() + int((properties.preflight or {}).get("Seconds", PREFLIGHT_SECONDS))

    def left() -> int:
        return int(context.get_remaining_time_in_millis())

    skipped = set(CHECKS) - {"cost-ceiling", "manifest-readable"}
    if properties.preflight is not None:
        skipped = set(properties.preflight.get("Skip", ()))
    region = client("sagemaker").meta.region_name
    return Inspection(
        plan=plan_of(request, region=region, listed=properties.images.images_s3_uri),
        findings=Findings(skipped),
        reader=Reader(client("s3"), sleep=time.sleep, clock=time.monotonic),
        client=client,
        job_name=request["LabelingJobName"],
        out_of_time=lambda: time.monotonic() > deadline or left() < _MARGIN_MS,
        ending=lambda: left() < _END_MS,
    )


def _estimate(
    request: Mapping[str, Any], properties: JobProperties, plan: Plan, manifest: Manifest
) -> cost.Estimate:
    conditions = request.get("StoppingConditions", {})
    human = min(manifest.to_label, conditions.get("MaxHumanLabeledObjectCount", manifest.to_label))
    percent = conditions.get("MaxPercentageOfInputDatasetLabeled", 100)
    human = min(human, -(-manifest.objects * percent // 100))
    return cost.estimate(
        # A model labels the objects beyond what people do, and each of them costs the fee.
        manifest.to_label if plan.automated else human,
        workers=plan.workers,
        human=human,
        terms=cost.terms(properties.cost or {}),
    )


def _price(estimate: cost.Estimate, properties: JobProperties) -> str:
    if estimate.amount is None:
        return "no prices given"
    return f"{estimate.amount:.2f} {(properties.cost or {}).get('Currency', '')}"


def _report(inspection: Inspection, about: Mapping[str, Any], labels: Sequence[str], log_group: str) -> None:
    """Log what was found, and write it beside the output, with the labels in the app's order.

    By them `ground_truth_labels` numbers the classes as the app does.

    Raises:
        DeployError: there are errors.
    """
    findings = inspection.findings
    groups = findings.report()
    for group in groups:
        found = group["found"]
        for start in range(0, len(found), _LOGGED_AT_ONCE):
            log.action("PreflightFound", **{**group, "found": found[start : start + _LOGGED_AT_ONCE]})
    where = _write_report(inspection, {**about, "labels": labels, "findings": groups})
    if findings.errors():
        what = f"{clipped(printable(str(inspection.plan.manifest)), _URI_SHOWN)} ({about['lines']:,} lines)"
        head = f"Preflight: {findings.counts()} in {what}; no job was created."
        # A cut URI would lead nowhere, and the log has all as well.
        tail = f"In full: {where if len(where.encode()) < _URI_SHOWN else ''}log group {log_group}."
        raise DeployError(findings.message(head, tail))


def _write_report(inspection: Inspection, report: Mapping[str, Any]) -> str:
    """Put the report beside the output; its URI with a comma, or nothing where it can't be put."""
    output = inspection.plan.output
    if output is None:
        return ""
    prefix = output.key.rstrip("/")
    key = f"{prefix}{'/' if prefix else ''}preflight/{inspection.job_name}.json"
    place = Place(output.bucket, key)
    body = json.dumps(report, ensure_ascii=False, indent=1).encode()
    try:
        inspection.client("s3").put_object(
            Bucket=place.bucket, Key=place.key, Body=body, ContentType="application/json"
        )
    except AWS_ERRORS as error:
        log.action("PreflightReportNotWritten", to=str(place), error=said(error))
        return ""
    return f"{printable(str(place))}, "
