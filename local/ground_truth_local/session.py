"""boto3 sessions that talk to the embedded AWS."""

from __future__ import annotations

import os
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

# Services' models are read once for all sessions: each job of the service has one, and reading is most of it.
_MODELS = create_loader()
OF_A_SERVICE = "embedded-aws/service"
"""In the user agent of what a service does by itself: that goes over no network of its users."""


class GatewaySession(boto3.Session):  # type: ignore[misc]
    """A session whose clients talk to the embedded AWS and sign with SigV4.

    Args:
        endpoint_url: the gateway's address.
        of_a_service: whether a service of AWS's calls, and not one of its users.
        transport: sends requests in place of a socket.
        credentials: an object that says for each request what it is signed with.
        kwargs: of `boto3.Session`.
    """

    def __init__(
        self,
        endpoint_url: str,
        *,
        of_a_service: bool = False,
        transport: Any = None,
        credentials: Any = None,
        **kwargs: Any,
    ) -> None:
        # Nothing of the user's own profile is read: a stale AWS_PROFILE alone would make this fail.
        own = botocore.session.Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        own.register_component("data_loader", _MODELS)
        super().__init__(botocore_session=own, **kwargs)
        if credentials is not None:
            own._credentials = credentials
        if of_a_service:
            own.user_agent_extra = OF_A_SERVICE
        # Each session adds boto3's folder.
        _MODELS.search_paths[:] = dict.fromkeys(_MODELS.search_paths)
        self._endpoint_url = endpoint_url
        self._transport = transport

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a client; ``endpoint_url`` and the signature version are set."""
        made = super().client(service_name, *args, **self._with_endpoint(service_name, kwargs))
        if self._transport is not None:
            made._endpoint.http_session = self._transport
        return made

    def resource(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """Make a resource; ``endpoint_url`` and the signature version are set."""
        return super().resource(service_name, *args, **self._with_endpoint(service_name, kwargs))

    def _with_endpoint(self, service_name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        # boto3 presigns S3 with SigV2 for a custom endpoint unless told otherwise.
        config = Config(signature_version="s3v4") if service_name == "s3" else Config()
        merged = config.merge(kwargs.get("config") or Config())
        return {"endpoint_url": self._endpoint_url, **kwargs, "config": merged}
