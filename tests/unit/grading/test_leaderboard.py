"""Ranks, totals and the models that cannot be ranked."""

from __future__ import annotations

import pytest
from support.records import answered, card, criterion, failed, plan, records, results

from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.results import Results

ONE = card("one", criterion("a", 6), criterion("b", 4))
TWO = card("two", criterion("c", 5, cases="xyzuv"))


def board(found: Results) -> list[tuple[int | None, str, float]]:
    return [(row.rank, row.model, row.total) for row in found.leaderboard]


def test_models_are_ranked_by_total():
    of = plan(ONE, TWO, models=("low", "high"))
    found = results(of, records(of, lambda ref: "missed" if ref.model == "low" and ref.point == "a" else "earned"))
    assert board(found) == [(1, "high", 15), (2, "low", 9)]
    row = found.leaderboard[1]
    assert (row.max_total, row.completed, row.per_task) == (15, "2/2", {"one": 4, "two": 5})


def test_equal_totals_share_a_rank_and_the_next_one_is_left_out():
    of = plan(TWO, models=("d", "c", "b", "a"))
    earned = {"a": "xyzuv", "b": "xyz", "c": "yzu", "d": "x"}
    found = results(of, records(of, lambda ref: "earned" if ref.case in earned[ref.model] else "missed"))
    assert board(found) == [(1, "a", 5), (2, "b", 3), (2, "c", 3), (4, "d", 1)]


def test_equal_totals_are_equal_whatever_fractions_they_are_made_of():
    """A third three times is as much as one third and two thirds."""
    tasks = [card(name, criterion("p", 1, cases="xyz")) for name in ("t1", "t2", "t3")]
    of = plan(*tasks, models=("even", "uneven"))
    earned = {"even": {"t1": "x", "t2": "x", "t3": "x"}, "uneven": {"t1": "x", "t2": "xy", "t3": ""}}
    found = results(of, records(of, lambda ref: "earned" if ref.case in [*earned[ref.model][ref.task]] else "missed"))
    assert board(found) == [(1, "even", 1), (1, "uneven", 1)]


def test_a_tasks_figure_is_the_mean_over_scored_epochs_and_the_total_their_sum():
    of = plan(ONE, TWO, epochs=3)
    missed = {("one", 1, "a"), ("one", 2, "b")}
    found = results(of, records(of, lambda ref: "missed" if (ref.task, ref.epoch, ref.point) in missed else "earned"))
    assert found.leaderboard[0].per_task == {"one": pytest.approx(20 / 3, abs=1e-4), "two": 5}
    assert found.leaderboard[0].total == pytest.approx(20 / 3 + 5, abs=1e-4)


def test_a_model_with_a_failed_epoch_is_apart_with_the_mean_of_the_others():
    of = plan(ONE, models=("alpha", "beta"), epochs=2)
    key = AttemptKey("one", "beta", 2)
    found = results(
        of, records(of, lambda ref: "not_reached" if ref.key == key else "earned"), {key: failed("timeout", "600 s")}
    )
    assert board(found) == [(1, "alpha", 10)]
    (row,) = found.incomplete
    assert (row.rank, row.model, row.total, row.completed, row.reasons) == (None, "beta", 10, "1/1", ["timeout"])


def test_the_total_of_an_incomplete_model_is_a_lower_bound():
    of = plan(ONE, TWO, models=("alpha", "beta"))
    key = AttemptKey("two", "beta", 1)
    found = results(of, records(of, lambda ref: None if ref.key == key else "earned"), {key: failed("auth", "401")})
    (row,) = found.incomplete
    assert (row.total, row.max_total, row.completed) == (10, 15, "1/2")
    assert row.per_task == {"one": 10, "two": None}


def test_incomplete_models_are_sorted_by_what_they_have_for_sure():
    of = plan(ONE, TWO, models=("b", "a", "c"))
    found = results(
        of,
        records(of, lambda ref: "missed" if ref.model == "c" and ref.task == "one" else "earned"),
        {AttemptKey("two", model, 1): failed("timeout") for model in "abc"},
    )
    assert [(row.model, row.total) for row in found.incomplete] == [("a", 10), ("b", 10), ("c", 0)]


