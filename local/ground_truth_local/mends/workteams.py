"""``AWS::SageMaker::Workteam``, which MiniStack doesn't know; the Ground Truth service keeps the teams."""

from __future__ import annotations

from typing import Any

from ministack.core import responses
from ministack.services.cloudformation import provisioners

from ..service.types import Answer, Call, Service

_TYPE = "AWS::SageMaker::Workteam"
_MUTABLE = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")

# CloudFormation's names of the members' definitions are not the API's.
_NAMES = {
    "CognitoUserPool": "UserPool",
    "CognitoUserGroup": "UserGroup",
    "CognitoClientId": "ClientId",
    "OidcGroups": "Groups",
}


def install(service: Service) -> None:
    """Register the type."""

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        name = props.get("WorkteamName") or provisioners._physical_name(stack_name, logical_id, max_len=63)
        body = {key: _to_api(props[key]) for key in (*_MUTABLE, "WorkforceName", "Tags") if key in props}
        body.setdefault("Description", name)
        # CloudFormation's own tags, which the API refuses from everybody else.
        body["Tags"] = [tag for tag in body.get("Tags", []) if not tag["Key"].startswith("aws:")]
        arn = _call(service, "CreateWorkteam", {**body, "WorkteamName": name}).body["WorkteamArn"]
        return arn, {"WorkteamName": name}

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        name = _name(physical_id)
        if new.get("WorkteamName", name) != name:
            return create(new["WorkteamName"], new, stack_name)
        body = {key: _to_api(new[key]) for key in _MUTABLE if key in new}
        _call(service, "UpdateWorkteam", {**body, "WorkteamName": name})
        return physical_id, {"WorkteamName": name}

    def delete(physical_id: str, props: dict[str, Any]) -> None:
        _call(service, "DeleteWorkteam", {"WorkteamName": _name(physical_id)})

    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": create, "update": update, "delete": delete}
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")


def _call(service: Service, operation: str, body: dict[str, Any]) -> Answer:
    account = responses.get_account_id()
    answer = service.handle(
        Call(
            operation=operation,
            body=body,
            account=account,
            region=responses.get_region(),
            principal_arn=f"arn:aws:sts::{account}:assumed-role/cdk-hnb659fds-cfn-exec-role/AWSCloudFormation",
            access_key="",
        )
    )
    if answer.status >= 400:
        message = answer.body.get("message") or answer.body.get("Message")
        raise ValueError(f"{message} (Service: SageMaker, Status Code: {answer.status})")
    return answer


def _to_api(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_api(item) for item in value]
    if isinstance(value, dict):
        return {_NAMES.get(name, name): _to_api(item) for name, item in value.items()}
    return value


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
