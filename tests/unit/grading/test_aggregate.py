"""Every planned attempt ends in exactly one state."""

from __future__ import annotations

import pytest
from support.records import answered, card, criterion, failed, plan, record, records

from pytest_llmbench.grading.aggregate import Graded, grade
from pytest_llmbench.schema.attempt import Completion, Retry, Usage
from pytest_llmbench.schema.keys import ItemRef, TurnKey
from pytest_llmbench.schema.outcome import Replied, failure_of
from pytest_llmbench.schema.results import AttemptResult

SORT = card("sort", criterion("right", 6), criterion("fast", 4, cases=("small", "large")), floor=1)
PORT = card("port", criterion("builds", 20))
ALPHA = TurnKey("sort", "alpha", 1)


def one(graded: Graded, task: str = "sort", model: str = "alpha", epoch: int = 1) -> AttemptResult:
    (found,) = [a for a in graded.attempts if (a.task, a.model, a.epoch) == (task, model, epoch)]
    return found


def run(of, verdict=lambda ref: "earned", outcomes=None, *, stopped_by=""):
    known = {key.turn(1): answered() for key in of.attempts()} | (outcomes or {})
    return grade(of, known, records(of, verdict), stopped_by=stopped_by)


# -- scored ----------------------------------------------------------------------------------------------------------


def test_an_attempt_with_all_verdicts_is_scored():
    attempt = one(run(plan(SORT), lambda ref: "missed" if ref.case == "large" else "earned"))
    assert (attempt.status, attempt.points, attempt.max_points, attempt.reason, attempt.error) == (
        "scored",
        8,
        10,
        "",
        None,
    )


def test_an_attempt_without_code_is_scored_at_the_floor():
    of = plan(SORT)
    found = [record(ref, "missed", "no code", labels=["no_code"]) for ref in of.items.values()]
    attempt = one(grade(of, {ALPHA: answered()}, found))
    assert (attempt.status, attempt.points, attempt.labels) == ("scored", 1, ["no_code"])


def test_what_is_known_of_the_completion_is_carried_over():
    outcome = Replied(
        completion=Completion(
            text="...", finish_reason="stop", usage=Usage(completion_tokens=7), timings={"predicted_ms": 3}, wall_s=2.5
        ),
        retries=(Retry(kind="server_error", message="503", waited_s=1.0),),
        cached=True,
    )
    attempt = one(run(plan(SORT), outcomes={ALPHA: outcome}))
    assert (attempt.wall_s, attempt.finish_reason, attempt.timings) == (2.5, "stop", {"predicted_ms": 3})
    assert (attempt.usage.completion_tokens, attempt.cached) == (7, True)
    assert [retry.kind for retry in attempt.retries] == ["server_error"]


def test_a_later_record_of_the_same_item_wins():
    of = plan(SORT)
    earlier = records(of, lambda ref: ("grader", "worker lost") if ref.point == "right" else "missed")
    attempt = one(grade(of, {ALPHA: answered()}, [*earlier, *records(of)]))
    assert (attempt.status, attempt.points) == ("scored", 10)


def test_attempts_are_sorted_by_task_model_and_epoch():
    of = plan(SORT, PORT, models=("beta", "alpha"), epochs=11)
    keys = [(a.task, a.model, a.epoch) for a in run(of).attempts]
    assert keys == sorted(keys)
    assert len(keys) == 2 * 2 * 11


# -- error -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["connection", "truncated", "missing_reply", "grader"])
def test_a_failed_generation_is_an_error_with_its_kind(kind):
    graded = run(plan(SORT), lambda ref: ("not_reached", kind), {ALPHA: failed(kind, "what happened")})
    attempt = one(graded)
    assert attempt.status == "error"
    assert attempt.error is not None
    assert (attempt.error.kind, attempt.error.message) == (kind, "what happened")
    assert (attempt.points, attempt.max_points) == (0, 10)


def test_one_broken_item_makes_the_attempt_an_error_of_ours_without_points():
    graded = run(plan(SORT), lambda ref: ("grader", "sandbox gone") if ref.point == "fast" else "earned")
    attempt = one(graded)
    assert attempt.status == "error"
    assert attempt.error is not None
    assert (attempt.error.kind, attempt.error.message) == ("grader", "fast: sandbox gone")
    assert attempt.points == 0


def test_a_provider_failure_stays_one_where_the_task_was_left_out_for_all():
    of = plan(SORT, models=("alpha", "beta"))
    graded = run(
        of,
        lambda ref: ("skipped", "no node") if ref.model == "alpha" else ("not_reached", "401"),
        {TurnKey("sort", "beta", 1): failed("auth", "401")},
    )
    assert one(graded).status == "not_run"
    attempt = one(graded, model="beta")
    assert attempt.error is not None
    assert (attempt.status, attempt.error.kind, attempt.max_points) == ("error", "auth", 0)


# -- left out, skipped -----------------------------------------------------------------------------------------------


def test_a_task_skipped_in_every_attempt_is_left_out_for_all():
    of = plan(SORT, PORT, models=("alpha", "beta"))
    graded = run(of, lambda ref: ("skipped", "no cargo: install rustup") if ref.task == "port" else "earned")
    for model in ("alpha", "beta"):
        attempt = one(graded, "port", model)
        assert (attempt.status, attempt.reason, attempt.max_points) == ("not_run", "no cargo: install rustup", 0)
        assert one(graded, "sort", model).status == "scored"


