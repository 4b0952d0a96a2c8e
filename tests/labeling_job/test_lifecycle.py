from __future__ import annotations

import io
from datetime import timedelta
from typing import Any, Never

import pytest

from labeling_job import images
from labeling_job.contract import OWN_TAGS, TAG_REQUEST
from labeling_job.errors import DeployError, NotYetError
from labeling_job.event import read
from labeling_job.jobs import Jobs
from labeling_job.lifecycle import Lifecycle
from labeling_job.patience import Patience
from labeling_job.stack import Stack
from tests.labeling_job.fakes import ROLE, Clock, CloudFormation, SageMaker, event, properties
from tests.s3 import service_error

DENIED = service_error("CreateLabelingJob", "AccessDeniedException", "not authorized: iam:PassRole")


class Staging:
    """Answers a ready staging, and notes that it was published."""

    def __init__(self, ready) -> None:
        self.ready, self.published = ready, list[Any]()

    def staged(self, images, **job):
        return self.ready

    def publish(self, staging, before_copying) -> None:
        self.published.append(staging)


class Handler:
    """Takes each event with a lifecycle of its own, as the entry does."""

    def __init__(self, sagemaker, cloudformation, clock) -> None:
        self.sagemaker, self.cloudformation, self.clock = sagemaker, cloudformation, clock
        self.staging: Any = Staging(None)
        self.in_progress = timedelta()

    def _lifecycle(self, event):
        event = read(event)
        patience = Patience(
            remaining_ms=lambda: self.clock.remaining_ms, sleep=self.clock.sleep, now=self.clock.now
        )
        return Lifecycle(
            event,
            jobs=Jobs(self.sagemaker, patience),
            stack=Stack(event, lambda: self.cloudformation, patience),
            patience=patience,
            staging=self.staging,
            in_progress=self.in_progress,
        )

    def create(self, event):
        return self._lifecycle(event).create()

    def update(self, event):
        return self._lifecycle(event).update()

    def delete(self, event):
        return self._lifecycle(event).delete()


@pytest.fixture
def lifecycle(sagemaker: SageMaker, cloudformation: CloudFormation, clock: Clock):
    return Handler(sagemaker, cloudformation, clock)


def update(old, new, *, current, request_id="request-2"):
    return event(
        "Update",
        request_id,
        PhysicalResourceId=current,
        ResourceProperties=new,
        OldResourceProperties=old,
    )


