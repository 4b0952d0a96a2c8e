"""What every test needs: the Node of the checkout, for jsii and the CDK CLI, also without `make`."""

import os

from ground_truth_local.cdk_cli import node_path

os.environ["PATH"] = node_path()
