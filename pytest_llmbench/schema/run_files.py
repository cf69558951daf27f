"""Names in a run folder and around it; ``store.run_dir`` draws the whole. Standard library only."""

from __future__ import annotations

from pathlib import Path

BASE = Path(".llmbench")
"""The folder of runs and completions, unless ``--llm-run-dir`` says otherwise."""
RUNS, LATEST, COMPLETIONS = "runs", "latest", "completions"
"""In it: a folder for each run, the link to the newest, replies shared by all runs."""

HEADER = "run.json"
PLAN = "plan.json"
OUTCOMES = "attempts.jsonl"
ITEMS = "items.jsonl"
RESULTS = "results.json"
REPLIES = "replies"
FILES = "files"
CONTENTS = frozenset({HEADER, PLAN, OUTCOMES, ITEMS, RESULTS, REPLIES, FILES})
"""All that a run folder holds, beside what keeps pytest out."""

EXCHANGE = ".json"
"""Behind the name of an attempt among the replies: the request and the outcome."""
REPLY = ".md"
"""A reply that was graded, or is to be; ``dir:`` reads such names."""
REJECTED = ".rejected.md"
"""A reply that is an error."""
_HANDED_IN = ".reply"
"""``conftest.py`` is kept as ``conftest.py.reply``: Python, pytest (its doctests too), cargo and npm pass over it."""


def kept_name(name: str) -> str:
    """The name in the run folder of a file handed in as ``name``: such as nothing imports, collects or obeys."""
    return name + _HANDED_IN


def handed_in_name(kept: str) -> str:
    """The name that a file had when it was handed in; older runs kept files under that very name."""
    return kept.removesuffix(_HANDED_IN)
