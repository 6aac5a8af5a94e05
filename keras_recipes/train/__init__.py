"""From a plan to trained weights: attempts, the compiled loop, checkpoints."""
