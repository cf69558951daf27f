"""Layer 0: reading and writing where somebody else may have put things. Standard library only."""
