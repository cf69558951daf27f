"""Hook specifications: how plugins and ``conftest.py`` files extend llmbench.

pytest loads this at start: types are imported for type checkers only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_llmbench.llm.protocols import ModelProvider
    from pytest_llmbench.llm.solving import Solver
    from pytest_llmbench.sandbox.backend import Backend
    from pytest_llmbench.sandbox.registry import BackendFamily
    from pytest_llmbench.schema.loaded import Loader
    from pytest_llmbench.schema.results import AttemptResult, Results


@pytest.hookspec
def pytest_llmbench_sandboxes(config: pytest.Config) -> Iterable[type[Backend] | BackendFamily] | None:
    """Register sandbox backends: names for ``--llm-sandbox``.

    :param config: the session's configuration; models and the run folder are not known yet.
    :returns: classes derived from ``Backend``, for ``--llm-sandbox=NAME``, and objects with a ``name`` and a method
        ``backend(image)`` that returns such a class, for ``--llm-sandbox=NAME:IMAGE``.

    Called once in each process that grades, xdist's workers included, once a model is chosen, and by ``llmbench
    doctor``. Only the backend's name crosses processes: every process must register the same.
    The chosen backend passes the self-test before anything is graded in it, or ends the session with exit status 4.
    ``auto`` never tries a plugin's backend.

    An exception, a name that is taken or reserved, and an object that is not a backend end the session with exit status
    4 and one line that names the plugin.
    """


@pytest.hookspec
def pytest_llmbench_clients(config: pytest.Config) -> Iterable[ModelProvider] | None:
    """Register model clients: prefixes for ``--llm-model=PREFIX:NAME``.

    :param config: the session's configuration; models and the run folder are not known yet.
    :returns: a ``ModelProvider`` for each prefix, whose ``client`` makes an object that follows ``LLMClient``.

    Called as ``pytest_llmbench_sandboxes`` is, and for ``--llm-list-models``. Clients are made and asked in the
    controlling process only, on one event loop. Order of models, concurrency, retries, timeout, budget, stored replies
    and redaction are not the client's concern: ``complete`` sends one request and returns a ``Completion``, or raises
    ``ModelError`` with the ``Failure``.

    An exception of the hook, a name that is taken or reserved, and an object that is not a ``ModelProvider`` end the
    session with exit status 4 and one line that names the plugin. Whatever else than a ``ModelError`` a client raises
    is ``error: grader`` of the attempt, never a score.
    """


@pytest.hookspec
def pytest_llmbench_solvers(config: pytest.Config) -> Iterable[Solver] | None:
    """Register solvers: how a task, and a model where one is needed, become something to grade.

    :param config: the session's configuration; models and the run folder are not known yet.
    :returns: objects that follow ``Solver``. With ``needs_model`` they are chosen by ``--llm-solver=NAME`` for the
        session's models; without, ``--llm-model=NAME:ANYTHING`` names them in a model's place, and
        ``access.target.name`` is what follows the colon.

    Called as ``pytest_llmbench_sandboxes`` is. ``solve`` runs in the controlling process, on the event loop that asks
    models, and must not block it: use ``asyncio.to_thread`` or ``asyncio.create_subprocess_exec``. It returns files
    (``Files``), or a reply that ``access.complete`` gave. Files are frozen in the run folder before they are graded.

    An exception of the hook, a name that is taken or reserved, and an object that is not a solver end the session with
    exit status 4 and one line that names the plugin. Whatever ``solve`` raises is ``error: grader`` of the attempt,
    never a score.
    """


@pytest.hookspec
def pytest_llmbench_loaders(config: pytest.Config) -> Iterable[Loader] | None:
    """Register loaders of foreign formats: names for ``--llm-suite=NAME:PATH``.

    :param config: the session's configuration; models and the run folder are not known yet.
    :returns: an object for each format, with a ``name`` and a method ``load(path)`` that returns the tasks of a file or
        folder, each a ``LoadedTask``.

    Called as ``pytest_llmbench_sandboxes`` is, and without a model where ``--llm-suite=NAME:PATH`` is given. ``load``
    is called while pytest collects, in every process that does: it must give the same tasks in the same order. pytest
    neither collects nor imports anything in ``path``.

    An exception of the hook, a name that is taken, and an object that is not a loader end the session with exit status
    4 and one line that names the plugin. What ``load`` raises, and a task that is put together wrongly, is an error of
    collection that names the loader and the path.
    """


@pytest.hookspec
def pytest_llmbench_attempt_graded(config: pytest.Config, attempt: AttemptResult, run_folder: Path) -> None:
    """Hear of an attempt as soon as the last of its points is recorded.

    :param config: the session's configuration.
    :param attempt: its result, as in ``results.json``: a copy of the listener's own. It goes by what was selected of
        this attempt; where a selection leaves out points of some models only, ``results.json`` may have another state.
    :param run_folder: the run folder, in which everything about the attempt is by now.

    Called in the controlling process only, once for each attempt; the session waits for it. Attempts of which points
    were not run, as after ``-x`` or Ctrl-C, are not reported.

    An exception is reported in one line that names the plugin, and changes no score and no exit status.
    """


@pytest.hookspec
def pytest_llmbench_results(config: pytest.Config, results: Results, run_folder: Path) -> None:
    """Hear of the results when ``results.json`` is written.

    :param config: the session's configuration.
    :param results: all of it: a copy of the listener's own.
    :param run_folder: the run folder; ``results.json`` lies in it.

    Called in the controlling process only, once at the end of the session, also of one that was stopped
    (``results.run.finished``); not when ``results.json`` could not be written. The exit status is decided by then.

    An exception is reported in one line that names the plugin, and changes no score and no exit status.
    """
