"""How one embedded AWS is set up, and where it keeps things."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .service.quotas import Quotas

ACCOUNT = "111122223333"
"""The account of the embedded AWS: the one AWS's documentation (and our README) uses."""

HOST = "127.0.0.1"
"""The one host name: an address keeps S3 path-style in every SDK, and presigned URLs sign the host."""


MIDDLEWARE = "GROUND_TRUTH_LOCAL_MIDDLEWARE"
"""`Settings.middleware` for all servers of a process's environment, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the server's process is told."""

    state_dir: Path
    port: int = 0
    portal_port: int = 0
    """The worker portal's port; 0 takes a free one."""
    real_elements: bool = False
    """Whether worker templates load AWS's own elements from the network instead of ours."""
    region: str = "us-east-1"
    account: str = ACCOUNT
    persist: bool = True
    origins: tuple[str, ...] = ()
    """Web origins besides the server's own that may call it, e.g. of a page served on another port."""
    service: str = "ground_truth_local.service.api:GroundTruthService"
    """The class that answers SageMaker's actions; tests put a stand-in here."""
    simulated_workers: bool = False
    """Whether the members of all work teams label by themselves, without people."""
    seed: int = 0
    """What the simulated workers paint follows from it."""
    seconds_per_task: float = 0.0
    """How long a simulated worker rests after a task."""
    verifier_error_rate: float = 0.0
    """Share of the labels that a simulated verifier misjudges."""
    source_account: bool = True
    """Whether a service that assumes a role sends `aws:SourceAccount`; Ground Truth may not."""
    black_holes: tuple[str, ...] = ()
    """Services that Lambdas get no answer from."""
    throttle_every: int = 0
    """Each so many-th request is throttled; 0 for none."""
    break_every: int = 0
    """Each so many-th object that is read breaks off; 0 for none."""
    short_every: int = 0
    """Each so many-th object that is read lacks its second half; 0 for none."""
    bare_403_every: int = 0
    """Each so many-th request of a Lambda's to S3 is a bare 403; 0 for none."""
    iam_spread_seconds: float = 0.0
    """How long what is new in a role doesn't work yet."""
    s3_spread_seconds: float = 0.0
    """How long a bucket's configuration is seen as before."""
    asset_bucket_key: str = ""
    """What encrypts the CDK's bucket, one of `account.ASSET_KEYS`; empty for S3's own keys."""
    node_modules: str = ""
    """The folder with the SDK that Lambda's Node runtimes have; empty if there is none."""
    set_up_seconds: float = 0.0
    """How long a job is in progress before its set-up's mistakes show."""
    foreign_tags: dict[str, str] = field(default_factory=dict)
    """Tags that other tools put on each job."""
    quotas: Quotas = field(default_factory=Quotas)
    """Of objects in a job, and of jobs that live at once."""
    wait_scale: float = 1.0
    """How long state machines wait, between tries too, as a part of what they say."""
    log_level: str = "WARNING"
    middleware: tuple[str, ...] = field(
        default_factory=lambda: tuple(json.loads(os.environ.get(MIDDLEWARE, "[]")))
    )
    """What the application is wrapped in: a Python file, the name of a function there and what else the
    function is given. Tests look at all answers by it."""

    def to_json(self) -> str:
        """Serialize for the command line of the server's process."""
        return json.dumps({**asdict(self), "state_dir": str(self.state_dir)})

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what ``to_json`` wrote."""
        data = json.loads(text)
        data.update(
            state_dir=Path(data["state_dir"]),
            origins=tuple(data["origins"]),
            black_holes=tuple(data["black_holes"]),
            middleware=tuple(data["middleware"]),
            quotas=Quotas(**data["quotas"]),
        )
        return cls(**data)


@dataclass(frozen=True)
class StateDir:
    """The layout of the one directory that holds all state."""

    root: Path

    @property
    def ministack(self) -> Path:
        """State of MiniStack's services, one JSON file each."""
        return self.root / "ministack"

    @property
    def s3(self) -> Path:
        """Objects."""
        return self.root / "s3"

    @property
    def ground_truth(self) -> Path:
        """State of the Ground Truth service."""
        return self.root / "ground-truth"

    @property
    def cdk_home(self) -> Path:
        """``CDK_HOME``: the CLI caches access key → account there, which must not reach the user's own."""
        return self.root / "cdk-home"

    @property
    def home(self) -> Path:
        """``HOME`` of server and Lambdas, so that none reads the user's own AWS profile."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """``TMPDIR`` of the server, emptied at start and stop: MiniStack's Lambda folders pile up there."""
        return self.root / "tmp"

    @property
    def credentials(self) -> Path:
        """Access keys of administrator and deploy user, readable by the owner only."""
        return self.root / "credentials.json"

    @property
    def config(self) -> Path:
        """For `AWS_CONFIG_FILE`: a profile a user, readable by the owner only."""
        return self.root / "aws-config"

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.root / "server.log"

    @property
    def lock(self) -> Path:
        """Held by the running server: two would overwrite each other's state."""
        return self.root / "lock"

    def create(self) -> None:
        """Make the folders, and all that is there already its owner's alone: keys and pictures lie here.

        The folder is made owner-only first, so nobody else gets in while the rest is changed.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self.root, 0o700)
        for folder in (self.ministack, self.s3, self.ground_truth, self.cdk_home, self.home, self.temporary):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for place, folders, files in os.walk(self.root):
            for name in folders + files:
                path = os.path.join(place, name)
                if not os.path.islink(path):
                    mode = stat.S_IMODE(os.stat(path).st_mode)
                    # Programs stay programs.
                    os.chmod(path, 0o700 if name in folders else mode & 0o700)
