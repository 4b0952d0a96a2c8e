"""The custom resource that creates, replaces and stops a Ground Truth labeling job."""
