"""Layer 0: frozen data that crosses rooms; no I/O."""
