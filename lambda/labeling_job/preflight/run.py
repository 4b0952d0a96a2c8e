"""All checks over one plan, in the order in which they need each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..rules.findings import Findings
from ..rules.labels import check_classes
from ..rules.manifest import Manifest
from .access import Reader
from .manifest import read_manifest
from .page import check_template, read_categories
from .permissions import RolePermissions
from .pictures import look_at_images
from .plan import Plan
from .surroundings import (
    check_buckets,
    check_functions,
    check_overlap,
    check_quotas,
    check_workteam,
)

_IMAGE_CHECKS = (
    "image-exists",
    "image-access",
    "image-format",
    "image-broken",
    "image-size",
    "image-pixels",
    "image-suffix",
    "image-orientation",
)


def run(
    plan: Plan,
    findings: Findings,
    *,
    client: Callable[[str], Any],
    job_name: str,
    out_of_time: Callable[[], bool],
    ending: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Manifest, Reader]:
    """Check everything that the plan names; the manifest, and what was read with.

    Args:
        client: service's name → boto3 client.
        job_name: the job's, for the place of its output.
        out_of_time: whether looking at images has to end.
        ending: whether reading the manifest has to end, which can't be looked at in part.
    """
    reader = Reader(client("s3"), sleep=sleep, clock=clock)
    manifest = Manifest() if plan.streaming else read_manifest(reader, plan, findings, out_of_time=ending)
    unusable = check_buckets(plan, (image.bucket for _, image in manifest.images), reader, findings)
    check_overlap(plan, manifest.images, findings)
    if findings.wants(*_IMAGE_CHECKS):
        look_at_images(
            manifest.images,
            reader,
            findings,
            automated=plan.automated,
            out_of_time=out_of_time,
            skip_buckets=unusable,
        )
    _check_page(reader, plan, manifest, findings)
    _check_role(plan, manifest, reader, client, findings, job_name)
    check_functions(plan, findings)
    check_quotas(plan, findings)
    if findings.wants("workteam", "workteam-members"):
        check_workteam(plan, reader, client, findings)
    return manifest, reader


def _check_page(reader: Reader, plan: Plan, manifest: Manifest, findings: Findings) -> None:
    labels = None
    if findings.wants("category-file", "prior-labels", "template"):
        labels = read_categories(reader, plan, findings)
    if labels is not None:
        check_classes(labels, manifest.classes, findings)
    if findings.wants("template"):
        check_template(reader, plan, manifest.first or {}, labels, findings)


def _check_role(
    plan: Plan,
    manifest: Manifest,
    reader: Reader,
    client: Callable[[str], Any],
    findings: Findings,
    job_name: str,
) -> None:
    role = RolePermissions(plan, client, findings, reader.wait)
    if findings.wants("role-trust"):
        role.check_trust()
    if findings.wants("role-access"):
        role.check_buckets(manifest.images, job_name)
    if findings.wants("kms-key"):
        role.check_keys(sorted(reader.keys))
