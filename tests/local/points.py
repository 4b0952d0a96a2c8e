"""What issue 11 found with real clients, a peer's stack and kills: each point, and the tests that hold it.

A test is `path::name`, or `row name` of the conformance table; `test_points.py` holds that each is there.
"""

from __future__ import annotations

_AWS, _SERVICE = "tests/local/aws", "tests/local/service"

POINTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a": (
        "as many declines as workers expire an object; what can't be read is declined and hangs nothing",
        (
            f"{_SERVICE}/test_engine.py::test_as_many_declines_as_workers_expire_the_object",
            f"{_SERVICE}/test_engine.py::test_simulated_workers_who_see_no_picture_decline_and_the_job_ends",
        ),
    ),
    "b": (
        "the CDK's own custom resources run; what can't run fails with a name; nothing outlives its parent",
        (
            "tests/e2e/test_everyday_stack.py::test_the_cdks_own_custom_resources_run_beside_a_job",
            f"{_AWS}/test_custom_resources.py::test_a_function_that_cannot_run_fails_with_a_name",
            f"{_AWS}/test_custom_resources.py::test_node_handlers_have_the_sdk_of_their_runtime",
            f"{_AWS}/test_server.py::test_the_server_ends_with_its_parent_while_a_custom_resource_is_waited_for",
        ),
    ),
    "c": (
        "keys that are disabled, pending deletion or unknown encrypt nothing",
        (
            f"{_AWS}/test_keys_and_policies.py::test_a_key_that_is_switched_off_neither_writes_nor_reads",
            f"{_AWS}/test_keys_and_policies.py::test_a_key_that_does_not_exist_is_named",
        ),
    ),
    "d": (
        "managed policies have their published content, invented ones don't attach",
        (
            f"{_AWS}/test_keys_and_policies.py::test_the_policies_that_the_guide_names_grant_what_they_grant",
            f"{_AWS}/test_keys_and_policies.py::test_a_policy_that_does_not_exist_is_attached_by_nobody",
        ),
    ),
    "e": (
        "a category file without `document-version` is taken",
        ("row categories-no-version", "row categories-other-version"),
    ),
    "f": (
        "missing CORS fails the tasks of those objects in the browser, not the job",
        (
            f"{_SERVICE}/test_engine.py::test_simulated_workers_who_see_no_picture_decline_and_the_job_ends",
            "tests/local/testing/test_runs.py::test_no_cors_is_seen_by_no_worker",
        ),
    ),
    "g": (
        "adjustment: an object without an earlier label fails alone, the same attribute is refused",
        (
            "row adjustment-one-without",
            "row adjustment-same-attribute",
            "row adjustment-adjusted",
            "row adjustment-unadjusted",
            "row adjustment-unknown-colour",
            "row adjustment-no-colours",
        ),
    ),
    "h": (
        "a worker's `sub` and `issuer` are those of the team's Cognito pool",
        (f"{_AWS}/test_telling.py::test_a_worker_is_who_cognito_says",),
    ),
    "i": (
        "Step Functions' SageMaker tasks reach the service",
        (
            f"{_AWS}/test_step_functions.py::test_a_task_is_answered_by_the_service_as_the_machines_role",
            "tests/local/testing/test_state_machine.py::test_a_peers_state_machine_ends_as_on_aws",
        ),
    ),
    "j": (
        "a job in which nothing was labeled is Completed with 0",
        ("tests/local/testing/test_state_machine.py::test_a_peers_state_machine_ends_as_on_aws",),
    ),
    "k": (
        "DescribeLabelingJob as recorded; a role that doesn't exist is refused at create",
        (
            f"{_SERVICE}/test_control_plane.py::test_describe_repeats_the_request_and_fills_in_the_documented_defaults",
            f"{_SERVICE}/test_engine.py::test_it_is_in_progress_soon_with_nothing_counted_and_fails_minutes_later",
            f"{_SERVICE}/test_engine.py::test_a_role_that_is_not_there_is_refused_at_once_and_one_that_goes_fails_the_job",
            "row counters-never-loaded",
            "row status-in-progress-counts-nothing",
        ),
    ),
    "l": (
        "the output topic needs `sns:Publish`; an answer after a stop is refused",
        (
            f"{_SERVICE}/test_engine.py::test_a_role_that_may_not_publish_fails_the_job_and_keeps_the_label",
            f"{_SERVICE}/test_engine.py::test_an_answer_that_comes_after_a_stop_is_refused",
        ),
    ),
    "m": (
        "state on disk is consistent at every moment; what isn't kept is an error, a taken port a sentence",
        (
            f"{_AWS}/test_durability.py::test_a_killed_server_goes_on_where_its_last_answer_was",
            f"{_AWS}/test_durability.py::test_kills_at_random_moments_of_labeling_lose_no_thanked_answer",
            f"{_SERVICE}/test_queue.py::test_an_answer_is_on_the_disk_before_the_worker_is_thanked",
            f"{_AWS}/test_durability.py::test_a_disk_that_takes_nothing_is_an_error_to_the_client",
            f"{_AWS}/test_durability.py::test_a_folder_that_cannot_be_written_is_an_error_at_the_start",
            f"{_AWS}/test_durability.py::test_a_disk_that_goes_away_meanwhile_is_an_error_to_the_client",
            f"{_AWS}/test_server.py::test_a_taken_port_is_named",
        ),
    ),
}

_REALITY, _SPREADING = "tests/local/testing/test_reality.py", f"{_AWS}/test_spreading.py"
_SURVIVES = f"{_REALITY}::test_a_deploy_and_its_job_survive"
_WIRE = f"{_AWS}/test_wire.py::test_bodies_break_and_requests_are_throttled_as_often_as_asked"
_OTHERS = f"{_REALITY}::test_a_job_that_others_tag_and_that_fails_late"

OPTIONS: dict[str, tuple[str, ...]] = {
    "black_holes": (f"{_AWS}/test_wire.py::test_a_lambda_gets_no_answer_from_a_black_hole_and_people_do",),
    "throttle_every": (_WIRE, _SURVIVES),
    "break_every": (_WIRE, _SURVIVES),
    "short_every": (f"{_REALITY}::test_a_proxy_that_spoils_answers_is_named",),
    "bare_403_every": (f"{_REALITY}::test_a_proxy_that_spoils_answers_is_named",),
    "source_account": (
        "tests/e2e/test_trust.py::test_a_job_runs_where_the_service_sends_no_source_account",
        f"{_AWS}/test_wire.py::test_a_trust_policy_that_asks_for_the_account_isnt_met_when_none_is_sent",
    ),
    "iam_spread_seconds": (_SURVIVES, f"{_SPREADING}::test_a_new_role_its_trust_and_its_policies_work_later"),
    "s3_spread_seconds": (_SURVIVES, f"{_SPREADING}::test_a_buckets_configuration_is_seen_later"),
    "asset_bucket_key": (f"{_REALITY}::test_a_bucket_of_assets_under_a_key",),
    "set_up_seconds": (
        _OTHERS,
        f"{_SERVICE}/test_engine.py::test_it_is_in_progress_soon_with_nothing_counted_and_fails_minutes_later",
    ),
    "foreign_tags": (_OTHERS, f"{_SERVICE}/test_clock.py::test_other_tools_put_their_tags_on_a_job"),
}
