"""A sample of the random replies of ``tests/fuzz``, small enough for every change."""

from __future__ import annotations

import pytest
from support.fuzzing import check, looked_at


@pytest.mark.slow
def test_thirty_random_replies_are_read_and_looked_into_within_bounds() -> None:
    check(looked_at(20_000, 30, 150_000, timeout_s=240), 20_000, 30)
