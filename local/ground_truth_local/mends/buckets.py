"""``AWS::S3::Bucket``: MiniStack drops encryption, lifecycle and tags, and deletes what is not empty."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.serialize import create_serializer
from ministack.services import s3
from ministack.services.cloudformation import provisioners

_TYPE = "AWS::S3::Bucket"


def install() -> None:
    """Apply the dropped properties through the S3 API's own functions, and delete through it too."""
    if _TYPE in provisioners._STACK_TAG_PROPERTY:
        return
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", _encryption_xml, s3._put_bucket_encryption, s3._delete_bucket_encryption),
        ("LifecycleConfiguration", _lifecycle_xml, s3._put_bucket_lifecycle, s3._delete_bucket_lifecycle),
    )
    provisioners._STACK_TAG_PROPERTY[_TYPE] = ("Tags", "list")
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        physical_id, attributes = stock_create(logical_id, props, stack_name)
        _set_tags(physical_id, props)
        return physical_id, attributes

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        new_id, attributes = stock_update(physical_id, old, new, stack_name)
        _set_tags(new_id, new)
        return new_id, attributes

    handlers.update(create=create, update=update, delete=_delete)


def _delete(physical_id: str, props: dict[str, Any]) -> None:
    if physical_id not in s3._buckets:
        return
    status, _, body = s3._delete_bucket(physical_id)
    if status >= 400:
        reason = "You must delete all versions in the bucket." if b"BucketNotEmpty" in body else body.decode()
        raise ValueError(
            f"The bucket you tried to delete is not empty. {reason} (Service: S3, Status Code: {status})"
        )


def _set_tags(name: str, props: dict[str, Any]) -> None:
    # PutBucketTagging would refuse the aws: tags that CloudFormation sets.
    tags = {tag["Key"]: tag["Value"] for tag in props.get("Tags") or []}
    if tags:
        s3._bucket_tags[name] = tags


def _encryption_xml(value: dict[str, Any]) -> bytes:
    rules = []
    for rule in value.get("ServerSideEncryptionConfiguration", []):
        default = dict(rule.get("ServerSideEncryptionByDefault", {}))
        rules.append(
            {
                "ApplyServerSideEncryptionByDefault": default,
                "BucketKeyEnabled": str(rule.get("BucketKeyEnabled", False)).lower() == "true",
            }
        )
    return _serialize("PutBucketEncryption", "ServerSideEncryptionConfiguration", {"Rules": rules})


def _lifecycle_xml(value: dict[str, Any]) -> bytes:
    rules = [_lifecycle_rule(rule) for rule in value.get("Rules", [])]
    return _serialize("PutBucketLifecycleConfiguration", "LifecycleConfiguration", {"Rules": rules})


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Translate a rule from CloudFormation's names into the API's."""
    transitions = rule.get("Transitions") or ([rule["Transition"]] if "Transition" in rule else [])
    later = rule.get("NoncurrentVersionTransitions") or []
    noncurrent = rule.get("NoncurrentVersionExpiration") or _pick(
        rule, NoncurrentDays="NoncurrentVersionExpirationInDays"
    )
    translated = {
        **_pick(
            rule, ID="Id", Status="Status", AbortIncompleteMultipartUpload="AbortIncompleteMultipartUpload"
        ),
        "Filter": _filter(rule),
        "Expiration": _pick(
            rule,
            Days="ExpirationInDays",
            Date="ExpirationDate",
            ExpiredObjectDeleteMarker="ExpiredObjectDeleteMarker",
        ),
        "NoncurrentVersionExpiration": noncurrent,
        "Transitions": [
            _pick(t, StorageClass="StorageClass", Days="TransitionInDays", Date="TransitionDate")
            for t in transitions
        ],
        "NoncurrentVersionTransitions": [
            _pick(
                t,
                StorageClass="StorageClass",
                NoncurrentDays="TransitionInDays",
                NewerNoncurrentVersions="NewerNoncurrentVersions",
            )
            for t in later
        ],
    }
    return {name: part for name, part in translated.items() if part or name == "Filter"}


def _filter(rule: dict[str, Any]) -> dict[str, Any]:
    parts = _pick(
        rule,
        Prefix="Prefix",
        ObjectSizeGreaterThan="ObjectSizeGreaterThan",
        ObjectSizeLessThan="ObjectSizeLessThan",
    )
    tags = rule.get("TagFilters") or []
    if len(parts) + len(tags) > 1:
        return {"And": {**parts, **({"Tags": tags} if tags else {})}}
    return parts or ({"Tag": tags[0]} if tags else {"Prefix": ""})


def _pick(source: dict[str, Any], **names: str) -> dict[str, Any]:
    return {name: source[theirs] for name, theirs in names.items() if theirs in source}


def _serialize(operation: str, member: str, value: dict[str, Any]) -> bytes:
    model = botocore.session.Session().get_service_model("s3").operation_model(operation)
    serializer = create_serializer("rest-xml", include_validation=False)
    body = serializer.serialize_to_request({"Bucket": "bucket", member: value}, model)["body"]
    return body if isinstance(body, bytes) else str(body).encode()
