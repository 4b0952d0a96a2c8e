"""The administrator's door: what a running embedded AWS can be told and no AWS can."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ADVANCE = "EmbeddedAdvanceClock"
ORDER = "EmbeddedOrder"
OPERATIONS = (ADVANCE, ORDER)
"""What SageMaker doesn't have; each takes ``sagemaker:<name>``, which only the administrator is allowed."""
_SECONDS = 30.0


class DoorError(RuntimeError):
    """The server refused, or isn't there; the message says which."""


class Door:
    """Asks a server.

    Args:
        endpoint_url: the embedded AWS.
        credentials: access key and secret of its administrator.
        region: any Region.
    """

    def __init__(self, endpoint_url: str, credentials: tuple[str, str], region: str) -> None:
        self._endpoint_url = endpoint_url
        self._credentials = Credentials(*credentials)
        self._region = region

    def ask(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer.

        Raises:
            DoorError: there is none.
        """
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{operation}"}
        request = AWSRequest("POST", f"{self._endpoint_url}/", data=data, headers=headers)
        SigV4Auth(self._credentials, "sagemaker", self._region).add_auth(request)
        sent = urllib.request.Request(request.url, data, dict(request.headers), method="POST")
        try:
            with urllib.request.urlopen(sent, timeout=_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise DoorError(error.read().decode(errors="replace")) from error
        except OSError as error:
            raise DoorError(f"No embedded AWS answers at {self._endpoint_url}.") from error
        return answer
