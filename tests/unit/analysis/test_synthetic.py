"""A run of 35 models with the published scores, graded point by point: the board, the fix rates, the approaches."""

from __future__ import annotations

import pytest
from support.records import answered, card, criterion, failed, plan, record, results

from pytest_llmbench.analysis.criterion_stats import Approach, approaches, fix_rates
from pytest_llmbench.analysis.model_scores import from_results
from pytest_llmbench.analysis.ranks import ranked
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.results import DESELECTED

TASKS = ("python", "javascript", "typescript", "rust", "go", "sse")
DISTILL = "qwen35-27b-claude-distill-q8-nonthink"


@pytest.fixture(scope="module")
def run(published):
    """Twenty points of one each a task; an incomplete model's total is spread over the first of its tasks."""
    scores = {
        row["model"]: {task: int(row[task]) for task in TASKS} for row in published.tables["six-tasks/leaderboard"]
    }
    for row in published.tables["six-tasks/incomplete"]:
        done, left = int(row["completed"][0]), int(row["score"].rstrip("+"))
        scores[row["model"]] = {}
        for place, task in enumerate(TASKS[:done]):
            scores[row["model"]][task] = points = min(20, -(-left // (done - place)))
            left -= points
    cards = [card(task, *(criterion(f"p{n:02}") for n in range(20))) for task in TASKS]
    of = plan(*cards, models=tuple(scores))
    outcomes = {
        key: answered(1.0) if key.task in scores[key.model] else failed("timeout")
        for key in (AttemptKey(task, model, 1) for task in TASKS for model in scores)
    }
    graded = [
        record(ref, "earned" if int(ref.point[1:]) < scores[ref.model][ref.task] else "missed")
        for ref in of.items.values()
        if ref.task in scores[ref.model]
    ]
    return results(of, graded, outcomes)


def test_ranks_and_totals_are_the_published_ones_but_for_the_wrong_sum(run, published):
    found = {entry.score.model: entry for entry in ranked(from_results(run))}
    assert len(found) == 35
    totals, ranks = {}, {}
    for row in published.tables["six-tasks/leaderboard"]:
        entry = found[row["model"]]
        if entry.score.written != row["total"]:
            totals[row["model"]] = (row["total"], entry.score.written)
        if str(entry.rank) != row["rank"]:
            ranks[row["model"]] = (row["rank"], str(entry.rank))
    assert totals == {DISTILL: ("82", "77")}
    # Two models of 81 points move up one place, for the wrong sum stood above them.
    assert ranks == {
        DISTILL: ("18", "21"),
        "qwen35-9b-q8": ("20", "19"),
        "kimi-linear-48b-a3b-q6kl": ("20", "19"),
    }
    flagged = {
        (s.row, s.stated, s.found) for s in published.slips if s.file.endswith("board.csv") and s.field == "total"
    }
    assert flagged == {(model, *figures) for model, figures in totals.items()}
    assert {s.row: (s.stated, s.found) for s in published.slips if s.field == "rank"} == ranks


def test_lower_bounds_are_the_published_ones(run, published):
    found = {score.model: score for score in from_results(run)}
    differs = {
        row["model"]: (row["score"], found[row["model"]].written)
        for row in published.tables["six-tasks/incomplete"]
        if found[row["model"]].written != row["score"]
    }
    assert differs == {
        "qwen35-35b-a3b-q6k-think": ("76", "76+"),
        # 83 points do not fit into four tasks of twenty.
        "nemotron-cascade-2-30b-a3b-q8": ("83+", "80+"),
    }
    assert not any(found[row["model"]].complete for row in published.tables["six-tasks/incomplete"])


def test_the_run_ranks_as_its_own_leaderboard_does(run):
    own = {row.model: row.rank for row in run.leaderboard} | {row.model: None for row in run.incomplete}
    assert {entry.score.model: entry.rank for entry in ranked(from_results(run))} == own


def bugs_run(published, task):
    """As many models as completed the task; the first ones fixed each bug. Three more did not get that far."""
    rows = [row for row in published.tables["six-tasks/bug_detection"] if row["task"] == task]
    of, fixed = int(rows[0]["of"]), {row["bug"]: int(row["fixed"]) for row in rows}
    models = [f"m{n:02}" for n in range(of + 3)]
    planned = plan(card(task, *(criterion(bug) for bug in fixed)), models=models)
    graded = [
        record(ref, "earned" if models.index(ref.model) < fixed[ref.point] else "missed")
        for ref in planned.items.values()
        if models.index(ref.model) < of
    ]
    return results(planned, graded, {AttemptKey(task, model, 1): failed("empty_content") for model in models[of:]})


@pytest.mark.parametrize("task", ["javascript", "rust"])
def test_fix_rates_and_difficulty(published, task):
    found = [(r.task, r.criterion, str(r), r.difficulty) for r in fix_rates(bugs_run(published, task))]
    stated = [
        (row["task"], row["bug"], f"{row['fixed']}/{row['of']}", row["difficulty"])
        for row in published.tables["six-tasks/bug_detection"]
        if row["task"] == task
    ]
    assert found == stated


def test_approaches_are_counted_by_model(published):
    """The published table is in order of quality, ours in order of frequency: the counts are the same."""
    rows = published.tables["six-tasks/go_rate_limiter_approaches"]
    kinds = [row["approach"] for row in rows for _ in range(int(row["models"]))]
    models = [f"m{n:02}" for n in range(len(kinds))]
    planned = plan(card("go", criterion("p")), models=models)
    graded = [
        record(ref, labels=[f"limiter: {kinds[models.index(ref.model)]}", "no_code"]) for ref in planned.items.values()
    ]
    found = approaches(results(planned, graded))
    assert {a.kind: len(a.models) for a in found} == {row["approach"]: int(row["models"]) for row in rows}
    assert [len(a.models) for a in found] == [12, 8, 3, 1, 1]


def test_a_model_counts_once_for_an_approach_however_many_epochs():
    planned = plan(card("go", criterion("a", 2), criterion("b", 1)), models=("x", "y"), epochs=2)

    def label(ref):
        return "limiter: fixed-window" if ref.key[:3] == ("go", "x", 2) else "limiter: sliding-window"

    def outcome(ref):
        return "missed" if (ref.point, ref.model) == ("b", "y") else "earned"

    found = approaches(
        results(planned, [record(ref, outcome(ref), labels=[label(ref)]) for ref in planned.items.values()])
    )
    assert found == [
        Approach("go", "limiter", "sliding-window", ("x", "y"), pytest.approx((3 + 2 + 2) / 3)),
        Approach("go", "limiter", "fixed-window", ("x",), 3),
    ]


def test_epochs_count_with_their_share():
    planned = plan(card("t", criterion("a")), models=("x", "y"), epochs=2)
    graded = [record(ref, "missed" if ref.key[:3] == ("t", "x", 2) else "earned") for ref in planned.items.values()]
    (rate,) = fix_rates(results(planned, graded))
    assert (rate.fixed, rate.of, str(rate), rate.difficulty) == (1.5, 2, "1.5/2", "Medium")


def test_an_epoch_with_an_error_makes_a_model_incomplete_with_figures_for_all_tasks():
    planned = plan(card("t", criterion("a")), models=("x",), epochs=2)
    graded = [record(ref) for ref in planned.items.values() if ref.epoch == 1]
    (score,) = from_results(results(planned, graded, {AttemptKey("t", "x", 2): failed("timeout")}))
    assert (score.completed, score.tasks, score.complete, score.written) == (1, 1, False, "1+")


def test_a_partial_selection_is_read_like_a_whole():
    planned = plan(card("t", criterion("a"), criterion("b")), only=lambda ref: ref.point == "a")
    run = results(
        planned.model_copy(update={"tasks": (card("t", criterion("a"), criterion("b")),)}),
        [record(ref) for ref in planned.items.values()],
    )
    assert {attempt.reason for attempt in run.attempts} == {DESELECTED}
    assert [(rate.criterion, str(rate)) for rate in fix_rates(run)] == [("a", "1/1")]
    (score,) = from_results(run)
    assert (score.written, score.max_total, score.max_per_task) == ("1", 1, {"t": 1})
