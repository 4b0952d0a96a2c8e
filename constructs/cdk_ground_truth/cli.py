"""The commands: a deploy's preflight before there is a stack, and what a deploy would ask of workers."""

from __future__ import annotations

import argparse
import io
import itertools
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from . import plan_command
from ._rooms import access, inspection, limits, places, plan, run
from ._rooms import findings as finding
from .command_line import FOUND, OK, USAGE, Partly, UsageError, connect, part_of

_SHOWN: Final = 20
#: Files of this machine are objects of a bucket without a name, which S3 can't have.
_DISK: Final = ""
_ATTRIBUTE: Final = "label-ref"
# The handler waits while its new role's permissions spread; a person's are as they are.
_NO_WAITING: Final = 3_600

_SERVICES: Final = ("sts", "s3", "iam", "kms", "sagemaker", "cognito-idp")
_BUCKETS: Final = tuple(check for check in finding.CHECKS if check.startswith("bucket-"))
_ROLE: Final = ("role-trust", "role-access", "kms-key")
_WORKTEAM: Final = ("workteam", "workteam-members")
_AT_DEPLOY: Final = ("prior-labels", "output-overlap", "quota", "cost-ceiling")


def main(arguments: Sequence[str] | None = None, *, client: Callable[[str], Any] | None = None) -> int:
    """Run the command; its exit code.

    Args:
        arguments: Default: those of the process.
        client: Service's name → boto3 client. Default: boto3's own, by the command's options.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, client))
    except UsageError as error:
        print(f"cdk-ground-truth {options.command}: {error}", file=sys.stderr)
        return USAGE


def _run_check(options: argparse.Namespace, client: Callable[[str], Any] | None) -> int:
    given = _Given(options)
    result = _check(options, given, client)
    print(json.dumps(result.report(), ensure_ascii=False, indent=1) if options.json else result.text())
    return FOUND if result.findings.errors() else OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cdk-ground-truth", description="Image semantic segmentation labeling jobs."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    plan_command.add_parser(commands)
    check = commands.add_parser(
        "check",
        help="read a manifest and what it names, and say what a deploy would refuse",
        description="Runs a deploy's preflight over a manifest; what nothing is given for is skipped."
        " Exit code: 0 no errors, 1 errors found, 2 the command can't run.",
    )
    file = "a file or s3://bucket/key"
    check.set_defaults(run=_run_check)
    check.add_argument("manifest", help=file)
    labels = check.add_mutually_exclusive_group()
    labels.add_argument("--labels", metavar="A,B", help="the job's labels")
    labels.add_argument("--categories", metavar="FILE", help=f"a label category file: {file}")
    check.add_argument("--template", metavar="FILE", help=f"a worker template: {file}; needs the labels")
    check.add_argument("--role", metavar="ARN", help="the job's execution role, to ask IAM what it may do")
    check.add_argument("--workteam", metavar="ARN", help="the work team")
    check.add_argument(
        "--workers", metavar="N", type=int, default=limits.WORKERS_DEFAULT, help="who label each object"
    )
    check.add_argument("--label-attribute-name", metavar="NAME", help="the job's, to see what is labeled")
    check.add_argument("--region", help="the job's (default: of your AWS configuration)")
    check.add_argument("--endpoint-url", metavar="URL", help="of another AWS, such as ground-truth-local's")
    check.add_argument(
        "--skip", metavar="CHECK", action="append", default=[], choices=finding.CHECKS, help="repeatable"
    )
    check.add_argument("--offline", action="store_true", help="read files alone: no images, nothing of AWS")
    check.add_argument("--json", action="store_true", help="print every finding, as in a deploy's S3 report")
    return parser


@dataclass(frozen=True)
class _File(places.Place):
    """A file of this machine, where the handler would read an object."""

    def __str__(self) -> str:
        return self.key


class _Given:
    """What the command line names, as places, and why which checks are skipped."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._offline: bool = options.offline
        self.manifest = self._place(options.manifest)
        #: Content that is on the command line itself.
        self.texts: dict[str, bytes] = {}
        self.categories = self._place(options.categories)
        if options.labels is not None:
            labels = [{"label": name.strip()} for name in options.labels.split(",")]
            document = {"document-version": limits.CATEGORY_DOCUMENT_VERSION, "labels": labels}
            self.texts["--labels"] = json.dumps(document).encode()
            self.categories = _File(_DISK, "--labels")
        self.template = self._place(options.template)
        if self.template and not self.categories:
            raise UsageError("--template needs --labels or --categories: a template is rendered with them")
        self.skipped_checks = _skipped_checks(options, self.categories is not None)

    def _place(self, name: str | None) -> places.Place | None:
        if name is None:
            return None
        if not name.startswith("s3://"):
            if not Path(name).is_file():
                raise UsageError(f"there is no file {name}")
            return _File(_DISK, name)
        if self._offline:
            raise UsageError(f"--offline reads files of this machine alone, not {name}")
        place = places.place_of(name)
        if place is None:
            raise UsageError(f"not an object's S3 URI, s3://bucket/key: {name}")
        return place


def _skipped_checks(options: argparse.Namespace, has_labels: bool) -> dict[str, str]:
    why: dict[str, str] = {}
    for skipped, checks, reason in (
        (True, _AT_DEPLOY, "of what a deploy knows"),
        (not has_labels, ("category-file",), "no --labels or --categories"),
        (options.template is None, ("template",), "no --template"),
        (
            options.label_attribute_name is None,
            ("label-attribute", "nothing-to-label"),
            "no --label-attribute-name",
        ),
        (options.offline and not options.region, ("function-region",), "no --region"),
        (options.role is None, _ROLE, "no --role"),
        (options.workteam is None, _WORKTEAM, "no --workteam"),
        (options.offline, (*_BUCKETS, *finding.IMAGE_CHECKS, *_ROLE, *_WORKTEAM), "--offline"),
        (True, options.skip, "--skip"),
    ):
        why.update(dict.fromkeys(checks if skipped else (), reason))
    return why


