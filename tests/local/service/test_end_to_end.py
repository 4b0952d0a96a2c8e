from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_local.service.teams import Person
from ground_truth_local.workers import SimulatedWorkers
from tests.local.service.conftest import FakeAws


@pytest.fixture
def workers(harness: Any):
    simulated = SimulatedWorkers(harness.service, seed=7)
    simulated.start()
    yield simulated
    simulated.stop()


def test_a_job_labels_all_of_its_objects(harness: Any, aws: FakeAws, workers) -> None:
    assert harness.create(HumanTaskConfig__NumberOfHumanWorkersPerDataObject=3).status == 200
    job = harness.wait()
    assert job["LabelingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["LabelCounters"] == {
        "TotalLabeled": 3,
        "HumanLabeled": 3,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 0,
    }
    uri = job["LabelingJobOutput"]["OutputDatasetS3Uri"]
    assert uri == "s3://output/labels/streets/manifests/output/output.manifest"
    lines = [json.loads(line) for line in aws.get(uri).decode().splitlines()]
    assert [line["id"] for line in lines] == [0, 1, 2]
    for line in lines:
        image = Image.open(io.BytesIO(aws.get(line["streets-ref"])))
        assert image.size == (24, 16)
        colors = {entry["hex-color"] for entry in line["streets-ref-metadata"]["internal-color-map"].values()}
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
        assert {"#" + bytes(pixel).hex() for pixel in np.unique(pixels, axis=0)} <= colors


@pytest.mark.parametrize(("people", "hands"), [(["ada", "grace", "katherine", "annie"], 4), (["ada"], 3)])
def test_a_teams_own_people_label_and_spares_only_help_out(
    harness: Any, aws: FakeAws, people, hands: int
) -> None:
    body = {
        "WorkteamName": "crew",
        "Description": "with people",
        "MemberDefinitions": [
            {"CognitoMemberDefinition": {"UserPool": "eu-west-1_pool", "UserGroup": "crew", "ClientId": "c"}}
        ],
    }
    team = harness.call("CreateWorkteam", body).body["WorkteamArn"]
    simulated = SimulatedWorkers(
        harness.service,
        directory=lambda pool, group, region: (
            [Person(name, f"sub-of-{name}") for name in people]
            if (pool, group) == ("eu-west-1_pool", "crew")
            else []
        ),
    )
    simulated.start()
    try:
        harness.create(
            HumanTaskConfig__WorkteamArn=team, HumanTaskConfig__NumberOfHumanWorkersPerDataObject=3
        )
        assert harness.wait()["LabelingJobStatus"] == "Completed"
    finally:
        simulated.stop()
    names = {member.worker: member.name for member in harness.service.queue.members(team)}
    answers = [
        answer
        for key in aws.keys("output", "worker-response/")
        for answer in json.loads(aws.get(f"s3://output/{key}"))["answers"]
    ]
    who = {names[answer["workerId"]] for answer in answers}
    assert len(answers) == 9 and len(who) == hands
    for answer in answers:
        identity = answer["workerMetadata"]["identityData"]
        assert identity["issuer"] == "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
        if names[answer["workerId"]] in people:
            assert identity["sub"] == f"sub-of-{names[answer['workerId']]}"
    assert set(people) <= who if len(people) < 3 else who <= set(people)
