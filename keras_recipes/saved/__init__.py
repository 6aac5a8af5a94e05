"""Find, open and save models."""
