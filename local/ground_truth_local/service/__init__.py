"""The Ground Truth service of the embedded AWS."""
