"""AWS clients whose answers are read, or else can't be read: nothing in between.

botocore says by an error of its parser that an answer is no XML or JSON. A time or a number in it that is
none is a bare `ValueError`, which could be a fault of ours as well.
"""

from __future__ import annotations

import functools
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.parsers import ResponseParserError, ResponseParserFactory

#: What botocore raises of a value that isn't of the kind that the service's model has.
_OF_VALUES = (ValueError, TypeError, ArithmeticError)


class _Parsers(ResponseParserFactory):  # type: ignore[misc]
    def create_parser(self, protocol_name: str) -> Any:
        parser = super().create_parser(protocol_name)
        parser.parse = functools.partial(_read, parser.parse)
        return parser


def _read(parse: Any, *answer: Any) -> Any:
    try:
        return parse(*answer)
    except _OF_VALUES as error:
        raise ResponseParserError(f"a value of an answer can't be read: {error}") from error


def session(**options: Any) -> boto3.Session:
    """A session that makes such clients; options as of `boto3.Session`."""
    own = botocore.session.get_session()
    own.register_component("response_parser_factory", _Parsers())
    return boto3.Session(botocore_session=own, **options)


@functools.cache
def _session() -> boto3.Session:
    return session()


def client(service: str, config: Config) -> Any:
    """A client of a service, in the environment's account and Region."""
    return _session().client(service, config=config)
