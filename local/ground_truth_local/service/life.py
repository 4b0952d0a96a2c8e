"""The rules of a job's life, from `InProgress` to its end: the runner lives by them."""

from __future__ import annotations

from ..sources import Rule, assumed, guide, model, observed, reference, twin

IN_PROGRESS_SOON = Rule(
    "in-progress-soon",
    "A job is `InProgress` some 1.3 s after it was made; what is wrong with its input fails it later.",
    observed("amazon-sagemaker-examples#1945; aws-controllers-k8s/sagemaker-controller test_labelingjob.py"),
)
FIRST_BATCH = Rule(
    "first-batch",
    "The first batch has ten objects, the others `MaxConcurrentTaskCount`.",
    reference(
        "AWS Knowledge Center, sagemaker-ground-truth-errors; the guide's sms-batching said it of Mechanical "
        "Turk alone and leaves it out now, so nothing may rest on it"
    ),
)
FIRST_BATCH_FAILED = Rule(
    "first-batch-failed",
    "If no object of the first batch can be shown to workers, the job fails.",
    assumed(
        "AWS's Knowledge Center says that the batch checks the set-up, not what comes of it; automated jobs "
        "fail when more than 10 % of their first objects do (sms-automated-labeling)"
    ),
)
AUTOMATED_FIRST_FAILED = Rule(
    "automated-first-failed",
    "A job with automated labeling fails when more than 10 % of its first objects do.",
    guide(
        "sms-automated-labeling, How it Works; how many the first are is not told, here it is the first batch"
    ),
)
NO_AUTOMATION = Rule(
    "no-automation",
    "A job with automated labeling is accepted, and people label everything.",
    twin("no model is trained here"),
)
NOTHING_LABELED = Rule(
    "nothing-labeled",
    "A job whose objects all failed is `Completed`, with `TotalLabeled` 0.",
    observed(
        "the state machines of awslabs/aiops-modules and of MDAA branch on Completed with TotalLabeled 0"
    ),
)
LIFETIME = Rule("job-lifetime", "A job fails after 30 days.", model("LabelingJobStoppingConditions"))
STOP_WRITES = Rule(
    "stop-writes", "What was labeled before a stop is in the output.", model("StopLabelingJob")
)
STOP_PARTIAL = Rule(
    "stop-partial",
    "Answers to an object that lacks others at a stop are kept as worker responses, and make no label.",
    assumed("a label of fewer workers than were asked for would look like any other"),
)
TOPIC = Rule(
    "output-topic",
    "Each label is published to the output topic as the job's role.",
    guide("sms-create-sns-input-topic; sms-security-permission-execution-role: `sns:Publish`"),
)
TOPIC_DENIED = Rule(
    "output-topic-denied",
    "A job whose role may not publish to its output topic fails, and keeps the label.",
    assumed("the guide asks for the permission; what a job does without it is not told"),
)
