"""What the handler may read, and what goes into the contract, for preflight and cost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_ground_truth import (
    CostCeiling,
    Images,
    Preflight,
    Prices,
    PriceTier,
    SemanticSegmentationLabelingJob,
    StoppingConditions,
)
from labeling_job import cost as handler_cost
from labeling_job.contract import parse
from labeling_job.rules.findings import CHECKS
from tests.constructs.conftest import Synthesized
from tests.least_privilege import skipped

HANDLER = "CdkGroundTruthHandlerRole"
PRICES = Prices(
    currency="USD",
    source="offer 7",
    as_of="2026-11-01",
    per_object=[PriceTier(price="0.10", up_to=1_000), PriceTier(price="0.05")],
    per_task="0.50",
)


class TestPreflight:
    def test_is_on_unless_it_is_switched_off(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        add_job(stack)
        assert synth(stack).delivered()["Preflight"] == {}

    def test_what_is_skipped_reaches_the_handler(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        skip = ["image-orientation", "quota", "quota"]
        add_job(stack, preflight=Preflight(skip=skip, image_time=Duration.minutes(2)))
        parsed = parse(synth(stack).delivered())
        assert parsed.preflight == {"Skip": ["image-orientation", "quota"], "Seconds": 120}

    def test_switched_off_it_asks_for_nothing(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        add_job(stack, preflight=Preflight(enabled=False))
        template = synth(stack)
        assert "Preflight" not in template.delivered()
        assert not template.allowed(HANDLER, "iam:SimulatePrincipalPolicy")
        assert not template.allowed(HANDLER, "s3:GetBucketCORS")

    @pytest.mark.parametrize(
        ("preflight", "message"),
        [
            (Preflight(skip=["image-colour"]), "'preflight.skip' must name checks of docs/preflight.md"),
            (Preflight(skip="quota"), "'preflight.skip' must be a list of strings"),
            (Preflight(image_time=Duration.minutes(11)), "'preflight.image_time' must be 1 to 600 seconds"),
        ],
    )
    def test_nonsense_is_refused(
        self, stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], preflight, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            add_job(stack, preflight=preflight)

    def test_every_check_can_be_skipped(
        self, stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
    ) -> None:
        add_job(stack, preflight=Preflight(skip=list(CHECKS)))

    def test_the_handler_reads_what_the_job_reads_and_writes_a_report(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        add_job(stack)
        template = synth(stack)
        [role] = template.allowed(HANDLER, "iam:SimulatePrincipalPolicy")
        assert role == template.delivered()["Request"]["RoleArn"]
        job_reads = template.allowed("JobExecutionRole", "s3:GetObject")
        job_writes = template.allowed("JobExecutionRole", "s3:PutObject")
        may_read = template.allowed(HANDLER, "s3:GetObject")
        # What is staged it may read for all jobs at once.
        staged = {arn.replace("/inputs/test-job/*", "/inputs/*") for arn in job_reads - job_writes}
        assert staged < may_read
        # Beside these the archive, and what jobs have labeled, for an update.
        archive, output = sorted(may_read - staged)
        assert archive.endswith(".zip") and output.endswith("/labels/*/manifests/output/output.manifest")
        written = {arn for arn in template.allowed(HANDLER, "s3:PutObject") if "/labels/" in arn}
        assert len(written) == 1 and written.pop().endswith("/labels/preflight/*")

    def test_a_report_can_be_written_to_a_bucket_with_a_key(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        key, listed = kms.Key(stack, "Key"), s3.Bucket.from_bucket_name(stack, "Photos", "photos")
        output = s3.Bucket(stack, "Labels", encryption_key=key)
        add_job(stack, images=Images.from_bucket(listed), output_bucket=output)
        template = synth(stack)
        arn = template.resolve(stack.resolve(key.key_arn))
        assert template.allowed(HANDLER, "kms:GenerateDataKey") == {arn}

    def test_a_continued_manifest_can_be_written_there_too(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        key, bucket = kms.Key(stack, "Key"), s3.Bucket.from_bucket_name(stack, "Photos", "photos")
        add_job(
            stack,
            images=Images.from_manifest(bucket, "in.manifest"),
            output_bucket=s3.Bucket(stack, "Labels", encryption_key=key),
            preflight=Preflight(enabled=False),
        )
        template = synth(stack)
        arn = template.resolve(stack.resolve(key.key_arn))
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            assert template.allowed(HANDLER, action) == {arn}

    def test_a_skipped_check_is_not_allowed_for(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        add_job(stack, encryption_key=kms.Key(stack, "Key"), preflight=Preflight(skip=skipped.CHECKS))
        template = synth(stack)
        assert not {action for action in skipped.ACTIONS if template.allowed(HANDLER, action)}
        assert template.allowed(HANDLER, "s3:GetBucketCORS") and template.allowed(HANDLER, "kms:Decrypt")

    def test_a_ceiling_alone_reads_the_manifest_alone(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        ceiling = CostCeiling(max_objects=5)
        add_job(stack, preflight=Preflight(enabled=False), cost_ceiling=ceiling)
        template = synth(stack)
        asked = skipped.ACTIONS | skipped.OF_BUCKETS
        assert not {action for action in asked if template.allowed(HANDLER, action)}
        archive, staged, output = sorted(template.allowed(HANDLER, "s3:GetObject"))
        assert archive.endswith(".zip") and staged.endswith("/inputs/*")
        assert output.endswith("/labels/*/manifests/output/output.manifest")

    def test_a_manifest_of_somebody_elses_may_name_what_is_missing(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        bucket = s3.Bucket.from_bucket_name(stack, "Photos", "photos")
        add_job(stack, images=Images.from_manifest(bucket, "in.manifest"))
        assert "arn:aws:s3:::photos" in synth(stack).allowed(HANDLER, "s3:ListBucket")


class TestCeiling:
    def test_reaches_the_handler(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        add_job(stack, cost_ceiling=CostCeiling(max_objects=5, max_tasks=9, max_amount="500", prices=PRICES))
        cost = parse(synth(stack).delivered()).cost
        assert cost is not None
        terms = handler_cost.terms(cost)
        assert (terms.max_objects, terms.max_tasks, terms.max_amount) == (5, 9, Decimal(500))
        assert [(str(tier.price), tier.up_to) for tier in terms.per_object] == [("0.10", 1_000), ("0.05", 0)]
        assert str(terms.per_task) == "0.50"
        assert (terms.currency, terms.source, terms.as_of) == ("USD", "offer 7", "2026-11-01")

    @pytest.mark.parametrize(
        ("bounds", "most"),
        [
            ({"max_objects": 40}, 40),
            ({"max_tasks": 100}, 33),
            ({"max_amount": "16.00", "prices": PRICES}, 10),
            ({"max_objects": 40, "max_tasks": 100, "max_amount": "16.00", "prices": PRICES}, 10),
            ({"max_objects": 30_000}, 20_000),
        ],
    )
    def test_a_job_can_stop_at_it(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
        bounds,
        most: int,
    ) -> None:
        add_job(stack, cost_ceiling=CostCeiling(stop_at_ceiling=True, **bounds))
        conditions = synth(stack).delivered()["Request"]["StoppingConditions"]
        assert conditions == {"MaxHumanLabeledObjectCount": str(most)}

    def test_without_one_there_is_no_cost(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
    ) -> None:
        add_job(stack)
        assert "Cost" not in synth(stack).delivered()

    def test_the_estimate_is_an_attribute(
        self, stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
    ) -> None:
        job = add_job(stack)
        for name in ("estimated_object_count", "estimated_task_count", "estimated_cost"):
            assert "Fn::GetAtt" in str(stack.resolve(getattr(job, name)))

    @pytest.mark.parametrize(
        ("ceiling", "message"),
        [
            (CostCeiling(max_objects=0), "max_objects' must be at least 1"),
            (CostCeiling(max_amount="5"), "prices' must be given with max_amount"),
            (CostCeiling(max_amount="5 USD", prices=PRICES), "max_amount' must be a decimal number"),
            (CostCeiling(prices=Prices(currency="", source="s", as_of="d")), "currency' must have 1 to 200"),
            (
                CostCeiling(prices=Prices(currency="USD", source="s", as_of="d", per_task="-1")),
                "per_task' must be a decimal number",
            ),
            (
                CostCeiling(
                    prices=Prices(
                        currency="USD",
                        source="s",
                        as_of="d",
                        per_object=[PriceTier(price="1"), PriceTier(price="2")],
                    )
                ),
                "must have up_to, as another tier comes after it",
            ),
            (
                CostCeiling(
                    prices=Prices(
                        currency="USD",
                        source="s",
                        as_of="d",
                        per_object=[PriceTier(price="1", up_to=5), PriceTier(price="2", up_to=5)],
                    )
                ),
                "must be up to more than 5",
            ),
            (CostCeiling(stop_at_ceiling=True), "stop_at_ceiling' must be given with a bound"),
            (CostCeiling(max_tasks=2, stop_at_ceiling=True), "allow at least one object of 3 workers"),
        ],
    )
    def test_nonsense_is_refused(
        self, stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], ceiling, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            add_job(stack, cost_ceiling=ceiling)

    def test_two_ways_to_stop_are_one_too_many(
        self, stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
    ) -> None:
        with pytest.raises(ValueError, match=r"be left out with cost_ceiling\.stop_at_ceiling"):
            add_job(
                stack,
                cost_ceiling=CostCeiling(max_objects=5, stop_at_ceiling=True),
                stopping_conditions=StoppingConditions(max_human_labeled_object_count=5),
            )


class TestImagesFromBucket:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, {}),
            ({"suffixes": [".png"]}, {"Suffixes": [".png"]}),
            ({"exclude": ["*/thumbs/*"]}, {"Exclude": ["*/thumbs/*"]}),
            ({"sample": 50, "seed": 7}, {"Sample": 50, "Seed": 7}),
        ],
    )
    def test_how_it_is_listed_reaches_the_handler(
        self,
        stack: Stack,
        add_job: Callable[..., SemanticSegmentationLabelingJob],
        synth: Callable[..., Synthesized],
        options,
        expected,
    ) -> None:
        bucket = s3.Bucket(stack, "Photos")
        add_job(stack, images=Images.from_bucket(bucket, prefix="day/", **options))
        assert parse(synth(stack).delivered()).images.listing == expected

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"suffixes": ["png"]}, "suffixes like '.jpg'"),
            ({"suffixes": []}, "at least one suffix"),
            ({"sample": 0}, "images.sample' must be 1 to 20,000"),
            ({"seed": -1}, "images.seed' must be at least 0"),
        ],
    )
    def test_nonsense_is_refused(
        self, stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], options, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            add_job(stack, images=Images.from_bucket(s3.Bucket(stack, "Photos"), **options))
