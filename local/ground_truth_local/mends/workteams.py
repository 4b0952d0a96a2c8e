"""``AWS::SageMaker::Workteam``, which MiniStack doesn't know; the Ground Truth service keeps the teams."""

from __future__ import annotations

from typing import Any

from ministack.core import responses
from ministack.services.cloudformation import provisioners

from ..service.types import Answer, Call, Service

_TYPE = "AWS::SageMaker::Workteam"
_MUTABLE = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")
_REPLACING = ("WorkteamName", "WorkforceName")

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
        body = {key: _to_api(props[key]) for key in (*_MUTABLE, "WorkforceName") if key in props}
        body.setdefault("Description", name)
        body["Tags"] = [{"Key": key, "Value": value} for key, value in _tags(props).items()]
        arn = _call(service, "CreateWorkteam", {**body, "WorkteamName": name}).body["WorkteamArn"]
        return arn, {"WorkteamName": name}

    def update(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        name = _name(physical_id)
        if any(new.get(key) != old.get(key) for key in _REPLACING):
            return create("Workteam", new, stack_name)
        body = {key: _to_api(new[key]) for key in _MUTABLE if key in new}
        _call(service, "UpdateWorkteam", {**body, "WorkteamName": name})
        _change_tags(service, physical_id, _tags(old), _tags(new))
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


def _tags(props: dict[str, Any]) -> dict[str, str]:
    """The tags, without CloudFormation's own, which the API refuses from everybody else."""
    tags = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


def _change_tags(service: Service, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Only what the template had is taken away: others may have put their tags on the team."""
    gone = sorted(old.keys() - new.keys())
    if gone:
        _call(service, "DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
    changed = [{"Key": key, "Value": value} for key, value in new.items() if old.get(key) != value]
    if changed:
        _call(service, "AddTags", {"ResourceArn": arn, "Tags": changed})


def _to_api(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_api(item) for item in value]
    if isinstance(value, dict):
        return {_NAMES.get(name, name): _to_api(item) for name, item in value.items()}
    return value


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
