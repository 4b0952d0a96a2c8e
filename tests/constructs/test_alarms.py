"""Metrics, alarms and dashboard widgets."""

from __future__ import annotations

import pytest
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Match, Template

from cdk_ground_truth import GroundTruthMetrics, SemanticSegmentationLabelingJob

NAME = {"Ref": "JobB9D00F9F"}
OF_JOB = [{"Name": "LabelingJobName", "Value": NAME}]


def test_named_metrics_are_the_guides(stack, add_job):
    job = add_job(stack)
    named = {
        job.metric_total_dataset_objects_labeled(): "TotalDatasetObjectsLabeled",
        job.metric_dataset_objects_human_annotated(): "DatasetObjectsHumanAnnotated",
        job.metric_dataset_objects_auto_annotated(): "DatasetObjectsAutoAnnotated",
        job.metric_dataset_objects_labeling_failed(): "DatasetObjectsLabelingFailed",
    }
    for metric, name in named.items():
        assert (metric.namespace, metric.metric_name, metric.statistic) == ("AWS/SageMaker", name, "Maximum")
        assert stack.resolve(metric.dimensions) == {"LabelingJobName": NAME}
    other = job.metric("Any", statistic="Sum", period=Duration.hours(1), namespace="Own", label="L")
    assert (other.namespace, other.statistic, other.period.to_hours(), other.label) == ("Own", "Sum", 1, "L")


def test_the_accounts_metrics():
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


def test_nothing_labeled(stack, add_job):
    add_job(stack).alarm_nothing_labeled("Idle", within=Duration.hours(6))
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": {"Fn::Join": ["", [NAME, "-IdleIdle"]]},
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": 1,
            "TreatMissingData": "breaching",
            "Metrics": Match.array_with(
                [
                    Match.object_like({"Expression": "SUM([most - least, deploys])"}),
                    Match.object_like(
                        {
                            "MetricStat": Match.object_like(
                                {
                                    "Period": 21600,
                                    "Stat": "Maximum",
                                    "Metric": Match.object_like(
                                        {"Dimensions": OF_JOB, "MetricName": "TotalDatasetObjectsLabeled"}
                                    ),
                                }
                            )
                        }
                    ),
                ]
            ),
        },
    )
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
    assert "ALARM(" in text and "NOT (ALARM(" in text.replace("(NOT", "NOT")


def test_an_imported_job_has_no_deploys(stack):
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/streets"
    job = SemanticSegmentationLabelingJob.from_labeling_job_arn(stack, "Old", arn)
    job.alarm_nothing_labeled("Idle", within=Duration.hours(1))
    alarms = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    assert "'Expression': 'most - least'" in str(alarms) and "deploys" not in str(alarms)


@pytest.mark.parametrize("within", [Duration.minutes(90), Duration.hours(25), Duration.seconds(0)])
def test_within_is_whole_hours(stack, add_job, within):
    with pytest.raises(ValueError, match="'within' must be 1 to 24 whole hours"):
        add_job(stack).alarm_nothing_labeled("Idle", within=within)


def test_failed(stack, add_job):
    alarm = add_job(stack).alarm_failed("Failed")
    assert isinstance(alarm, cloudwatch.Alarm)
    template = Template.from_stack(stack)
    [rule] = template.find_resources("AWS::Events::Rule").values()
    assert rule["Properties"]["EventPattern"]["detail"] == {"LabelingJobStatus": ["Failed"]}
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"AlarmName": {"Fn::Join": ["", [NAME, "-Failed"]]}, "Threshold": 1}
    )


def test_a_dashboard_takes_the_widgets(stack, add_job):
    dashboard = cloudwatch.Dashboard(stack, "Dashboard")
    dashboard.add_widgets(*add_job(stack).dashboard_widgets(namespace="Own"))
    [made] = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    body = str(made["Properties"]["DashboardBody"])
    assert body.count("TotalDatasetObjectsLabeled") == 2 and '"Own"' in body
