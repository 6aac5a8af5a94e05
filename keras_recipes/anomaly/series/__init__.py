"""Detection of anomalies in series of numbers."""
