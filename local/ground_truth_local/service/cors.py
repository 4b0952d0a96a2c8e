"""What a worker's browser may load: it asks the bucket's CORS configuration, and nobody else does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from ..sources import Rule, guide, holds, observed
from .types import AwsAccess

IN_THE_BROWSER = Rule(
    "cors-in-the-browser",
    "A bucket without the CORS rule fails the tasks of its objects, in the worker's browser, not the job.",
    guide("sms-cors-update: 'labeling tasks for those input data objects will fail'"),
)
ANY_RULE = Rule(
    "cors-rule",
    "The rule allows `GET` from any origin; it need not expose a header.",
    observed("aws-controllers-k8s/sagemaker-controller: a labeling job's bucket with `ExposeHeaders: []`"),
)

_FRESH_SECONDS = 1.0


class Cors:
    """Tells whether browsers may load the images of a bucket; an answer is kept for a second."""

    def __init__(self, aws: AwsAccess) -> None:
        self._aws = aws
        self._known: dict[tuple[str, str, str], tuple[float, bool]] = {}

    @holds(IN_THE_BROWSER)
    def allows(self, bucket: str, account: str, region: str) -> bool:
        """Tell whether a page of another origin may load the bucket's images."""
        key = (bucket, account, region)
        now = time.monotonic()
        since, allowed = self._known.get(key, (float("-inf"), False))
        if now - since > _FRESH_SECONDS:
            try:
                rules: Sequence[dict[str, Any]] = self._aws.bucket_cors(bucket, account, region)
            except ClientError:
                rules = ()
            allowed = any(_allows(rule) for rule in rules)
            self._known[key] = (now, allowed)
        return allowed


@holds(ANY_RULE)
def _allows(rule: dict[str, Any]) -> bool:
    return "GET" in (rule.get("AllowedMethods") or ()) and "*" in (rule.get("AllowedOrigins") or ())
