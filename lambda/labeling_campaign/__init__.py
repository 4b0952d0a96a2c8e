"""What a campaign's state machine, its rules and CloudFormation invoke: a few entries over `labeling_job`."""
