"""xdist: attempts stay whole on one worker, and a crashed worker costs one test.

xdist's own scope scheduler puts the crashing test back into the queue, and a second crash leaves it waiting for ever
(pytest-xdist issue 784 and others); ``loadgroup`` ignores groups under pytest 9 (issue 1386).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

from pytest_llmbench.schema.keys import ItemRef

_FEW = 2
"""Tests left at which a worker gets its next unit, as in xdist."""


class AttemptScheduling(LoadScopeScheduling):
    """Sends attempts as units; other tests one by one, or as the ``--dist`` mode groups them."""

    workqueue: OrderedDict[str, dict[str, bool]]

    def __init__(self, config: pytest.Config, log: Producer | None, refs: Callable[[], Mapping[str, ItemRef]]) -> None:
        """``refs`` gives what a test item grades, by node id; it fills up before the first test is sent."""
        super().__init__(config, log)
        config.option.loadscopereorder = False
        self._refs = refs
        self._mode = config.getoption("dist")
        self._places: dict[str, int] = {}

    def _split_scope(self, nodeid: str) -> str:
        ref = self._refs().get(nodeid)
        if ref is not None:
            return f"llmbench:{ref.key!r}"
        if self._mode == "loadfile":
            return nodeid.partition("::")[0]
        return super()._split_scope(nodeid) if self._mode in ("loadscope", "loadgroup") else nodeid

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Note the end of a test. A unit that is done is forgotten: counting what is left stays cheap."""
        super().mark_test_complete(node, item_index, duration)
        work = self.assigned_work[node]
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(work[scope].values()):
            del work[scope]

    def remove_node(self, node: WorkerController) -> str | None:
        """Give back what a lost worker had not finished, less the test that it was in."""
        work = self.assigned_work.pop(node)
        crashed: str | None = next((item for unit in work.values() for item, done in unit.items() if not done), None)
        if crashed is None:
            return None
        rest: dict[str, dict[str, bool]] = {}
        for scope, unit in work.items():
            left = {item: done for item, done in unit.items() if not done and item != crashed}
            if left:
                rest[scope] = left
        self.workqueue = OrderedDict({**rest, **self.workqueue})
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        """Give a worker what it needs to go on: it runs a test only when it knows the next one, or that there is none.

        A replacement that has not collected yet gets nothing.
        """
        if node.shutting_down or node not in self.registered_collections:
            return
        while self.workqueue and self._pending_of(self.assigned_work[node]) <= _FEW:
            if not self._assign_work_unit(node):
                return
        if not self.workqueue:
            node.shutdown()

    def _assign_work_unit(self, node: WorkerController) -> bool:
        """Send a worker the next unit. xdist searches its whole collection for each test.

        False: the worker is gone, and xdist will tell soon. The unit stays in the queue, or its first test would be
        taken for the one that the worker died of.
        """
        if not self._places:  # the same for all workers: xdist has checked it
            self._places = {item: place for place, item in enumerate(self.registered_collections[node])}
        scope, unit = self.workqueue.popitem(last=False)
        try:
            node.send_runtest_some([self._places[item] for item, done in unit.items() if not done])
        except OSError:
            self.workqueue[scope] = unit
            self.workqueue.move_to_end(scope, last=False)
            return False
        self.assigned_work[node][scope] = unit
        return True
