"""The way down: an attempt's outcome -> a submission -> a workspace that a sandbox can run things in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.extraction.extract import Extraction, extract
from pytest_llmbench.grading.aggregate import NO_CODE
from pytest_llmbench.sandbox.files.workspace import refusals, write_files
from pytest_llmbench.schema.attempt import Completion
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.run_files import kept_name
from pytest_llmbench.schema.task import Task
from pytest_llmbench.store.run_dir import RunDir, files_parts, writing
from pytest_llmbench.untrusted.cpu_time import cpu_limit

LONGEST_FILE = 1_000_000
"""Characters of one file handed in: twice what models can write in one reply, and what looking into it may cost."""

READING_S = 5.0
"""CPU seconds for finding the files in one reply; the longest of models take a tenth of one."""


@dataclass(frozen=True, slots=True, repr=False)
class Submission:
    """What is graded: the files that a model handed in, and the evidence of how they came about."""

    key: AttemptKey
    completion: Completion
    files: Mapping[str, str]
    """Name -> text, of the files that the task asks for."""
    notes: tuple[str, ...] = ()
    """How the files were found in the reply, and what was passed over."""
    labels: set[str] = field(default_factory=set)
    """Evidence on the attempt that goes to ``results.json``; a grader may add to it."""

    def __repr__(self) -> str:
        """Short and the same on every run: it appears in assertion texts, which are records."""
        return f"<submission {self.key}: {', '.join(self.files) or 'no code'}>"

    @property
    def no_code(self) -> bool:
        """True when nothing of what was asked for was handed in."""
        return not self.files


def read_submission(key: AttemptKey, task: Task, completion: Completion) -> Submission:
    """Find the files that the task asks for in what the model handed in.

    A file that cannot be written into a workspace, or is far too long, was not handed in: that is the model's fault.
    """
    if completion.files is not None:
        files: Mapping[str, str] = {name: completion.files[name] for name in task.files if name in completion.files}
        notes: tuple[str, ...] = tuple(f"{name}: handed in as a file" for name in files)
    else:
        extraction = _extracted(completion.text, task.files)
        files = extraction.files
        notes = (*(f"{taken.name}: {taken.why}" for taken in extraction.took), *extraction.notes)
    too_long = {
        name: f"longer than {LONGEST_FILE} characters" for name, text in files.items() if len(text) > LONGEST_FILE
    }
    refused = too_long | dict(refusals({name: text for name, text in files.items() if name not in too_long}))
    files = {name: text for name, text in files.items() if name not in refused}
    notes += tuple(f"{name}: refused: {reason}" for name, reason in refused.items())
    return Submission(key, completion, files, notes, set() if files else {NO_CODE})


class _OverBudgetError(Exception):
    """Reading a reply took too long."""


def _extracted(text: str, expected: Sequence[str]) -> Extraction:
    """What is found in a reply within ``READING_S``; nothing, and a note, where that is not enough."""
    try:
        with cpu_limit(READING_S, _OverBudgetError):
            return extract(text, expected)
    except _OverBudgetError:
        return Extraction({}, notes=(f"over budget: reading the reply took more than {READING_S:g} s of CPU",))


def keep_files(run: RunDir, submission: Submission) -> Path:
    """Write the submission's files into the run folder, under names that nothing imports; returns their folder.

    Raises ``StoreError``.
    """
    folder = run.files_dir(submission.key)
    with writing(folder):
        run.make_files_dir(submission.key)
        kept = {kept_name(name): text for name, text in submission.files.items()}
        write_files(run.path, kept, below=files_parts(submission.key))
    return folder


def fill_workspace(root: Path, task: Task, submission: Submission) -> None:
    """Lay out a fresh workspace: the starter, then the model's files over it.

    Raises ``HarnessError`` when a file of the task itself cannot be written.
    """
    refused = write_files(root, {**task.starter, **submission.files})
    if refused:
        name, reason = refused[0]
        raise HarnessError(f"task {task.id!r}: {name} cannot be written into the workspace: {reason}.")
