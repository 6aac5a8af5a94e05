"""Saved models: found, opened, written."""
