"""What each test costs: seconds of CPU, its processes included, and of wall time.

With ``LLMBENCH_TEST_COSTS=FILE`` a line of JSON is appended for each test. ``benchmarks/proof.py`` reads them, and
holds those that are not marked ``slow`` to a limit.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Generator
from pathlib import Path

import pytest

FILE = "LLMBENCH_TEST_COSTS"
_SLOW = tuple(
    f"tests/{name}/" for name in ("benchmarks", "browser", "fuzz", "graders", "hostile/slow", "shipped", "slow")
)
"""Where every test may take its time: no part of ``make test``."""


def _cpu_s() -> float:
    """Of this process and of all its processes that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Note what the test cost, fixtures included."""
    wall_s, cpu_s = time.monotonic(), _cpu_s()
    result = yield
    if file := os.environ.get(FILE):
        cost = {
            "tier": os.environ.get("TOX_ENV_NAME", "test"),
            "test": item.nodeid,
            "cpu_s": round(_cpu_s() - cpu_s, 3),
            "wall_s": round(time.monotonic() - wall_s, 3),
            "slow": item.nodeid.startswith(_SLOW) or item.get_closest_marker("slow") is not None,
        }
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(cost) + "\n")
    return result
