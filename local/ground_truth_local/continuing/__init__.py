"""`ground-truth-local continue`: label what a job left, here and without an AWS account."""
