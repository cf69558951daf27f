"""Scores, figures, ranks, efficiency and consistency on small known cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.analysis.consistency import consistency
from pytest_llmbench.analysis.efficiency import efficiency, pareto_front
from pytest_llmbench.analysis.figures import difference, written
from pytest_llmbench.analysis.model_scores import ModelScore, from_rows
from pytest_llmbench.analysis.ranks import ranked


def score(model: str, total: float, **fields) -> ModelScore:
    metadata = {key: fields.pop(key) for key in ("size_gb",) if key in fields}
    return ModelScore(model=model, total=total, max_total=120, metadata=metadata, **fields)


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ((100, True), (83, True), "+17"),
        ((90, True), (93, True), "-3"),
        ((90, True), (90, True), "0"),
        ((83, False), (87, True), "-4+"),
        ((87, True), (83, False), "at most +4"),
        ((87, False), (83, False), "?"),
        ((0.3, True), (0.1, True), "+0.2"),
    ],
)
def test_differences_are_written_as_bounds_where_they_are(first, second, text):
    assert str(difference(first[0], second[0], first_complete=first[1], second_complete=second[1])) == text


def test_totals_are_written():
    assert [written(83.0), written(83.5), written(83.0, complete=False)] == ["83", "83.5", "83+"]


def test_shared_ranks_and_bounds_without_a_rank():
    rows = [score("e", 70), score("c", 90), score("b", 90), score("a", 95), score("d", 99, complete=False)]
    assert [(r.rank, r.score.model, r.score.written) for r in ranked(rows)] == [
        (1, "a", "95"),
        (2, "b", "90"),
        (2, "c", "90"),
        (4, "e", "70"),
        (None, "d", "99+"),
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans())))
def test_a_rank_is_one_more_than_the_models_above(totals):
    found = ranked(score(str(n), total, complete=whole) for n, (total, whole) in enumerate(totals))
    whole = [total for total, complete in totals if complete]
    for entry in found:
        above = sum(total > entry.score.total for total in whole)
        assert entry.rank == (above + 1 if entry.score.complete else None)


def test_rows_of_texts():
    row = {"model": "m", "a": "3", "b": "", "total": "3+", "size_gb": "1.5", "avg_wall_s": "2"}
    (found,) = from_rows([row], tasks=("a", "b"), max_points=10, metadata={"m": {"base": "x", "thinking": True}})
    assert (found.total, found.max_total, found.per_task, found.completed, found.tasks) == (
        3,
        20,
        {"a": 3, "b": None},
        1,
        2,
    )
    assert (found.complete, found.size_gb, found.avg_wall_s, found.cost_usd) == (False, 1.5, 2, None)
    assert (found.base, found.thinking, found.quant, found.distilled) == ("x", True, None, False)


def test_a_total_that_is_no_figure_is_refused():
    with pytest.raises(ValueError, match="m: the total 'many' is no figure"):
        from_rows([{"model": "m", "total": "many"}], max_points=10)


def test_metadata_of_the_wrong_kind_is_not_believed():
    odd = ModelScore("m", 1, 1, metadata={"size_gb": "12", "thinking": "yes", "quant": 4, "labels": "distill"})
    assert (odd.size_gb, odd.thinking, odd.quant, odd.distilled) == (None, None, None, False)


def test_efficiency_needs_a_time_and_a_size():
    fast, unknown = efficiency([score("a", 100, avg_wall_s=30, size_gb=8), score("b", 100, avg_wall_s=0.0)])
    assert (fast.per_minute, fast.per_gb) == (200, 12.5)
    assert (unknown.per_minute, unknown.per_gb) == (None, None)


FIELD = [
    score("best", 100, avg_wall_s=100, size_gb=30, cost_usd=3),
    score("fast", 90, avg_wall_s=10, size_gb=40, cost_usd=2),
    score("twin", 90, avg_wall_s=10, size_gb=40, cost_usd=2),
    score("small", 80, avg_wall_s=50, size_gb=5, cost_usd=1),
    score("beaten", 80, avg_wall_s=60, size_gb=50, cost_usd=4),
    score("bound", 110, avg_wall_s=1, size_gb=1, cost_usd=0, complete=False),
    score("unknown", 120),
]


@pytest.mark.parametrize(
    ("costs", "front"),
    [
        (["avg_wall_s"], ["best", "fast", "twin"]),
        (["size_gb"], ["best", "small"]),
        (["cost_usd"], ["best", "fast", "twin", "small"]),
        (["avg_wall_s", "size_gb"], ["best", "fast", "twin", "small"]),
        ([], ["unknown"]),
    ],
)
def test_pareto_front(costs, front):
    assert [s.model for s in pareto_front(FIELD, costs)] == front


def test_pareto_front_of_the_published_models(boards):
    """By time the hosted one leads; by size, which it has none of, three local ones."""
    assert [s.model for s in pareto_front(boards)] == ["claude-haiku-4-5", "qwen3-coder-30b-a3b-q4kxl"]
    by_size = ["qwen35-35b-a3b-q8", "gpt-oss-20b-q8kxl", "qwen35-9b-q8"]
    assert [s.model for s in pareto_front(boards, ["size_gb"])] == by_size


def test_consistency_of_tasks_of_unequal_worth():
    one = ModelScore("m", 18, 30, per_task={"a": 8.0, "b": 10.0, "c": None}, max_per_task={"a": 10, "b": 20, "c": 5})
    (found,) = consistency([one, ModelScore("none", 0, 30, per_task={"a": None}), ModelScore("total only", 5, 30)])
    assert (found.tasks, found.lowest, found.highest, found.spread, found.stdev) == (2, 8, 10, 2, 1)
    assert found.share == pytest.approx(0.6)
    assert found.stdev_share == pytest.approx(0.15)
    assert found.label == "uneven"
