"""Layer 3: runs on disk: recorded, loaded, merged, compared, reported."""
