"""How generation ends: a tagged union, with one kind for each way.

``Replied``: a model was asked and answered. ``HandedInReply`` and ``HandedInFiles``: a solver that asks no model handed
in a reply or a tree of files; or one that did, an agent say, a tree. ``Failed``: there is nothing to grade, and why.
``NotRun``: nothing was asked, and why.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure, Frozen, Retry, Usage
from pytest_llmbench.schema.keys import AttemptKey, TurnKey
from pytest_llmbench.schema.tree import Tree


class _Tagged(Frozen):
    """Base of the kinds: the tag is written also where defaults are left out."""

    @model_serializer(mode="wrap")
    def _with_kind(self, fields: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **fields(self)}  # type: ignore[attr-defined]  # every kind has one


class Replied(_Tagged):
    """A model answered, now or when the same was asked before."""

    kind: Literal["replied"] = "replied"
    completion: Completion
    retries: tuple[Retry, ...] = ()
    cached: bool = False
    """True when a stored completion was used and nothing was asked."""
    cost_usd: float | None = None
    """What the answer cost when it was asked for; None: unknown."""
    queue_s: float | None = None
    """From announced to its first sending; None: it was never its turn."""
    load_s: float | None = None
    """Of a request inside which the server loaded the model: that time, which the completion's do not hold."""


class HandedInReply(_Tagged):
    """A reply that was kept: in a folder, in an earlier run, among a task's mutants. It has no times."""

    kind: Literal["handed_in_reply"] = "handed_in_reply"
    completion: Completion


class Phase(Frozen):
    """A part of a solver's work, such as ``build`` and ``validate``."""

    name: str
    wall_s: float | None = None


class HandedInFiles(_Tagged):
    """A tree of files, frozen in the run folder, and what its solver says of how it came about."""

    kind: Literal["handed_in_files"] = "handed_in_files"
    tree: Tree
    solver: str = ""
    """Who handed it in: ``dir``, ``builtin``, ``run``, or a plugin's solver."""
    asked: bool = False
    """True when the solver had a model to ask."""
    labels: tuple[str, ...] = ()
    wall_s: float | None = None
    """How long a solver that asked models worked; None: nothing was asked."""
    usage: Usage = Usage()
    cost_usd: float | None = None
    iterations: int | None = None
    phases: tuple[Phase, ...] = ()


class Failed(_Tagged):
    """There is nothing to grade."""

    kind: Literal["failed"] = "failed"
    failure: Failure
    completion: Completion | None = None
    """What came all the same, such as a reply that was cut off."""
    retries: tuple[Retry, ...] = ()
    cost_usd: float | None = None
    queue_s: float | None = None
    load_s: float | None = None


class NotRun(_Tagged):
    """Nothing was asked: the session's budget was used up, or the solver cannot do such a task."""

    kind: Literal["not_run"] = "not_run"
    reason: str
    retries: tuple[Retry, ...] = ()

    @property
    def failure(self) -> Failure:
        """What those are told who wait for something to grade."""
        return Failure(kind="grader", message=f"not asked: {self.reason}", cause=self.reason)


Submitted: TypeAlias = Replied | HandedInReply | HandedInFiles
"""Something to grade."""


def _of_version_1(value: Any) -> Any:
    """Records of schema version 1 have no tag: what is set tells the kind."""
    if not isinstance(value, dict) or "kind" in value:
        return value
    value = {name: each for name, each in value.items() if each is not None}
    completion = value.get("completion")
    if reason := value.pop("not_run", ""):
        return {"kind": "not_run", "reason": reason, "retries": value.get("retries", ())}
    if "failure" in value:
        value.pop("cached", None)
        return {"kind": "failed", **value}
    if isinstance(completion, dict) and completion.get("files") is not None:
        return {"kind": "handed_in_files", "tree": _tree_of_texts(completion["files"])}
    return {"kind": "replied", **value}


def _tree_of_texts(texts: Any) -> Any:
    """The manifest of files whose texts version 1 kept in the record itself."""
    from hashlib import sha256

    if not isinstance(texts, dict):
        return texts
    data = {name: str(text).encode("utf-8", "backslashreplace") for name, text in texts.items()}
    return {
        "files": [
            {"name": name, "sha256": sha256(each).hexdigest(), "size": len(each)} for name, each in sorted(data.items())
        ]
    }


Outcome = Annotated[
    Annotated[Replied | HandedInReply | HandedInFiles | Failed | NotRun, Field(discriminator="kind")],
    BeforeValidator(_of_version_1),
]
"""How one turn, or an attempt as a whole, ended."""


def failure_of(outcome: Outcome) -> Failure | None:
    """Why there is nothing to grade; None: there is something."""
    return outcome.failure if isinstance(outcome, Failed | NotRun) else None


def completion_of(outcome: Outcome) -> Completion | None:
    """The reply, if there is one."""
    return outcome.completion if isinstance(outcome, Replied | HandedInReply | Failed) else None


class Ended(Frozen):
    """An attempt whose generation is over."""

    outcome: Outcome
    turns: int = 1
    """Number of its turns; the outcome is that of the last."""


class OutcomeRecord(Frozen):
    """The end of one turn, as the run folder keeps it; texts and manifests lie in files of their own."""

    task: str
    model: str
    epoch: int
    turn: int = 1
    outcome: Outcome

    @property
    def key(self) -> TurnKey:
        """The turn of the attempt."""
        return TurnKey(self.task, self.model, self.epoch, self.turn)

    @property
    def attempt(self) -> AttemptKey:
        """The attempt."""
        return self.key.attempt


class Exchange(Frozen):
    """One turn as a whole: what was asked, if anything was, and the outcome with its texts."""

    request: CompletionRequest | None = None
    outcome: Outcome
