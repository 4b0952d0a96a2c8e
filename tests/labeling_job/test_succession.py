"""Updates of a job that has labels: none is bought twice, none is lost, and none changes its meaning."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Never

import pytest

from labeling_job.contract import TAG_FOLLOWER, TAG_SUCCESSOR
from labeling_job.errors import DeployError
from labeling_job.images import staged
from labeling_job.patience import Patience
from labeling_job.storage import Storage
from tests.labeling_job.fakes import (
    S3,
    START,
    Clock,
    CloudFormation,
    SageMaker,
    event,
    properties,
)
from tests.labeling_job.test_lifecycle import Handler, update
from tests.s3 import service_error

ATTRIBUTE = "streets-ref"
BUCKET = {"Source": "Bucket", "ImagesS3Uri": "s3://photos/day/", "StagingS3Uri": "s3://in/s/"}


class Crash(BaseException):
    """The function dies."""


class Staging:
    """The handler's own, over the fake S3."""

    def __init__(self, s3, clock) -> None:
        self.s3, self.clock = s3, clock

    @property
    def storage(self):
        clock = self.clock
        patience = Patience(remaining_ms=lambda: clock.remaining_ms, sleep=clock.sleep, now=clock.now)
        return Storage(self.s3, patience)

    def staged(self, images, **job):
        return staged(self.storage, images, **job)

    def publish(self, staging, before_copying) -> None:
        staging.publish(self.storage, before_copying)


class World(Handler):
    """A deployed job over six photographs, and what its workers have labeled."""

    def __init__(self, sagemaker, cloudformation, clock, s3) -> None:
        super().__init__(sagemaker, cloudformation, clock)
        self.s3 = s3
        self.staging = Staging(s3, clock)
        self.photos = [f"day/{n}.jpg" for n in range(6)]
        s3.objects |= {("photos", key): b"x" for key in self.photos}
        self.properties = self.described()
        self.first = self.create(event(ResourceProperties=self.properties)).physical_id
        cloudformation.physical_id = self.first
        clock.time += timedelta(hours=1)

    def described(self, labels=("road",), title="Streets", **changes):
        identity = {"Labels": list(labels), "Template": "t"}
        request = {"HumanTaskConfig": {"TaskTitle": title, "NumberOfHumanWorkersPerDataObject": "3"}}
        return properties(Images=changes.pop("images", BUCKET), Identity=identity, request=request, **changes)

    def manifest(self, name) -> list[dict]:
        source = self.sagemaker.jobs[name]["request"]["InputConfig"]["DataSource"]
        bucket, key = source["S3DataSource"]["ManifestS3Uri"].removeprefix("s3://").split("/", 1)
        return [json.loads(line) for line in self.s3.objects[bucket, key].splitlines()]

    def label(self, name, count, *, status="Completed"):
        """Let workers label the first of a job's images that have no label; its output says so."""
        lines, left = self.manifest(name), count
        for line in lines:
            if ATTRIBUTE not in line and left:
                line[ATTRIBUTE] = f"s3://out/{name}/{line['source-ref'][-5:]}.png"
                line[f"{ATTRIBUTE}-metadata"] = {"type": "groundtruth/semantic-segmentation", "by": name}
                left -= 1
        text = "".join(json.dumps(line, separators=(" ,", ": ")) + "\n" for line in lines)
        self.s3.objects["out", f"labels/{name}/manifests/output/output.manifest"] = text.encode()
        job = self.sagemaker.jobs[name]
        job["labeled"] = sum(ATTRIBUTE in line for line in lines)
        job["statuses"] = [status]
        return [line for line in lines if ATTRIBUTE in line]

    def changed(self, new, *, request_id="request-2", old=None):
        return self.update(update(old or self.properties, new, current=self.first, request_id=request_id))


@pytest.fixture
def world(sagemaker: SageMaker, cloudformation: CloudFormation, clock: Clock, s3: S3):
    return World(sagemaker, cloudformation, clock, s3)


def asked(lines) -> list[str]:
    return [line["source-ref"] for line in lines if ATTRIBUTE not in line]


def test_more_photographs_are_asked_and_nothing_else(world) -> None:
    labels = world.label(world.first, 6)
    world.s3.objects |= {("photos", f"day/{n}.jpg"): b"x" for n in (6, 7)}
    name = world.changed(world.described(title="Roads")).physical_id
    found = world.manifest(name)
    assert [line for line in found if ATTRIBUTE in line] == labels
    assert asked(found) == ["s3://photos/day/6.jpg", "s3://photos/day/7.jpg"]


def test_the_first_labels_are_passed_on_to_the_byte(world) -> None:
    world.label(world.first, 3, status="Stopped")
    name = world.changed(world.described(title="Roads")).physical_id
    before = world.s3.objects["out", f"labels/{world.first}/manifests/output/output.manifest"].splitlines()
    after = world.s3.objects["in", f"s/manifests/{name}.manifest"].splitlines()
    assert after[:3] == before[:3]


