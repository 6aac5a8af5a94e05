"""Anomalies among the sessions of a log."""
