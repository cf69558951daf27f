"""Which solvers there are: ours, and those that plugins add."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.generation.gateway import SolverOf
from pytest_llmbench.llm.solving import Job, Solver
from pytest_llmbench.llm.targets import ModelTarget, OfflineTarget
from pytest_llmbench.schema.registry import OURS, Registry, make_registry
from pytest_llmbench.solvers.completion import Conversation, SingleCompletion
from pytest_llmbench.solvers.handed_in import Builtin, Folder
from pytest_llmbench.solvers.recorded import StoredRun

AUTO = "auto"
"""``completion`` for tasks of one turn, ``conversation`` for the others."""
Solvers = Registry[Solver]


def own_solvers() -> tuple[Solver, ...]:
    """Those that come with this package."""
    return SingleCompletion(), Conversation(), Folder(), StoredRun(), Builtin()


def solver_registry(entries: Iterable[tuple[str, Any]]) -> Solvers:
    """The registry of solvers, from (plugin, value) pairs. Raises ``OptionError``."""
    return make_registry("solver", entries, _problem_of, reserved=(AUTO, "mutant", "http", "https"))


def own_solver_registry() -> Solvers:
    """The registry of those that come with this package."""
    return solver_registry((OURS, each) for each in own_solvers())


def offline_names(solvers: Solvers) -> list[str]:
    """Names of the solvers that need no model, of plugins: ``--llm-model=NAME:...``."""
    return [name for name, (plugin, solver) in solvers.items() if plugin != OURS and not solver.needs_model]


def choose_solver(solvers: Solvers, name: str) -> SolverOf:
    """Which solver does a job: that of the target where it is offline, otherwise the one of ``--llm-solver``.

    Raises ``OptionError`` for a name that is none, or of one that needs no model.
    """
    with_model = [known for known, (_, solver) in solvers.items() if solver.needs_model]
    if name in solvers and name not in with_model:
        raise OptionError(f"--llm-solver={name}: this solver needs no model. Use --llm-model={name}:...")
    if name not in (AUTO, *with_model):
        raise OptionError(
            f"--llm-solver={name}: there is no such solver. Choose from: {', '.join((AUTO, *with_model))}."
        )

    def solver_of(job: Job, target: ModelTarget) -> Solver:
        if isinstance(target, OfflineTarget):
            return solvers[target.solver].value
        if name != AUTO:
            return solvers[name].value
        return solvers[Conversation.name if job.turns > 1 else SingleCompletion.name].value

    return solver_of


def _problem_of(value: Any) -> str:
    """Why a plugin's value is not a solver; empty: it is."""
    if isinstance(value, type):
        return "give an object, not a class"
    if not isinstance(getattr(value, "needs_model", None), bool):
        return "it lacks needs_model, True or False"
    if not isinstance(getattr(value, "name", None), str):
        return "it lacks a name"
    if not inspect.iscoroutinefunction(getattr(value, "solve", None)):
        return "it lacks a coroutine function solve(job, access)"
    return ""