def test_a_change_in_the_middle_stops_the_old_job_before_the_new_one_asks(world) -> None:
    labels = world.label(world.first, 2, status="InProgress")
    order = []
    create, stop = world.sagemaker.create_labeling_job, world.sagemaker.stop_labeling_job
    world.sagemaker.create_labeling_job = lambda **r: (order.append("create"), create(**r))[1]
    world.sagemaker.stop_labeling_job = lambda **r: (order.append("stop"), stop(**r))[1]
    name = world.changed(world.described(title="Roads")).physical_id
    assert order == ["stop", "create"]
    found = world.manifest(name)
    assert [line for line in found if ATTRIBUTE in line] == labels
    assert len(asked(found)) == 4


def test_a_replaced_file_is_asked_again_and_it_alone(world) -> None:
    world.label(world.first, 6)
    world.s3.modified["photos", "day/3.jpg"] = START + timedelta(minutes=30)
    name = world.changed(world.described(title="Roads")).physical_id
    assert asked(world.manifest(name)) == ["s3://photos/day/3.jpg"]


def test_where_nothing_is_left_to_label_the_old_job_stays_the_answer(world) -> None:
    world.label(world.first, 6)
    outcome = world.changed(world.described(title="Roads"))
    assert outcome.physical_id == world.first
    assert list(world.sagemaker.jobs) == [world.first]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["road", "kerb"], r"5 images of the job .* are labeled, and the update adds 'kerb'.*AdjustmentJob"),
        (["street"], r"adds 'street' and drops 'road'.*keep the class among the labels.*relabel=True"),
    ],
)
def test_other_classes_are_refused_with_the_numbers_and_what_fits(world, labels, message: str) -> None:
    world.label(world.first, 5, status="InProgress")
    with pytest.raises(DeployError, match=message):
        world.changed(world.described(labels=labels))
    assert not world.sagemaker.stopped
    assert list(world.sagemaker.jobs) == [world.first]


def test_another_attribute_is_refused(world) -> None:
    world.label(world.first, 5)
    new = properties(
        Images=BUCKET, Identity=world.properties["Identity"], request={"LabelAttributeName": "b-ref"}
    )
    with pytest.raises(
        DeployError, match=r"5 images .*under 'streets-ref'.*'b-ref' all would be asked again"
    ):
        world.changed(new)


def test_relabel_buys_all_again_on_purpose(world) -> None:
    world.label(world.first, 6)
    name = world.changed(world.described(labels=["kerb"], Relabel="true")).physical_id
    assert len(asked(world.manifest(name))) == 6


def test_a_users_own_manifest_is_continued_beside_it(
    world, sagemaker: SageMaker, cloudformation: CloudFormation, clock: Clock, s3: S3
) -> None:
    s3.objects["in", "a.manifest"] = (
        b'{"source-ref": "s3://photos/day/0.jpg"}\n{"source-ref": "s3://photos/b.jpg"}\n'
    )
    images = {"Source": "Manifest", "StagingS3Uri": "s3://out/labels/continued/"}
    world.properties = world.described(images=images)
    # As a first create would have left it.
    world.sagemaker.jobs[world.first]["request"]["InputConfig"]["DataSource"]["S3DataSource"] = {
        "ManifestS3Uri": "s3://in/a.manifest"
    }
    labels = world.label(world.first, 1)
    name = world.changed(world.described(images=images, title="Roads")).physical_id
    found = world.manifest(name)
    assert found[0] == labels[0]
    assert asked(found) == ["s3://photos/b.jpg"]


def test_labels_that_cannot_be_read_are_not_bought_again(world) -> None:
    world.label(world.first, 6)
    real = world.s3.get_object

    def get_object(**request):
        if request["Bucket"] == "out":
            raise service_error("GetObject", "AccessDenied", status=403)
        return real(**request)

    world.s3.get_object = get_object
    with pytest.raises(DeployError, match="can't be read"):
        world.changed(world.described(title="Roads"))
    assert list(world.sagemaker.jobs) == [world.first]


def test_a_death_between_stop_and_create_goes_on_with_the_next_delivery(world) -> None:
    labels = world.label(world.first, 2, status="InProgress")
    real = world.sagemaker.create_labeling_job

    def die(**_) -> Never:
        raise Crash

    world.sagemaker.create_labeling_job = die
    with pytest.raises(Crash):
        world.changed(world.described(title="Roads"))
    assert world.sagemaker.stopped == [world.first]
    world.sagemaker.create_labeling_job = real
    name = world.changed(world.described(title="Roads")).physical_id
    assert [line for line in world.manifest(name) if ATTRIBUTE in line] == labels
    assert len(world.sagemaker.jobs) == 2