@dataclass(frozen=True, kw_only=True)
class _Result:
    manifest: str
    lines: int
    findings: finding.Findings
    skipped_checks: Mapping[str, str]

    def report(self) -> dict[str, Any]:
        """As the handler writes it to S3, with what was skipped."""
        return {
            "manifest": self.manifest,
            "lines": self.lines,
            "findings": self.findings.report(),
            "skipped_checks": self.skipped_checks,
        }

    def text(self) -> str:
        """For a person: worst first, a few examples of each kind."""
        lines = [f"{self.manifest} ({self.lines:,} lines): {self.findings.counts()}"]
        for group in self.findings.report():
            mark = "ERROR" if group["severity"] == finding.ERROR else "warning"
            lines.append(f"{mark} {group['check']}: {group['rule']}")
            found = [item for item in group["found"] if item]
            lines.extend(f"  {_where(item)}" for item in found[:_SHOWN])
            if len(found) > _SHOWN:
                lines.append(f"  and {len(found) - _SHOWN:,} more, which --json prints")
        for reason in dict.fromkeys(self.skipped_checks.values()):
            checks = [check for check, why in self.skipped_checks.items() if why == reason]
            lines.append(f"skipped, {reason}: {', '.join(checks)}")
        return "\n".join(lines)


def _where(item: Mapping[str, Any]) -> str:
    return ": ".join(
        [*([f"line {item['line']}"] if "line" in item else []), *([item["got"]] if "got" in item else [])]
    )


def _check(options: argparse.Namespace, given: _Given, client: Callable[[str], Any] | None) -> _Result:
    region = options.region or ""
    if options.offline:
        client = _Nobody
    elif client is None:
        client, region = connect(options, _SERVICES)
    found = finding.Findings(given.skipped_checks)
    clients = _Clients(client, given.texts, region)
    manifest = run.run(
        inspection.Inspection(
            plan=_plan(options, given, region),
            findings=found,
            reader=access.Reader(
                clients("s3"), sleep=time.sleep, clock=itertools.count(0, _NO_WAITING).__next__
            ),
            client=clients,
            job_name="check",
        )
    )
    return _Result(
        manifest=options.manifest, lines=manifest.objects, findings=found, skipped_checks=given.skipped_checks
    )


def _plan(options: argparse.Namespace, given: _Given, region: str) -> plan.Plan:
    account = limits.FUNCTION_ACCOUNTS.get(region)
    pre, acs = (
        f"arn:aws:lambda:{region}:{account}:function:{stage}-{limits.TASK_TYPE}" for stage in ("PRE", "ACS")
    )
    request = {
        "LabelAttributeName": options.label_attribute_name or _ATTRIBUTE,
        "RoleArn": options.role or "",
        "HumanTaskConfig": {
            "WorkteamArn": options.workteam or "",
            "NumberOfHumanWorkersPerDataObject": options.workers,
            "PreHumanTaskLambdaArn": pre,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": acs},
        },
    }
    return replace(
        plan.plan_of(request, region=region),
        manifest=given.manifest,
        categories=given.categories,
        template=given.template,
    )


class _Nobody:
    """What stands for AWS where nothing may be asked: as if there were no network."""

    def __init__(self, service: str) -> None:
        """No client at all."""

    def __getattr__(self, operation: str) -> Any:
        raise ConnectionError(f"{operation} is not asked: --offline")


class _Clients:
    """The handler's clients, but for files of this machine, which S3 and IAM aren't asked about."""

    def __init__(self, client: Callable[[str], Any], texts: Mapping[str, bytes], region: str) -> None:
        self._client = client
        self._own = {
            "s3": _Files(client("s3"), texts, region),
            "iam": _Iam(client("iam")),
        }

    def __call__(self, service: str) -> Any:
        return self._own.get(service) or self._client(service)


class _Files(Partly):
    """S3, with files of this machine in the bucket that has no name."""

    def __init__(self, s3: Any, texts: Mapping[str, bytes], region: str) -> None:
        super().__init__(s3)
        self._texts, self._region = texts, region

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> Any:
        """As S3's; at most the bytes of the range."""
        if Bucket != _DISK:
            span = {"Range": Range} if Range else {}
            return self._aws.get_object(Bucket=Bucket, Key=Key, **span)
        # Whoever reads it closes it, as S3's.
        body = io.BytesIO(self._texts[Key]) if Key in self._texts else open(Key, "rb")  # noqa: SIM115
        return part_of(body, Range)

    def get_bucket_location(self, *, Bucket: str) -> Any:
        """As S3's; this machine is in the job's Region."""
        if Bucket != _DISK:
            return self._aws.get_bucket_location(Bucket=Bucket)
        return {"LocationConstraint": self._region}


class _Iam(Partly):
    """IAM, but that nobody needs a permission for files of this machine."""

    def simulate_principal_policy(self, *, ResourceArns: Sequence[str], **request: Any) -> Any:
        """As IAM's, of what is in AWS."""
        asked = [arn for arn in ResourceArns if not re.match(r"arn:[^:]+:s3:::(/|$)", arn)]
        if not asked:
            return {"EvaluationResults": []}
        return self._aws.simulate_principal_policy(ResourceArns=asked, **request)


if __name__ == "__main__":
    sys.exit(main())
