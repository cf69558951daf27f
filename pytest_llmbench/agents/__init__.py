"""Layer 2: a coding agent at a task: its workspace, its loop, its clocks, its end."""
