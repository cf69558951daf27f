"""Go with its standard library compiled: half a minute of work that all tests of a machine share."""

from __future__ import annotations

from pytest_llmbench.schema.execution import Toolchain
from pytest_llmbench.toolchains import go


def warm_go(toolchain: Toolchain) -> Toolchain:
    """Go as an attempt gets it."""
    entry = go.entry(toolchain)
    if not entry.made:
        entry.make(lambda new: go.fill(toolchain, new))
    return go.equip(toolchain)
