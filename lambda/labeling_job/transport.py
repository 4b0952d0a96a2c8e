"""What a call to AWS can raise, by name: refusals, and what goes wrong between here and there."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import ParseError

from .errors import BrokenAnswerError, UnreachableError

try:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
    from botocore.exceptions import ConnectionError as ConnectionFailed
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError
except ImportError:
    # `cdk-ground-truth check --offline` runs where boto3 isn't installed, and then nothing raises its errors.
    _REFUSALS: tuple[type[Exception], ...] = ()
    _FAILURES: tuple[type[Exception], ...] = ()
else:
    _REFUSALS = (ClientError, BotoCoreError)
    # The last of these reaches us through the body of an answer, which botocore hands on as it comes.
    _FAILURES = (ConnectionFailed, HTTPClientError, IncompleteReadError, ResponseParserError, HTTPError)

#: What passes. botocore reads GetBucketLocation's answer by itself, hence the parser's error.
TRANSPORT_ERRORS: Final[tuple[type[Exception], ...]] = (*_FAILURES, ParseError, BrokenAnswerError, OSError)
#: All that a call can raise.
AWS_ERRORS: Final[tuple[type[Exception], ...]] = (*_REFUSALS, UnreachableError, *TRANSPORT_ERRORS)
