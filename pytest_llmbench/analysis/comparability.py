"""What makes two runs incomparable: anything but the model's luck that shapes a score. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pytest_llmbench.analysis.comparison import scores
from pytest_llmbench.schema.difference import KINDS, Difference
from pytest_llmbench.schema.results import ModelInfo, Results

_LIMITS = ("timeout_s", "max_tokens", "max_cost_usd", "max_minutes")


def differences(a: Results, model_a: str, b: Results, model_b: str) -> list[Difference]:
    """Everything but the scores in which the two sides differ, in the order of ``KINDS``."""
    one, other = _info(a, model_a), _info(b, model_b)
    found = [
        *_models(one, other),
        *_system_prompts(a, model_a, b, model_b),
        *_options(a, b),
        *_tasks(a, b),
        *_coverage(a, model_a, b, model_b),
    ]
    return sorted(found, key=lambda difference: KINDS.index(difference.kind))


def _info(results: Results, model: str) -> ModelInfo:
    found = next((info for info in results.models if info.name == model), None)
    return found or ModelInfo(name=model, resolved=model, endpoint="")


def _models(a: ModelInfo, b: ModelInfo) -> Iterator[Difference]:
    if a.params != b.params:
        yield Difference("sampling", f"parameters sent: {_differing(a.params, b.params)}")
    if _server(a) != _server(b):
        yield Difference("server", f"endpoint: {a.endpoint or 'unknown'} and {b.endpoint or 'unknown'}")
    if a.metadata.get("quant") != b.metadata.get("quant"):
        yield Difference("quantisation", f"quant: {a.metadata.get('quant')} and {b.metadata.get('quant')}")
    told_a, told_b = a.metadata.get("server", {}), b.metadata.get("server", {})
    contexts = [info.metadata.get("context", told.get("context")) for info, told in ((a, told_a), (b, told_b))]
    if contexts[0] != contexts[1]:
        yield Difference("context", f"tokens of context: {contexts[0]} and {contexts[1]}")
    if told_a.get("sampling") != told_b.get("sampling"):
        defaults = _differing(told_a.get("sampling", {}), told_b.get("sampling", {}))
        yield Difference("sampling", f"the server's own defaults: {defaults}")
    if told_a.get("build") != told_b.get("build"):
        yield Difference("server", f"build: {told_a.get('build')} and {told_b.get('build')}")


def _server(info: ModelInfo) -> str:
    """Replies kept in a folder come from no server, wherever the folder lies."""
    return "dir" if info.endpoint.startswith("dir") else info.endpoint


def _system_prompts(a: Results, model_a: str, b: Results, model_b: str) -> Iterator[Difference]:
    one, other = (of.run.options.system_prompts.get(model) for of, model in ((a, model_a), (b, model_b)))
    if one != other:
        yield Difference("prompt", f"system prompt: {one!r} and {other!r}")


def _options(a: Results, b: Results) -> Iterator[Difference]:
    one, other = a.run.options, b.run.options
    for name in _LIMITS:
        if getattr(one, name) != getattr(other, name):
            yield Difference("limits", f"{name}: {getattr(one, name)} and {getattr(other, name)}")
    if a.run.sandbox.get("name") != b.run.sandbox.get("name"):
        yield Difference("sandbox", f"{a.run.sandbox.get('name')} and {b.run.sandbox.get('name')}")
    if a.run.selection.partial != b.run.selection.partial:
        yield Difference("rubric", "one run is of a partial selection of points, the other of all")


def _tasks(a: Results, b: Results) -> Iterator[Difference]:
    one, other = ({task.id: task for task in results.tasks} for results in (a, b))
    for task in sorted(one.keys() & other.keys()):
        if one[task].criteria != other[task].criteria or one[task].max_points != other[task].max_points:
            yield Difference("rubric", f"the rubric of {task} was changed")
        elif one[task].fingerprint != other[task].fingerprint:
            yield Difference("prompt", f"{task} was changed: its prompt, grader or data")
        points = [sorted({each.max_points for each in of.attempts if each.task == task}) for of in (a, b)]
        if points[0] != points[1]:
            yield Difference("rubric", f"points of {task} asked for: {_listed(points[0])} and {_listed(points[1])}")


def _coverage(a: Results, model_a: str, b: Results, model_b: str) -> Iterator[Difference]:
    """A task that one side alone has scores for: leaving it out would flatter somebody."""
    one, other = scores(a, model_a), scores(b, model_b)
    for task in sorted(one.keys() ^ other.keys()):
        yield Difference("coverage", f"{task} has scores on {'the first' if task in one else 'the second'} side only")
    for results, model, side in ((a, model_a, "first"), (b, model_b, "second")):
        lost = sum(attempt.model == model and not attempt.counts for attempt in results.attempts)
        if lost:
            yield Difference("coverage", f"{lost} attempts of the {side} side have no score")


def _listed(points: Iterable[float]) -> str:
    return ", ".join(f"{each:g}" for each in points) or "none"


def _differing(a: dict[str, Any], b: dict[str, Any]) -> str:
    names = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
    return ", ".join(f"{name}: {a.get(name, 'not set')!r} and {b.get(name, 'not set')!r}" for name in names)
