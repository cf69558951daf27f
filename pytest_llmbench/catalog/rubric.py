"""The marker ``rubric``, read and validated, and the consistency of a task's rubric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_llmbench.catalog.values import is_id, number, refuse_unknown
from pytest_llmbench.errors import TaskError
from pytest_llmbench.schema.task import PointKind, RubricPoint

POINT_KINDS: tuple[PointKind, ...] = ("points", "bonus", "cap", "penalty")
RUBRIC_KEYS = (*POINT_KINDS, "dimension", "all_cases")


def read_rubric_point(
    args: Sequence[Any], kwargs: Mapping[str, Any], *, function: str, title: str = "", where: str = ""
) -> RubricPoint:
    """Check one ``rubric`` marker, or what takes its place and is called ``where``.

    Raises ``TaskError`` naming the test function and the remedy.
    """
    where = where or f"@pytest.mark.rubric of {function}"
    if len(args) != 1 or not is_id(args[0]):
        raise TaskError(
            f'{where} needs one name, letters, digits and -._ only: @pytest.mark.rubric("once-unregisters", points=4)'
        )
    refuse_unknown(kwargs, RUBRIC_KEYS, where)
    kinds = [kind for kind in POINT_KINDS if kind in kwargs]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "none"
        raise TaskError(f"{where} needs exactly one of points=, bonus=, cap= and penalty= ({given} given).")
    kind = kinds[0]
    dimension = kwargs.get("dimension", "")
    all_cases = kwargs.get("all_cases", False)
    if not isinstance(dimension, str) or not isinstance(all_cases, bool):
        raise TaskError(f"{where}: dimension= is a name and all_cases= is True or False.")
    value = number(kwargs[kind], f"{kind}= of {where}")
    if value == 0 and kind != "cap":
        raise TaskError(f"{where}: {kind}=0 is worth nothing. Give a number above 0 or remove the marker.")
    return RubricPoint(
        id=args[0],
        kind=kind,
        value=value,
        function=function,
        dimension=dimension,
        all_cases=all_cases,
        title=title,
    )


def check_rubric(task_id: str, points: float, rubric: Sequence[RubricPoint], module: Path) -> None:
    """Raise ``TaskError`` if the points of a rubric are inconsistent, or do not fit the task."""
    seen: dict[str, str] = {}
    for point in rubric:
        if point.id in seen:
            raise TaskError(
                f"task {task_id!r}: {seen[point.id]} and {point.function} in {module} both have the rubric name "
                f"{point.id!r}. Rename one; several cases of one point are one parametrized test."
            )
        seen[point.id] = point.function
    sure = sum(point.value for point in rubric if point.kind == "points")
    bonus = sum(point.value for point in rubric if point.kind == "bonus")
    if not math.isclose(points, sure + bonus):
        raise TaskError(
            f"task {task_id!r}: the rubric's points sum to {sure:g} and its bonus to {bonus:g}, "
            f"the marker says points={points:g}. Make points= the sum of both, or fix the rubric in {module}."
        )
    with_points = {"", *(point.dimension for point in rubric if point.max_points)}
    for point in rubric:
        if point.kind == "penalty" and point.dimension not in with_points:
            raise TaskError(
                f"task {task_id!r}: {point.function} in {module} is a penalty in dimension {point.dimension!r}, "
                "which has no points. Name a dimension with points, or none to subtract it from the whole score."
            )
