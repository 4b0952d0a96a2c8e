"""From a manifest to the page."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..checks import CheckResult
from ..opening import ManifestLike, opened
from ..progress import Progress
from ..workers import AgreementResult
from .gather import gather
from .page import page


@dataclass(frozen=True, kw_only=True)
class ReportResult:
    """What a report holds.

    Attributes:
        location: The HTML file.
        check: The findings in it.
        agreement: The agreement in it, or None without worker responses.
    """

    location: str
    check: CheckResult
    agreement: AgreementResult | None


def report(
    manifest: ManifestLike,
    target: str | os.PathLike[str],
    *,
    title: str | None = None,
    examples: int = 3,
    comparisons: int = 5,
    names: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> ReportResult:
    """Write one HTML page with pictures; it opens from a file and needs no network.

    Args:
        manifest: The job, or where its manifest is.
        target: The file, local or `s3://`. An existing one is replaced.
        title: Heading. Default: the job's name.
        examples: Pictures for each class. Default: 3.
        comparisons: Images with the least agreement to show side by side. Default: 5.
        names: Whether workers are called by their `workerId`. Default: by a pseudonym.
        workers: Threads. Default: one a core.
        progress: Called with the number of lines done and their total.

    Raises:
        LabelsError: The manifest cannot be read, or has several label attributes and none was chosen.
    """
    manifest = opened(manifest)
    location = os.fspath(target)
    found = gather(
        manifest,
        examples=examples,
        comparisons=comparisons,
        names=names,
        workers=workers,
        progress=progress,
    )
    html = page(found, title=title or (found.jobs[0] if found.jobs else "Labels"))
    manifest.storage.write(location, html.encode())
    return ReportResult(location=location, check=found.check, agreement=found.agreement)
