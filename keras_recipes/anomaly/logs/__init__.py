"""Detection of anomalies among the sessions of a log."""
