"""A run as one HTML file: opens from disk, asks no network, runs nothing that a model wrote. Computes no score."""

from pytest_llmbench.reporting.html.details import AttemptEvidence, Turn
from pytest_llmbench.reporting.html.page import pieces

__all__ = ["AttemptEvidence", "Turn", "pieces"]
