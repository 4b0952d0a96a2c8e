"""Moves the clock of a running embedded AWS, through its administrator's door."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ADVANCE = "EmbeddedAdvanceClock"
"""The one operation that SageMaker doesn't have; it takes ``sagemaker:EmbeddedAdvanceClock``, which only the
administrator is allowed."""
_SECONDS = 30.0


class ClockError(RuntimeError):
    """The clock couldn't be moved; the message says why."""


class ClockHand:
    """The clock of tasks, objects and jobs; S3, IAM and the rest keep the true time.

    Args:
        endpoint_url: the embedded AWS.
        credentials: access key and secret of its administrator.
        region: any Region.
    """

    def __init__(self, endpoint_url: str, credentials: tuple[str, str], region: str) -> None:
        self._endpoint_url = endpoint_url
        self._credentials = Credentials(*credentials)
        self._region = region

    def now(self) -> datetime:
        """Return the time that it is for labeling jobs."""
        return self.advance()

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move the clock forward; return the time that it is now.

        Raises:
            ClockError: the server refused it, or isn't there.
        """
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        body = json.dumps({"Seconds": step}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"SageMaker.{ADVANCE}"}
        request = AWSRequest("POST", f"{self._endpoint_url}/", data=body, headers=headers)
        SigV4Auth(self._credentials, "sagemaker", self._region).add_auth(request)
        sent = urllib.request.Request(request.url, body, dict(request.headers), method="POST")
        try:
            with urllib.request.urlopen(sent, timeout=_SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise ClockError(f"The clock was not moved: {error.read().decode(errors='replace')}") from error
        except OSError as error:
            raise ClockError(f"No embedded AWS answers at {self._endpoint_url}.") from error
        return datetime.fromtimestamp(answer["Now"], UTC)
