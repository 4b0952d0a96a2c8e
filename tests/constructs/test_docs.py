"""The reference is what the docstrings say; the FAQ is about errors that exist."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk.assertions import Template

ROOT = Path(__file__).parents[2]
FAQ = (ROOT / "docs" / "faq.md").read_text()
OURS = re.findall(r"^### (.+)$", FAQ.partition("## From other tools")[0], re.MULTILINE)


def test_the_reference_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate_api.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_drift_is_told_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = importlib.util.spec_from_file_location("generate_api", ROOT / "docs" / "generate_api.py")
    assert spec and spec.loader
    generate_api = importlib.util.module_from_spec(spec)
    # Its dataclass looks its module up.
    monkeypatch.setitem(sys.modules, "generate_api", generate_api)
    spec.loader.exec_module(generate_api)
    (tmp_path / "api.md").write_text("of yesterday")
    pages = [
        dataclasses.replace(page, target=tmp_path / page.target.name) for page in generate_api.REFERENCES
    ]
    monkeypatch.setattr(generate_api, "REFERENCES", pages)
    monkeypatch.setattr(sys, "argv", ["generate_api.py", "--check"])
    assert generate_api.main() == 1
    assert "make api" in capsys.readouterr().err and "\napi:" in (ROOT / "Makefile").read_text()


def test_the_table_of_composition_is_that_of_the_tests() -> None:
    rows = re.findall(
        r"^\|.*\|.*\| (.*`.*) \|$", (ROOT / "docs" / "composition.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 20
    tests = ROOT / "tests" / "constructs"
    own = re.findall(r"^def (test_\w+)", (tests / "test_composition.py").read_text(), re.MULTILINE)
    assert [name for name in own if not any(f"`{name}`" in row for row in rows)] == []
    for row in rows:
        # A file in brackets holds the test before it; one alone is all about the matter.
        for test, file in re.findall(r"`(test_\w+)`(?: \(`(test_\w+\.py)`\))?", row):
            text = (tests / (file or "test_composition.py")).read_text()
            assert f"\ndef {test}(" in text, f"{test} of docs/composition.md"
        for path in re.findall(r"(?<!\()`(test_\w+\.py)`", row):
            assert (tests / path).exists(), path
        for path in re.findall(r"`(examples/\w+)`", row):
            assert (ROOT / path / "app.py").exists(), path


def test_the_page_on_campaigns_has_a_sample_that_synthesizes_and_names_that_exist() -> None:
    text = (ROOT / "docs" / "campaign.md").read_text()
    names: dict = {}
    sample = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert sample
    exec(sample[1], names)
    campaign = names["campaign"]
    template = Template.from_stack(names["stack"])
    template.resource_count_is("Custom::SemanticSegmentationLabelingCampaign", 1)
    template.resource_count_is("AWS::StepFunctions::StateMachine", 1)
    attributes = re.findall(
        r"`(?:campaign\.)?((?:on|metric|alarm|grant|dashboard|state|dataset|unlabeled)_\w+)`", text
    )
    assert len(attributes) > 10
    assert [name for name in attributes if not hasattr(campaign, name)] == []


@pytest.fixture(scope="module")
def sources():
    """All string literals, put together as Python does, without values and quotes."""
    files = [*(ROOT / "constructs").rglob("*.py"), *(ROOT / "lambda").rglob("*.py")]
    text = "\n".join(file.read_text() for file in files)
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    return re.sub(r"\{[^{}]*\}", "…", text)


@pytest.mark.parametrize("heading", OURS)
def test_the_faq_is_about_errors_that_exist(sources, heading) -> None:
    # An argument's message is put together by the Checker: 'name' must …
    parts = [part.strip(" :;'") for part in re.split(r"…|'\w+' must|'-ref'|\(|\)", heading)]
    assert [part for part in parts if len(part) > 1 and part not in sources] == []
