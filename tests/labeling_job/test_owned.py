from __future__ import annotations

import re

from labeling_job import contract, owned

NAMES = {"stack_id": "arn:aws:cloudformation:eu-west-1:1:stack/S/1", "logical_id": "Job"}


def test_a_retried_request_has_the_same_name_and_every_other_one_a_new_name() -> None:
    first = owned.job_name("streets", request_id="r1", **NAMES)
    assert first == owned.job_name("streets", request_id="r1", **NAMES)
    others = {
        owned.job_name("streets", request_id="r2", **NAMES),
        owned.job_name("streets", request_id="r1", **{**NAMES, "logical_id": "Job2"}),
        owned.job_name("streets", request_id="r1", **{**NAMES, "stack_id": "other"}),
    }
    assert len(others) == 3 and first not in others


def test_the_longest_prefix_still_makes_a_legal_name() -> None:
    name = owned.job_name("A" * contract.JOB_NAME_PREFIX_MAX, request_id="r", **NAMES)
    assert len(name) == 63
    assert re.fullmatch(r"[a-z0-9](-*[a-z0-9]){0,62}", name)


def test_the_marker_is_part_of_every_name_of_the_resource() -> None:
    marker = owned.resource_marker(*NAMES.values())
    assert f"-{marker}-" in owned.job_name("p", request_id="r", **NAMES)


def test_the_fingerprint_ignores_tags_and_cloudformation_and_the_order_of_keys() -> None:
    base = {"JobNamePrefix": "p", "Images": {"Source": "Manifest"}, "Request": {"A": "1", "B": "2"}}
    same = {
        "Request": {"B": "2", "A": "1"},
        "Images": {"Source": "Manifest"},
        "JobNamePrefix": "p",
        "Tags": [1],
        "ServiceToken": "t",
    }
    assert owned.fingerprint(base) == owned.fingerprint(same)
    assert owned.fingerprint(base) != owned.fingerprint({**base, "Request": {"A": "1", "B": "3"}})
