"""Where each mend of MiniStack comes from: what AWS does there, and who says so.

Beside the mends and not in them, because they can only be imported inside the server's process.
"""

from __future__ import annotations

from .sources import Rule, assumed, observed, reference

MENDS: dict[str, Rule] = {
    "answers": Rule(
        "mend-answers",
        "What an answer in JSON has no value for, or its model doesn't have, is left out.",
        reference("Smithy: AWS JSON 1.1 protocol; Lambda, EventBridge: API references"),
    ),
    "batches": Rule(
        "mend-batches",
        "A batch of messages needs the permission of one message, at SQS and SNS.",
        reference("SQS Developer Guide: batch actions; Service authorization reference: Amazon SNS"),
    ),
    "buckets": Rule(
        "mend-buckets",
        "A bucket keeps its encryption, lifecycle and tags, and can't be deleted while it holds objects.",
        reference("CloudFormation reference: AWS::S3::Bucket; S3: BucketNotEmpty"),
    ),
    "conditions": Rule(
        "mend-conditions",
        "Conditions compare what their functions yield.",
        reference("CloudFormation reference: condition functions"),
    ),
    "custom_resources": Rule(
        "mend-custom-resources",
        "A custom resource's function is invoked asynchronously and retried twice with the same event; its "
        "answer has at most 4,096 bytes, and a failed create is deleted on rollback.",
        reference("CloudFormation: custom resources; Lambda: asynchronous invocation"),
    ),
    "events": Rule(
        "mend-events",
        "An event that no rule matches and no archive keeps is gone.",
        reference("EventBridge User Guide: rules; archiving and replaying events"),
    ),
    "executions": Rule(
        "mend-executions",
        "A stopped execution does nothing more; a task whose request fails doesn't wait for its token; the "
        "history has the events of a Map's iterations.",
        reference("Step Functions: callback with the task token, error handling; API: HistoryEvent"),
    ),
    "executions_tokens": Rule(
        "mend-executions-tokens",
        "Who answers a task's token needs the permission on its state machine.",
        observed("NOAA-OWP/hydrovis#837; aws/aws-cdk#8486, where it was tried"),
    ),
    "executions_events": Rule(
        "mend-executions-events",
        "A task that waits for a token is scheduled, started, submitted and ended: four events.",
        assumed("the guide shows the history of one service's callback only"),
    ),
    "lambda_files": Rule(
        "mend-lambda-files",
        "A Node function finds the SDK for JavaScript, and layers lie under `/opt`.",
        reference("Lambda Developer Guide: Node.js runtimes; layers"),
    ),
    "lambdas": Rule(
        "mend-lambdas",
        "A function's role must trust Lambda; the function knows its own log group, and its error has the "
        "class of the exception.",
        reference("Lambda: execution role, AWS_LAMBDA_LOG_GROUP_NAME, errors of Python functions"),
    ),
    "managed_policies": Rule(
        "mend-managed-policies",
        "The managed policies that the guide names have their published content; others are `NoSuchEntity`.",
        reference("AWS Managed Policy Reference Guide; IAM: AttachRolePolicy"),
    ),
    "no_root": Rule(
        "mend-no-root",
        "No key may do everything, and signatures are checked.",
        reference("IAM: signing requests"),
    ),
    "pass_role": Rule(
        "mend-pass-role",
        "Who hands a role to a service needs `iam:PassRole` on it.",
        reference("IAM: granting a user permissions to pass a role"),
    ),
    "policy_text": Rule(
        "mend-policy-text",
        "`${*}`, `${?}` and `${$}` in a policy are these characters; another variable matches nothing.",
        reference("IAM User Guide: IAM policy elements, variables and tags"),
    ),
    "simulation": Rule(
        "mend-simulation",
        "The resource of `iam:SimulatePrincipalPolicy` is the principal.",
        reference("Service authorization reference: IAM"),
    ),
    "sse_kms": Rule(
        "mend-sse-kms",
        "Reading and writing an object under a key needs the key's permissions, a HEAD without a checksum "
        "doesn't; where no key is named, it is AWS's managed `aws/s3`.",
        reference("S3: SSE-KMS, permissions; API Reference: HeadObject"),
    ),
    "step_functions": Rule(
        "mend-step-functions",
        "SageMaker's tasks reach the service as the state machine's role; `.sync` waits for the job. "
        "Functions are invoked and events put only where the role may.",
        reference("Step Functions Developer Guide: AWS SDK integrations; SageMaker AI jobs; IAM policies"),
    ),
    "step_functions_failed": Rule(
        "mend-step-functions-failed",
        "A job that doesn't complete fails a `.sync` task with `States.TaskFailed` and its description.",
        assumed(
            "as failed executions and tasks of `.sync` integrations show it; of SageMaker's nobody prints one"
        ),
    ),
    "workteams": Rule(
        "mend-workteams",
        "`AWS::SageMaker::Workteam` in a template is a work team: members, words and tags change without "
        "interruption, another name of the team or its workforce is another team.",
        reference("CloudFormation reference: AWS::SageMaker::Workteam"),
    ),
}
