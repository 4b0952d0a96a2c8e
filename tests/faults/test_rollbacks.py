"""What a stack has right after a rollback that sent its job an Update: all labels, and work that goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.awsrequest import AWSResponse

from tests.faults import labels
from tests.faults.faults import Injector, Killed
from tests.faults.wire import Request, error_reply
from tests.faults.world import World


@pytest.mark.parametrize("painted", [0, 1, None], ids=["nothing more", "one more", "all the rest"])
def test_a_rollback_has_all_labels_that_there_are(painted: int | None) -> None:
    with World(pace=0.1) as world:
        stack = world.cloudformation
        assert stack.deploy(labels.job("A"))
        labels.paint(world, 2)
        assert not stack.deploy(
            labels.job("B"), other_fails=True, back=True, meanwhile=lambda: labels.paint(world, painted)
        )
        assert stack.status == "UPDATE_ROLLBACK_COMPLETE" and stack.resource is not None
        world.wait(120)
        # The job that the stack has now is finished by its workers, without a further deploy.
        labels.paint(world)
        world.wait(120)
        made = labels.labels(world)[stack.resource.physical_id]
        images = {f"s3://photos/{key}" for bucket, key in world.material.objects if bucket == "photos"}
        assert made.keys() == {image for image in images if "/week/" in image}
        assert not labels.twice(world) and not labels.nothing_lost(world)
        # And it outlives its stack no longer than any.
        assert stack.destroy() and not world.jobs()


class _Twice(Injector):
    """The update's job is refused, and the rollback's first delivery dies when it has made its own."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.killed = 0

    def through(self, request: Request, effect: Callable[[], AWSResponse]) -> AWSResponse:
        if request.operation == "CreateLabelingJob" and self.request == 1:
            return error_reply(request, 400, "AccessDeniedException")
        answer = effect()
        if request.operation == "CreateLabelingJob" and self.request == 2 and not self.killed:
            self.killed += 1
            raise Killed
        return answer


def test_a_rollback_that_dies_goes_on_with_the_job_that_it_has_made() -> None:
    injector = _Twice()
    with World(injector, pace=0.1) as world:
        stack = world.cloudformation
        assert stack.deploy(labels.job("A"))
        labels.paint(world, 2)
        assert not stack.deploy(labels.job("B"))
        assert injector.killed == 1 and stack.status == "UPDATE_ROLLBACK_COMPLETE"
        assert stack.resource is not None and world.jobs("InProgress") == [stack.resource.physical_id]
        labels.paint(world)
        world.wait(120)
        assert len(labels.labels(world)[stack.resource.physical_id]) == 4
        assert not labels.twice(world)
