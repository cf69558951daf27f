"""Calling the listeners of plugins: ``pytest_llmbench_attempt_graded`` and ``pytest_llmbench_results``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from pytest_llmbench.grading.aggregate import grade
from pytest_llmbench.plugin.extensions import implementations
from pytest_llmbench.runs.results import Recorder
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.keys import AttemptKey, ItemRef, TurnKey
from pytest_llmbench.schema.outcome import Outcome
from pytest_llmbench.schema.plan import Plan
from pytest_llmbench.schema.results import AttemptResult, Results
from pytest_llmbench.schema.run_files import RESULTS


class Listeners:
    """Calls every listener by itself; what one of them raises is noted, and is nobody else's concern."""

    def __init__(self, config: pytest.Config) -> None:
        """Raises ``OptionError`` for a listener that is a hook wrapper."""
        self._config = config
        self._on_attempt = implementations(config, "pytest_llmbench_attempt_graded")
        self._on_results = implementations(config, "pytest_llmbench_results")
        self._plan: Plan | None = None
        self._open: dict[AttemptKey, set[ItemRef]] = {}
        """Points that are not recorded yet, of each attempt that is not graded."""
        self._records: dict[AttemptKey, list[ItemRecord]] = {}
        self._troubles: Counter[str] = Counter()

    def recorded(self, record: ItemRecord, plan: Plan, recorder: Recorder) -> None:
        """A point was recorded: an attempt of which all were is graded. ``plan`` is that of this session."""
        if not self._on_attempt:
            return
        if plan is not self._plan:
            self._plan = plan
            self._open = {}
            for ref in plan.items.values():
                self._open.setdefault(ref.key, set()).add(ref)
        key = record.key
        left = self._open.get(key)
        if left is None:
            return
        self._records.setdefault(key, []).append(record)
        left.discard(ItemRef(*key[:3], record.point, record.case))
        if not left:
            del self._open[key]
            attempt = _graded(plan, key, self._records.pop(key), recorder)
            self._report("pytest_llmbench_attempt_graded", self._on_attempt, recorder, attempt=attempt)

    def finished(self, results: Results, recorder: Recorder) -> None:
        """The session's results are worked out; they are reported where they could be written."""
        if (recorder.run.path / RESULTS).is_file():
            self._report("pytest_llmbench_results", self._on_results, recorder, results=results)

    def troubles(self) -> list[str]:
        """One line for each thing that a listener raised; those given before are left out."""
        lines = [f"{line} ({count} times)" if count > 1 else line for line, count in self._troubles.items()]
        self._troubles.clear()
        return lines

    def _report(
        self,
        hook: str,
        listeners: Iterable[tuple[str, Callable[..., Any]]],
        recorder: Recorder,
        **what: AttemptResult | Results,
    ) -> None:
        for plugin, call in listeners:
            copies = {name: value.model_copy(deep=True) for name, value in what.items()}
            try:
                call(config=self._config, run_folder=recorder.run.path, **copies)
            except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - whatever it is
                said = str(error).partition("\n")[0]
                self._troubles[f"plugin {plugin}: {hook} raised {type(error).__name__}: {said}"] += 1


def _graded(plan: Plan, key: AttemptKey, records: Iterable[ItemRecord], recorder: Recorder) -> AttemptResult:
    items = {nodeid: ref for nodeid, ref in plan.items.items() if ref.key == key}
    cards = tuple(card for card in plan.tasks if card.id == key.task)
    alone = plan.model_copy(update={"items": items, "tasks": cards})
    (attempt,) = grade(alone, _outcomes(key, cards[0].turns, recorder), records).attempts
    return attempt


def _outcomes(key: AttemptKey, turns: int, recorder: Recorder) -> Mapping[TurnKey, Outcome]:
    """What came of asking, turn by turn, as the run folder has it."""
    keys = [key.turn(number) for number in range(1, turns + 2)]  # the last may be a fault between two
    return {each: outcome for each in keys if (outcome := recorder.recall(each)) is not None}
