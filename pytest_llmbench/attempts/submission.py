"""The way down: an attempt's outcome -> a submission -> a workspace that a sandbox can run things in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.extraction.extract import extract
from pytest_llmbench.extraction.extraction import Extraction
from pytest_llmbench.grading.aggregate import NO_CODE
from pytest_llmbench.sandbox.files.workspace import refusals, write_files
from pytest_llmbench.schema.attempt import Completion
from pytest_llmbench.schema.keys import AttemptKey
from pytest_llmbench.schema.outcome import HandedInFiles, Replied, Submitted
from pytest_llmbench.schema.run_files import kept_name
from pytest_llmbench.schema.task import Task
from pytest_llmbench.schema.tree import MOST_BYTES, MOST_FILES, Tree
from pytest_llmbench.store.run_dir import RunDir, files_parts, writing
from pytest_llmbench.store.trees import StoredTree
from pytest_llmbench.untrusted.cpu_time import cpu_limit

LONGEST_FILE = 1_000_000
"""Characters of one file handed in: twice what models can write in one reply, and what looking into it may cost."""

READING_S = 5.0
"""CPU seconds for finding the files in one reply; the longest of models take a tenth of one."""


@dataclass(frozen=True, slots=True, repr=False)
class Submission:
    """What is graded: the files that were handed in, and the evidence of how they came about."""

    key: AttemptKey
    completion: Completion
    """The reply that the files are from; without text where files were handed in."""
    files: Mapping[str, str]
    """Name -> text: of the files that the task asks for, or of the whole workspace."""
    notes: tuple[str, ...] = ()
    """How the files were found in the reply, and what was passed over."""
    labels: set[str] = field(default_factory=set)
    """Evidence on the attempt that goes to ``results.json``; a grader may add to it."""
    tree: Tree | None = None
    """The manifest of files that were handed in as such."""
    turns: int = 1
    """Number of replies; the last is graded."""
    asked: bool = False
    """True when a model was asked for it, now or when the same was asked before."""
    content: Mapping[str, bytes] = field(default_factory=dict)
    """Name -> bytes of files that were handed in as such; each is checked against the manifest when it is read."""

    def __repr__(self) -> str:
        """Short and the same on every run: it appears in assertion texts, which are records."""
        names = ", ".join(islice(self.files, _NAMES_SHOWN))
        more = f" and {len(self.files) - _NAMES_SHOWN} more" if len(self.files) > _NAMES_SHOWN else ""
        return f"<submission {self.key}: {names or 'no code'}{more}>"

    @property
    def no_code(self) -> bool:
        """True when nothing of what was asked for was handed in."""
        return not self.files


def read_submission(key: AttemptKey, task: Task, outcome: Submitted, run: RunDir, turns: int = 1) -> Submission:
    """Find what the task asks for in what was handed in.

    ``run``: where a tree of files was frozen. A file that cannot be written into a workspace, or is far too long, was
    not handed in: that is the model's fault. Raises ``StoreError`` for a frozen file that is not what it was.
    """
    if isinstance(outcome, HandedInFiles):
        return _from_tree(key, task, outcome, run, turns)
    return replace(from_reply(key, task, outcome.completion), turns=turns, asked=isinstance(outcome, Replied))


def from_reply(key: AttemptKey, task: Task, completion: Completion) -> Submission:
    """Find the files that the task asks for in a reply."""
    extraction = _extracted(completion.text, task.files)
    notes = (*(f"{taken.name}: {taken.why}" for taken in extraction.took), *extraction.notes)
    files, refused = _acceptable(extraction.files)
    return Submission(key, completion, files, notes + refused, set() if files else {NO_CODE})


def _from_tree(key: AttemptKey, task: Task, outcome: HandedInFiles, run: RunDir, turns: int) -> Submission:
    content: Mapping[str, bytes] = StoredTree(run, key, outcome.tree)
    notes = outcome.tree.notes
    labels = set(outcome.labels)
    files: Mapping[str, str]
    if task.files:
        texts = {name: content[name].decode("utf-8", "replace") for name in task.files if name in content}
        files, refused = _acceptable(texts)
        notes = (*(f"{name}: handed in as a file" for name in texts), *refused, *notes)
        content = {name: content[name] for name in files}
    else:
        # By their names: of a frozen tree, number and size are known to be within bounds.
        refused_names = dict(refusals(dict.fromkeys(content, b""), most_files=MOST_FILES))
        notes = (*(f"{name}: refused: {reason}" for name, reason in refused_names.items()), *notes)
        kept = tuple(file for file in outcome.tree.files if file.name not in refused_names)
        content = StoredTree(run, key, Tree(files=kept))
        files = _Texts(content)
    completion = Completion(text="", finish_reason="stop", wall_s=outcome.wall_s, usage=outcome.usage)
    labels |= set() if files else {NO_CODE}
    return Submission(key, completion, files, notes, labels, outcome.tree, turns, outcome.asked, content)


class _Texts(Mapping[str, str]):
    """The files of a tree as texts, read when they are looked at; what is not UTF-8 has U+FFFD in its place."""

    def __init__(self, content: Mapping[str, bytes]) -> None:
        self._content = content

    def __getitem__(self, name: str) -> str:
        return self._content[name].decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)


def _acceptable(files: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Those files that can be written into a workspace, and why the others cannot."""
    too_long = {
        name: f"longer than {LONGEST_FILE} characters" for name, text in files.items() if len(text) > LONGEST_FILE
    }
    refused = too_long | dict(refusals({name: text for name, text in files.items() if name not in too_long}))
    notes = tuple(f"{name}: refused: {reason}" for name, reason in refused.items())
    return {name: text for name, text in files.items() if name not in refused}, notes


_NAMES_SHOWN = 20


class _OverBudgetError(Exception):
    """Reading a reply took too long."""


def _extracted(text: str, expected: Sequence[str]) -> Extraction:
    """What is found in a reply within ``READING_S``; nothing, and a note, where that is not enough."""
    try:
        with cpu_limit(READING_S, _OverBudgetError):
            return extract(text, expected)
    except _OverBudgetError:
        return Extraction({}, notes=(f"over budget: reading the reply took more than {READING_S:g} s of CPU",))


def keep_files(run: RunDir, key: AttemptKey, files: Mapping[str, str]) -> None:
    """Write the files found in a reply into the run folder, under names that nothing imports. Raises ``StoreError``."""
    with writing(run.files_dir(key)):
        run.make_files_dir(key)
        kept = {kept_name(name): text for name, text in files.items()}
        write_files(run.path, kept, below=files_parts(key))


def fill_workspace(root: Path, task: Task, submission: Submission) -> None:
    """Lay out a fresh workspace: the starter, then what was handed in over it; or that alone, if it is the whole.

    Raises ``HarnessError`` when a file cannot be written, ``StoreError`` as ``read_submission``.
    """
    if submission.tree is None:
        refused = write_files(root, {**task.starter, **submission.files})
    elif task.files:
        refused = write_files(root, {**task.starter, **submission.content})
    else:
        executable = {file.name for file in submission.tree.files if file.executable}
        refused = write_files(
            root, submission.content, executable=executable, most_files=MOST_FILES, most_bytes=MOST_BYTES
        )
    if refused:
        name, reason = refused[0]
        raise HarnessError(f"task {task.id!r}: {name} cannot be written into the workspace: {reason}.")
