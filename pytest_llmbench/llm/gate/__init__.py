"""The model gate: an agent's only way to its model, one Unix socket for each attempt."""
