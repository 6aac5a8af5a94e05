"""What a model is: its card, its history, and what computes it."""
