"""A run as one HTML file: opens from disk, asks no network, runs nothing that a model wrote. Computes no score."""
