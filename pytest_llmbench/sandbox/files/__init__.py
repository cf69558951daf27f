"""Workspaces, and folders that a hostile program filled."""
