"""What a campaign is made of besides its jobs' parts: function, state machine, rules, permissions."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from ._rooms import campaign
from .buckets import BucketUse
from .campaign_states import states
from .handler import Handler, HandlerKind, staged_objects
from .iam_text import literal
from .nag import acknowledge
from .stack_shared import StackShared

#: Below a job's output path: the folders of campaigns.
CAMPAIGNS: Final = "campaigns"

_FOLDER_WHY: Final = "What this campaign alone keeps: names come from its runs and jobs."
_STAGED_WHY: Final = "The manifests of the campaign's own jobs, whose names come from its runs."
_EXECUTIONS_WHY: Final = "The campaign's own executions, which whoever starts them names."
_LOG_WHY: Final = (
    "A run is a dozen events for each job, over weeks: Step Functions keeps them for 90 days by itself, and"
    " each step logs what it does for a year."
)
_TRACE_WHY: Final = "A run waits for people for weeks; what a trace would show is in its history."
#: How often the function looks for itself: events can be lost, and metrics want a figure an hour.
_LOOKS_EVERY: Final = Duration.hours(1)


def with_own_handler(shared: StackShared, scope: Construct, folder_uri: str) -> StackShared:
    """What the stack's jobs share, but for the handler: a campaign has one of its own, which may more."""
    # It is made by now, so that both have the same.
    _ = shared.scope, shared.buckets, shared.service_arns
    own = copy.copy(shared)
    handler = Handler(
        scope,
        shared,
        HandlerKind(
            entry="labeling_campaign.entry.handler",
            description="Plans, makes, watches and gathers the jobs of one Ground Truth labeling campaign",
            options={
                # This gives one whole processor: a million keys are listed and compared.
                "memory_size": 1769,
                # Labels wait here, and on no more memory for more of them.
                "ephemeral_storage_size": Size.gibibytes(10),
                "environment": {campaign.FOLDER: folder_uri},
            },
            answers_for_jobs=False,
        ),
    )
    own.__dict__["handler"] = handler
    return own


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Where a campaign keeps its labels and what it knows."""

    bucket: BucketUse
    path: str

    @property
    def uri(self) -> str:
        """With a slash at the end."""
        return f"s3://{self.bucket.name}/{self.path}"

    def allow(self, handler: Handler, staging: BucketUse | None, *, preflight: bool) -> None:
        """Let the function keep what it knows there, and read the manifests that it has written."""
        below = f"{self.bucket.arn}/{literal(self.path)}*"
        handler.allow_on("CampaignFolder", below, ["s3:GetObject", "s3:PutObject"], _FOLDER_WHY)
        state = f"{self.bucket.arn}/{literal(self.path)}state/*"
        handler.allow_on("CampaignState", state, ["s3:DeleteObject"], _FOLDER_WHY)
        if self.bucket.key is not None:
            handler.allow_key(self.bucket.key)
        if staging is not None and not preflight:
            # Preflight reads them as well.
            handler.allow_on("CampaignJobs", staged_objects(staging), ["s3:GetObject"], _STAGED_WHY)


class Machine:
    """The state machine, and the rules around it.

    Args:
        scope: the campaign.
        shared: with the campaign's own handler.
        job_name_prefix: start of the names of the campaign's jobs.
        jobs_at_once: how many live at a time.
    """

    def __init__(
        self, scope: Construct, shared: StackShared, *, job_name_prefix: str, jobs_at_once: int
    ) -> None:
        self._scope, self._shared = scope, shared
        self._function = shared.handler.function
        self.state_machine = self._made(jobs_at_once)
        #: What a run that begins needs, beside what its definition names.
        self.waits: list[Construct] = [
            self._rights(),
            self._rule("JobEnded", self._job_ends(job_name_prefix)),
            self._rule("RunEnded", self._run_ends()),
        ]
        look = targets.LambdaFunction(
            self._function, event=events.RuleTargetInput.from_object({"step": "look"})
        )
        events.Rule(scope, "Look", schedule=events.Schedule.rate(_LOOKS_EVERY), targets=[look])

    def _made(self, jobs_at_once: int) -> sfn.StateMachine:
        scope, shared = self._scope, self._shared
        role = iam.Role(scope, "StatesRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        arn = self._function.function_arn
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[arn]))
        bus = f"arn:{shared.partition}:events:{shared.region}:{shared.account}:event-bus/default"
        only = {"StringEquals": {"events:source": campaign.EVENT_SOURCE}}
        role.add_to_policy(
            iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus], conditions=only)
        )
        definition = states(function_arn=arn, partition=shared.partition, jobs_at_once=jobs_at_once)
        machine = sfn.StateMachine(
            scope,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
            role=role,
            comment="One execution is one run of the labeling campaign",
        )
        acknowledge(machine, {"AwsSolutions-SF1": _LOG_WHY, "AwsSolutions-SF2": _TRACE_WHY})
        return machine

    def _rights(self) -> iam.Policy:
        """In a policy of its own: the function's role can't wait for a machine that names the function."""
        machine, shared = self.state_machine, self._shared
        arn = machine.state_machine_arn
        where = f"arn:{shared.partition}:states:{shared.region}:{shared.account}"
        executions = f"{where}:execution:{machine.state_machine_name}:*"
        policy = iam.Policy(
            self._scope,
            "Executions",
            roles=[shared.handler.role],
            statements=[
                iam.PolicyStatement(
                    actions=["states:ListExecutions", "states:SendTaskSuccess", "states:StartExecution"],
                    resources=[arn],
                ),
                iam.PolicyStatement(
                    actions=["states:DescribeExecution", "states:StopExecution"], resources=[executions]
                ),
            ],
        )
        shared.acknowledge_wildcards(policy, {executions: _EXECUTIONS_WHY})
        return policy

    def _rule(self, construct_id: str, pattern: events.EventPattern) -> events.Rule:
        target = targets.LambdaFunction(self._function)
        return events.Rule(self._scope, construct_id, event_pattern=pattern, targets=[target])

    def _job_ends(self, job_name_prefix: str) -> events.EventPattern:
        """Of the campaign's jobs; which of them are another resource's the function knows."""
        where = f"arn:{self._shared.partition}:sagemaker:{self._shared.region}:{self._shared.account}"
        named = events.Match.prefix(f"{where}:labeling-job/{job_name_prefix}-")
        return events.EventPattern(
            source=["aws.sagemaker"],
            detail_type=["SageMaker Ground Truth Labeling Job State Change"],
            resources=named,
            detail={"LabelingJobStatus": ["Completed", "Failed", "Stopped"]},
        )

    def _run_ends(self) -> events.EventPattern:
        """In any other way than it should."""
        return events.EventPattern(
            source=["aws.states"],
            detail_type=["Step Functions Execution Status Change"],
            detail={
                "stateMachineArn": [self.state_machine.state_machine_arn],
                "status": ["ABORTED", "FAILED", "TIMED_OUT"],
            },
        )

    def begin_on(self, schedule: events.Schedule) -> events.Rule:
        """Start a run on a schedule."""
        target = targets.SfnStateMachine(self.state_machine, input=events.RuleTargetInput.from_object({}))
        return events.Rule(self._scope, "Schedule", schedule=schedule, targets=[target])
