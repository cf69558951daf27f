"""From collected items to the plan of a session, and to an order that suits generation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pytest

from pytest_llmbench.catalog.prompt import opening
from pytest_llmbench.errors import OptionError
from pytest_llmbench.plugin.collect.tasks import ITEM_REF, Collection
from pytest_llmbench.plugin.options.incompatible import refused_mark
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.plan import Criterion, Plan, TaskCard
from pytest_llmbench.schema.task import Task


def make_plan(collection: Collection, items: Iterable[pytest.Item]) -> Plan:
    """What the selected items amount to."""
    refs = {item.nodeid: ref for item in items if (ref := item.stash.get(ITEM_REF, None))}
    tasks = sorted({ref.task for ref in refs.values()})
    return Plan(
        tasks=tuple(_card(collection, collection.task(task)) for task in tasks),
        items=refs,
        collected_tasks=collection.task_count,
        selfcheck=collection.settings.selfcheck,
    )


def split_shard(
    items: Sequence[pytest.Item], models: Sequence[str], shard: tuple[int, int]
) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The items of this shard and those of the others; ordinary tests are in every shard.

    Attempts are dealt in stretches, model by model, so that a shard needs as few models as can be.
    """
    keys = {ref.key for item in items if (ref := item.stash.get(ITEM_REF, None))}
    place = {model: number for number, model in enumerate(models)}
    ordered = sorted(keys, key=lambda key: (place.get(key.model, len(place)), key))
    number, of = shard
    own = set(ordered[len(ordered) * (number - 1) // of : len(ordered) * number // of])
    kept: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        ref = item.stash.get(ITEM_REF, None)
        (kept if ref is None or ref.key in own else others).append(item)
    return kept, others


def order_for_generation(items: list[pytest.Item], models: Sequence[str], queues: Mapping[str, str]) -> None:
    """Sort in place: ordinary tests first, then attempts in the order in which their replies come.

    ``models`` are the labels in the order in which they are asked, ``queues`` says which of them wait for each other.
    Queues run side by side, so the first attempts of all queues come before the second ones.
    """
    keys = dict.fromkeys(ref.key for item in items if (ref := item.stash.get(ITEM_REF, None)))
    place = {model: number for number, model in enumerate(models)}
    served: Counter[str] = Counter()
    turn: dict[AttemptKey, int] = {}
    for key in keys:
        place.setdefault(key.model, len(place))  # a mutant: no model, so not in the list
    for key in sorted(keys, key=lambda key: place[key.model]):
        queue = queues.get(key.model, key.model)
        turn[key] = served[queue]
        served[queue] += 1

    def rank(item: pytest.Item) -> tuple[int, int, int]:
        ref = item.stash.get(ITEM_REF, None)
        return (1, turn[ref.key], place[ref.model]) if ref else (0, 0, 0)

    items.sort(key=rank)


def refuse_marked(items: Iterable[pytest.Item]) -> None:
    """Raises ``OptionError`` for a rubric test that others marked, after it was collected, to be run again or away."""
    for item in items:
        if ITEM_REF in item.stash and (refused := refused_mark(item.iter_markers(), None)):
            raise OptionError(f"{item.nodeid} was marked {refused[0]}: {refused[1]}")


def keep_attempts_together(items: list[pytest.Item]) -> None:
    """Move every item of an attempt up to the attempt's first one, in place; the rest of the order stays."""
    first: dict[object, int] = {}
    owners = [ref.key if (ref := item.stash.get(ITEM_REF, None)) else item for item in items]
    for number, owner in enumerate(owners):
        first.setdefault(owner, number)
    places = {id(item): first[owner] for item, owner in zip(items, owners, strict=True)}
    items.sort(key=lambda item: places[id(item)])


def _card(collection: Collection, task: Task) -> TaskCard:
    return TaskCard(
        id=task.id,
        suite=task.suite,
        points=task.points,
        floor=task.floor,
        files=task.files,
        leave_out=task.leave_out,
        prompt=task.prompt,
        messages=opening(task),
        turns=task.turns,
        criteria=tuple(
            Criterion(
                id=point.id,
                kind=point.kind,
                value=point.value,
                max_points=point.max_points,
                dimension=point.dimension,
                all_cases=point.all_cases,
                title=point.title,
                cases=collection.cases(task.id, point.id),
            )
            for point in task.rubric
        ),
        fingerprint=task.fingerprint,
        starter=dict(task.starter),
        data=str(task.data) if task.data else None,
        unavailable=collection.unavailable(task),
        mutants=collection.mutants(task.id),
    )
