"""Layer 1: running untrusted code."""
