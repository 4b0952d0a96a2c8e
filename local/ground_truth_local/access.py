"""What the Ground Truth service may do with the AWS around it."""

from __future__ import annotations

import contextvars
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from ministack.core import iam_evaluator, responses
from ministack.services import eventbridge, iam, sts

from .role_session import RoleSession, SharedClients
from .service.teams import Person
from .service.types import AssumeRoleDenied
from .session import GatewaySession

_SAGEMAKER = "sagemaker.amazonaws.com"
_HOUR = 3600
_log = logging.getLogger(__name__)


def trust_allows_service(
    trust: str | Mapping[str, Any],
    service: str,
    *,
    account: str,
    region: str,
    role_arn: str,
    source_arn: str = "",
    source_account: bool = True,
) -> bool:
    """Evaluate a role's trust policy for a service principal acting on behalf of ``account``.

    MiniStack's own evaluator lets an account's root pass as any service, so services are matched here.
    """
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region=region,
        secure_transport=True,
        service_context={
            "aws:sourceaccount": account if source_account else None,
            "aws:sourcearn": source_arn or None,
        },
    )
    allowed = False
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        actions = _as_list(statement.get("Action"))
        if not iam_evaluator._action_matches(context.action, actions, _as_list(statement.get("NotAction"))):
            continue
        principal = statement.get("Principal")
        if principal != "*" and not iam_evaluator._service_principal_matches(principal, service):
            continue
        if not iam_evaluator._conditions_met(statement.get("Condition", {}), context):
            continue
        if statement.get("Effect") == "Deny":
            return False
        allowed = True
    return allowed


class ServiceAccess:
    """``AwsAccess`` inside the server's process.

    Args:
        endpoint_url: the gateway's address.
        administrator: access key and secret of the administrator, for what AWS does by its own right.
        source_account: whether services say for which account they assume a role.
        trust: gives the trust policy of a role, as far as it has spread.
    """

    def __init__(
        self,
        endpoint_url: str,
        administrator: tuple[str, str],
        *,
        source_account: bool = True,
        trust: Callable[[str], str | Mapping[str, Any]],
    ) -> None:
        self._trust = trust
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        #: Sends the requests of services, once the server has one.
        self.transport: Any = None
        self._shared: SharedClients | None = None
        self._source_account = source_account
        self._endpoint_url = endpoint_url
        self._administrator = administrator

    @property
    def endpoint_url(self) -> str:
        """The gateway's address."""
        return self._endpoint_url

    def session_for_role(
        self, role_arn: str, region: str, account: str, *, service: str = _SAGEMAKER, source_arn: str = ""
    ) -> RoleSession:
        """Assume the role as a service, for the resource `source_arn`; a session with its credentials."""
        role_account, _, name = role_arn.partition("::")[2].partition(":role/")
        role = iam._roles.get_scoped(role_account, None, name.rpartition("/")[2])
        if role is None or not trust_allows_service(
            self._trust(role_arn),
            service,
            account=account,
            region=region,
            role_arn=role_arn,
            source_arn=source_arn,
            source_account=self._source_account,
        ):
            raise AssumeRoleDenied(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{service}' to assume the role."
            )
        key = f"ASIA{secrets.token_hex(8).upper()}"
        secret, token = secrets.token_hex(20), secrets.token_hex(48)
        session_name = "SageMaker" if service == _SAGEMAKER else service.partition(".")[0]
        sts.register_session(
            key,
            {
                "Arn": f"arn:aws:sts::{role_account}:assumed-role/{role['RoleName']}/{session_name}",
                "UserId": f"{role['RoleId']}:{session_name}",
                "SecretAccessKey": secret,
                "SessionToken": token,
                "Expiration": time.time() + _HOUR,
                "AccountId": role_account,
                "PrincipalType": "AssumedRole",
            },
        )
        return RoleSession(self._role_clients(), ReadOnlyCredentials(key, secret, token), region)

    def _role_clients(self) -> SharedClients:
        with self._lock:
            if self._shared is None:
                self._shared = SharedClients(self._endpoint_url, self.transport)
            return self._shared

    def bucket_cors(self, bucket: str, account: str, region: str) -> list[dict[str, Any]]:
        """Return the bucket's CORS rules, ``[]`` if it has none."""
        try:
            client = self._administrator_client("s3", region)
            rules = client.get_bucket_cors(Bucket=bucket)["CORSRules"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchCORSConfiguration":
                return []
            raise
        return list(rules)

    def put_event(
        self,
        *,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        resources: Sequence[str],
        account: str,
        region: str,
    ) -> None:
        """Put a service event on the default bus."""
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "Resources": list(resources),
        }

        def put() -> None:
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)

        contextvars.copy_context().run(put)

    def group_members(self, user_pool: str, group: str, region: str) -> list[Person]:
        """Return a Cognito group's users; a group that isn't here has none."""
        client = self._administrator_client("cognito-idp", region)
        try:
            pages = client.get_paginator("list_users_in_group").paginate(
                UserPoolId=user_pool, GroupName=group
            )
            return [_person(user) for page in pages for user in page["Users"]]
        except ClientError:
            return []

    def _administrator_client(self, service: str, region: str) -> Any:
        """A client for what is asked again and again; making one takes longer than asking."""
        with self._lock:
            if (service, region) not in self._clients:
                key, secret = self._administrator
                session = GatewaySession(
                    self._endpoint_url,
                    of_a_service=True,
                    transport=self.transport,
                    aws_access_key_id=key,
                    aws_secret_access_key=secret,
                    region_name=region,
                )
                self._clients[service, region] = session.client(service)
            return self._clients[service, region]


def _person(user: Mapping[str, Any]) -> Person:
    attributes = {entry["Name"]: entry["Value"] for entry in user.get("Attributes", [])}
    return Person(str(user["Username"]), str(attributes.get("sub", "")))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
