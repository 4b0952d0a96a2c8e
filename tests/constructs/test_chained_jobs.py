"""Jobs that are about an earlier job's labels: what follows from `of`, and what is refused at synth."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from liquid import Environment

from cdk_ground_truth import (
    EarlierLabels,
    Images,
    Only,
    SemanticSegmentationAdjustmentJob,
    SemanticSegmentationLabelingJob,
    SemanticSegmentationVerificationJob,
    WorkerTemplate,
    Workteam,
)
from cdk_ground_truth.assertions import labeling_job, policy_statements

TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"
CLASSES = ["road", 'O\'Brien "x" </script> é']


class World:
    """A stack with a first job over photographs in a bucket."""

    def __init__(self, **options) -> None:
        self.app = App()
        self.stack = Stack(self.app, "Streets")
        self.team = Workteam.from_workteam_arn(self.stack, "Team", TEAM)
        self.photos = s3.Bucket(self.stack, "Photos")
        self.first = SemanticSegmentationLabelingJob(
            self.stack,
            "First",
            images=Images.from_bucket(self.photos, prefix="day/"),
            labels=CLASSES,
            workteam=self.team,
            **options,
        )

    def verify(self, construct_id="Check", of=None, **options):
        options = {"verdicts": ["right", "wrong"]} | options
        return SemanticSegmentationVerificationJob(
            self.stack, construct_id, of=of or self.first, workteam=self.team, **options
        )

    def adjust(self, construct_id="Fix", of=None, **options):
        return SemanticSegmentationAdjustmentJob(
            self.stack, construct_id, of=of or self.first, workteam=self.team, **options
        )

    def properties(self, prefix):
        template = Template.from_stack(self.stack)
        found = [
            resource["Properties"]
            for resource in template.find_resources("Custom::SemanticSegmentationLabelingJob").values()
            if resource["Properties"]["JobNamePrefix"] == prefix
        ]
        assert len(found) == 1
        return found[0]

    def published(self, uri) -> str:
        """The file that a URI of the template names."""
        (name,) = re.findall(r"[0-9a-f]{64}\.\w+", json.dumps(uri))
        assembly = self.app.synth()
        return open(f"{assembly.directory}/asset.{name}", encoding="utf-8").read()


@pytest.fixture
def world():
    return World()


def test_a_verification_follows_from_the_job_it_is_about(world) -> None:
    world.verify()
    job = labeling_job(Template.from_stack(world.stack), "streets-check")
    task = job.request["HumanTaskConfig"]
    assert task["PreHumanTaskLambdaArn"].endswith(":PRE-VerificationSemanticSegmentation")
    acs = task["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"]
    assert acs.endswith(":ACS-VerificationSemanticSegmentation")
    assert job.request["LabelAttributeName"] == "streets-check"
    images = world.properties("streets-check")["Images"]
    assert images["Source"] == "LabelingJob"
    assert images["JobName"] == {"Ref": world.stack.get_logical_id(world.first._resource.node.default_child)}
    assert images["LabelAttributeName"] == "streets-first-ref"
    categories = json.loads(
        world.published(world.properties("streets-check")["Request"]["LabelCategoryConfigS3Uri"])
    )
    assert [each["label"] for each in categories["labels"]] == ["right", "wrong"]


def test_an_adjustment_keeps_the_classes_and_asks_only_what_a_verification_rejected(world) -> None:
    world.adjust(of=world.verify(), only=Only(verdicts=["wrong"]))
    properties = world.properties("streets-fix")
    assert properties["Request"]["LabelAttributeName"] == "streets-fix-ref"
    assert properties["Images"]["Verdicts"] == ["wrong"]
    assert properties["Images"]["VerdictAttribute"] == "streets-check"
    # The verification's output has the segmentation, under its own name.
    assert properties["Images"]["LabelAttributeName"] == "streets-first-ref"
    categories = json.loads(world.published(properties["Request"]["LabelCategoryConfigS3Uri"]))
    assert [each["label"] for each in categories["labels"]] == CLASSES
    job = labeling_job(Template.from_stack(world.stack), "streets-fix")
    assert ":PRE-AdjustmentSemanticSegmentation" in job.request["HumanTaskConfig"]["PreHumanTaskLambdaArn"]


def rendered(source: str, line: dict, labels: list[str]) -> str:
    environment = Environment(autoescape=True)
    environment.filters["grant_read_access"] = lambda value: (
        f"https://signed/{value.rpartition('/')[2]}?a=1&b=2"
    )
    environment.filters["to_json"] = lambda value: json.dumps(value)
    task = {"input": {"taskObject": line["source-ref"], "labels": labels, "manifestLine": line}}
    return environment.from_string(source).render(task=task)


LINE = {
    "source-ref": "s3://photos/day/a.jpg",
    "streets-first-ref": "s3://out/a.png",
    "streets-first-ref-metadata": {
        "internal-color-map": {
            "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"},
            "1": {"class-name": CLASSES[0], "hex-color": "#2ca02c"},
            "2": {"class-name": CLASSES[1], "hex-color": "#1f77b4"},
        }
    },
}
MAPPINGS = {CLASSES[0]: {"color": "#2ca02c"}, CLASSES[1]: {"color": "#1f77b4"}}


def attributes(page: str, element: str) -> dict:
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs) -> None:
            if tag == element:
                found.append(dict(attrs))

    Reader().feed(page)
    return found[0]


def test_an_adjustments_page_starts_from_the_earlier_mask(world) -> None:
    world.adjust()
    source = world.published(world.properties("streets-fix")["Request"]["HumanTaskConfig"]["UiConfig"])
    element = attributes(rendered(source, LINE, CLASSES), "crowd-semantic-segmentation")
    initial = json.loads(element["initial-value"])
    assert initial == {"src": "https://signed/a.png?a=1&b=2", "labelMappings": MAPPINGS}
    assert json.loads(element["labels"]) == CLASSES


def test_a_verifications_page_shows_the_earlier_mask(world) -> None:
    world.verify(verdicts=["right", "</script>' wrong"])
    source = world.published(world.properties("streets-check")["Request"]["HumanTaskConfig"]["UiConfig"])
    element = attributes(rendered(source, LINE, ["right", "</script>' wrong"]), "crowd-image-classifier")
    overlay = json.loads(element["overlay"])["semanticSegmentation"]
    assert overlay["labelMappings"] == MAPPINGS
    assert overlay["labels"] == CLASSES
    assert overlay["src"] == "https://signed/a.png?a=1&b=2"
    assert json.loads(element["categories"]) == ["right", "</script>' wrong"]


def test_the_role_reads_images_and_earlier_masks_and_writes_its_own_output(world) -> None:
    world.verify()
    statements = policy_statements(Template.from_stack(world.stack))
    text = json.dumps([each for each in statements if "s3:GetObject" in each.get("Action", [])])
    assert "/labels/streets-first-" in text
    assert "/day/*" in text


def test_the_earlier_output_bucket_is_opened_to_browsers() -> None:
    world = World()
    stack = Stack(world.app, "Elsewhere")
    labels = s3.Bucket(stack, "Labels")
    images = Images.from_bucket(world.photos)
    team = Workteam.from_workteam_arn(stack, "Team", TEAM)
    first = SemanticSegmentationLabelingJob(
        stack, "First", images=images, labels=CLASSES, workteam=team, output_bucket=labels
    )
    SemanticSegmentationVerificationJob(stack, "Check", of=first, verdicts=["right", "wrong"], workteam=team)
    buckets = Template.from_stack(stack).find_resources("AWS::S3::Bucket")
    (found,) = [each for name, each in buckets.items() if name.startswith("Labels")]
    assert found["Properties"]["CorsConfiguration"]["CorsRules"]


def test_the_earlier_outputs_key_may_be_used(world) -> None:
    key = kms.Key(world.stack, "Key")
    team = world.team
    first = SemanticSegmentationLabelingJob(
        world.stack,
        "Secret",
        images=Images.from_bucket(world.photos),
        labels=["a"],
        workteam=team,
        encryption_key=key,
    )
    world.verify(of=first)
    policies = json.dumps(Template.from_stack(world.stack).find_resources("AWS::IAM::Policy"))
    assert "kms:Decrypt" in policies


def test_a_job_goes_on_from_an_earlier_one_with_its_attribute_and_more_images(world) -> None:
    job = SemanticSegmentationLabelingJob(
        world.stack,
        "More",
        images=Images.from_job(world.first, more=Images.from_bucket(world.photos, prefix="night/")),
        labels=CLASSES,
        workteam=world.team,
    )
    assert job.label_attribute_name == "streets-first-ref"
    images = world.properties("streets-more")["Images"]
    assert images["More"]["Source"] == "Bucket"
    assert "Verdicts" not in images


def test_an_output_manifest_does_as_well(world) -> None:
    earlier = EarlierLabels.from_output_manifest(
        world.photos, "old/output.manifest", label_attribute_name="old-ref", labels=["a"]
    )
    world.adjust(of=earlier, labels=["a", "b"])
    assert world.properties("streets-fix")["Images"]["LabelAttributeName"] == "old-ref"


def imported(world, **options):
    return SemanticSegmentationLabelingJob.from_labeling_job_attributes(
        world.stack,
        "Old",
        labeling_job_arn="arn:aws:sagemaker:us-east-1:111122223333:labeling-job/old",
        **options,
    )


def test_so_does_an_imported_job(world) -> None:
    old = imported(world, output_bucket=world.photos)
    earlier = EarlierLabels.from_job(
        old, label_attribute_name="old-ref", labels=["a"], image_buckets=[world.photos]
    )
    world.adjust(of=earlier)
    assert world.properties("streets-fix")["Images"]["JobName"] == "old"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda w: w.adjust(labels=["road"]),
            r"Streets/Fix: 'labels' must keep all classes.*-labels relabel",
        ),
        (lambda w: w.adjust(label_attribute_name="streets-first-ref"), "must differ from that of the labels"),
        (lambda w: w.adjust(label_attribute_name="fixed"), "end in '-ref'"),
        (lambda w: w.verify(label_attribute_name="check-ref"), "not end in '-ref' for a verification"),
        (lambda w: w.verify(verdicts=[str(n) for n in range(11)]), "be at most 10"),
        (lambda w: w.verify(verdicts=CLASSES), "these are the classes of the labels"),
        (lambda w: w.verify(verdicts=[]), "at least one label"),
        (lambda w: w.adjust(only=Only(verdicts=["wrong"])), "only.verdict_attribute"),
        (lambda w: w.adjust(only=Only(verdict_attribute="check")), "only.verdicts"),
        (lambda w: w.adjust(only=Only(confidence_below=0)), "above 0 and at most 1"),
        (lambda w: w.adjust(only=Only(classes=[])), "name at least one"),
        (lambda w: w.adjust(only=Only(keys="a.jpg")), "only.keys"),
        (lambda w: w.verify(of=imported(w)), "output_bucket"),
        (lambda w: w.verify(of=imported(w, output_bucket=w.photos)), "image_buckets"),
        (
            lambda w: w.verify(
                of=EarlierLabels.from_job(imported(w, output_bucket=w.photos), image_buckets=[w.photos])
            ),
            "say what the labels are called",
        ),
        (
            lambda w: w.adjust(
                of=EarlierLabels.from_output_manifest(w.photos, "a", label_attribute_name="a-ref")
            ),
            "earlier job's classes aren't known",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_at_synth(world, make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(world)


def test_a_verifications_own_template_has_the_element_that_asks_for_verdicts(world, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    text = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form>
        <{tag} name="verdict" header="h" src="{{{{ task.input.taskObject | grant_read_access }}}}"
        {choices}="{{{{ task.input.labels | to_json | escape }}}}"></{tag}></crowd-form>"""
    page.write_text(text.format(tag="crowd-semantic-segmentation", choices="labels"))
    with pytest.raises(ValueError, match="one <crowd-image-classifier>"):
        world.verify(worker_template=WorkerTemplate.from_file(page))


def test_a_verifications_own_template_that_asks_for_verdicts_is_taken(world, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form>
        <crowd-image-classifier name="verdict" header="h"
        src="{{ task.input.taskObject | grant_read_access }}"
        categories="{{ task.input.labels | to_json | escape }}"></crowd-image-classifier></crowd-form>"""
    )
    world.verify(worker_template=WorkerTemplate.from_file(page))
    source = world.published(world.properties("streets-check")["Request"]["HumanTaskConfig"]["UiConfig"])
    assert source == page.read_text()


def test_how_long_they_are_watched(world) -> None:
    world.adjust(watch=Duration.seconds(40))
    world.verify(watch=Duration.seconds(0))
    assert world.properties("streets-fix")["WatchSeconds"] == 40
    assert world.properties("streets-check")["WatchSeconds"] == 0
