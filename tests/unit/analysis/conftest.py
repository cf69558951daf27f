"""The published boards as the analyses read them."""

from __future__ import annotations

import pytest

from pytest_llmbench.analysis.model_scores import ModelScore, from_rows
from pytest_llmbench.published.tables import SHIPPED, Published, read

TASKS = ("python", "javascript", "typescript", "rust", "go", "sse")


@pytest.fixture(scope="session")
def published() -> Published:
    return read(SHIPPED)


@pytest.fixture(scope="session")
def boards(published: Published) -> list[ModelScore]:
    """Leaderboard and incomplete models, with what their names say."""
    rows = [*published.tables["six-tasks/leaderboard"], *published.tables["six-tasks/incomplete"]]
    return from_rows(rows, tasks=TASKS, max_points=20, metadata=published.models)
