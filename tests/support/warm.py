"""Go with its standard library compiled: half a minute of work that all tests of a machine share."""

from __future__ import annotations

from pathlib import Path

from pytest_llmbench.caches import go
from pytest_llmbench.schema.execution import Toolchain


def warm_go(toolchain: Toolchain, scratch: Path) -> Toolchain:
    """Go as an attempt gets it; ``scratch`` is a folder to be made for its view of the cache."""
    entry = go.entry(toolchain)
    if not entry.made:
        entry.make(lambda new: go.fill(toolchain, new))
    scratch.mkdir(parents=True, exist_ok=True)
    return go.equip(toolchain, scratch)
