"""The denominators: what a run asked for, of what its tasks hold."""

from __future__ import annotations

from support.records import card, criterion, plan, record, records

from pytest_llmbench.grading.denominators import what_was_asked
from pytest_llmbench.schema.keys import AttemptKey

SORT = card("sort", criterion("right", 60), criterion("fast", 40, cases=("s", "m", "l")), criterion("cap", 5, "cap"))
RUST = card("rust", criterion("builds", 15), criterion("extra", 5, "bonus"))


def test_everything_is_asked_for():
    of = plan(SORT, RUST, models=("alpha", "beta"))
    asked = what_was_asked(of, records(of))
    assert asked.tasks == {
        "sort": {"right": ("",), "fast": ("s", "m", "l"), "cap": ("",)},
        "rust": {"builds": ("",), "extra": ("",)},
    }
    assert asked.attempts[AttemptKey("rust", "beta", 1)] == asked.tasks["rust"]
    assert asked.whole == {"sort", "rust"}
    assert (asked.selection.points, asked.selection.of_points) == (120, 120)
    assert not asked.selection.partial
    assert not asked.selection.left_out


def test_a_task_skipped_in_every_attempt_leaves_its_points_out():
    of = plan(SORT, RUST, models=("alpha", "beta"), epochs=2)
    asked = what_was_asked(of, records(of, lambda ref: ("skipped", "no cargo") if ref.task == "rust" else "earned"))
    assert list(asked.tasks) == ["sort"]
    assert (asked.selection.points, asked.selection.of_points) == (100, 120)
    assert [(o.task, o.points, o.reason) for o in asked.selection.left_out] == [("rust", 20, "no cargo")]
    assert not asked.selection.partial


def test_one_case_skipped_in_every_attempt_leaves_its_share_out():
    of = plan(SORT)
    asked = what_was_asked(of, records(of, lambda ref: ("skipped", "little memory") if ref.case == "l" else "missed"))
    assert asked.tasks["sort"]["fast"] == ("s", "m")
    assert asked.selection.points == 86.6667
    assert [(o.points, o.reason) for o in asked.selection.left_out] == [(13.3333, "little memory")]


def test_reasons_are_told_apart_in_rubric_order():
    of = plan(SORT)
    why = {"right": "first reason", "fast": "second reason"}
    asked = what_was_asked(of, records(of, lambda ref: ("skipped", why[ref.point]) if ref.point in why else "earned"))
    assert [(o.points, o.reason) for o in asked.selection.left_out] == [(60, "first reason"), (40, "second reason")]


def test_an_item_graded_in_any_attempt_stays_asked_for():
    of = plan(RUST, models=("alpha", "beta"))
    for graded in ("earned", "missed", "grader"):
        found = records(of, lambda ref, graded=graded: "skipped" if ref.model == "alpha" else graded)
        assert what_was_asked(of, found).selection.points == 20


def test_an_attempt_that_never_got_there_does_not_keep_an_item():
    of = plan(RUST, models=("alpha", "beta"))
    found = records(of, lambda ref: ("skipped", "no cargo") if ref.model == "alpha" else "not_reached")
    assert what_was_asked(of, found).selection.points == 0


def test_an_unavailable_task_is_left_out_whatever_was_recorded():
    gone = RUST.model_copy(update={"unavailable": "no cargo: install rustup"})
    asked = what_was_asked(plan(SORT, gone), [])
    assert list(asked.tasks) == ["sort"]
    assert [(o.task, o.points, o.reason) for o in asked.selection.left_out] == [
        ("rust", 20, "no cargo: install rustup")
    ]


def test_a_verdict_tells_more_than_that_the_task_was_unavailable_later():
    gone = RUST.model_copy(update={"unavailable": "no cargo"})
    of = plan(gone)
    assert what_was_asked(of, records(of)).selection.points == 20


def test_deselected_points_make_the_selection_partial():
    of = plan(SORT, RUST, only=lambda ref: ref.point == "fast" and ref.case != "m")
    asked = what_was_asked(of, records(of))
    assert asked.selection.partial
    assert (asked.selection.points, asked.selection.of_points) == (26.6667, 100)
    assert asked.whole == frozenset()
    assert asked.tasks == {"sort": {"fast": ("s", "l")}}


def test_a_deselected_task_makes_the_selection_partial():
    of = plan(SORT, RUST, only=lambda ref: ref.task == "rust")
    asked = what_was_asked(of, records(of))
    assert asked.selection.partial
    assert asked.whole == {"rust"}
    assert (asked.selection.points, asked.selection.of_points) == (20, 20)


def test_one_model_of_two_selected_is_no_partial_selection():
    of = plan(SORT, models=("alpha", "beta"), only=lambda ref: ref.model == "alpha")
    assert not what_was_asked(of, records(of)).selection.partial


def test_what_was_selected_for_one_attempt_only_is_asked_of_all():
    of = plan(SORT, models=("alpha", "beta"), only=lambda ref: ref.model == "alpha" or ref.point == "right")
    asked = what_was_asked(of, records(of))
    assert asked.whole == {"sort"}
    assert asked.attempts[AttemptKey("sort", "beta", 1)] == {"right": ("",)}
    assert asked.selection.points == 100


def test_the_reason_of_a_point_does_not_hang_on_the_order_of_records():
    of = plan(RUST, models=("alpha", "beta"))
    found = [record(ref, "skipped", f"no cargo for {ref.model}") for ref in of.items.values()]
    assert what_was_asked(of, found).selection == what_was_asked(of, found[::-1]).selection


def test_nothing_planned_is_nothing_asked():
    asked = what_was_asked(plan(), [])
    assert (asked.tasks, asked.selection.points, asked.selection.partial) == ({}, 0, False)
