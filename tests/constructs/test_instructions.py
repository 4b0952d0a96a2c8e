"""The worker template that the instructions make."""

from __future__ import annotations

import base64
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cdk_ground_truth import ExamplePicture, Instructions
from cdk_ground_truth._rooms import ASSETS_DIR, findings
from cdk_ground_truth.instructions import render
from cdk_ground_truth.validation import Checker
from cdk_ground_truth.worker_template import WorkerTemplate

CHECK = Checker("Test/Job")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff" + bytes(20)

#: The Developer Guide's template with its three parts cut out: nothing else may ever change.
GUIDE = """\
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-semantic-segmentation
    name="crowd-semantic-segmentation"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="…"
    labels="{{ task.input.labels | to_json | escape }}"
  >
    <full-instructions header="…">
…
    </full-instructions>
    <short-instructions>
…
    </short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>
"""


def made(**parts) -> str:
    return render(CHECK, Instructions(**parts)).decode()


class _Seen(HTMLParser):
    """What a browser makes of a template."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.feed(template)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes[tag] = dict(attrs)

    def handle_data(self, data) -> None:
        self.texts += [data.strip()] if data.strip() else []


def test_the_asset_is_the_guides_template_but_for_the_three_parts() -> None:
    asset = (ASSETS_DIR / "worker-template.html").read_text(encoding="utf-8")
    assert re.sub(r"@@[A-Z_]+@@", "…", asset) == GUIDE


def test_the_default_template_passes_our_own_lint(tmp_path: Path) -> None:
    path = tmp_path / "default.html"
    path.write_text(made())
    assert WorkerTemplate.from_file(path).read(CHECK, ["road"], findings.Findings()) == made().encode()
    assert "@@" not in made() and "Enter description" not in made()


def test_the_parts_show_as_given() -> None:
    seen = _Seen(
        made(header="Paint <all> \"cars\" & 'vans'", short="a\nb\n\nc", full="Look.", full_header="How")
    )
    assert seen.attributes["crowd-semantic-segmentation"]["header"] == "Paint <all> \"cars\" & 'vans'"
    assert seen.attributes["full-instructions"]["header"] == "How"
    assert seen.texts == ["Look.", "a", "b", "c"]
    assert seen.tags.count("p") == 3 and seen.tags.count("br") == 1


@pytest.mark.parametrize(
    "text", ["{{ task.input }}", "{% if x %}", "<script>alert(1)</script>", "@@SHORT@@", "}}"]
)
@pytest.mark.parametrize("part", ["header", "short", "full", "full_header"])
def test_markup_liquid_and_our_own_markers_show_literally(part: str, text: str) -> None:
    template = made(**{part: text})
    assert template.count("{{") == 2 and "{%" not in template and template.count("<script") == 1
    assert html.unescape(template).count(text) > html.unescape(made(**{part: "x"})).count(text)


@pytest.mark.parametrize(("name", "data", "kind"), [("a.png", PNG, "png"), ("a.bin", JPEG, "jpeg")])
def test_example_pictures_are_inlined(tmp_path: Path, name: str, data, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    seen = _Seen(made(good_example=ExamplePicture(path=path, caption='All "edges"')))
    assert seen.attributes["img"]["src"] == f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    assert seen.attributes["img"]["alt"] == 'All "edges"'
    assert "Good example" in seen.texts and 'All "edges"' in seen.texts and "Bad example" not in seen.texts


def test_a_picture_without_caption_and_a_bad_example(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    seen = _Seen(made(short="s", bad_example=ExamplePicture(path=tmp_path / "a.png")))
    assert seen.texts[-2:] == ["s", "Bad example"]


def test_a_picture_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'instructions\.good_example' must be an existing file"):
        made(good_example=ExamplePicture(path=tmp_path / "absent.png"))


def test_a_picture_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match=r"'instructions\.bad_example' must be a PNG or JPEG file"):
        made(bad_example=ExamplePicture(path=tmp_path / "a.png"))


def test_a_template_that_would_be_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG + bytes(100_000))
    with pytest.raises(ValueError, match=r"at most 128,000 characters, got '1.*shrink the example pictures"):
        made(good_example=ExamplePicture(path=tmp_path / "a.png"))
