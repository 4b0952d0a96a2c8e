from __future__ import annotations

import pytest

from labeling_job import contract
from labeling_job.contract import ContractError, parse, split_s3_uri
from tests.labeling_job.fakes import properties


def test_numbers_arrive_as_strings_and_leave_as_numbers() -> None:
    human = {"HumanTaskConfig": {"NumberOfHumanWorkersPerDataObject": "3", "TaskTimeLimitInSeconds": 600}}
    request = parse(properties(request=human)).request
    assert request["HumanTaskConfig"] == {
        "NumberOfHumanWorkersPerDataObject": 3,
        "TaskTimeLimitInSeconds": 600,
    }


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"Surprise": "x"}, "'Surprise'"),
        ({"Images": {"Source": "Manifest", "Extra": "x"}}, "'Images.Extra'"),
        ({"Images": {"Source": "Directory"}}, "Images."),
        ({"Images": {"Source": "Elsewhere"}}, "Images.Source"),
        ({"Images": "s3://x"}, "'Images'"),
        ({"Images": {}}, "'Images.Source'"),
        ({"Request": {"LabelAtributeName": "x-ref"}}, "'Request.LabelAtributeName'"),
        ({"Request": {"RoleArn": 3}}, "'Request.RoleArn'"),
        ({"Request": {"HumanTaskConfig": "x"}}, "'Request.HumanTaskConfig'"),
        ({"Request": {"HumanTaskConfig": {"TaskKeywords": "x"}}}, "TaskKeywords"),
        ({"Request": {"HumanTaskConfig": {"MaxConcurrentTaskCount": "ten"}}}, "'ten'"),
        ({"Request": {"HumanTaskConfig": {"MaxConcurrentTaskCount": "-1"}}}, "'-1'"),
        ({"Request": {"HumanTaskConfig": {"MaxConcurrentTaskCount": "1.0"}}}, "'1.0'"),
        ({"Tags": "x"}, "'Tags'"),
        ({"Tags": [{"Key": "a"}]}, "'Tags.Value'"),
        ({"Tags": [{"Key": "a", "Value": "b", "Colour": "c"}]}, "'Tags.Colour'"),
    ],
)
def test_what_the_contract_does_not_list_is_refused_by_name(change, names: str) -> None:
    with pytest.raises(ContractError) as refused:
        parse(properties(**change))
    assert names in str(refused.value)


@pytest.mark.parametrize("missing", ["JobNamePrefix", "Images", "Request"])
def test_a_missing_property_is_named(missing: str) -> None:
    incomplete = {key: value for key, value in properties().items() if key != missing}
    with pytest.raises(ContractError, match=f"missing property '{missing}'"):
        parse(incomplete)


def test_images_keep_the_uris_of_their_source() -> None:
    uris = {"ArchiveS3Uri": "s3://assets/a.zip", "StagingS3Uri": "s3://in/p/"}
    images = parse(properties(Images={"Source": contract.SOURCE_DIRECTORY, **uris})).images
    assert (images.archive_s3_uri, images.staging_s3_uri, images.images_s3_uri) == (*uris.values(), "")


def test_tags_become_a_map() -> None:
    assert parse(properties(Tags=[{"Key": "team", "Value": "a"}])).tags == {"team": "a"}


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("s3://b/k/é k", ("b", "k/é k")),
        ("s3://b", ("b", "")),
        ("s3://b/", ("b", "")),
        ("s3://b/a\nb", ("b", "a\nb")),
    ],
)
def test_s3_uris_are_split(uri: str, parts) -> None:
    assert split_s3_uri(uri) == parts


@pytest.mark.parametrize("uri", ["https://b/k", "s3:/b", "", "s3://"])
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(ContractError, match="not an S3 URI"):
        split_s3_uri(uri)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("RemovalPolicy", "Delete", "'RemovalPolicy' must be 'Stop' or 'Retain', got 'Delete'"),
        ("ProbationSeconds", "1801", "'ProbationSeconds' must be at most 1800, got 1801"),
        ("ProbationSeconds", "-1", "'ProbationSeconds' must be a whole number"),
        ("WatchSeconds", "301", "'WatchSeconds' must be at most 300, got 301"),
        ("WatchSeconds", "3m", "'WatchSeconds' must be a whole number"),
    ],
)
def test_a_jobs_end_and_first_minutes_are_checked(key: str, value: str, says: str) -> None:
    with pytest.raises(contract.ContractError, match=says):
        contract.parse(properties(**{key: value}))


def test_without_them_a_job_is_stopped_and_watched_for_ten_minutes() -> None:
    parsed = contract.parse(properties())
    assert (parsed.removal_policy, parsed.probation_seconds) == (contract.REMOVAL_STOP, 600)
