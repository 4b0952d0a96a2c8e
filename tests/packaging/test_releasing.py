"""A release's own tools find what they are for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from releasing import api, check, inventory, packages, version

PINNED = '[project]\nname = "{name}"\nversion = "0.1.0"\nlicense = "Apache-2.0"\ndependencies = ["{needs}"]\n'


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Three packages of the repository's names, one of which asks for another."""
    made = []
    for package in packages.PACKAGES:
        folder = tmp_path / package.name
        folder.mkdir()
        needs = "ground-truth-labels==0.1.0" if package.name == "ground-truth-local" else "numpy>=1"
        (folder / "pyproject.toml").write_text(PINNED.format(name=package.name, needs=needs))
        made.append(packages.Package(package.name, folder, package.module, package.command))
    monkeypatch.setattr(version, "PACKAGES", tuple(made))
    return made


def test_the_repositorys_packages_are_in_lockstep() -> None:
    assert list(version.differences()) == []


def test_a_new_version_moves_all_three_and_their_pins(three, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["version", "0.2.0rc1"])
    assert version.main() == 0
    assert [package.project["version"] for package in three] == ["0.2.0rc1"] * 3
    assert three[2].project["dependencies"] == ["ground-truth-labels==0.2.0rc1"]
    assert three[0].project["dependencies"] == ["numpy>=1"]
    assert list(version.differences()) == []


@pytest.mark.parametrize(
    ("old", "new"), [('version = "0.1.0"', 'version = "0.1.1"'), ("labels==0.1.0", "labels>=0.1.0")]
)
def test_what_is_out_of_step_is_named(three, old: str, new: str) -> None:
    path = three[2].pyproject
    path.write_text(path.read_text().replace(old, new))
    assert list(version.differences())
    assert all(str(path) in line for line in version.differences())


@pytest.mark.parametrize("words", [[], ["1"], ["0.1"], ["v0.1.0"], ["0.1.0", "0.2.0"]])
def test_what_is_no_version_changes_nothing(
    three, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words
) -> None:
    monkeypatch.setattr(sys, "argv", ["version", *words])
    assert version.main() == 2
    assert "give one version" in capsys.readouterr().err
    assert three[0].project["version"] == "0.1.0"


def test_an_sbom_names_each_package_once_and_each_edge_has_its_ends() -> None:
    for path, text in inventory.files().items():
        if path.name != "sbom.cdx.json":
            continue
        bom = json.loads(text)
        refs = [part["bom-ref"] for part in bom["components"]]
        known = {*refs, bom["metadata"]["component"]["bom-ref"]}
        assert len(refs) == len(set(refs))
        assert {ref for edge in bom["dependencies"] for ref in [edge["ref"], *edge["dependsOn"]]} <= known


@pytest.fixture
def released(tmp_path: Path):
    """A repository with a tag, whose package then loses an argument."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.com"]
    for package in packages.PACKAGES:
        folder = tmp_path / package.name / package.module
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("def read(path, root=None):\n    return path\n")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "first"], check=True)
    number = packages.PACKAGES[0].project["version"]
    subprocess.run([*git, "tag", f"v{number}"], check=True)
    return tmp_path


def test_an_argument_that_went_is_a_break(released) -> None:
    assert list(api.breaks(released)) == []
    path = released / "ground-truth-labels" / "ground_truth_labels" / "__init__.py"
    path.write_text("def read(path):\n    return path\n")
    [found] = api.breaks(released)
    assert "ground_truth_labels" in found
    assert "root" in found


def test_a_lock_without_a_hash_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text("a==1 \\\n    --hash=sha256:00\nb==2\n")
    assert list(check.hashes()) == ["requirements.txt: b==2 has no hash"]


def test_the_copies_of_the_licence_are_the_repositorys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "DIST", tmp_path)
    assert list(check.licences()) == []
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(packages.ROOT / "NOTICE", other / "LICENSE")
    monkeypatch.setattr(check, "PACKAGES", [packages.Package("x", other, "x", "x")])
    monkeypatch.setattr(check, "ROOT", other.parent)
    shutil.copy(packages.ROOT / "LICENSE", tmp_path / "LICENSE")
    monkeypatch.setattr(check, "DIST", other / "none")
    (other / "none").mkdir()
    assert list(check.licences()) == ["other/LICENSE differs from LICENSE"]
