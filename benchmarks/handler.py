"""The handler's cold start."""

from __future__ import annotations

import os
import sys

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


if __name__ == "__main__":
    main()
