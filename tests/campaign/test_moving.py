"""A campaign whose folder changes, and whoever waits for a job while its end is told: played, without AWS."""

from __future__ import annotations

import copy
import os
from typing import Any

from labeling_campaign import ends
from labeling_campaign.campaign import Campaign
from labeling_campaign.clients import patience_of
from labeling_campaign.state import Token
from labeling_job.campaign import FOLDER
from tests.faults.campaigns.world import FOLDER_URI, CampaignWorld

ELSEWHERE = "s3://output/labels/campaigns/avenues/"


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000


def moved(world: CampaignWorld, **job: str) -> dict[str, Any]:
    """The properties with another folder, and what the app says besides; the function has the folder, too."""
    os.environ[FOLDER] = ELSEWHERE
    found = copy.deepcopy(world.properties)
    found["Campaign"]["FolderS3Uri"] = ELSEWHERE
    found["Job"] |= job
    return found


def half(world: CampaignWorld) -> None:
    """One of three jobs is over, one is in its middle."""
    assert world.cloudformation.deploy(world.properties)
    world.run("first")
    world.until(lambda: world.bought)
    world.until(lambda: world.jobs("InProgress"))


def test_a_folder_without_labels_is_refused_and_the_campaign_goes_on() -> None:
    with CampaignWorld(pace=0.1) as world:
        half(world)
        assert not world.cloudformation.deploy(moved(world))
        assert world.cloudformation.status == "UPDATE_ROLLBACK_COMPLETE"
        reasons = " ".join(world.cloudformation.reasons)
        assert f"would begin anew in {ELSEWHERE}, with all images asked again" in reasons
        # The rollback has given the function its folder back.
        os.environ[FOLDER] = FOLDER_URI
        assert world.rest(1)
        world.run("second")
        assert world.rest(1)
        assert len(world.lines("dataset.manifest")) == 7 and not world.labeled_twice()


def test_a_copied_folder_goes_on_from_its_labels() -> None:
    with CampaignWorld(pace=0.1) as world:
        half(world)
        old, new = (uri.removeprefix("s3://output/") for uri in (FOLDER_URI, ELSEWHERE))
        objects = world.aws.objects
        copies = {key: new + key[1].removeprefix(old) for key in objects if key[1].startswith(old)}
        for (bucket, key), to in copies.items():
            objects[bucket, to] = objects[bucket, key]
            world.aws._metadata[bucket, to] = world.aws._metadata.get((bucket, key), {})
        # Another name, which is why the folder is another one.
        assert world.cloudformation.deploy(moved(world, JobNamePrefix="avenues"))
        assert world.rest(1)
        world.run("second")
        assert world.rest(1)
        body = objects["output", f"{new}dataset.manifest"]
        assert len(body.splitlines()) == 7 and not world.labeled_twice()


def test_a_campaign_that_begins_anew_on_purpose_leaves_no_job_behind() -> None:
    with CampaignWorld(pace=0.1) as world:
        half(world)
        assert world.cloudformation.deploy(moved(world, Relabel="true"))
        assert not world.machine.running()
        world.wait(60)
        assert not world.jobs()


def test_a_token_that_nobody_waits_for_takes_no_other_with_it() -> None:
    with CampaignWorld(pace=0.1) as world:
        half(world)
        [name] = world.jobs("InProgress")
        campaign = Campaign(FOLDER_URI, patience_of(_Context))
        waiting = campaign.state.token(name)
        assert waiting is not None
        world.complete(name)
        # The listener has read the token of a try that failed; the next try has kept its own since.
        old = Token(job=name, token="of a try that failed", execution=waiting.execution)
        ends.look_at(campaign, old)
        assert campaign.state.token(name) == waiting
        ends.look_at(campaign, waiting)
        assert campaign.state.token(name) is None
