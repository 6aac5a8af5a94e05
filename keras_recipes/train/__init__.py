"""Training: attempts at the goal, the compiled loop, and checkpoints."""
