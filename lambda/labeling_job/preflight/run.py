"""All checks over one plan, in the order in which they need each other."""

from __future__ import annotations

from ..rules.findings import IMAGE_CHECKS
from ..rules.labels import check_classes
from ..rules.manifest import Manifest
from .inspection import Inspection
from .manifest import read_manifest
from .page import check_template, read_categories
from .permissions import RolePermissions
from .pictures import look_at_images
from .surroundings import check_buckets, check_functions, check_overlap, check_quotas
from .team import check_workteam

# Of the sample is said only what others have looked at.
_LOOKING = tuple(check for check in IMAGE_CHECKS if check != "image-sample")


def run(inspection: Inspection) -> Manifest:
    """Check everything that the plan names; the manifest."""
    findings = inspection.findings
    manifest = Manifest() if inspection.plan.streaming else read_manifest(inspection)
    check_overlap(inspection, manifest.images)
    usable = check_buckets(inspection, (image.bucket for _, image in manifest.images))
    images = [each for each in manifest.images if each[1].bucket in usable]
    if findings.wants(*_LOOKING):
        look_at_images(inspection, images)
    _check_page(inspection, manifest)
    _check_role(inspection, manifest, usable)
    check_functions(inspection)
    check_quotas(inspection)
    if findings.wants("workteam", "workteam-members"):
        check_workteam(inspection)
    return manifest


def _check_page(inspection: Inspection, manifest: Manifest) -> None:
    labels, findings = None, inspection.findings
    if findings.wants("category-file", "prior-labels", "template"):
        labels = read_categories(inspection)
    # A verification's labels are verdicts: it needs none of the classes that it is about.
    if labels is not None and not inspection.plan.is_verification:
        check_classes(labels, manifest.classes, findings)
    if findings.wants("template"):
        check_template(inspection, manifest.first or {}, labels)


def _check_role(inspection: Inspection, manifest: Manifest, usable: frozenset[str]) -> None:
    findings, role = inspection.findings, RolePermissions(inspection)
    if findings.wants("role-trust"):
        role.check_trust()
    if findings.wants("role-access"):
        role.check_buckets(manifest.images, usable)
    if findings.wants("kms-key"):
        role.check_keys({image.bucket for _, image in manifest.images})
