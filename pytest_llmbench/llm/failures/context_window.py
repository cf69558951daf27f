"""Refuses a request that cannot fit a model's context, before anything is spent. Pure.

A request that might fit is never refused: the count of tokens is a lower bound.
"""

from __future__ import annotations

import re

from pytest_llmbench.schema.attempt import CompletionRequest, Failure

_WORDS_PER_TOKEN = 4
"""Tokenizers begin a token at each word; a few join some short words that often stand together."""
_LIMITS = ("max_tokens", "max_completion_tokens", "n_predict")
_WORD = re.compile(r"\S+")


def overflow(request: CompletionRequest, endpoint: str) -> Failure | None:
    """Why the request cannot fit; None: it may, or the context is not known."""
    context = request.context
    if context is None:
        return None
    prompt, reserve = least_tokens(request), _reserve(request)
    if prompt + reserve <= context:
        return None
    asked = f"at least {prompt} tokens of prompt" + (f" and {reserve} kept for the answer" if reserve else "")
    remedy = "Give the model a larger context, or leave this task out"
    return Failure(
        kind="context_overflow",
        message=(
            f"model {request.model!r} at {endpoint} has a context of {context} tokens, and the request needs more: "
            f"{asked}. Nothing was sent. {remedy}{', or lower the limit of the answer' if reserve else ''}."
        ),
        cause=f"context_overflow {endpoint} {request.model} {context}",
    )


def least_tokens(request: CompletionRequest) -> int:
    """Tokens that the messages have at the very least, whatever the tokenizer."""
    words = sum(sum(1 for _ in _WORD.finditer(message.content)) for message in request.messages)
    return words // _WORDS_PER_TOKEN


def _reserve(request: CompletionRequest) -> int:
    """Tokens that the request asks to keep for the answer; 0: it says nothing."""
    asked = [request.params.get(name) for name in _LIMITS]
    return max((each for each in asked if isinstance(each, int) and each > 0), default=0)