class TestCreate:
    def test_the_request_is_the_apps_with_name_and_tags(self, lifecycle, sagemaker: SageMaker) -> None:
        tagged = properties(Tags=[{"Key": "team", "Value": "a"}])
        outcome = lifecycle.create(event(ResourceProperties=tagged))
        job = sagemaker.jobs[outcome.physical_id]
        assert job["request"]["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 3
        assert set(job["tags"]) == {"team", *OWN_TAGS}

    def test_a_made_manifest_goes_into_the_request(self, lifecycle, sagemaker: SageMaker) -> None:
        lifecycle.staging = Staging(
            images.Staging(bucket="in", key="s/a.manifest", manifest=io.BytesIO(b"{}\n"), objects=1)
        )
        classifiers = {"DataAttributes": {"ContentClassifiers": ["FreeOfAdultContent"]}}
        name = lifecycle.create(
            event(ResourceProperties=properties(request={"InputConfig": classifiers}))
        ).physical_id
        assert sagemaker.jobs[name]["request"]["InputConfig"] == {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://in/s/a.manifest"}},
            **classifiers,
        }

    def test_the_same_event_twice_makes_one_job(self, lifecycle, sagemaker: SageMaker) -> None:
        assert lifecycle.create(event()) == lifecycle.create(event())
        assert len(sagemaker.jobs) == 1

    def test_a_lost_answer_is_adopted(self, lifecycle, sagemaker: SageMaker) -> None:
        # botocore's own retry meets the job that its first try has made.
        sagemaker.fail["CreateLabelingJob after"] = [service_error("CreateLabelingJob", "ResourceInUse")]
        lifecycle.create(event())
        assert len(sagemaker.jobs) == 1 and not sagemaker.stopped

    def test_a_name_taken_by_somebody_else_is_an_error_that_touches_nothing(
        self, lifecycle, sagemaker: SageMaker
    ) -> None:
        name = lifecycle.create(event()).physical_id
        sagemaker.jobs[name]["tags"][TAG_REQUEST] = "somebody else's"
        with pytest.raises(DeployError, match=f"'{name}' is taken"):
            lifecycle.create(event())
        assert not sagemaker.stopped

    @pytest.mark.parametrize(
        ("statuses", "says"),
        [
            (["Initializing", "Failed"], "failed: ClientError: the manifest is empty"),
            (["Stopping"], "was stopped by somebody"),
            (["Initializing", "Stopped"], "was stopped by somebody"),
        ],
    )
    def test_a_job_that_does_not_start_fails_the_deploy(
        self, lifecycle, sagemaker: SageMaker, statuses, says: str
    ) -> None:
        sagemaker.statuses = statuses
        with pytest.raises(DeployError, match=says):
            lifecycle.create(event())

    @pytest.mark.parametrize("status", ["InProgress", "Completed"])
    def test_a_job_that_runs_or_has_ended_well_is_success(
        self, lifecycle, sagemaker: SageMaker, status: str
    ) -> None:
        sagemaker.statuses = ["Initializing", "Initializing", status]
        assert lifecycle.create(event()).physical_id in sagemaker.jobs

    @pytest.mark.parametrize("probation", ["0", "120", "600"])
    def test_a_job_still_initializing_when_its_probation_is_over_is_success(
        self, lifecycle, sagemaker: SageMaker, clock: Clock, probation: str
    ) -> None:
        sagemaker.statuses = ["Initializing"]
        started = clock.now()
        lifecycle.create(event(ResourceProperties=properties(ProbationSeconds=probation)))
        assert not sagemaker.stopped
        assert int(probation) <= (clock.now() - started).total_seconds() < int(probation) + 15

    def test_a_job_that_fails_in_its_probation_fails_the_deploy_with_a_link(
        self, lifecycle, sagemaker: SageMaker
    ) -> None:
        sagemaker.statuses = ["Initializing"] * 20 + ["Failed"]
        with pytest.raises(
            DeployError, match=r"the manifest is empty.*groundtruth\?region=eu-west-1#/labeling"
        ):
            lifecycle.create(event())

    def test_an_invocation_out_of_time_leaves_the_job_running(self, lifecycle, sagemaker: SageMaker) -> None:
        sagemaker.statuses = ["Initializing"]
        with pytest.raises(NotYetError):
            lifecycle.create(event(ResourceProperties=properties(ProbationSeconds="1800")))
        assert not sagemaker.stopped

    @pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
    def test_what_passes_is_waited_out(self, lifecycle, sagemaker: SageMaker, code: str) -> None:
        error = service_error("DescribeLabelingJob", code, status=500 if code == "InternalFailure" else 400)
        sagemaker.fail["DescribeLabelingJob"] = [error] * 5
        assert lifecycle.create(event()).physical_id in sagemaker.jobs

    def test_an_outage_that_lasts_ends_the_deploy_within_its_bound(
        self, lifecycle, sagemaker: SageMaker, clock: Clock
    ) -> None:
        throttled = service_error("CreateLabelingJob", "ThrottlingException", "slow down")
        sagemaker.fail["CreateLabelingJob"] = [throttled] * 1000
        started = clock.now()
        with pytest.raises(DeployError, match="ThrottlingException: slow down"):
            lifecycle.create(event())
        assert 300 < (clock.now() - started).total_seconds() < 330

    def test_an_error_while_watching_stops_the_job(self, lifecycle, sagemaker: SageMaker) -> None:
        denied = service_error("DescribeLabelingJob", "AccessDeniedException")
        describe = sagemaker.describe_labeling_job
        calls = iter([describe, _raises(denied), describe])
        sagemaker.describe_labeling_job = lambda **kwargs: next(calls)(**kwargs)
        with pytest.raises(Exception, match="AccessDeniedException"):
            lifecycle.create(event())
        assert sagemaker.stopped

    @pytest.mark.parametrize(
        "status", ["ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS"]
    )
    def test_nothing_is_created_for_a_stack_that_no_longer_waits(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation, status: str
    ) -> None:
        cloudformation.status = status
        with pytest.raises(DeployError, match="no longer waits"):
            lifecycle.create(event())
        assert not sagemaker.jobs

    def test_nothing_is_created_for_a_stack_that_nobody_knows_any_more(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        # An event of a stack that was destroyed since, delivered again.
        unknown = service_error("DescribeStacks", "ValidationError", "Stack with id x does not exist")
        cloudformation.fail = [unknown] * 2
        with pytest.raises(DeployError, match="no longer waits"):
            lifecycle.create(event())
        assert not sagemaker.jobs

    def test_a_create_cancelled_meanwhile_is_stopped(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        create = sagemaker.create_labeling_job

        def then_cancelled(**request):
            cloudformation.status = "ROLLBACK_IN_PROGRESS"
            return create(**request)

        sagemaker.create_labeling_job = then_cancelled
        with pytest.raises(DeployError, match="gave up"):
            lifecycle.create(event())
        assert sagemaker.stopped

    def test_a_late_duplicate_leaves_the_job_that_the_stack_has(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        first = lifecycle.create(event())
        cloudformation.status, cloudformation.physical_id = "UPDATE_COMPLETE", first.physical_id
        assert lifecycle.create(event()) == first
        assert not sagemaker.stopped

    def test_a_stack_that_may_not_be_asked_is_taken_to_wait(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        cloudformation.fail = [service_error("DescribeStacks", "AccessDenied")] * 10
        assert lifecycle.create(event()).physical_id in sagemaker.jobs

    def test_a_refusal_that_new_iam_can_cause_is_waited_for(
        self, lifecycle, sagemaker: SageMaker, clock: Clock
    ) -> None:
        about_role = service_error("CreateLabelingJob", "ValidationException", f"{ROLE} can't be assumed")
        sagemaker.fail["CreateLabelingJob"] = [DENIED, about_role]
        assert lifecycle.create(event()).physical_id in sagemaker.jobs

    def test_a_refusal_that_stays_ends_with_the_services_words(
        self, lifecycle, sagemaker: SageMaker, clock: Clock
    ) -> None:
        sagemaker.fail["CreateLabelingJob"] = [DENIED] * 1000
        started = clock.now()
        with pytest.raises(DeployError, match="AccessDeniedException: not authorized: iam:PassRole"):
            lifecycle.create(event())
        assert (clock.now() - started).total_seconds() < 60

    def test_another_validation_error_is_never_retried(
        self, lifecycle, sagemaker: SageMaker, clock: Clock
    ) -> None:
        sagemaker.fail["CreateLabelingJob"] = [
            service_error("CreateLabelingJob", "ValidationException", "no")
        ]
        started = clock.now()
        with pytest.raises(DeployError, match="closed to new customers on 2026-07-30"):
            lifecycle.create(event())
        assert clock.now() == started


class TestUpdate:
    def test_tags_change_in_place(self, lifecycle, sagemaker: SageMaker) -> None:
        old = properties(Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        new = properties(Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}])
        first = lifecycle.create(event(ResourceProperties=old))
        assert lifecycle.update(update(old, new, current=first.physical_id)) == first
        tags = sagemaker.jobs[first.physical_id]["tags"]
        assert {k: v for k, v in tags.items() if k not in OWN_TAGS} == {"b": "3", "c": "4"}
        assert set(OWN_TAGS) <= set(tags)

    def test_a_changed_request_is_a_new_job_beside_the_old_one(self, lifecycle, sagemaker: SageMaker) -> None:
        old, new = properties(), properties(request={"LabelAttributeName": "roads-ref"})
        first = lifecycle.create(event())
        second = lifecycle.update(update(old, new, current=first.physical_id))
        assert first.physical_id != second.physical_id
        assert not sagemaker.stopped

    def test_a_rollback_returns_to_the_old_job_still_running(self, lifecycle, sagemaker: SageMaker) -> None:
        a, b = properties(), properties(request={"LabelAttributeName": "roads-ref"})
        first = lifecycle.create(event())
        second = lifecycle.update(update(a, b, current=first.physical_id))
        back = lifecycle.update(update(b, a, current=second.physical_id, request_id="request-3"))
        assert back == first
        assert len(sagemaker.jobs) == 2

    def test_the_way_back_to_a_stopped_job_is_a_new_name(self, lifecycle, sagemaker: SageMaker) -> None:
        a, b = properties(), properties(request={"LabelAttributeName": "roads-ref"})
        first = lifecycle.create(event())
        second = lifecycle.update(update(a, b, current=first.physical_id))
        lifecycle.delete(event("Delete", "request-3", PhysicalResourceId=first.physical_id))
        third = lifecycle.update(update(b, a, current=second.physical_id, request_id="request-4"))
        assert third.physical_id not in (first.physical_id, second.physical_id)


class TestDelete:
    @pytest.mark.parametrize("status", ["Initializing", "InProgress", "Stopping"])
    def test_a_live_job_is_stopped_and_waited_for(self, lifecycle, sagemaker: SageMaker, status: str) -> None:
        name = lifecycle.create(event()).physical_id
        ending = ["Stopping", "Stopped"] if status == "Stopping" else [status]
        sagemaker.jobs[name]["statuses"] = ending
        lifecycle.delete(event("Delete", "request-9", PhysicalResourceId=name))
        assert sagemaker.jobs[name]["statuses"] == ["Stopped"]
        assert bool(sagemaker.stopped) == (status != "Stopping")

    @pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
    def test_an_ended_job_is_left_alone(self, lifecycle, sagemaker: SageMaker, status: str) -> None:
        name = lifecycle.create(event()).physical_id
        sagemaker.jobs[name]["statuses"] = [status]
        lifecycle.delete(event("Delete", "request-9", PhysicalResourceId=name))
        assert not sagemaker.stopped

    def test_a_job_that_never_was_is_fine(self, lifecycle) -> None:
        lifecycle.delete(event("Delete", PhysicalResourceId="never-was"))

    def test_somebody_elses_job_is_never_touched(self, lifecycle, sagemaker: SageMaker) -> None:
        name = lifecycle.create(event()).physical_id
        other = event("Delete", PhysicalResourceId=name, StackId="arn:aws:cloudformation:x:1:stack/Other/2")
        lifecycle.delete(other)
        assert not sagemaker.stopped

    def test_a_refused_stop_is_tried_again(self, lifecycle, sagemaker: SageMaker) -> None:
        name = lifecycle.create(event()).physical_id
        sagemaker.fail["StopLabelingJob"] = [service_error("StopLabelingJob", "ValidationException")]
        lifecycle.delete(event("Delete", PhysicalResourceId=name))
        assert sagemaker.stopped == [name]

    def test_a_denied_stop_is_an_error(self, lifecycle, sagemaker: SageMaker) -> None:
        name = lifecycle.create(event()).physical_id
        sagemaker.fail["StopLabelingJob"] = [service_error("StopLabelingJob", "AccessDeniedException")]
        with pytest.raises(Exception, match="AccessDeniedException"):
            lifecycle.delete(event("Delete", PhysicalResourceId=name))

    def test_out_of_time_is_left_for_the_next_delivery(self, lifecycle, sagemaker: SageMaker) -> None:
        name = lifecycle.create(event()).physical_id
        sagemaker.jobs[name]["statuses"] = ["Stopping"]
        with pytest.raises(NotYetError):
            lifecycle.delete(event("Delete", PhysicalResourceId=name))


def _raises(error):
    def call(**_) -> Never:
        raise error

    return call


class TestUnownedJobs:
    """What a request left that CloudFormation gave up on, and what must not be taken for it."""

    A, B = properties(), properties(request={"LabelAttributeName": "roads-ref"})

    def test_a_delete_under_a_made_up_id_finds_the_job_of_the_create_that_never_answered(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        name = lifecycle.create(event()).physical_id
        cloudformation.status, cloudformation.physical_id = "ROLLBACK_IN_PROGRESS", "Streets-Job-ABC"
        lifecycle.delete(event("Delete", "request-2", PhysicalResourceId="Streets-Job-ABC"))
        assert sagemaker.stopped == [name]

    def test_late_deletes_leave_the_stacks_job(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        name = lifecycle.create(event()).physical_id
        cloudformation.status, cloudformation.physical_id = "UPDATE_COMPLETE", name
        for late in ("not-created:streets-x", "Streets-Job-ABC", name):
            lifecycle.delete(event("Delete", "request-0", PhysicalResourceId=late))
        assert not sagemaker.stopped

    def test_a_rollback_stops_what_the_dead_update_left(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        first = lifecycle.create(event())
        stray = lifecycle.update(update(self.A, self.B, current=first.physical_id)).physical_id
        cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        back = update(self.B, self.A, current=first.physical_id, request_id="request-3")
        assert lifecycle.update(back) == first
        assert sagemaker.stopped == [stray]

    def test_what_could_not_be_stopped_is_found_again(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        first = lifecycle.create(event())
        stray = lifecycle.update(update(self.A, self.B, current=first.physical_id)).physical_id
        cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        sagemaker.fail["StopLabelingJob"] = [service_error("StopLabelingJob", "ValidationException")]
        back = update(self.B, self.A, current=first.physical_id, request_id="request-3")
        lifecycle.update(back)
        assert not sagemaker.stopped
        cloudformation.status = "DELETE_IN_PROGRESS"
        lifecycle.delete(event("Delete", "request-4", PhysicalResourceId=first.physical_id))
        assert sorted(sagemaker.stopped) == sorted([first.physical_id, stray])

    def test_a_rollback_returns_to_a_job_that_has_completed_and_makes_none(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        first = lifecycle.create(event())
        second = lifecycle.update(update(self.A, self.B, current=first.physical_id))
        sagemaker.jobs[first.physical_id]["statuses"] = ["Completed"]
        cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        back = update(self.B, self.A, current=second.physical_id, request_id="request-3")
        assert lifecycle.update(back) == first and len(sagemaker.jobs) == 2

    @pytest.mark.parametrize("status", ["InProgress", "Completed", "Stopped"])
    def test_a_rollback_that_can_not_be_told_makes_no_job_and_takes_up_no_ended_one(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation, status: str
    ) -> None:
        first = lifecycle.create(event())
        second = lifecycle.update(update(self.A, self.B, current=first.physical_id))
        sagemaker.jobs[first.physical_id]["statuses"] = [status]
        cloudformation.fail = [service_error("DescribeStacks", "AccessDenied")] * 10
        back = update(self.B, self.A, current=second.physical_id, request_id="request-3")
        if status == "Stopped":
            with pytest.raises(DeployError, match="doesn't say whether the stack rolls back"):
                lifecycle.update(back)
        else:
            assert lifecycle.update(back) == first
        assert len(sagemaker.jobs) == 2

    @pytest.mark.parametrize(
        ("status", "stopped"), [("DELETE_IN_PROGRESS", False), ("UPDATE_ROLLBACK_IN_PROGRESS", True)]
    )
    def test_a_retained_job_goes_on_unless_a_failed_deploy_made_it(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation, status: str, stopped: bool
    ) -> None:
        retained = properties(RemovalPolicy="Retain")
        name = lifecycle.create(event(ResourceProperties=retained)).physical_id
        cloudformation.status = status
        lifecycle.delete(event("Delete", "r", PhysicalResourceId=name, ResourceProperties=retained))
        assert bool(sagemaker.stopped) == stopped

    def test_a_retained_job_survives_late_events_of_its_stack(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        retained = properties(RemovalPolicy="Retain")
        name = lifecycle.create(event(ResourceProperties=retained)).physical_id
        removed = event("Delete", "r", PhysicalResourceId=name, ResourceProperties=retained)
        cloudformation.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        lifecycle.delete(removed)
        # The stack lives on, rolled back once since, and has no job of that name.
        cloudformation.status, cloudformation.physical_id = "UPDATE_ROLLBACK_COMPLETE", "another"
        lifecycle.delete(removed)
        with pytest.raises(DeployError, match="gave up"):
            lifecycle.create(event(ResourceProperties=retained))
        assert not sagemaker.stopped

    @pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_IN_PROGRESS"])
    def test_a_late_rollback_leaves_the_job_that_the_stack_has(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation, status: str
    ) -> None:
        first = lifecycle.create(event()).physical_id
        tagged = properties(Tags=[{"Key": "a", "Value": "1"}])
        back = update(tagged, self.A, current=first, request_id="request-3")
        second = lifecycle.update(update(self.A, self.B, current=first, request_id="request-4")).physical_id
        cloudformation.status, cloudformation.physical_id = status, second
        assert lifecycle.update(back).physical_id == first
        assert not sagemaker.stopped

    def test_a_late_change_of_tags_changes_none(
        self, lifecycle, sagemaker: SageMaker, cloudformation: CloudFormation
    ) -> None:
        name = lifecycle.create(event()).physical_id
        before = dict(sagemaker.jobs[name]["tags"])
        cloudformation.status, cloudformation.physical_id = "UPDATE_COMPLETE", name
        tagged = properties(Tags=[{"Key": "a", "Value": "1"}])
        lifecycle.update(update(self.A, tagged, current=name))
        assert sagemaker.jobs[name]["tags"] == before


class TestProbationInProgress:
    """Mistakes of the set-up show minutes after a job's start."""

    @pytest.fixture
    def watched(self, lifecycle):
        lifecycle.in_progress = timedelta(minutes=3)
        return lifecycle

    def test_a_job_is_watched_for_some_minutes(self, watched, clock: Clock) -> None:
        before = clock.now()
        watched.create(event())
        # No longer than the watch and what the job takes to begin: the last pause ends with the watch.
        assert timedelta(minutes=3) <= clock.now() - before <= timedelta(minutes=3, seconds=1)

    def test_without_probation_nothing_is_watched(self, watched, clock: Clock) -> None:
        before = clock.now()
        watched.create(event(ResourceProperties=properties(ProbationSeconds="0")))
        assert clock.now() - before < timedelta(seconds=5)

    def test_a_failure_after_the_start_fails_the_deploy(self, watched, sagemaker: SageMaker) -> None:
        sagemaker.statuses = ["Initializing", *["InProgress"] * 8, "Failed"]
        with pytest.raises(DeployError, match="failed: ClientError: the manifest is empty"):
            watched.create(event())

    @pytest.mark.parametrize(
        ("counters", "says"),
        [
            (
                {"FailedNonRetryableError": 10, "Unlabeled": 990, "TotalLabeled": 0},
                "first 10 objects",
            ),
            ({"FailedNonRetryableError": 3, "Unlabeled": 0, "TotalLabeled": 0}, "first 3 objects"),
            ({"FailedNonRetryableError": 10, "Unlabeled": 989, "TotalLabeled": 1}, ""),
            ({"FailedNonRetryableError": 2, "Unlabeled": 998, "TotalLabeled": 0}, ""),
            ({"FailedNonRetryableError": 0, "Unlabeled": 1000, "TotalLabeled": 0}, ""),
        ],
    )
    def test_first_objects_that_all_fail(self, watched, sagemaker: SageMaker, counters, says: str) -> None:
        sagemaker.more = {"LabelCounters": counters}
        if not says:
            watched.create(event())
            assert not sagemaker.stopped
            return
        with pytest.raises(DeployError, match=says):
            watched.create(event())
        # The job can't be left to cost what it can't give.
        assert len(sagemaker.stopped) == 1

    def test_a_reason_for_failure_counts_before_the_status_does(self, watched, sagemaker: SageMaker) -> None:
        sagemaker.more = {"FailureReason": "ClientError: the role can't read the template"}
        with pytest.raises(DeployError, match="started and can't go on: ClientError: the role"):
            watched.create(event())


class TestWhatIsTold:
    def test_closed_accounts_are_a_hint_for_create_labeling_job_alone(
        self, lifecycle, sagemaker: SageMaker
    ) -> None:
        sagemaker.fail["CreateLabelingJob"] = [
            service_error("CreateLabelingJob", "ValidationException", "bad")
        ]
        with pytest.raises(DeployError, match="closed to new customers"):
            lifecycle.create(event())
        sagemaker.fail["DescribeLabelingJob"] = [service_error("DescribeLabelingJob", "AccessDenied")] * 99
        with pytest.raises(DeployError) as told:
            lifecycle.create(event(request_id="request-2"))
        assert "closed to new customers" not in str(told.value)

    @pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "403", "Forbidden"])
    def test_each_spelling_of_a_denial_is_waited_out(
        self, lifecycle, sagemaker: SageMaker, code: str
    ) -> None:
        sagemaker.fail["CreateLabelingJob"] = [service_error("CreateLabelingJob", code, status=403)] * 3
        assert lifecycle.create(event()).physical_id in sagemaker.jobs

    def test_a_denial_after_a_long_copy_is_waited_out_too(
        self, lifecycle, sagemaker: SageMaker, clock: Clock
    ) -> None:
        lifecycle.staging.staged = lambda images, **_: clock.sleep(120)
        sagemaker.fail["CreateLabelingJob"] = [service_error("CreateLabelingJob", "AccessDenied")]
        assert lifecycle.create(event()).physical_id in sagemaker.jobs


def test_a_tag_sync_removes_only_what_this_stack_set(lifecycle, sagemaker: SageMaker) -> None:
    old = properties(Tags=[{"Key": "team", "Value": "a"}, {"Key": "phase", "Value": "1"}])
    new = properties(Tags=[{"Key": "phase", "Value": "2"}])
    name = lifecycle.create(event(ResourceProperties=old)).physical_id
    foreign = {"cost-center": "7", "auto:creator": "ada"}
    sagemaker.jobs[name]["tags"].update(foreign)
    lifecycle.update(update(old, new, current=name))
    tags = sagemaker.jobs[name]["tags"]
    assert "team" not in tags and tags["phase"] == "2"
    assert foreign.items() <= tags.items()
