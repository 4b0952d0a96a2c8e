"""Pytest fixtures of the embedded AWS."""
