"""The checkout's ``app.py``, deployed on the embedded AWS as a user would."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cdk_cli import CdkCli
from ..server import EmbeddedAws


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What the stack tells of its job."""

    job_name: str
    output_manifest_uri: str


class DemoStack:
    """``cdk deploy`` and ``cdk destroy`` of ``app.py``."""

    def __init__(
        self, aws: EmbeddedAws, *, photos: Path, workteam_arn: str, labels: Sequence[str], root: Path = Path()
    ) -> None:
        app = root / "app.py"
        if not app.is_file():
            raise FileNotFoundError(f"{app.absolute()}: the demo deploys the checkout's app; run it there")
        self._cdk = CdkCli(
            f"{sys.executable} {app}",
            aws.environment,
            cwd=root,
            context={"photos": str(photos), "workteam": workteam_arn, "labels": ",".join(labels)},
        )

    def deploy(self) -> Outputs:
        """Deploy; the job has left ``Initializing`` when this returns."""
        [outputs] = self._cdk.deploy().values()
        return Outputs(job_name=outputs["JobName"], output_manifest_uri=outputs["OutputManifest"])

    def destroy(self) -> None:
        """Destroy; a live job is stopped."""
        self._cdk.destroy()
