"""Metrics, alarms and dashboard widgets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template

from cdk_ground_truth import GroundTruthMetrics, SemanticSegmentationLabelingJob

NAME = {"Ref": "JobB9D00F9F"}
OF_JOB = [{"Name": "LabelingJobName", "Value": NAME}]


NAMED = {
    "metric_total_dataset_objects_labeled": "TotalDatasetObjectsLabeled",
    "metric_dataset_objects_human_annotated": "DatasetObjectsHumanAnnotated",
    "metric_dataset_objects_auto_annotated": "DatasetObjectsAutoAnnotated",
    "metric_dataset_objects_labeling_failed": "DatasetObjectsLabelingFailed",
}
BOTH = {"AWS/Sagemaker/LabelingJobs", "AWS/SageMaker"}


@pytest.mark.parametrize("method", NAMED)
def test_named_metrics_are_the_guides_in_whichever_namespace(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], method
) -> None:
    job = add_job(stack)
    both = getattr(job, method)()
    there, here = both.using_metrics
    assert both.expression == f"MAX([FILL({there}, 0), FILL({here}, 0)])"
    assert {each.namespace for each in both.using_metrics.values()} == BOTH
    for each in (*both.using_metrics.values(), getattr(job, method)(namespace="Own")):
        assert (each.metric_name, each.statistic) == (NAMED[method], "Maximum")
        assert stack.resolve(each.dimensions) == {"LabelingJobName": NAME}
    other = job.metric("Any", statistic="Sum", period=Duration.hours(1), namespace="Own", label="L")
    assert (other.namespace, other.statistic, other.period.to_hours(), other.label) == ("Own", "Sum", 1, "L")


def test_the_accounts_metrics() -> None:
    counts = {
        "jobs_failed": "AWS/SageMaker",
        "jobs_stopped": "AWS/SageMaker",
        "jobs_succeeded": "AWS/SageMaker",
        "active_workers": "AWS/SageMaker/Workteam",
        "tasks_accepted": "AWS/SageMaker/Workteam",
        "tasks_declined": "AWS/SageMaker/Workteam",
        "tasks_returned": "AWS/SageMaker/Workteam",
        "tasks_submitted": "AWS/SageMaker/Workteam",
        "time_spent": "AWS/SageMaker/Workteam",
    }
    for method, namespace in counts.items():
        metric = getattr(GroundTruthMetrics, method)()
        assert (metric.namespace, metric.statistic) == (namespace, "Sum")
        assert metric.metric_name.lower() == method.replace("_", "")
    own = GroundTruthMetrics.tasks_submitted(namespace="Own", dimensions_map={"Workteam": "a"})
    assert own.namespace == "Own" and own.dimensions == {"Workteam": "a"}


def alarm(template, name):
    [found] = [
        each["Properties"]
        for each in template.find_resources("AWS::CloudWatch::Alarm").values()
        if each["Properties"]["AlarmName"] == {"Fn::Join": ["", [NAME, f"-{name}"]]}
    ]
    return found


def stats(alarm):
    """(namespace, statistic) → period of an alarm's metrics of the job."""
    found = [each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each]
    return {
        (each["Metric"]["Namespace"], each["Stat"]): each["Period"]
        for each in found
        if each["Metric"].get("Dimensions") == OF_JOB
    }


def test_nothing_labeled(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    add_job(stack).alarm_nothing_labeled("Idle", within=Duration.hours(6))
    template = Template.from_stack(stack)
    idle = alarm(template, "IdleIdle")
    assert (idle["ComparisonOperator"], idle["Threshold"]) == ("LessThanThreshold", 1)
    [expression] = [each["Expression"] for each in idle["Metrics"] if "Expression" in each]
    # One of both has nothing at all.
    assert expression == (
        "FILL(most0, 0) - FILL(least0, 0) + FILL(most1, 0) - FILL(least1, 0) + FILL(deploys, 0)"
    )
    assert stats(idle) == {(each, stat): 21_600 for each in BOTH for stat in ("Maximum", "Minimum")}
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            # The end stays the end until another job brings alarms of its own name.
            "AlarmName": {"Fn::Join": ["", [NAME, "-IdleEnded"]]},
            "Namespace": "AWS/Events",
            "MetricName": "TriggeredRules",
            "TreatMissingData": "ignore",
        },
    )
    [rule] = template.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"]["detail"]["LabelingJobStatus"] == [
        "Completed",
        "Failed",
        "Stopped",
    ]
    [composite] = template.find_resources("AWS::CloudWatch::CompositeAlarm").values()
    text = str(composite["Properties"]["AlarmRule"])
    assert text.count("ALARM(") == 3 and "NOT (ALARM(" in text.replace("(NOT", "NOT")


