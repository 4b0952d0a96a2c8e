"""``cdk-ground-truth plan``: what the next deploy asks of workers, in numbers, before it is made."""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ._rooms import contract, cost
from ._rooms import handler_module as handler
from .command_line import FOUND, OK, Partly, connect, part_of
from .planned_stacks import Assembly, PlannedJob, planned_jobs

_SERVICES = ("sts", "s3", "sagemaker", "cloudformation")
_MINUTES = 14


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What becomes of one job.

    Attributes:
        path: The construct's.
        job: The job that the stack has now; empty where there is none.
        change: `unchanged`, `new`, `goes on`, `anew` (all is bought again) or `refused`.
        keep: Images whose labels are kept; None where the deploy alone knows.
        ask: Images that go to workers; likewise.
        tasks: Images times workers; likewise.
        text: All of it for a person, and why a deploy is refused.
    """

    path: str
    job: str
    change: str
    keep: int | None = None
    ask: int | None = None
    tasks: int | None = None
    text: str = ""


def add_parser(commands: Any) -> None:
    """Add the command's arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "plan",
        help="say how many images the next deploy keeps, and how many it asks workers for",
        description="Compares a cloud assembly with what is deployed, and reads the labels that are there, as"
        " the deploy would; it changes nothing. Exit code: 0, 1 where a deploy would be refused, 2 the"
        " command can't run.",
    )
    parser.add_argument(
        "assembly", nargs="?", default="cdk.out", help="what cdk synth wrote; default: cdk.out"
    )
    parser.add_argument("--region", help="the stacks' (default: of your AWS configuration)")
    parser.add_argument("--endpoint-url", metavar="URL", help="of another AWS, such as ground-truth-local's")
    parser.add_argument("--json", action="store_true", help="a JSON object for each job")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, client: Callable[[str], Any] | None) -> int:
    """Print the plan; its exit code."""
    assembly = Assembly(options.assembly)
    if client is None:
        client, _ = connect(options, _SERVICES)
    region = str(client("cloudformation").meta.region_name)
    account = str(client("sts").get_caller_identity()["Account"])
    found = [
        plan(job, assembly, client)
        for job in planned_jobs(assembly, client("cloudformation"), region, account)
    ]
    for each in found:
        print(json.dumps(asdict(each), ensure_ascii=False) if options.json else f"{each.path}: {each.text}")
    if not found and not options.json:
        print(f"{options.assembly} has no labeling jobs")
    return FOUND if any(each.change == "refused" for each in found) else OK


def plan(job: PlannedJob, assembly: Assembly, client: Callable[[str], Any]) -> Planned:
    """What a deploy would do with one job, by the handler's own decisions."""
    planning = _Planning(job, assembly, client)
    try:
        # The handler's own words are lines of a log.
        with contextlib.redirect_stdout(io.StringIO()):
            return planning.decided()
    except (handler("errors").DeployError, contract.ContractError) as error:
        return Planned(
            path=job.path, job=job.name, change="refused", text=f"the deploy would be refused: {error}"
        )


