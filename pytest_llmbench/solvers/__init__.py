"""Layer 2: how a task and a model become something to grade."""
