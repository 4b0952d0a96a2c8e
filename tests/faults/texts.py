"""What a person who deploys may be told: words, and no names of Python's or a library's errors."""

from __future__ import annotations

import builtins
import http.client
import re
import zipfile

import botocore.exceptions
import botocore.parsers
import urllib3.exceptions

_ERROR_CLASSES = {
    name
    for module in (builtins, botocore.exceptions, botocore.parsers, urllib3.exceptions, zipfile, http.client)
    for name, member in vars(module).items()
    if isinstance(member, type) and issubclass(member, BaseException) and name[0].isupper()
} - {"ValidationError"}  # CloudFormation's code, too
_NOT_FOR_USERS = re.compile(
    rf"NoneType|Traceback|has no attribute|botocore|urllib3|fault of the handler|"
    rf"\b(?:{'|'.join(sorted(_ERROR_CLASSES))})\b"
)
# A FailureReason of the service begins so: what the job met was the user's.
_SERVICES_OWN = re.compile(r"(?<=failed: )ClientError(?=:)")


def is_for_users(text: str) -> bool:
    """Whether somebody who deploys can make sense of it."""
    return not _NOT_FOR_USERS.search(_SERVICES_OWN.sub("", text))