def test_what_was_never_measured_is_no_idleness(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    add_job(stack).alarm_nothing_labeled("Idle", within=Duration.hours(6))
    template = Template.from_stack(stack)
    measured = alarm(template, "IdleMeasured")
    # Any value is enough, and once: without one the alarm never leaves INSUFFICIENT_DATA.
    assert (measured["ComparisonOperator"], measured["Threshold"]) == ("GreaterThanOrEqualToThreshold", 0)
    assert measured["TreatMissingData"] == "ignore" and "FILL" not in str(measured["Metrics"])
    assert stats(measured) == {(each, "Maximum"): 21_600 for each in BOTH}
    [composite] = template.find_resources("AWS::CloudWatch::CompositeAlarm").values()
    [name] = [
        name
        for name, each in template.find_resources("AWS::CloudWatch::Alarm").items()
        if each["Properties"] == measured
    ]
    assert name in str(composite["Properties"]["AlarmRule"])


def test_declines(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    add_job(stack).alarm_declined("Declined", declines=4, within=Duration.hours(2))
    template = Template.from_stack(stack)
    found = alarm(template, "Declined")
    assert (found["Threshold"], found["Period"], found["Namespace"]) == (4, 7_200, "AWS/Events")
    assert found["TreatMissingData"] == "notBreaching"
    [rule] = template.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"]["detail"]["State"] == [
        {"equals-ignore-case": "Declined"},
        {"wildcard": "*Declined*"},
    ]


@pytest.mark.parametrize(("argument", "value"), [("declines", 0), ("within", Duration.minutes(5))])
def test_declines_within_bounds(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], argument: str, value
) -> None:
    with pytest.raises(ValueError, match=f"'{argument}' must be"):
        add_job(stack).alarm_declined("Declined", **{argument: value})


def test_an_imported_job_has_no_deploys(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/streets"
    job = SemanticSegmentationLabelingJob.from_labeling_job_arn(stack, "Old", arn)
    job.alarm_nothing_labeled("Idle", within=Duration.hours(1))
    alarms = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    assert "FILL(most1, 0) - FILL(least1, 0)'" in str(alarms) and "deploys" not in str(alarms)


@pytest.mark.parametrize("within", [Duration.minutes(90), Duration.hours(25), Duration.seconds(0)])
def test_within_is_whole_hours(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], within
) -> None:
    with pytest.raises(ValueError, match="'within' must be 1 to 24 whole hours"):
        add_job(stack).alarm_nothing_labeled("Idle", within=within)


def test_failed(stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]) -> None:
    alarm = add_job(stack).alarm_failed("Failed")
    assert isinstance(alarm, cloudwatch.Alarm)
    template = Template.from_stack(stack)
    [rule] = template.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"]["detail"] == {"LabelingJobStatus": ["Failed"]}
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"AlarmName": {"Fn::Join": ["", [NAME, "-Failed"]]}, "Threshold": 1}
    )


def test_a_dashboard_takes_the_widgets(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    dashboard = cloudwatch.Dashboard(stack, "Dashboard")
    dashboard.add_widgets(*add_job(stack).dashboard_widgets(namespace="Own"))
    [made] = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    body = str(made["Properties"]["DashboardBody"])
    assert body.count("TotalDatasetObjectsLabeled") == 2 and '"Own"' in body


def test_one_graph_takes_the_counts_of_two_jobs_in_either_namespace(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    jobs = [add_job(stack, name) for name in ("One", "Two")]
    dashboard = cloudwatch.Dashboard(stack, "Dashboard")
    for job in jobs:
        dashboard.add_widgets(*job.dashboard_widgets())
    counts = [
        job.metric_total_dataset_objects_labeled(period=Duration.hours(n)) for job in jobs for n in (1, 2)
    ]
    dashboard.add_widgets(cloudwatch.GraphWidget(left=counts))
    [made] = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    body = str(made["Properties"]["DashboardBody"])
    assert body.count('"AWS/Sagemaker/LabelingJobs"') == body.count('"AWS/SageMaker"') == 2 * 6 + 4
