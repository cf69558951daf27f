"""Which runs are ranked together."""

from __future__ import annotations

from support.boards import results_of

from pytest_llmbench.analysis.multi_run import boards


def test_the_newest_figure_of_a_model_counts() -> None:
    old = results_of({"m": {"a": [20.0]}, "n": {"a": [10.0]}}, run="20260101-000000-aaaaaa")
    new = results_of({"m": {"a": [5.0]}}, run="20260102-000000-bbbbbb")
    (board,) = boards([new, old])
    assert [(e.place.rank, e.place.score.model, e.place.score.total, e.run[-6:]) for e in board.entries] == [
        (1, "n", 10.0, "aaaaaa"),
        (2, "m", 5.0, "bbbbbb"),
    ]
    (everything,) = boards([new, old], every=True)
    assert [(e.place.rank, e.place.score.model) for e in everything.entries] == [(1, "m"), (2, "n"), (3, "m")]


def test_a_whole_figure_is_not_replaced_by_a_lower_bound() -> None:
    old = results_of({"m": {"a": [20.0], "b": [1.0]}}, run="20260101-000000-aaaaaa")
    new = results_of({"m": {"a": [5.0], "b": [None]}}, run="20260102-000000-bbbbbb")
    (board,) = boards([old, new])
    assert [(e.place.rank, e.place.score.written) for e in board.entries] == [(1, "21")]


def test_changed_tasks_are_another_board() -> None:
    a = results_of({"m": {"a": [20.0]}, "n": {"a": [3.0]}})
    b = results_of({"m": {"a": [20.0]}}, fingerprint="changed")
    c = results_of({"m": {"a": [20.0], "b": [3.0]}})
    assert [(board.tasks, board.max_total, len(board.entries)) for board in boards([a, b, c])] == [
        (("a",), 20.0, 2),
        (("a",), 20.0, 1),
        (("a", "b"), 40.0, 1),
    ]


def test_nothing() -> None:
    assert boards([]) == []
