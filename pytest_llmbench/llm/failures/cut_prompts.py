"""Prompts that a server cut in silence: it answers, but it read only a part. Told by its own count of tokens. Pure.

No normal reply may be taken for one of these, so each rule needs what no tokenizer and no cache can bring about:

- Fewer tokens than ``least_tokens``, a quarter of the words between blanks. No tokenizer puts four words into each
  token, whatever the script: one that is written without blanks has few such words, and long runs of one character are
  one word. Servers may count only the tokens that were not in their cache: the rule holds only where the answer says
  how many were cached, and these are added.
- As many tokens as the whole context that the server tells: nothing is left for an answer, and a prompt that fits is
  shorter.
- The same count as a different prompt, where that is the largest count so far and a multiple of 256, as contexts are
  and counts are by chance once in 256. The two must differ in length by a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_llmbench.llm.failures.context_window import least_tokens
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Failure
from pytest_llmbench.schema.numbers import count

LEAST_COUNT = 256
"""Tokens told of a prompt from which on it may have filled a context."""
_STEP = 256
_LONGER = 1.1
_SHORTEST = 64
"""Least tokens that a prompt must have for their lack to mean anything."""


def told_tokens(completion: Completion) -> int | None:
    """Tokens of the prompt as the server told them, without those of its cache if it counts them apart."""
    return completion.usage.prompt_tokens


def too_few_tokens(request: CompletionRequest, completion: Completion, endpoint: str) -> Failure | None:
    """The failure of a prompt of which the server counted far too few tokens; None: it may have read all of it."""
    cached = [completion.usage.cached_tokens, count((completion.timings or {}).get("cache_n"))]
    known = [each for each in cached if each is not None]
    told, least = told_tokens(completion), least_tokens(request)
    if not told or not known or least < _SHORTEST or told + max(known) >= least:
        return None
    why = f"it counted {told} tokens of a prompt of {_length(request)} characters, which has at least {least}"
    return _failure(request, endpoint, why, "Check its chat template and its context")


def filled_context(
    request: CompletionRequest, completion: Completion, context: int | None, endpoint: str
) -> Failure | None:
    """The failure of a prompt that fills the context that the server tells; None: it does not."""
    told = told_tokens(completion)
    if not context or not told or told < context:
        return None
    why = f"the prompt of {_length(request)} characters filled its context of {context} tokens"
    return _failure(request, endpoint, why, "Give the model a larger context (Ollama: OLLAMA_CONTEXT_LENGTH)")


@dataclass(slots=True)
class PromptCounts:
    """What one model's server counted so far: for each count the lengths of the prompts, by what they are."""

    _largest: int = 0
    _lengths: dict[str, int] = field(default_factory=dict)
    """Of the prompts with the largest count: characters, by conversation."""

    def cut(self, request: CompletionRequest, completion: Completion, endpoint: str) -> Failure | None:
        """The failure of a prompt that was counted like another; None: nothing is known against it. Remembers it."""
        told, length = told_tokens(completion), _length(request)
        if told is None or told < self._largest:
            return None
        if told > self._largest:
            self._largest, self._lengths = told, {}
        conversation = request.model_copy(update={"epoch": 1, "made_by": {}}).fingerprint()
        others = [each for known, each in self._lengths.items() if known != conversation]
        self._lengths[conversation] = length
        if told < LEAST_COUNT or told % _STEP or not any(_differ(length, other) for other in others):
            return None
        why = f"it counted {told} tokens of this prompt of {length} characters, as of others of another length"
        return _failure(request, endpoint, why, "Give the model a larger context")


def _differ(one: int, other: int) -> bool:
    return max(one, other) >= _LONGER * min(one, other)


def _length(request: CompletionRequest) -> int:
    return sum(len(message.content) for message in request.messages)


def _failure(request: CompletionRequest, endpoint: str, why: str, remedy: str) -> Failure:
    return Failure(
        kind="context_overflow",
        message=f"model {request.model!r} at {endpoint} answered, but it did not get the whole prompt: {why}. "
        f"{remedy}, or leave this task out.",
        http_status=200,
        cause=f"prompt cut {endpoint} {request.model}",
    )