class TestRollback:
    """Something else in the stack failed after the update had stopped the old job."""

    @pytest.fixture
    def rolled_back(self, world, cloudformation: CloudFormation):
        def roll_back(*, new_labels):
            world.label(world.first, 2, status="InProgress")
            new = world.described(title="Roads")
            second = world.changed(new).physical_id
            if new_labels:
                world.label(second, new_labels, status="InProgress")
            cloudformation.status = "UPDATE_ROLLBACK_IN_PROGRESS"
            event = update(new, world.properties, current=world.first, request_id="request-3")
            return second, world.update(event).physical_id

        return roll_back

    @pytest.mark.parametrize("new_labels", [0, 1])
    def test_work_goes_on_with_the_old_properties_and_all_labels(
        self, world, rolled_back, new_labels: int
    ) -> None:
        second, third = rolled_back(new_labels=new_labels)
        assert third not in (world.first, second)
        found = world.manifest(third)
        assert len(found) == 6
        assert len(asked(found)) == 4 - new_labels
        request = world.sagemaker.jobs[third]["request"]
        assert request["HumanTaskConfig"]["TaskTitle"] == "Streets"
        assert second in world.sagemaker.stopped

    def test_where_it_can_not_the_rollback_still_ends_well(self, world, rolled_back) -> None:
        denied = service_error("CreateLabelingJob", "ValidationException", "no more")
        world.sagemaker.fail["CreateLabelingJob"] = []
        real = world.sagemaker.create_labeling_job

        def create(**request):
            if len(world.sagemaker.jobs) == 2:
                raise denied
            return real(**request)

        world.sagemaker.create_labeling_job = create
        _, third = rolled_back(new_labels=0)
        assert third == world.first

    def test_a_late_event_makes_no_job(self, world, rolled_back, cloudformation: CloudFormation) -> None:
        rolled_back(new_labels=0)
        count = len(world.sagemaker.jobs)
        cloudformation.status = "UPDATE_ROLLBACK_COMPLETE"
        event = update(
            world.described(title="Roads"), world.properties, current=world.first, request_id="request-4"
        )
        world.update(event)
        assert len(world.sagemaker.jobs) == count


def test_labels_of_a_job_that_a_rollback_took_away_are_not_bought_again(
    world, cloudformation: CloudFormation
) -> None:
    """Of two more photographs the new job had labeled one when another resource failed."""
    first = world.label(world.first, 6)
    world.s3.objects |= {("photos", f"day/{n}.jpg"): b"x" for n in (6, 7)}
    new = world.described(title="Roads")
    second = world.changed(new).physical_id
    world.label(second, 1, status="Stopped")
    assert world.sagemaker.jobs[world.first]["tags"][TAG_FOLLOWER] == second
    third = world.changed(world.described(title="Lanes"), request_id="request-3").physical_id
    found = world.manifest(third)
    assert asked(found) == ["s3://photos/day/7.jpg"] and len(found) == 8
    assert [line for line in found if ATTRIBUTE in line][:6] == first
    # And so on, from the last of them.
    assert world.sagemaker.jobs[second]["tags"][TAG_FOLLOWER] == third


def test_where_a_job_that_a_rollback_took_away_has_the_rest_it_is_the_answer(world) -> None:
    world.label(world.first, 6)
    world.s3.objects |= {("photos", f"day/{n}.jpg"): b"x" for n in (6, 7)}
    second = world.changed(world.described(title="Roads")).physical_id
    assert len(world.label(second, 2)) == 8
    outcome = world.changed(world.described(title="Lanes"), request_id="request-3")
    # Only its output has all labels.
    assert outcome.physical_id == second and second in outcome.data["OutputManifestS3Uri"]
    assert len(world.sagemaker.jobs) == 2


def test_followers_of_another_stack_or_in_a_circle_are_nobodys(world) -> None:
    world.label(world.first, 2, status="Stopped")
    world.sagemaker.jobs[world.first]["tags"][TAG_FOLLOWER] = world.first
    name = world.changed(world.described(title="Roads")).physical_id
    assert len(asked(world.manifest(name))) == 4
    world.label(name, 1, status="Stopped")
    world.sagemaker.jobs[name]["tags"]["cdk-ground-truth:stack-id"] = "another"
    third = world.changed(world.described(title="Lanes"), request_id="request-3").physical_id
    assert len(asked(world.manifest(third))) == 4


def test_the_old_job_says_which_one_went_on(world) -> None:
    world.label(world.first, 2, status="InProgress")
    name = world.changed(world.described(title="Roads")).physical_id
    assert world.sagemaker.jobs[world.first]["tags"][TAG_SUCCESSOR] == name


@pytest.mark.parametrize(
    "change",
    [
        {"LabelCategoryConfigS3Uri": "s3://other-qualifier/labels.json"},
        {
            "HumanTaskConfig": {
                "TaskTitle": "Streets",
                "NumberOfHumanWorkersPerDataObject": "3",
                "UiConfig": {"UiTemplateS3Uri": "s3://other/t.html"},
            }
        },
    ],
)
def test_another_place_of_the_same_files_is_no_change(world, change) -> None:
    world.label(world.first, 2, status="InProgress")
    new = properties(Images=BUCKET, Identity=world.properties["Identity"], request=change)
    assert world.changed(new).physical_id == world.first
    assert not world.sagemaker.stopped
