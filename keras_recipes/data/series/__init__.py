"""Reading tables of numbers over time, one step a file."""
