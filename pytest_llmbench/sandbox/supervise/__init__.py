"""Running one process tree, and measuring what it uses."""
