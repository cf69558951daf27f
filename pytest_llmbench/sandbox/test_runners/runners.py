"""The test runners by name."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_llmbench.sandbox.test_runners.base import Runner
from pytest_llmbench.sandbox.test_runners.cargo import CargoTest
from pytest_llmbench.sandbox.test_runners.go import GoTest
from pytest_llmbench.sandbox.test_runners.node import NodeTest
from pytest_llmbench.sandbox.test_runners.python import Pytest

RUNNERS: Mapping[str, Runner] = {"pytest": Pytest(), "node": NodeTest(), "go": GoTest(), "cargo": CargoTest()}
