"""Comparison of two stored runs, model by model."""

from __future__ import annotations

from collections.abc import Collection

from pytest_llmbench.analysis.comparability import differences
from pytest_llmbench.analysis.comparison import compare
from pytest_llmbench.errors import OptionError
from pytest_llmbench.schema.comparison import Compared
from pytest_llmbench.schema.difference import Difference
from pytest_llmbench.schema.results import Results


def compare_runs(
    a: Results,
    b: Results,
    *,
    model: str | None = None,
    against: str | None = None,
    alpha: float = 0.05,
    allow: Collection[str] = (),
) -> list[Compared]:
    """Compare the models that are in both runs, or the only one of each, or those named.

    ``allow``: kinds of differences to accept. Raises ``OptionError`` if the choice of models is ambiguous.
    """
    return [_compared((a, one), (b, other), alpha=alpha, allow=allow) for one, other in _sides(a, b, model, against)]


def _compared(
    first: tuple[Results, str], second: tuple[Results, str], *, alpha: float, allow: Collection[str]
) -> Compared:
    (a, one), (b, other) = first, second
    found = tuple(differences(a, one, b, other))
    refused = tuple(each for each in found if each.kind not in allow)
    try:
        comparison = None if refused else compare(a, one, b, other, alpha=alpha)
    except ValueError as error:
        nothing = Difference("coverage", str(error))
        found, refused, comparison = (*found, nothing), (nothing,), None
    return Compared(one, other, found, refused, comparison)


def _sides(a: Results, b: Results, model: str | None, against: str | None) -> list[tuple[str, str]]:
    in_a, in_b = [info.name for info in a.models], [info.name for info in b.models]
    for name, names, option in ((model, in_b, "--model"), (against, in_a, "--against")):
        if name is not None and name not in names:
            raise OptionError(f"{option}: {name!r} is not in that run. Choose from: {', '.join(names) or 'no model'}.")
    if model is not None or against is not None:
        other = model or (against if against in in_b else _only(in_b, "--model"))
        one = against or (model if model in in_a else _only(in_a, "--against"))
        return [(str(one), str(other))]
    common = [name for name in in_a if name in in_b]
    if common:
        return [(name, name) for name in common]
    return [(_only(in_a, "--against"), _only(in_b, "--model"))]


def _only(names: list[str], option: str) -> str:
    if len(names) != 1:
        raise OptionError(f"the runs have no model in common. Choose one with {option}: {', '.join(names)}.")
    return names[0]
