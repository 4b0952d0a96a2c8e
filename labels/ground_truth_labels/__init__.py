"""Read, check, export and report Ground Truth semantic segmentation labels."""
