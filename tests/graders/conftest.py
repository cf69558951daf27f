"""With ``LLMBENCH_TEST_BUSY_LOOPS=8`` the rubrics are tested beside as many busy processes: the points stay equal."""

import os
from collections.abc import Iterator

import pytest
from support.busy import busy_loops


@pytest.fixture(scope="session", autouse=True)
def busy_machine() -> Iterator[None]:
    """Keep this worker's share of the busy loops running."""
    loops = int(os.environ.get("LLMBENCH_TEST_BUSY_LOOPS", "0"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    with busy_loops(-(-loops // workers)):
        yield
