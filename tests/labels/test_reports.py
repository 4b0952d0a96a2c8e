from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ground_truth_labels import read_manifest, report
from ground_truth_labels.pseudonyms import pseudonym


class Page(HTMLParser):
    """Collects tags and checks that they nest."""

    def __init__(self, text) -> None:
        super().__init__()
        self.open: list[Any] = []
        self.seen: list[Any] = []
        self.links: list[Any] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes) -> None:
        self.seen.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href")]
        if tag not in ("meta", "img", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(shared_job, tmp_path_factory: pytest.TempPathFactory):
    target = tmp_path_factory.mktemp("report") / "r.html"
    result = report(read_manifest(shared_job.root), target)
    assert result.location == str(target) and result.agreement
    return target.read_text()


def test_is_well_formed_and_needs_no_network(page) -> None:
    parsed = Page(page)
    assert parsed.seen.count("img") > 20
    assert all(link.startswith("data:image/jpeg;base64,") for link in parsed.links)
    assert "default-src 'none'" in page and "<script" not in page
    assert not re.search(r"https?://|url\(|@import", page)


@pytest.mark.parametrize(
    "heading",
    ["Classes", "Examples", "Agreement", "Least agreement", "Confidence", "Findings", "Not labeled"],
)
def test_has_every_section(page, heading: str) -> None:
    assert f"<h2>{heading}</h2>" in page


def test_names_worker_classes_and_open_objects(page) -> None:
    assert "carl-04de" not in page
    for text in (
        pseudonym("carl-04de"),
        "tableware",
        "s3://street-bucket/inputs/open/0.jpg",
        "of 7 images labeled",
    ):
        assert text in page


def test_what_comes_from_files_is_escaped(job) -> None:
    job.lines[0]["streets-ref-metadata"]["internal-color-map"]["1"]["class-name"] = (
        "<script>alert(1)</script>"
    )
    job.lines[6]["source-ref"] = "s3://b/<img src=x>.jpg"
    job.lines[0]["streets-ref-metadata"]["job-name"] = "labeling-job/<b>"
    job.write()
    target = job.root / "r.html"
    report(read_manifest(job.root), target)
    assert "<script>alert" not in target.read_text() and "<img src=x>" not in target.read_text()


def test_a_job_without_answers_and_with_broken_masks_still_has_a_page(build_job) -> None:
    job = build_job(workers=False)
    job.local(job.lines[0]["streets-ref"]).write_bytes(b"x")
    job.local(job.lines[1]["source-ref"]).unlink()
    target = job.root / "r.html"
    result = report(read_manifest(job.root), target)
    assert result.agreement is None and len(result.check.errors) == 2
    Page(target.read_text())
