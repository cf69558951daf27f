"""Layer 1: pure arithmetic over records."""
