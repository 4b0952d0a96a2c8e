"""The public API, its imports, and the wheel alone in a clean environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ground_truth_labels

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "labels/ground_truth_labels"


def test_public_names() -> None:
    assert ground_truth_labels.__all__ == sorted(ground_truth_labels.__all__) == [
        "AgreementResult", "CheckResult", "Conflict", "ExportError", "ExportResult", "ImportResult", "Item",
        "LabelList", "LabelsError", "LimitError", "Limits", "Manifest", "ManifestError", "MaskError",
        "MergeResult", "MissingError", "PartialResult", "Problem", "RelabelResult", "RepairError",
        "RepairResult", "ReportResult", "SegmentationDataset", "Storage", "StorageError",
        "UnknownColorError", "WorkerQualityResult", "WorkerResponses", "agreement", "check", "export",
        "import_labels", "merge", "overlay", "partial", "read_manifest", "relabel", "repair", "report",
        "worker_quality",
    ]  # fmt: skip
    for name in ground_truth_labels.__all__:
        assert getattr(ground_truth_labels, name).__doc__


def test_no_module_hides_a_function_of_its_name() -> None:
    """Once loaded, a submodule is an attribute of the package, and would stand where the function is."""
    values = {name: getattr(ground_truth_labels, name) for name in ground_truth_labels.__all__}
    functions = {name for name, value in values.items() if not isinstance(value, type)}
    assert not {path.stem for path in PACKAGE.iterdir()} & functions


def test_imports_only_what_it_may() -> None:
    allowed = {"ground_truth_labels", "numpy", "PIL", "boto3", "botocore", "torch"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            for name in names:
                top = name.split(".")[0]
                assert top in allowed or top in sys.stdlib_module_names, f"{path}: {name}"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory):
    """A new environment with the wheel, and of its dependencies only what it declares."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT / "labels")], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "env/bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    (site,) = (folder / "env/lib").glob("python3*/site-packages")
    target = ["--target", str(site), "--no-deps", "--no-index"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *target, str(wheel)], check=True)
    import PIL

    # It is linked, not fetched: the test needs no network.
    packages = Path(PIL.__file__).parents[1]
    shared = "numpy numpy.libs PIL pillow.libs boto3 botocore s3transfer jmespath dateutil six.py urllib3"
    for name in shared.split():
        if (packages / name).exists():
            (site / name).symlink_to(packages / name)
    return python


def test_the_wheel_works_alone(clean, shared_job, tmp_path: Path) -> None:
    code = (
        "import ground_truth_labels, os; print(os.path.exists(ground_truth_labels.__path__[0] + '/py.typed'))"
    )
    assert subprocess.run([clean, "-c", code], capture_output=True, text=True).stdout == "True\n"
    for arguments in (["check", "--quiet"], ["report", str(tmp_path / "r.html"), "--quiet"]):
        command, *rest = arguments
        run = [clean, "-I", "-m", "ground_truth_labels", command, str(shared_job.root), *rest]
        assert subprocess.run(run, capture_output=True, text=True, cwd=tmp_path).returncode == 0
    absent = (
        "import importlib.util as u; print([n for n in ('aws_cdk', 'rich', 'datasets') if u.find_spec(n)])"
    )
    assert subprocess.run([clean, "-I", "-c", absent], capture_output=True, text=True).stdout == "[]\n"
    parquet = ["export", str(shared_job.root), str(tmp_path / "p"), "--format", "hf-parquet", "--quiet"]
    told = subprocess.run(
        [clean, "-I", "-m", "ground_truth_labels", *parquet], capture_output=True, text=True
    )
    assert told.returncode == 1 and "pyarrow, which is not installed" in told.stderr
