from __future__ import annotations

from labeling_job.rules.findings import Findings


def test_a_message_cuts_a_long_uri_within_and_keeps_the_images_name() -> None:
    findings = Findings()
    for number in range(1, 4):
        uri = f"s3://{'long-bucket-name-' * 3}/inputs/{'deep/' * 30}photo-{number}.jpg"
        findings.error("image-format", "an image must be a JPEG", f"WebP: {uri}", line=number)
    message = findings.message("Head.", "Tail.")
    assert message.startswith("Head.\n") and message.endswith("\nTail.")
    assert "WebP: s3://long-bucket" in message
    assert all(f"photo-{number}.jpg" in message for number in (1, 2, 3))
    assert "deep/" * 30 not in message
