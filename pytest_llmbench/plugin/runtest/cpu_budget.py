"""What looking at a reply may cost the test process: a rubric test that uses it up is a missed point."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from _pytest.outcomes import Failed

from pytest_llmbench.plugin.collect.tasks import ITEM_REF, Collection
from pytest_llmbench.untrusted.cpu_time import cpu_limit

_USED_UP = pytest.StashKey[str]()


class OverBudget(Failed):
    """A reply that cannot be looked at within bounds: as ``pytest.fail``, and a miss in a fixture too."""

    __module__ = "builtins"  # as pytest's own: reports show the bare name

    def __init__(self, what: str) -> None:
        super().__init__(f"over budget: {what}", pytrace=False)


class Budget:
    """Hooks that hold the setup and the body of each rubric test to its task's CPU time (``llm_task(budget_s=...)``).

    A fixture that went over is a miss of every point that needs it: pytest keeps what a fixture raised.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """The fixtures. What is over budget is told where the body would have run, for there it is a miss."""
        item.stash[_USED_UP] = ""
        try:
            yield from self._limited(item)
        except OverBudget as error:
            item.stash[_USED_UP] = str(error)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """The body."""
        if told := item.stash.get(_USED_UP, ""):
            item.runtest = lambda: pytest.fail(told, pytrace=False)  # type: ignore[method-assign]  # nothing to run on
        yield from self._limited(item)

    def _limited(self, item: pytest.Item) -> Generator[None, None, None]:
        ref = item.stash.get(ITEM_REF, None)
        if ref is None:
            yield
            return
        limit_s = self._collection.task(ref.task).budget_s
        what = (
            f"looking at the reply took this test process more than {limit_s:g} s of CPU; a task whose tests need that "
            "much says so with budget_s"
        )
        with cpu_limit(limit_s, lambda: OverBudget(what)):
            yield
