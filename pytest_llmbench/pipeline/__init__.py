"""Layer 2: the way down (key to workspace) and the way up (record to leaderboard)."""