def test_a_point_skipped_in_every_attempt_is_left_out_and_the_rest_is_scored():
    graded = run(
        plan(SORT, models=("alpha", "beta")), lambda ref: ("skipped", "no perf") if ref.point == "fast" else "earned"
    )
    attempt = one(graded, model="beta")
    assert (attempt.status, attempt.points, attempt.max_points) == ("scored", 6, 6)


def test_an_item_skipped_for_one_model_alone_makes_its_attempt_incomplete():
    graded = run(
        plan(SORT, models=("alpha", "beta")),
        lambda ref: ("skipped", "too big") if ref.model == "beta" and ref.point == "fast" else "earned",
    )
    assert one(graded).status == "scored"
    attempt = one(graded, model="beta")
    assert (attempt.status, attempt.reason) == ("incomplete", "skipped: too big")
    assert (attempt.points, attempt.max_points) == (6, 10)


def test_a_task_known_to_be_unavailable_is_left_out_before_any_skip_is_recorded():
    rust = card("rust", criterion("builds", 20), unavailable="no cargo: install rustup")
    attempt = one(run(plan(SORT, rust), lambda ref: None, stopped_by="interrupted"), "rust")
    assert (attempt.status, attempt.reason, attempt.max_points) == ("not_run", "no cargo: install rustup", 0)


# -- stopped, deselected ---------------------------------------------------------------------------------------------


def test_an_attempt_that_nothing_was_graded_of_was_not_run():
    attempt = one(run(plan(SORT), lambda ref: None, stopped_by="interrupted"))
    assert (attempt.status, attempt.reason, attempt.points) == ("not_run", "interrupted", 0)


def test_an_attempt_cut_short_is_incomplete_and_says_by_what():
    attempt = one(
        run(plan(SORT), lambda ref: "earned" if ref.point == "right" else None, stopped_by="stopping after 1 failures")
    )
    assert (attempt.status, attempt.reason) == ("incomplete", "stopping after 1 failures")


def test_an_attempt_cut_short_by_nothing_known_was_not_reached():
    assert one(run(plan(SORT), lambda ref: None)).reason == "not reached"
    assert one(run(plan(SORT), lambda ref: "earned" if ref.point == "right" else None)).reason == "not reached"


def test_a_selection_of_points_leaves_the_attempt_incomplete_and_without_floor():
    attempt = one(run(plan(SORT, only=lambda ref: ref.point == "right"), lambda ref: "missed"))
    assert (attempt.status, attempt.reason) == ("incomplete", "deselected")
    assert (attempt.points, attempt.max_points) == (0, 6)


def test_points_selected_for_another_model_only_make_the_attempt_incomplete():
    of = plan(SORT, models=("alpha", "beta"), only=lambda ref: ref.model == "alpha" or ref.point == "right")
    graded = run(of)
    assert one(graded).status == "scored"
    attempt = one(graded, model="beta")
    assert (attempt.status, attempt.reason, attempt.max_points) == ("incomplete", "deselected for this model", 10)


def test_every_combination_ends_in_one_state():
    """All outcomes of two items under every kind of generation, stopped or not."""
    of = plan(card("t", criterion("a", 2), criterion("b", 3)))
    key = TurnKey("t", "alpha", 1)
    outcomes = ("earned", "missed", "skipped", "grader", "not_reached", None)
    for generation in (None, answered(), failed("timeout")):
        for first in outcomes:
            for second in outcomes:
                found = [
                    record(ref, outcome)
                    for ref, outcome in zip(of.items.values(), (first, second), strict=True)
                    if outcome
                ]
                (attempt,) = grade(of, {key: generation} if generation else {}, found, stopped_by="stop").attempts
                assert (attempt.error is not None) == (attempt.status == "error")
                assert bool(attempt.reason) == (attempt.status in ("incomplete", "not_run"))
                assert attempt.points <= attempt.max_points
                broken = generation is not None and failure_of(generation) is not None
                if broken or "grader" in (first, second):
                    assert attempt.status == "error"
                elif {first, second} <= {"earned", "missed"}:
                    assert attempt.status == "scored"


def test_a_record_of_an_item_that_was_not_planned_changes_nothing():
    of = plan(SORT)
    stray = record(ItemRef("sort", "gone", 1, "right", ""), "missed")
    assert one(grade(of, {ALPHA: answered()}, [stray, *records(of)])) == one(run(of))


# -- what cannot be worked out -----------------------------------------------------------------------------------------


def test_absurd_figures_of_a_record_are_left_out():
    completion = Completion(
        text="...",
        usage=Usage(completion_tokens=10**400, prompt_tokens=5),
        timings={"predicted_per_second": 10**400, "predicted_ms": float("inf"), "x": {"y": [[[1]]]}, "prompt_n": 7},
    )
    attempt = one(run(plan(SORT), outcomes={ALPHA: Replied(completion=completion)}))
    assert (attempt.status, attempt.tokens_per_s, attempt.timings) == ("scored", None, {"prompt_n": 7})
    assert attempt.usage == Usage(prompt_tokens=5)


def test_a_record_that_gives_no_result_is_an_error_of_that_attempt_alone():
    """Such as one that was written by hand: records are read without a look at each number."""
    broken = Replied(completion=Completion(text="...").model_copy(update={"wall_s": float("nan")}))
    graded = run(plan(SORT, models=("alpha", "beta")), outcomes={ALPHA: broken})
    attempt, other = one(graded), one(graded, model="beta")
    assert (attempt.status, attempt.error.kind, attempt.points, attempt.max_points) == ("error", "grader", 0, 10)
    assert "give no result (ValidationError" in attempt.error.message
    assert (other.status, other.points) == ("scored", 10)
