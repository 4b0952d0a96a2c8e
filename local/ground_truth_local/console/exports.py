"""A job's labels as a download, in each format of the label reader."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from ground_truth_labels import LabelsError, export, read_manifest, report

from .account import Account, AccountError, JobView
from .results import ResultBook

FORMATS = ("png", "coco", "coco-polygons", "voc", "hf-imagefolder", "numpy", "sagemaker")
REPORT = "report"


def download(account: Account, book: ResultBook, job: JobView, kind: str, folder: Path) -> Path:
    """Write what is labeled by now as a zip file (or the report as a page) into a folder; return the file.

    Raises:
        AccountError: there is nothing yet, no such format, or it can't be read.
    """
    results = book.results(job)
    if not results.manifest or not results.labeled:
        raise AccountError(f"{job.name} has no labels yet.")
    if kind not in (*FORMATS, REPORT):
        raise AccountError(f"There is no format {kind!r}.")
    try:
        manifest = read_manifest(
            results.manifest,
            attribute=str(job.described["LabelAttributeName"]),
            labels=results.labels,
            storage=account.storage,
        )
        if kind == REPORT:
            report(manifest, folder / "report.html")
            return folder / "report.html"
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            target = Path(scratch, job.name)
            export(manifest, target, format=kind)
            return _zip(target, folder / f"{job.name}-{kind}.zip")
    except LabelsError as error:
        raise AccountError(str(error)) from error


def _zip(folder: Path, archive: Path) -> Path:
    # Files are stored: PNG and JPEG don't shrink any more.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, Path(folder.name) / path.relative_to(folder))
    return archive
