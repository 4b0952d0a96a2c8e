"""What a Lambda finds on its disk: the SDK of the Node runtimes, and its layers under `/opt`.

Source: Lambda Developer Guide, "Building Lambda functions with Node.js" (the runtimes hold the SDK for
JavaScript, version 3) and "Managing Lambda dependencies with layers" (layers are extracted to `/opt`).
The CDK's own custom resources rely on both: their Node handlers bring no SDK, and `BucketDeployment` calls
`/opt/awscli/aws`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ministack.core import lambda_runtime

#: What AWS's Node runtimes hold of npm; nothing else of a user's own packages may be found by a Lambda.
_SDK_SCOPES = ("@aws-sdk", "@smithy", "@aws")

# Runs in the worker's process, before the handler's module is loaded.
_LAYER_PROGRAMS = '''
def _layer_programs():
    """Run a program under /opt from the folders in which the layers lie here."""
    import os, subprocess, sys

    stock = subprocess.Popen.__init__

    def found(name):
        for layer in filter(None, os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep)):
            path = os.path.join(layer, os.path.relpath(name, "/opt"))
            if os.path.isfile(path):
                return path
        return None

    def command(words):
        name = os.fspath(words[0])
        path = found(name) if name.startswith("/opt/") and not os.path.exists(name) else None
        if path is None:
            return words
        with open(path, "rb") as file:
            python = b"python" in file.readline(200)
        os.chmod(path, 0o700)
        return [*([sys.executable] if python else []), path, *words[1:]]

    def init(self, args, *rest, **options):
        if isinstance(args, (list, tuple)) and args and isinstance(args[0], (str, os.PathLike)):
            args = command(list(args))
        stock(self, args, *rest, **options)

    subprocess.Popen.__init__ = init


_layer_programs()
'''


def install() -> None:
    """Let Python handlers run their layers' programs."""
    if _LAYER_PROGRAMS not in lambda_runtime._PYTHON_WORKER_SCRIPT:
        lambda_runtime._PYTHON_WORKER_SCRIPT = _LAYER_PROGRAMS + lambda_runtime._PYTHON_WORKER_SCRIPT


def provide_sdk(node_modules: Path | None) -> None:
    """Put the SDK where Node finds it from the Lambdas' folders, which all lie in the temporary folder."""
    if node_modules is None:
        return
    target = Path(tempfile.gettempdir()) / "node_modules"
    target.mkdir(exist_ok=True)
    for scope in _SDK_SCOPES:
        if (node_modules / scope).is_dir() and not (target / scope).exists():
            os.symlink(node_modules / scope, target / scope)
