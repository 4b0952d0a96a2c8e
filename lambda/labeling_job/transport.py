"""What a call to AWS can raise, by name: refusals, and what goes wrong between here and there."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import ParseError

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as ConnectionFailed
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from .errors import BrokenAnswerError, UnreachableError

#: What passes. The last three reach us through the body of an answer, which botocore hands on as it comes.
TRANSPORT_ERRORS: Final = (
    ConnectionFailed,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    # botocore reads GetBucketLocation's answer by itself.
    ParseError,
    BrokenAnswerError,
    HTTPError,
    OSError,
)
#: All that a call can raise.
AWS_ERRORS: Final = (ClientError, BotoCoreError, UnreachableError, *TRANSPORT_ERRORS)
