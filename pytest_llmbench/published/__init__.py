"""Layer 1: the published figures of the benchmarks that come with the package, and the slips in them."""

from __future__ import annotations

from pytest_llmbench.published.slips import Slip
from pytest_llmbench.published.tables import Published, read, shipped

__all__ = ["Published", "Slip", "read", "shipped"]
