"""A configuration file with one profile a user, and the lines to paste: what `serve` gives to people."""

from __future__ import annotations

import configparser
import io
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import account as accounts

#: What a person at a terminal is, unless a command says otherwise: who reads labels, jobs and logs.
DEFAULT_PROFILE = accounts.ANALYST


def write(
    path: Path, endpoint_url: str, region: str, credentials: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Write the file for `AWS_CONFIG_FILE`, readable by its owner only; return what each profile is for."""
    config = configparser.ConfigParser(interpolation=None)
    for user in accounts.PURPOSES:
        key, secret = credentials[user]
        config[f"profile {user}"] = {
            "region": region,
            "endpoint_url": endpoint_url,
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "s3": "\naddressing_style = path",
        }
    text = io.StringIO()
    config.write(text)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text.getvalue())
    return dict(accounts.PURPOSES)


def environment(
    path: Path, endpoint_url: str, *, account: str, region: str, cdk_home: Path
) -> dict[str, str]:
    """Return the variables with which tools take their credentials from the file."""
    general = accounts.general_environment(endpoint_url, account=account, region=region, cdk_home=cdk_home)
    return {**general, "AWS_CONFIG_FILE": str(path), "AWS_PROFILE": DEFAULT_PROFILE}


def lines(variables: Mapping[str, str], path: str, context: Sequence[str]) -> list[str]:
    """Return the lines to paste: variables, the path to the tools, and the deploy."""
    # Nobody is asked whether roles may be made: the account is one's own, and holds nothing else.
    deploy = ["cdk", "deploy", "--profile", accounts.DEPLOY_USER, "--require-approval", "never"]
    return [
        # Keys of another account, exported earlier in that terminal, would win over the file's.
        "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        f"export PATH={shlex.quote(path)}",
        shlex.join([*deploy, *(word for pair in context for word in ("-c", pair))]),
    ]
