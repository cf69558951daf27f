"""Two runs of one model, or of two models: who is better, by how much, or that it cannot be told. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmbench.analysis.paired import Stratum, difference_interval, holm, permutation_test
from pytest_llmbench.schema.comparison import Comparison, PermutationTest, TaskComparison, Verdict
from pytest_llmbench.schema.results import Results


def compare(a: Results, model_a: str, b: Results, model_b: str, *, alpha: float = 0.05) -> Comparison:
    """Compare over the tasks that both sides have scores for; raises ``ValueError`` when there is none.

    ``alpha``: at most this share of comparisons of equals ends in a verdict; half of it in each direction where both
    sides have as many epochs.
    """
    scores_a, scores_b = scores(a, model_a), scores(b, model_b)
    tasks = sorted(scores_a.keys() & scores_b.keys())
    strata = [Stratum(tuple(scores_a[task]), tuple(scores_b[task])) for task in tasks]
    overall = permutation_test(strata)
    adjusted = holm([permutation_test([stratum]).p_value for stratum in strata])
    verdict = _verdict(overall.difference, overall.p_value, alpha)
    return Comparison(
        tasks=tuple(
            TaskComparison(
                task=task,
                mean_a=sum(stratum.a) / len(stratum.a),
                mean_b=sum(stratum.b) / len(stratum.b),
                epochs_a=len(stratum.a),
                epochs_b=len(stratum.b),
                p_value=p_value,
                verdict=_verdict(float(stratum.difference), p_value, alpha),
            )
            for task, stratum, p_value in zip(tasks, strata, adjusted, strict=True)
        ),
        overall=overall,
        interval=difference_interval(strata, level=1 - alpha),
        alpha=alpha,
        verdict=verdict,
        reason=_reason(overall, strata, alpha) if verdict == "cannot tell" else "",
    )


def scores(results: Results, model: str) -> dict[str, list[float]]:
    """Task -> points of the model's attempts that have a verdict on all that was asked, by epoch."""
    found: dict[str, list[float]] = {}
    for attempt in sorted(results.attempts, key=lambda attempt: attempt.epoch):
        if attempt.counts and attempt.model == model:
            found.setdefault(attempt.task, []).append(attempt.points)
    return found


def _verdict(difference: float, p_value: float, alpha: float) -> Verdict:
    if p_value > alpha or difference == 0:
        return "cannot tell"
    return "better" if difference > 0 else "worse"


def _reason(overall: PermutationTest, strata: Sequence[Stratum], alpha: float) -> str:
    if overall.difference == 0:
        return "the totals are equal"
    if overall.least_p > alpha:
        epochs = min(min(len(stratum.a), len(stratum.b)) for stratum in strata)
        return (
            f"{len(strata)} tasks with {epochs} epoch{'s' * (epochs > 1)} can give no p-value below "
            f"{overall.least_p:.2g}: more epochs or tasks are needed"
        )
    return f"a difference like this comes by chance in {overall.p_value:.1%} of rearrangements"
