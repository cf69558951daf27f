"""From test modules to tasks, attempts and the plan of a session."""