class _Planning:
    def __init__(self, job: PlannedJob, assembly: Assembly, client: Callable[[str], Any]) -> None:
        self._job = job
        end = time.monotonic() + _MINUTES * 60
        patience = handler("patience").Patience(
            remaining_ms=lambda: int((end - time.monotonic()) * 1000),
            sleep=time.sleep,
            now=lambda: datetime.now(UTC),
        )
        self._storage = handler("storage").Storage(_WithAssets(client("s3"), assembly), patience)
        self._jobs = handler("jobs").Jobs(client("sagemaker"), patience)
        event = handler("event").Event(
            request_type="Update",
            request_id="plan",
            stack_id=job.stack_id,
            logical_id=job.logical_id,
            response_url="",
            properties=job.new,
            old_properties=job.old or {},
            physical_id=job.name or None,
        )
        self._owned = handler("owned").Owned(self._jobs, event)

    def decided(self) -> Planned:
        fingerprint = handler("owned").fingerprint
        if self._job.old is not None and fingerprint(self._job.old) == fingerprint(self._job.new):
            text = f"unchanged, {self._job.name} stays as it is; 0 images go to workers"
            return self._planned("unchanged", None, 0, text)
        new = contract.parse(self._job.new)
        old = contract.parsed_or_none(self._job.old) if self._job.old is not None else None
        current = self._jobs.describe(self._job.name) if self._job.name else None
        if not handler("succession").keeps_labels(old, new, current):
            return self._anew(new, current)
        assert current is not None, "there are labels to keep"
        return self._goes_on(new, current)

    def _anew(self, new: Any, current: Mapping[str, Any] | None) -> Planned:
        labeled = int(current["LabelCounters"]["TotalLabeled"]) if current else 0
        count = self._staged(new, ())
        lost = f"; the {labeled:,} labels of {self._job.name} are bought again, as relabel=True says"
        change = "anew" if labeled else "new"
        return self._counted(change, new, None if count is None else 0, count, lost if labeled else "")

    def _goes_on(self, new: Any, current: Mapping[str, Any]) -> Planned:
        predecessors = [
            handler("predecessors").Predecessor.of(job) for job in self._owned.with_followers(current)
        ]
        if current["LabelingJobStatus"] in handler("jobs").ENDED:
            kept = self._staged(new, predecessors, counts=True)
            if kept is None:
                return self._counted("goes on", new, None, None, "")
            return self._counted("goes on", new, kept.kept, kept.to_label, "")
        # Its labels are in no output before it is stopped, which the deploy does.
        labeled = int(current["LabelCounters"]["TotalLabeled"])
        count = self._staged(new, ())
        ask = None if count is None else max(0, count - labeled)
        more = f"; as of now: {self._job.name} is at work, and is stopped for the new job"
        return self._counted("goes on", new, labeled, ask, more)

    def _staged(self, new: Any, before: Any, *, counts: bool = False) -> Any:
        """How many images there are, or what becomes of their labels; None where the deploy alone knows."""
        sources = new.request.get("InputConfig", {}).get("DataSource", {})
        manifest = str(sources.get("S3DataSource", {}).get("ManifestS3Uri", ""))
        images = new.images
        places = (images.images_s3_uri, images.job_name, images.output_manifest_s3_uri, manifest)
        # What isn't known is named in angle brackets, which no bucket and no job has in its name.
        if any("<" in place for place in places):
            return None
        staging = handler("images").staged(
            self._storage,
            images,
            job_name="plan",
            attribute=str(new.request.get("LabelAttributeName")),
            describe=self._jobs.describe,
            before=before,
            manifest_uri=manifest,
        )
        if staging is None:
            if counts or not manifest.startswith("s3://"):
                return None
            return sum(1 for _ in handler("chained_images").output_lines(self._storage, manifest))
        staging.manifest.close()
        return staging.kept if counts else staging.objects

    def _counted(self, change: str, new: Any, keep: int | None, ask: int | None, more: str) -> Planned:
        workers = int(new.request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"])
        if ask is None:
            kept = "" if keep is None else f"{keep:,} images keep their labels, "
            return self._planned(
                change, keep, None, f"{kept}how many go to workers is known to the deploy alone{more}"
            )
        terms = cost.terms(new.cost or {})
        price = cost.estimate(ask, workers=workers, terms=terms).text
        text = f"{keep or 0:,} images keep their labels, {ask:,} go to workers ({price}){more}"
        return self._planned(change, keep, ask, text, ask * workers)

    def _planned(
        self, change: str, keep: int | None, ask: int | None, text: str, tasks: int | None = None
    ) -> Planned:
        tasks = 0 if ask == 0 else tasks
        return Planned(
            path=self._job.path, job=self._job.name, change=change, keep=keep, ask=ask, tasks=tasks, text=text
        )


class _WithAssets(Partly):
    """S3, with what `cdk deploy` has not published yet."""

    def __init__(self, s3: Any, assembly: Assembly) -> None:
        super().__init__(s3)
        self._asset = functools.cache(assembly.asset)

    def head_object(self, *, Bucket: str, Key: str) -> Any:
        """As S3's."""
        body = self._asset(Key)
        if body is None:
            return self._aws.head_object(Bucket=Bucket, Key=Key)
        return {"ContentLength": len(body), "LastModified": datetime.now(UTC), "ETag": '"asset"'}

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> Any:
        """As S3's; at most the bytes of the range."""
        body = self._asset(Key)
        if body is None:
            span = {"Range": Range} if Range else {}
            return self._aws.get_object(Bucket=Bucket, Key=Key, **span)
        return {**part_of(io.BytesIO(body), Range), "ETag": '"asset"'}
