"""What the console's pages show, as values for the Liquid files in `portal/pages/`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ground_truth_labels import LabelsError
from ground_truth_labels.classes import LabelList

from ..portal import views
from . import exports
from .account import Account, AccountError, JobView
from .measures import by_class, by_worker, minority
from .results import Looked, ResultBook

_PAGE = 24
_NOTHING = "-"
_STATUSES = ("Initializing", "InProgress", "Completed", "Failed", "Stopping", "Stopped")
_NOT_SENT = {
    "CreationTime", "FailureReason", "JobReferenceCode", "LabelCounters", "LabelingJobArn",
    "LabelingJobOutput", "LabelingJobStatus", "LastModifiedTime", "ResponseMetadata",
}  # fmt: skip


def overview(account: Account, status: str) -> str:
    """Return the page with all jobs."""
    jobs = [_card(job) for job in account.jobs()]
    counts = [(name, sum(job["status"] == name for job in jobs)) for name in _STATUSES]
    shown = [job for job in jobs if status in ("", job["status"])]
    return views.render(
        "console_overview",
        title="Labeling jobs",
        console=True,
        region=account.region,
        jobs=shown,
        total=len(jobs),
        chosen=status if status in _STATUSES else "",
        statuses=[{"name": name, "count": count} for name, count in counts if count],
        sums=[
            {"name": "Jobs under way", "value": sum(job["live"] for job in jobs)},
            {"name": "Objects labeled", "value": f"{sum(job['labeled'] for job in jobs):,}"},
            {"name": "Objects failed", "value": f"{sum(job['failed'] for job in jobs):,}"},
            {"name": "Still to label", "value": f"{sum(job['unlabeled'] for job in jobs):,}"},
        ],
        refresh=5 if any(job["live"] for job in jobs) else 0,
    )


def job(account: Account, book: ResultBook, job: JobView, number: int) -> str:
    """Return the page of one job."""
    problems: list[str] = []
    results = None
    try:
        results = book.results(job)
        problems += results.problems
    except (AccountError, LabelsError) as error:
        problems.append(str(error))
    labeled = results.labeled if results else []
    pages = max(1, -(-len(labeled) // _PAGE))
    number = min(number, pages)
    shown = labeled[(number - 1) * _PAGE : number * _PAGE]
    return views.render(
        "console_job",
        title=job.name,
        console=True,
        job=_card(job),
        read_only=account.read_only,
        problems=problems,
        results=[_tile(job, one) for one in shown],
        count=len(labeled),
        page_number=number,
        pages=[{"number": one, "current": one == number} for one in range(1, pages + 1)] if pages > 1 else [],
        failed=[{"line": f.line, "source": f.source, "reason": f.reason} for f in results.failed]
        if results
        else [],
        labels=_legend(results.labels) if results else [],
        formats=exports.FORMATS,
        request=json.dumps(request_of(job), indent=2),
        events=_events(account, job),
        preflight=_preflight(account, job),
        refresh=8 if job.is_live else 0,
    )


def result(book: ResultBook, job: JobView, looked: Looked) -> str:
    """Return the page of one object: picture, vote, workers, disagreement."""
    numbers = [one.number for one in book.results(job).labeled]
    place = numbers.index(looked.result.number)
    masks = [mask for _, _, mask in looked.workers]
    people = by_worker(looked.vote, looked.workers, looked.labels)
    same = float((minority(masks) == 0).mean()) if masks else 1.0
    address = f"/console/jobs/{job.name}/results"
    item = looked.result.item
    return views.render(
        "console_result",
        title=item.source_ref.rpartition("/")[2],
        console=True,
        job=_card(job),
        number=looked.result.number,
        address=f"{address}/{looked.result.number}",
        before=f"{address}/{numbers[place - 1]}" if place else "",
        after=f"{address}/{numbers[place + 1]}" if place + 1 < len(numbers) else "",
        source=item.source_ref,
        mask=item.mask_ref,
        line=item.line,
        size=f"{looked.vote.shape[1]} x {looked.vote.shape[0]}",
        agreed=f"{same:.1%}",
        confidence=f"{item.confidence:.2f}" if item.confidence is not None else _NOTHING,
        workers=[
            {
                "number": index,
                "letter": chr(65 + index % 26),
                "name": one.worker,
                "seconds": _NOTHING if one.seconds is None else f"{one.seconds:.0f} s",
                "same": f"{one.same:.1%}",
                "overlap": _NOTHING if one.overlap is None else f"{one.overlap:.2f}",
            }
            for index, one in enumerate(people)
        ],
        classes=[
            {
                "name": one.name,
                "color": _color(looked.labels, one.name),
                "pixels": f"{one.pixels:,}",
                "unanimous": f"{one.unanimous:.0%}",
                "share": round(one.unanimous * 100),
            }
            for one in by_class(looked.vote, masks, looked.labels)
        ],
        problems=looked.problems,
    )


def log(account: Account, job: JobView) -> str:
    """Return the page with what the handler logged."""
    group, entries = account.log(job)
    return views.render(
        "console_log",
        title=f"{job.name}: log",
        console=True,
        job=_card(job),
        group=group,
        entries=[{**entry, "at": _time(entry["at"] / 1000)} for entry in entries],
    )


def request_of(job: JobView) -> dict[str, Any]:
    """Return the request as the service holds it: `DescribeLabelingJob` without what the service added."""
    return {name: value for name, value in job.described.items() if name not in _NOT_SENT}


def _card(job: JobView) -> dict[str, Any]:
    counters = job.counters
    done = counters["TotalLabeled"] + counters["FailedNonRetryableError"]
    task = job.described["HumanTaskConfig"]
    return {
        "name": job.name,
        "title": task["TaskTitle"],
        "status": job.status,
        "live": job.is_live,
        "reason": job.described.get("FailureReason", ""),
        "labeled": counters["TotalLabeled"],
        "human": counters["HumanLabeled"],
        "machine": counters["MachineLabeled"],
        "failed": counters["FailedNonRetryableError"],
        "unlabeled": counters["Unlabeled"],
        "total": job.total,
        "percent": round(100 * done / job.total) if job.total else 0,
        "workers": job.workers,
        "bought": f"{counters['HumanLabeled'] * job.workers:,}",
        "tasks": f"{job.total * job.workers:,}",
        "estimate": job.estimate,
        "team": task["WorkteamArn"].rpartition("/")[2],
        "created": _time(job.described["CreationTime"]),
        "modified": _time(job.described["LastModifiedTime"]),
        "output": job.output,
        "has_log": bool(job.stack),
    }


def _tile(job: JobView, one: Any) -> dict[str, Any]:
    address = f"/console/jobs/{job.name}/results/{one.number}"
    return {
        "address": address,
        "name": one.item.source_ref.rpartition("/")[2],
        "confidence": "" if one.item.confidence is None or job.workers == 1 else f"{one.item.confidence:.2f}",
    }


def _legend(labels: LabelList) -> list[dict[str, str]]:
    return [{"name": name, "color": _color(labels, name)} for name in labels.names][:40]


def _color(labels: LabelList, name: str) -> str:
    # The colours that `overlay` draws a label list in.
    return labels.colors[labels.ids[name]]


def _events(account: Account, job: JobView) -> list[dict[str, str]]:
    found = [
        {"at": _time(job.described["CreationTime"]), "what": "The job was created", "detail": ""},
        {"at": _time(job.described["LastModifiedTime"]), "what": f"Last change: {job.status}",
         "detail": job.described.get("FailureReason", "")},
    ]  # fmt: skip
    try:
        for event in account.stack_events(job):
            reason = str(event.get("ResourceStatusReason", ""))
            what = f"{event['LogicalResourceId']}: {event['ResourceStatus']}"
            found.append({"at": _time(event["Timestamp"]), "what": what, "detail": reason})
    except AccountError as error:
        found.append({"at": "", "what": "CloudFormation's events can't be read", "detail": str(error)})
    return found


def _preflight(account: Account, job: JobView) -> dict[str, Any]:
    """What the deploy found in the input, where it left its report."""
    bucket, _, key = job.preflight_report.removeprefix("s3://").partition("/")
    s3 = account.client("s3")
    try:
        report = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read(4 << 20))
        findings = [
            {"check": str(one.get("check", "")), "level": str(one.get("severity", one.get("level", ""))),
             "text": json.dumps(one, ensure_ascii=False, indent=1)}
            for one in report.get("findings", [])
        ]  # fmt: skip
    except (BotoCoreError, ClientError, ValueError, TypeError, AttributeError):
        # There is none, it can't be read, or it isn't a report: a page without it is as good.
        return {}
    facts = [
        {"name": name, "value": str(value)}
        for name, value in report.items()
        if not isinstance(value, list | dict)
    ]
    return {"uri": job.preflight_report, "facts": facts, "findings": findings}


def _time(value: Any) -> str:
    when = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
