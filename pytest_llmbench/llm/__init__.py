"""Layer 1: everything that talks to a model, and the reading of a reply."""
