"""What was changed in IAM or in a bucket's configuration and hasn't spread yet: options of the server.

Source: IAM User Guide, "Troubleshoot IAM", "Changes that I make are not always immediately visible"; S3 User
Guide, "Amazon S3 data consistency model" (bucket configurations are eventually consistent). How long it
takes is in neither. What reads IAM itself (`GetRole`) sees a change at once, as it does most of the time.
"""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

from ministack.core import iam_evaluator
from ministack.core.responses import AccountScopedDict
from ministack.services import iam, s3

from .orders import Orders

# A change by CloudFormation goes through no request, so roles are looked at this often.
_LOOK_SECONDS = 0.1
_ABSENT: Any = object()
_LONG_AGO = float("-inf")
_NOBODY = '{"Version": "2012-10-17", "Statement": []}'
_CONFIGURATION = ("_bucket_cors", "_bucket_policies", "_bucket_notifications")


class Spreading:
    """Lets changes wait until they work.

    Args:
        iam_seconds: how long a new role, its trust and its policies don't work yet.
        s3_seconds: how long CORS, policy and notifications of a bucket are seen as before.
    """

    def __init__(self, iam_seconds: float = 0.0, s3_seconds: float = 0.0) -> None:
        self._usual = (iam_seconds, s3_seconds)
        self._iam_seconds = 0.0
        self._lock = threading.RLock()
        # This says by account and role id since when a role has which trust and policies.
        self._roles: dict[tuple[str, str], list[tuple[float, Any, Any]]] = {}
        self._stock_policies = iam_evaluator._gather_role_policies
        self._stock_trust = iam_evaluator.evaluate_trust_policy

    def install(self) -> None:
        """Stand before what evaluates roles, and before the configuration of buckets."""
        iam_evaluator._gather_role_policies = self._policies
        iam_evaluator.evaluate_trust_policy = self._trusts
        for name in _CONFIGURATION:
            getattr(s3, name).__class__ = LateConfiguration
        threading.Thread(target=self._look_on, daemon=True, name="spreading").start()

    def open(self) -> None:
        """Begin: the account's own set-up has long been everywhere."""
        self.take(Orders())

    def take(self, orders: Orders) -> None:
        """Do as ordered; where an order says nothing, as from the start."""
        iam_seconds = orders.iam_spread_seconds or self._usual[0]
        s3_seconds = orders.s3_spread_seconds or self._usual[1]
        with self._lock:
            if iam_seconds != self._iam_seconds:
                # What there is now has spread.
                self._roles.clear()
                self._note_all(_LONG_AGO)
                self._iam_seconds = iam_seconds
        if s3_seconds != LateConfiguration.seconds:
            LateConfiguration.changes.clear()
            LateConfiguration.seconds = s3_seconds

    def trust(self, role_arn: str) -> Any:
        """The trust policy of a role that works now; one that trusts nobody while it is new."""
        role_account, _, name = role_arn.partition("::")[2].partition(":role/")
        role = iam._roles.get_scoped(role_account, None, name.rpartition("/")[2])
        if role is None or not self._iam_seconds:
            return (role or {}).get("AssumeRolePolicyDocument", _NOBODY)
        return self._works(role_account, role)[0]

    def _trusts(self, document: Any, caller_arn: str, context: Any) -> bool:
        if self._iam_seconds and ":role/" in context.resource_arn:
            document = self.trust(context.resource_arn)
        return bool(self._stock_trust(document, caller_arn, context))

    def _policies(self, role_name: str, account: str) -> Any:
        role = iam._roles.get_scoped(account, None, role_name)
        if role is None or not self._iam_seconds:
            return self._stock_policies(role_name, account)
        return self._works(account, role)[1]

    def _works(self, account: str, role: dict[str, Any]) -> tuple[Any, Any]:
        with self._lock:
            self._note(account, role, time.monotonic())
            spread = time.monotonic() - self._iam_seconds
            versions = self._roles[account, role["RoleId"]]
            old = [version for version in versions if version[0] <= spread]
        return old[-1][1:] if old else (_NOBODY, [])

    def _note(self, account: str, role: dict[str, Any], since: float) -> None:
        state = (role["AssumeRolePolicyDocument"], self._stock_policies(role["RoleName"], account))
        versions = self._roles.setdefault((account, role["RoleId"]), [])
        if not versions or versions[-1][1:] != state:
            versions.append((since, *state))

    def _note_all(self, since: float) -> None:
        for (account, _), role in list(iam._roles._data.items()):
            self._note(account, role, since)

    def _look_on(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                if self._iam_seconds:
                    self._note_all(time.monotonic())


class LateConfiguration(AccountScopedDict):  # type: ignore[misc]
    """What buckets are configured with, as seen from where a change hasn't arrived.

    It takes the place of a class, not of an object: MiniStack's other modules hold that already.
    """

    __slots__ = ()
    seconds = 0.0
    #: This says by dictionary and key when it was changed, and what it was before.
    changes: ClassVar[dict[tuple[int, Any], list[tuple[float, Any]]]] = {}

    def __setitem__(self, key: Any, value: Any) -> None:
        self._change(key)
        super().__setitem__(key, value)

    def pop(self, key: Any, *default: Any) -> Any:
        """As of a dictionary."""
        self._change(key)
        return super().pop(key, *default)

    def get(self, key: Any, default: Any = None) -> Any:
        """What is seen now."""
        return self._seen(self._scoped(key), default)

    def get_scoped(self, account_id: str, region: Any, key: Any, default: Any = None) -> Any:
        """What is seen now, of any account."""
        return self._seen((account_id, key), default)

    def __contains__(self, key: Any) -> bool:
        return self._seen(self._scoped(key), _ABSENT) is not _ABSENT

    def _change(self, key: Any) -> None:
        scoped = self._scoped(key)
        before = self._data.get(scoped, _ABSENT)
        if self.seconds and s3._buckets.get_scoped(scoped[0], None, key) is not None:
            self.changes.setdefault((id(self), scoped), []).append((time.monotonic(), before))

    def _seen(self, scoped: Any, default: Any) -> Any:
        spread = time.monotonic() - self.seconds
        for changed, before in self.changes.get((id(self), scoped), ()):
            if changed > spread:
                return default if before is _ABSENT else before
        return self._data.get(scoped, default)
