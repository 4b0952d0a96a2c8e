"""The job's manifest, as S3 delivers it."""

from __future__ import annotations

from ..rules import manifest
from ..rules.manifest import Manifest
from .access import ELSEWHERE, KEY_DENIED, MISSING, NO_BUCKET, ReadError
from .inspection import Inspection

_UNREADABLE = {
    MISSING: "the manifest must exist; write it before the deploy",
    NO_BUCKET: "the manifest's bucket must exist",
    ELSEWHERE: "the manifest must be in the job's Region; copy it there",
    KEY_DENIED: "the deploy's handler must be allowed to use the key that encrypts the manifest",
}


def read_manifest(inspection: Inspection) -> Manifest:
    """Read and check all lines, or say why nothing can be read."""
    plan, findings = inspection.plan, inspection.findings
    if plan.manifest is None:
        findings.error("manifest-readable", "the manifest must be an object's S3 URI, s3://bucket/key")
        return Manifest()
    try:
        body = inspection.reader.stream(plan.manifest)
        return manifest.read(body, plan, findings, out_of_time=inspection.ending)
    except ReadError as error:
        rule = _UNREADABLE.get(error.kind, "the deploy's handler must be able to read the manifest")
        findings.error("manifest-readable", rule, f"{plan.manifest} ({error})")
        return Manifest()
