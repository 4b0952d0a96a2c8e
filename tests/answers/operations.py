"""Which operation a request is of, by botocore's models of the services."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlsplit

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader

_LOADER = create_loader()
_CBOR = re.compile(r"/service/[^/]+/operation/(\w+)")
#: As a request is signed → as botocore has it.
_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a client sent.

    Attributes:
        service: as it is signed for.
        headers: their names in lower case.
    """

    service: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Operation(NamedTuple):
    """botocore's model of an operation, and the protocol in which it was called."""

    model: Any
    protocol: str

    @property
    def name(self) -> str:
        """The operation's, with its service."""
        return f"{self.model.service_model.service_name}.{self.model.name}"


class _Address(NamedTuple):
    """What a REST operation's requests have: method, path, words of the query (with values), headers."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: dict[str, str]
    headers: frozenset[str]

    def fits(self, request: Request, query: Mapping[str, str]) -> bool:
        """Whether a request may be the operation's."""
        return (
            self.method == request.method
            and self.path.fullmatch(request.path) is not None
            and all(name in query and value in ("", query[name]) for name, value in self.query.items())
            and self.headers <= request.headers.keys()
        )


def operation_of(request: Request) -> Operation | None:
    """The operation; None for what no model has, such as the orders of an embedded AWS."""
    try:
        model = _model(_NAMES.get(request.service, request.service))
    except UnknownServiceError:
        return None
    name, protocol = _named(request, model)
    return Operation(model.operation_model(name), protocol) if name in model.operation_names else None


@functools.cache
def _model(service: str) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    return session.get_service_model(service)


def _named(request: Request, model: Any) -> tuple[str, str]:
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2], "json"
    if found := _CBOR.fullmatch(request.path):
        return found[1], "smithy-rpc-v2-cbor"
    if model.protocol.startswith("rest-"):
        return _of_address(request, model), str(model.protocol)
    form = parse_qs(request.body.decode(errors="replace") or request.query)
    return form.get("Action", [""])[0], "query"


def _of_address(request: Request, model: Any) -> str:
    """The operation that fits and asks for the most."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    fitting = [each for each in _addresses(model.service_name) if each.fits(request, query)]
    # S3 has two operations at one address, of which one is deprecated.
    fitting.sort(key=lambda each: model.operation_model(each.operation).deprecated)
    best = max(fitting, key=lambda each: (len(each.query), len(each.headers)), default=None)
    return best.operation if best is not None else ""


@functools.cache
def _addresses(service: str) -> list[_Address]:
    model = _model(service)
    return [_address(model.operation_model(name)) for name in model.operation_names]


def _address(operation: Any) -> _Address:
    url = urlsplit(operation.http["requestUri"])
    path = re.sub(r"\\\{\w+\\\+\\\}", ".+", re.escape(url.path))
    path = re.sub(r"\\\{\w+\\\}", "[^/]+", path)
    shape = operation.input_shape
    needed = [shape.members[name].serialization for name in shape.required_members] if shape else []
    words = {each["name"]: "" for each in needed if each.get("location") == "querystring"}
    headers = frozenset(each["name"].lower() for each in needed if each.get("location") == "header")
    query = {**dict(parse_qsl(url.query, keep_blank_values=True)), **words}
    return _Address(operation.name, operation.http["method"], re.compile(f"{path}/?"), query, headers)
