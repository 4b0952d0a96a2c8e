"""What makes, checks and describes a release of the three packages; `make release-check` runs it."""
