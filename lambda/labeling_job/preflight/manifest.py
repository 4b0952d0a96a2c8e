"""The job's manifest, as S3 delivers it."""

from __future__ import annotations

from collections.abc import Callable

from ..rules import manifest
from ..rules.findings import Findings
from ..rules.manifest import Manifest
from .access import ELSEWHERE, KEY_DENIED, MISSING, NO_BUCKET, Reader, ReadError
from .plan import Plan

_UNREADABLE = {
    MISSING: "the manifest must exist; write it before the deploy",
    NO_BUCKET: "the manifest's bucket must exist",
    ELSEWHERE: "the manifest must be in the job's Region; copy it there",
    KEY_DENIED: "the deploy's handler must be allowed to use the key that encrypts the manifest",
}


def read_manifest(
    reader: Reader, plan: Plan, findings: Findings, *, out_of_time: Callable[[], bool] = lambda: False
) -> Manifest:
    """Read and check all lines, or say why nothing can be read."""
    if plan.manifest is None:
        findings.error("manifest-readable", "the manifest must be an object's S3 URI, s3://bucket/key")
        return Manifest()
    try:
        return manifest.read(reader.stream(plan.manifest), plan, findings, out_of_time=out_of_time)
    except ReadError as error:
        rule = _UNREADABLE.get(error.kind, "the deploy's handler must be able to read the manifest")
        findings.error("manifest-readable", rule, f"{plan.manifest} ({error})")
        return Manifest()
