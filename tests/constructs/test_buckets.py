"""The buckets that are made."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from cdk_ground_truth import SemanticSegmentationLabelingJob
from tests.constructs.conftest import Synthesized


def test_they_are_private_encrypted_versioned_tls_only_and_stay(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    add_job(stack)
    template = synth(stack)
    buckets = template.of_type("AWS::S3::Bucket")
    assert len(buckets) == 2
    for name, bucket in buckets.items():
        properties = bucket["Properties"]
        (rule,) = properties["LifecycleConfiguration"]["Rules"]
        assert rule.pop("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 7}
        # Nothing of a label ever expires, nor what is the latest of any file.
        expires = {"NoncurrentVersionExpiration": {"NoncurrentDays": 90}} if "Input" in name else {}
        assert rule == {"Status": "Enabled", **expires}
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert all(properties["PublicAccessBlockConfiguration"].values())
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        (cors,) = properties["CorsConfiguration"]["CorsRules"]
        assert cors == {
            "AllowedMethods": ["GET"],
            "AllowedOrigins": ["*"],
            "ExposedHeaders": ["Access-Control-Allow-Origin"],
        }
        policies = template.of_type("AWS::S3::BucketPolicy").values()
        (policy,) = [each for each in policies if each["Properties"]["Bucket"] == {"Ref": name}]
        # Or the bucket would be left without it.
        assert policy["DeletionPolicy"] == "Retain"
        (deny,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert deny["Effect"] == "Deny" and deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_with_a_key_of_ones_own(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    key = kms.Key(stack, "Key")
    add_job(stack, encryption_key=key)
    template = synth(stack)
    arn = template.resolve(stack.resolve(key.key_arn))
    for bucket in template.of_type("AWS::S3::Bucket").values():
        (rule,) = template.resolve(bucket["Properties"]["BucketEncryption"])[
            "ServerSideEncryptionConfiguration"
        ]
        assert rule["BucketKeyEnabled"] is True
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
        assert rule["ServerSideEncryptionByDefault"] == default
    assert template.delivered()["Request"]["OutputConfig"]["KmsKeyId"] == arn
    for action in ("Decrypt", "Encrypt", "DescribeKey", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"):
        assert template.allowed("JobExecutionRole", f"kms:{action}") == {arn}
    assert template.allowed("CdkGroundTruthHandlerRole", "kms:GenerateDataKey") == {arn}
    assert len(template.resources) <= 16
