"""The account's IAM users, put into MiniStack's IAM inside the server's process."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ministack.services import iam

from .account import policies


def ensure_users(account: str, credentials: Mapping[str, tuple[str, str]]) -> None:
    """Make each user with its policy and access key; what is there already stays."""
    for user, policy in policies(account).items():
        if user not in iam._users:
            iam._create_user({"UserName": [user]})
        iam._put_user_policy(
            {"UserName": [user], "PolicyName": ["default"], "PolicyDocument": [json.dumps(policy)]}
        )
        key, secret = credentials[user]
        if key not in iam._access_keys:
            # Through the API the key would be a random one, and lost with an unclean stop.
            iam._create_access_key({"UserName": [user]})
            made = next(name for name, record in iam._access_keys.items() if record["UserName"] == user)
            record = iam._access_keys.pop(made)
            iam._access_keys[key] = {**record, "AccessKeyId": key, "SecretAccessKey": secret}
