"""The built-in models: a task's own files, graded like replies. Standard library only, for the options name them."""

from __future__ import annotations

PREFIX = "builtin/"
REFERENCE = PREFIX + "reference"
"""Hands in the task's reference solution, which earns everything."""
STARTER = PREFIX + "starter"
"""Hands in what the model is given to start from, which earns the task's floor."""
BUILTINS = (REFERENCE, STARTER)
