"""Telling what kind of solution an attempt is."""

from __future__ import annotations

from typing import Protocol


class Label(Protocol):
    """The fixture ``label``: says what kind of solution this is, for reports. Worth no points."""

    def __call__(self, aspect: str, kind: str) -> None:
        """Put ``aspect: kind`` among the attempt's labels: ``label("limiter", "sliding-window")``."""
        ...
