"""The parts of a model: its card, its history, and the runtime that computes it."""
