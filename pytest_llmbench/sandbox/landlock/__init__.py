"""Isolation by Landlock."""
