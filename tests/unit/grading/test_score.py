"""From the items of one attempt to the task's score."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import card, criterion

from pytest_llmbench.grading.score import TaskScore, score_attempt
from pytest_llmbench.schema.attempt import ItemRecord
from pytest_llmbench.schema.plan import TaskCard

Verdicts = Mapping[tuple[str, str], str]


def score(task: TaskCard, verdicts: Verdicts, *, asked=None, whole: bool = True) -> TaskScore:
    """Score one attempt; items without a verdict have no record."""
    found = [
        ItemRecord.model_validate(
            {"task": task.id, "model": "m", "epoch": 1, "point": point, "case": case, "outcome": outcome}
        )
        for (point, case), outcome in verdicts.items()
    ]
    return score_attempt(task, found, {c.id: c.cases for c in task.criteria} if asked is None else asked, whole=whole)


def all_items(task: TaskCard, outcome: str = "earned") -> dict[tuple[str, str], str]:
    return {(c.id, case): outcome for c in task.criteria for case in c.cases}


# -- points and cases ------------------------------------------------------------------------------------------------


def test_points_add_up():
    task = card("t", criterion("a", 3), criterion("b", 5), criterion("c", 2))
    result = score(task, {("a", ""): "earned", ("b", ""): "missed", ("c", ""): "earned"})
    assert (result.points, result.max_points) == (5, 10)
    assert [(c.id, c.points, c.max_points, c.outcome) for c in result.criteria] == [
        ("a", 3, 3, "earned"),
        ("b", 0, 5, "missed"),
        ("c", 2, 2, "earned"),
    ]


def test_decimal_points_sum_exactly():
    task = card("t", criterion("a", 0.1), criterion("b", 0.2), criterion("c", 0.7))
    assert score(task, {("a", ""): "earned", ("b", ""): "earned"}).points == 0.3


@pytest.mark.parametrize(("cases", "points"), [(3, 4), (7, 4), (6, 1), (9, 2.5)])
def test_cases_share_the_points_and_sum_to_them_exactly(cases, points):
    task = card("t", criterion("a", points, cases=[str(n) for n in range(cases)]))
    full = score(task, all_items(task))
    assert full.points == full.max_points == full.criteria[0].points == points

    one_missed = score(task, {**all_items(task), ("a", "0"): "missed"})
    assert one_missed.points == pytest.approx(points * (cases - 1) / cases, abs=1e-4)
    assert one_missed.criteria[0].outcome == "missed"


def test_all_cases_is_all_or_nothing():
    task = card("t", criterion("a", 4, cases="xyz", all_cases=True))
    assert score(task, all_items(task)).points == 4
    missed = score(task, {**all_items(task), ("a", "y"): "missed"})
    assert (missed.points, missed.max_points, missed.criteria[0].outcome) == (0, 4, "missed")


def test_all_cases_with_a_case_never_reached_earns_nothing():
    task = card("t", criterion("a", 4, cases="xy", all_cases=True))
    result = score(task, {("a", "x"): "earned"})
    assert (result.points, result.criteria[0].outcome) == (0, "not_reached")


def test_only_the_asked_cases_count():
    task = card("t", criterion("a", 3, cases="xyz"), criterion("b", 5))
    result = score(task, all_items(task), asked={"a": ("x", "z")}, whole=False)
    assert (result.points, result.max_points) == (2, 2)
    assert [c.id for c in result.criteria] == ["a"]


def test_the_first_message_of_a_criterion_is_kept():
    task = card("t", criterion("a", 3, cases="xyz"))
    found = [
        ItemRecord(task="t", model="m", epoch=1, point="a", case=case, outcome="missed", message=f"{case} is wrong")
        for case in "zy"
    ]
    assert score_attempt(task, found, {"a": tuple("xyz")}).criteria[0].message == "y is wrong"


# -- verdicts of a criterion -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (("earned", "earned"), "earned"),
        (("earned", "missed"), "missed"),
        (("missed", "skipped"), "missed"),
        (("earned", "skipped"), "skipped"),
        (("skipped", "not_reached"), "not_reached"),
        (("earned", "grader"), "not_reached"),
    ],
)
def test_a_criterion_ends_as_its_worst_case_known(outcomes, verdict):
    task = card("t", criterion("a", 2, cases="xy"))
    given_verdicts = {("a", case): outcome for case, outcome in zip("xy", outcomes, strict=True)}
    assert score(task, given_verdicts).criteria[0].outcome == verdict


def test_a_harness_record_earns_nothing():
    task = card("t", criterion("a", 2), criterion("b", 3))
    assert score(task, {("a", ""): "grader", ("b", ""): "earned"}).points == 3


# -- bonus, caps, penalties, floor -----------------------------------------------------------------------------------


def test_a_bonus_only_adds_and_is_never_a_miss():
    task = card("t", criterion("a", 4), criterion("extra", 1, "bonus"))
    without = score(task, {("a", ""): "earned", ("extra", ""): "missed"})
    assert (without.points, without.max_points) == (4, 5)
    assert without.criteria[1].outcome == "bonus"
    assert score(task, all_items(task)).points == 5


@pytest.mark.parametrize("caps", [(12, 8, 2), (8, 12, 2)], ids=["falling", "rising"])
def test_the_lowest_cap_that_failed_bounds_the_score(caps):
    task = card("t", criterion("a", 20), *(criterion(f"c{n}", cap, "cap") for n, cap in enumerate(caps)))
    result = score(task, {**all_items(task), ("c0", ""): "missed", ("c1", ""): "missed"})
    assert (result.points, result.max_points, result.caps) == (8, 20, ["c0", "c1"])


def test_a_cap_above_the_score_changes_nothing_but_is_named():
    task = card("t", criterion("a", 3), criterion("b", 17), criterion("cap", 12, "cap"))
    result = score(task, {("a", ""): "earned", ("b", ""): "missed", ("cap", ""): "missed"})
    assert (result.points, result.caps) == (3, ["cap"])


def test_one_failed_case_of_a_cap_is_enough():
    task = card("t", criterion("a", 20), criterion("cap", 5, "cap", cases="xy"))
    assert score(task, {**all_items(task), ("cap", "y"): "missed"}).points == 5


@pytest.mark.parametrize("outcome", ["skipped", "not_reached", "grader"])
def test_a_cap_bites_only_when_its_test_failed(outcome):
    task = card("t", criterion("a", 20), criterion("cap", 5, "cap"))
    assert score(task, {("a", ""): "earned", ("cap", ""): outcome}).points == 20


def test_a_penalty_takes_off_by_case():
    task = card("t", criterion("a", 10), criterion("p", 3, "penalty", cases="xyz"))
    one = score(task, {**all_items(task), ("p", "x"): "missed"})
    assert (one.points, one.criteria[1].points, one.criteria[1].max_points) == (9, -1, 0)
    assert score(task, {**all_items(task), **{("p", c): "missed" for c in "xyz"}}).points == 7


def test_a_penalty_with_all_cases_takes_everything_off_at_once():
    task = card("t", criterion("a", 10), criterion("p", 3, "penalty", cases="xyz", all_cases=True))
    assert score(task, {**all_items(task), ("p", "x"): "missed"}).points == 7


def test_no_dimension_falls_below_zero():
    task = card(
        "t",
        criterion("a", 2, dimension="tests"),
        criterion("p", 5, "penalty", dimension="tests"),
        criterion("b", 8, dimension="style"),
    )
    result = score(task, {**all_items(task), ("p", ""): "missed"})
    assert result.points == 8
    assert {n: (d.points, d.max_points) for n, d in result.dimensions.items()} == {"tests": (0, 2), "style": (8, 8)}


def test_a_penalty_without_a_dimension_comes_off_the_whole_score():
    task = card("t", criterion("a", 10, dimension="tests"), criterion("p", 3, "penalty"))
    assert score(task, {**all_items(task), ("p", ""): "missed"}).points == 7


def test_a_score_never_falls_below_zero():
    task = card("t", criterion("a", 2), criterion("p", 5, "penalty"))
    assert score(task, {**all_items(task), ("p", ""): "missed"}).points == 0


def test_the_floor_lifts_also_above_a_cap():
    task = card("t", criterion("a", 20), criterion("cap", 1, "cap"), floor=4)
    assert score(task, all_items(task, "missed")).points == 4
    assert score(task, {("a", ""): "earned", ("cap", ""): "missed"}).points == 4


def test_the_floor_is_of_the_whole_task_only():
    task = card("t", criterion("a", 10), criterion("b", 10), floor=4)
    assert score(task, {("a", ""): "missed"}, asked={"a": ("",)}, whole=False).points == 0


def test_the_floor_never_exceeds_what_was_asked_for():
    """The rest of the task was left out for everybody: 2 points are left, the floor is 4."""
    task = card("t", criterion("a", 2), criterion("b", 18), floor=4)
    result = score(task, {("a", ""): "missed"}, asked={"a": ("",)})
    assert (result.points, result.max_points) == (2, 2)


def test_nothing_asked_is_worth_nothing():
    result = score(card("t", criterion("a", 10), floor=4), {}, asked={})
    assert (result.points, result.max_points, result.criteria) == (0, 0, [])


# -- whatever the rubric ---------------------------------------------------------------------------------------------

VALUES = st.decimals("0.01", 30, places=2).map(float)


@st.composite
def tasks(draw: st.DrawFn) -> TaskCard:
    criteria = [
        criterion(
            f"p{number}",
            draw(VALUES),
            draw(st.sampled_from(["points", "points", "bonus", "cap", "penalty"])),
            dimension=draw(st.sampled_from(["", "tests", "style"])),
            cases=[str(n) for n in range(draw(st.integers(1, 4)))],
            all_cases=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 6)))
    ]
    task = card("t", *criteria)
    return task.model_copy(update={"floor": round(task.points * draw(st.sampled_from([0, 0.1, 0.5, 1])), 2)})


@st.composite
def graded(draw: st.DrawFn) -> tuple[TaskCard, dict[tuple[str, str], str]]:
    task = draw(tasks())
    outcome = st.sampled_from(["earned", "missed"])
    return task, {item: draw(outcome) for item in all_items(task)}


@given(graded())
def test_a_whole_task_scores_between_its_floor_and_its_points(case):
    task, verdicts = case
    result = score(task, verdicts)
    assert min(task.floor, result.max_points) <= result.points <= result.max_points
    assert result.max_points == pytest.approx(task.points)
    assert all(0 <= d.points <= d.max_points for d in result.dimensions.values())


@given(graded())
def test_earning_a_missed_item_never_lowers_the_score(case):
    task, verdicts = case
    before = score(task, verdicts).points
    for item, outcome in verdicts.items():
        if outcome == "missed":
            assert score(task, {**verdicts, item: "earned"}).points >= before


@given(tasks())
def test_everything_earned_is_the_full_score(task):
    assert score(task, all_items(task)).points == pytest.approx(task.points)


@given(tasks())
def test_everything_missed_is_the_floor(task):
    assert score(task, all_items(task, "missed")).points == pytest.approx(task.floor)
