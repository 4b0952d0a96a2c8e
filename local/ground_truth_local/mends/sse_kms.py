"""SSE-KMS: whoever reads or writes must be allowed to use the key; MiniStack never asks.

Where no key is named, AWS takes its managed key `aws/s3`, which all of the account may use through S3: S3
User Guide, "Using server-side encryption with AWS KMS keys". MiniStack has none.
"""

from __future__ import annotations

import contextvars
import json
import uuid
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import kms, s3

_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_KEY_CONDITION = f"s3:{_KEY_HEADER}"
_NEEDS = {
    "s3:GetObject": "kms:Decrypt",
    "s3:GetObjectVersion": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
}
_MANAGED_KEY = "alias/aws/s3"
_MANAGED_WORDS = "Default key that protects my S3 objects when no other key is defined"
_ALGORITHM_HEADER = "x-amz-server-side-encryption"
# Source: KMS Developer Guide, "Key states of AWS KMS keys". S3 puts `KMS.` before the error's code: public
# reports of PutObject and GetObject.
_UNUSABLE = {
    "Disabled": ("KMS.DisabledException", "is disabled"),
    "PendingDeletion": ("KMS.KMSInvalidStateException", "is pending deletion"),
    "PendingReplicaDeletion": ("KMS.KMSInvalidStateException", "is pending replica deletion"),
    "PendingImport": ("KMS.KMSInvalidStateException", "is pending import"),
}
# They are bad requests, not denials (403), in the list of S3 API Reference, "Error responses".
_STATUS = 400
# Whether a request is a HEAD, which needs the key for a checksum alone: S3 API Reference, HeadObject.
_asks_only: contextvars.ContextVar[bool] = contextvars.ContextVar("asks_only", default=False)
_stock_pin = ministack_app.pin_signed_request
_stock_failure = ministack_app._credential_failure
_stock_enforce = iam_evaluator.enforce
_stock_context = iam_actions.s3_service_context


def install() -> None:
    """Check the key whenever the object itself is allowed."""
    iam_evaluator.enforce = _enforce
    iam_actions.s3_service_context = _context
    ministack_app._credential_failure = _failure
    ministack_app.pin_signed_request = _pin
    _name_the_managed_key()


def _pin(method: str, raw_path: str, query_params: Any, headers: Any) -> None:
    names = {bytes(name).lower() for name, _ in headers}
    _asks_only.set(method == "HEAD" and b"x-amz-checksum-mode" not in names)
    _stock_pin(method, raw_path, query_params, headers)


def _name_the_managed_key() -> None:
    stock_default, stock_write = s3._bucket_default_sse_headers, s3._resolve_sse_write_headers
    stock_metadata = kms._key_metadata

    def default(bucket: str) -> dict[str, str]:
        headers: dict[str, str] = stock_default(bucket)
        if headers.get(_ALGORITHM_HEADER) == "aws:kms" and _KEY_HEADER not in headers:
            headers[_KEY_HEADER] = managed_key()
        return headers

    def of_write(headers: dict[str, str], bucket: str) -> Any:
        if headers.get(_ALGORITHM_HEADER) == "aws:kms" and not headers.get(_KEY_HEADER):
            headers = {**headers, _KEY_HEADER: managed_key()}
        return stock_write(headers, bucket)

    def metadata(record: dict[str, Any]) -> dict[str, Any]:
        about: dict[str, Any] = stock_metadata(record)
        return {**about, "KeyManager": "AWS"} if record.get("Description") == _MANAGED_WORDS else about

    s3._bucket_default_sse_headers, s3._resolve_sse_write_headers = default, of_write
    kms._key_metadata = metadata


def managed_key() -> str:
    """The ARN of the account's key `aws/s3`, made when it is first needed and always with the same id."""
    account, region = responses.get_account_id(), responses.get_region()
    key_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/{region}/{_MANAGED_KEY}"))
    if key_id not in kms._keys:
        conditions = {"kms:CallerAccount": account, "kms:ViaService": f"s3.{region}.amazonaws.com"}
        actions = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": actions, "Resource": "*"}
        look = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
            "Resource": "*",
        }
        statements = [{**statement, "Condition": {"StringEquals": conditions}}, look]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        answer = kms._create_key({"Description": _MANAGED_WORDS, "Policy": policy})
        record = kms._keys.pop(json.loads(answer[2])["KeyMetadata"]["KeyId"])
        kms._keys[key_id] = {**record, "KeyId": key_id, "Arn": kms._arn(key_id)}
        kms._aliases[kms._alias_arn(_MANAGED_KEY)] = key_id
    return str(kms._arn(key_id))


def _failure(service: str, iam_action: str, request_id: str, denied: Any, headers: dict[str, Any]) -> Any:
    status, fields, body = _stock_failure(service, iam_action, request_id, denied, headers)
    return (_STATUS if denied.code.startswith("KMS.") else status), fields, body


def _context(
    iam_action: str,
    query_params: dict[str, Any] | None,
    path: str = "",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    context: dict[str, Any] = _stock_context(iam_action, query_params, path, headers)
    if iam_action == "s3:PutObject" and (headers or {}).get(_KEY_HEADER):
        context[_KEY_CONDITION] = (headers or {})[_KEY_HEADER]
    return context


def _enforce(
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    denied = _stock_enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
    needed = _NEEDS.get(iam_action)
    if denied or needed is None or not access_key_id or _asks_only.get():
        return denied
    key = _key_of(iam_action, resource_arn, service_context or {})
    if not key or key.rpartition(":")[2] == _MANAGED_KEY or key == managed_key():
        return None
    record = kms._resolve_key(key)
    unusable = _unusable(key, record)
    if unusable is not None:
        return unusable
    context = {
        "kms:ViaService": f"s3.{region}.amazonaws.com",
        "kms:CallerAccount": responses.get_account_id(),
        "kms:EncryptionContext:aws:s3:arn": resource_arn,
    }
    refused = _stock_enforce(access_key_id, needed, "kms", region, record["Arn"], context)
    if refused is None or isinstance(refused, iam_evaluator.AuthError):
        return refused
    # An ordinary denial would name the S3 action; AWS names the key's.
    explicit = refused.decision == "Deny"
    message = iam_actions.identity_denial_message(needed, refused.principal_arn, record["Arn"], explicit)
    return iam_evaluator.AuthError("AccessDenied", message)


def _unusable(key: str, record: dict[str, Any] | None) -> Any:
    """Refuse a key that isn't there or may not be used, with the error code that S3 passes on from KMS."""
    if record is None:
        return iam_evaluator.AuthError("KMS.NotFoundException", f"Invalid keyId '{key}'")
    code, words = _UNUSABLE.get(record["KeyState"], ("", ""))
    return iam_evaluator.AuthError(code, f"{record['Arn']} {words}.") if code else None


def _key_of(iam_action: str, resource_arn: str, context: dict[str, Any]) -> str | None:
    bucket, _, name = resource_arn.rpartition(":::")[2].partition("/")
    if s3._bucket_owner_account(bucket) is None:
        return None
    if iam_action == "s3:PutObject":
        headers = s3._bucket_default_sse_headers(bucket)
        key: str | None = context.get(_KEY_CONDITION) or headers.get(_KEY_HEADER)
        return key
    found = s3._buckets.get(bucket, {}).get("objects", {}).get(name)
    stored: str | None = s3._stored_sse_headers(found).get(_KEY_HEADER) if found else None
    return stored
