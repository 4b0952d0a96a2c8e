"""AWS CDK construct for Ground Truth image semantic segmentation labeling jobs."""
