"""Layer 1: everything that talks to a model."""