def test_reasons_are_told_once_a_cause():
    of = plan(ONE, TWO, models=("alpha",), epochs=3)
    outcomes = {key: failed("rate_limited", f"429 for {key}") for key in of.attempts() if key.task == "one"}
    found = results(
        of,
        records(of, lambda ref: None if ref.task == "one" or ref.epoch == 3 else "earned"),
        outcomes,
        stopped_by="-x",
    )
    assert found.incomplete[0].reasons == ["not run: -x", "rate_limited (3 attempts)"]


def test_a_partial_selection_is_ranked_over_what_was_selected():
    of = plan(ONE, TWO, models=("alpha", "beta"), only=lambda ref: ref.point == "b")
    found = results(of, records(of, lambda ref: "missed" if ref.model == "beta" else "earned"))
    assert {(a.status, a.reason) for a in found.attempts} == {("incomplete", "deselected")}
    assert board(found) == [(1, "alpha", 4), (2, "beta", 0)]
    assert found.leaderboard[0].max_total == 4
    assert found.run.selection.partial


def test_a_partial_selection_that_was_stopped_is_not_ranked():
    of = plan(TWO, models=("alpha", "beta"), only=lambda ref: ref.case in "xy")
    found = results(
        of,
        records(of, lambda ref: None if (ref.model, ref.case) == ("beta", "y") else "missed"),
        stopped_by="interrupted",
    )
    assert board(found) == [(1, "alpha", 0)]
    assert found.incomplete[0].reasons == ["incomplete: interrupted"]


def test_a_model_that_was_asked_for_less_than_another_is_not_ranked():
    of = plan(TWO, models=("alpha", "beta"), only=lambda ref: ref.case in ("xy" if ref.model == "alpha" else "x"))
    found = results(of, records(of, lambda ref: "missed"))
    assert board(found) == [(1, "alpha", 0)]
    assert [(row.model, row.reasons) for row in found.incomplete] == [
        ("beta", ["incomplete: deselected for this model"])
    ]


def test_a_model_with_a_task_deselected_is_not_ranked():
    of = plan(ONE, TWO, models=("alpha", "beta"), only=lambda ref: (ref.task, ref.model) != ("two", "beta"))
    found = results(of, records(of))
    assert board(found) == [(1, "alpha", 15)]
    assert [(row.model, row.reasons) for row in found.incomplete] == [("beta", ["deselected for this model"])]


def test_a_model_with_nothing_selected_has_no_row():
    of = plan(ONE, models=("alpha", "beta"), only=lambda ref: ref.model == "alpha")
    found = results(of, records(of), models=("alpha", "beta"))
    assert [row.model for row in found.leaderboard] == ["alpha"]
    assert not found.incomplete


def test_a_task_left_out_for_all_costs_nobody_a_rank():
    of = plan(ONE, TWO, models=("alpha", "beta"))
    found = results(of, records(of, lambda ref: ("skipped", "no cargo") if ref.task == "two" else "earned"))
    assert board(found) == [(1, "alpha", 10), (1, "beta", 10)]
    assert (found.leaderboard[0].max_total, found.leaderboard[0].completed) == (10, "1/1")
    assert list(found.leaderboard[0].per_task) == ["one"]


def test_nothing_gradable_leaves_both_tables_empty():
    of = plan(ONE)
    found = results(of, records(of, lambda ref: ("skipped", "no node")))
    assert (found.leaderboard, found.incomplete) == ([], [])


def test_the_mean_wall_time_is_of_the_attempts_that_have_one():
    of = plan(ONE, TWO)
    walls = {AttemptKey("one", "alpha", 1): answered(2.0), AttemptKey("two", "alpha", 1): answered(None)}
    assert results(of, records(of), walls).leaderboard[0].avg_wall_s == 2.0
    nothing = {key: answered(None) for key in of.attempts()}
    assert results(of, records(of), nothing).leaderboard[0].avg_wall_s is None
