"""Reading logs: their format, times, sessions and templates."""
