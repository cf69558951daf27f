"""Cages: sandboxes that last, for an agent that works for an hour, with the model gate as their only way out."""
