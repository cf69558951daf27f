"""Layer 1: records to text; computes no figure."""
