"""Anomalies in series of numbers."""
