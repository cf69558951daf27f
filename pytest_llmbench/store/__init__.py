"""Layer 1: what is on disk, written the moment it exists."""
