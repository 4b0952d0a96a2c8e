from __future__ import annotations

import ssl

import pytest
import urllib3.exceptions
from botocore import exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from labeling_job.errors import BrokenAnswerError, DeployError, code_of, is_passing, message_of, part_of, said
from tests.faults.texts import is_for_users
from tests.s3 import service_error

URL = "https://iam.amazonaws.com/?X-Amz-Signature=secret"
#: Each carries `response=None`, or no response at all.
PASSING = [
    botocore_errors.ReadTimeoutError(endpoint_url=URL),
    botocore_errors.ConnectTimeoutError(endpoint_url=URL),
    botocore_errors.EndpointConnectionError(endpoint_url=URL),
    botocore_errors.ConnectionClosedError(endpoint_url=URL),
    botocore_errors.ProxyConnectionError(proxy_url=URL),
    botocore_errors.SSLError(endpoint_url=URL, error="x"),
    botocore_errors.ResponseStreamingError(error="IncompleteRead(0 bytes read)"),
    botocore_errors.HTTPClientError(error="AttributeError"),
    botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ResponseParserError("Unable to parse response (no element found: line 1, column 0)"),
    urllib3.exceptions.ProtocolError("Connection broken: IncompleteRead(1 bytes read)"),
    urllib3.exceptions.SSLError("x"),
    ConnectionResetError(104, "reset"),
    ssl.SSLError("x"),
    BrokenAnswerError("an answer lacks Workteam"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_an_error_without_a_response_passes_and_is_told_in_words(error) -> None:
    assert is_passing(error)
    assert code_of(error) == ""
    assert message_of(error)
    words = said(error)
    assert words and is_for_users(words) and "secret" not in words


@pytest.mark.parametrize(
    "error",
    [botocore_errors.NoCredentialsError(), botocore_errors.ParamValidationError(report="Missing RoleArn")],
    ids=lambda error: type(error).__name__,
)
def test_what_never_left_is_told_and_not_tried_again(error) -> None:
    assert not is_passing(error)
    assert is_for_users(said(error))


def test_an_error_of_ours_names_the_place_and_no_class() -> None:
    try:
        None.describe()  # type: ignore[attr-defined]
    except AttributeError as error:
        assert said(error).startswith("a fault of the handler itself, at test_errors.py:")
        assert "NoneType" not in said(error)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (service_error("DescribeLabelingJob", "ThrottlingException"), True),
        (service_error("DescribeLabelingJob", "InternalFailure", status=500), True),
        (service_error("GetObject", "RequestTimeout"), True),
        # JSON that was cut off, so that only the status says something.
        (service_error("DescribeLabelingJob", "400"), True),
        (service_error("HeadObject", "400"), False),
        (service_error("HeadObject", "403", status=403), False),
        (service_error("CreateLabelingJob", "ValidationException"), False),
        (DeployError("no"), False),
    ],
)
def test_what_a_service_says_of_the_request_is_final(error, passes: bool) -> None:
    assert is_passing(error) == passes


def test_a_part_that_is_missing_is_a_broken_answer() -> None:
    assert part_of({"Stacks": [{"StackStatus": "X"}]}, "Stacks", 0, "StackStatus") == "X"
    for answer, path in (({}, ("Workteam",)), ({"Stacks": []}, ("Stacks", 0)), (None, ("Policy",))):
        with pytest.raises(BrokenAnswerError, match=f"an answer lacks {path[-1]}"):
            part_of(answer, *path)
