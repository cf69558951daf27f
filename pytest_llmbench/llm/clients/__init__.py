"""Asking one endpoint, or reading a local file in its place: a completion, or why there is none."""
