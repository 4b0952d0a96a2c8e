"""Manifests that somebody wrote to hurt, on the whole handler."""
