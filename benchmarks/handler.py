"""The handler's cold start and the size of its package."""

from __future__ import annotations

import io
import os
import sys
import zipfile

from .side_by_side import ROOT, command, compare

# What a Lambda's cold start does before its first event, with the client that every event needs.
_OURS = "from labeling_job import entry; entry._client('sagemaker')"
_BARE = "import boto3; boto3.client('sagemaker')"


def main() -> None:
    """Print the handler's figures."""
    env = {**os.environ, "AWS_DEFAULT_REGION": "eu-west-1", "PYTHONPATH": str(ROOT / "lambda")}
    ratio = compare(
        command([sys.executable, "-c", _OURS], env=env),
        command([sys.executable, "-c", _BARE], env=env),
        runs=10,
    )
    print(f"handler, cold import ÷ a bare boto3.client('sagemaker'): {ratio}  [goal ≤ 1.1]")
    print(f"handler, package: {package_bytes() / 1024:.1f} KiB zipped  [goal ≤ 60]")


def package_bytes() -> int:
    """Bytes of the handler's files, zipped as the CDK CLI does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted((ROOT / "lambda").rglob("*.py")):
            package.write(path, path.relative_to(ROOT / "lambda"))
    return len(buffer.getvalue())


if __name__ == "__main__":
    main()
