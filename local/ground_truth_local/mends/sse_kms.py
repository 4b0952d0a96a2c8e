"""SSE-KMS: MiniStack never asks whether the caller may use the key; AWS does, for each read and write."""

from __future__ import annotations

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
# The key of all accounts, which every principal of the account may use through S3.
_MANAGED_KEY = "alias/aws/s3"
# Source: KMS Developer Guide, "Key states of AWS KMS keys". S3 puts `KMS.` before the error's code: public
# reports of PutObject and GetObject.
_UNUSABLE = {
    "Disabled": ("KMS.DisabledException", "is disabled"),
    "PendingDeletion": ("KMS.KMSInvalidStateException", "is pending deletion"),
    "PendingReplicaDeletion": ("KMS.KMSInvalidStateException", "is pending replica deletion"),
    "PendingImport": ("KMS.KMSInvalidStateException", "is pending import"),
}
# Not as a denial, 403: S3 API Reference, "Error responses", list of error codes, has them as bad requests.
_STATUS = 400
_stock_failure = ministack_app._credential_failure
_stock_enforce = iam_evaluator.enforce
_stock_context = iam_actions.s3_service_context


def install() -> None:
    """Check the key whenever the object itself is allowed."""
    iam_evaluator.enforce = _enforce
    iam_actions.s3_service_context = _context
    ministack_app._credential_failure = _failure


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
    if denied or needed is None or not access_key_id:
        return denied
    key = _key_of(iam_action, resource_arn, service_context or {})
    if not key or key.rpartition(":")[2] == _MANAGED_KEY:
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
