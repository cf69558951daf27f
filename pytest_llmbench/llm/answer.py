"""A chat answer put together from what a server sends, whole or in chunks, and turned into a completion. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.classify import answer_failure
from pytest_llmbench.llm.thoughts import separate
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Usage

_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
"""One meaning, three servers; the first one filled counts."""


class Answer:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.usage = Usage()
        self.timings: dict[str, Any] | None = None
        self.choices = 0
        """Chunks that carried a choice."""

    def feed(self, chunk: Mapping[str, Any]) -> bool:
        """Take a chunk, or a whole answer; True when it brought text or reasoning.

        Any chunk may carry usage and timings, one without choices too. Parts of an unexpected type are passed over.
        """
        if isinstance(model := chunk.get("model"), str) and model:
            self.model = _mended(model)
        if isinstance(usage := chunk.get("usage"), Mapping):
            self.usage = _usage(usage)
        if isinstance(timings := chunk.get("timings"), Mapping):
            self.timings = dict(timings)
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            return False
        self.choices += 1
        choice = choices[0]
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self.finish_reason = _mended(reason)
        message = choice.get("delta") or choice.get("message")
        return isinstance(message, Mapping) and self._take(message)

    def _take(self, message: Mapping[str, Any]) -> bool:
        text, thought = _parts(message.get("content"))
        text = text or _string(message.get("refusal"))
        thought += next((found for key in _REASONING_KEYS if (found := _string(message.get(key)))), "")
        self._text.append(text)
        self._reasoning.append(thought)
        return bool(text or thought)

    @property
    def text(self) -> str:
        """The content so far."""
        return _mended("".join(self._text))

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return _mended("".join(self._reasoning))

    def completion(
        self,
        request: CompletionRequest,
        *,
        endpoint: str,
        wall_s: float,
        first_token_s: float | None = None,
        started: str | None = None,
    ) -> Completion:
        """The completion of a whole answer; raises ``ModelError``, the completion with it, if it cannot be graded."""
        parted = separate(self.text)
        completion = Completion(
            text=parted.answer,
            reasoning="\n".join(part for part in (self.reasoning, parted.thought) if part),
            finish_reason=self.finish_reason,
            model_answered=self.model,
            usage=self.usage,
            timings=self.timings,
            wall_s=wall_s,
            first_token_s=first_token_s,
            started=started,
        )
        if failure := answer_failure(completion, request, endpoint=endpoint, leak=parted.leak):
            raise ModelError(failure, completion)
        return completion


def _parts(content: Any) -> tuple[str, str]:
    """Text and thought of a content field: a string, or a list of typed parts as some hosted models send it."""
    if not isinstance(content, list):
        return _string(content), ""
    parts = [part for part in content if isinstance(part, Mapping)]
    text = "".join(_string(part.get("text")) for part in parts if part.get("type") == "text")
    inner = [_parts(part.get("thinking")) for part in parts if part.get("type") == "thinking"]
    return text, "".join(text + thought for text, thought in inner)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _usage(usage: Mapping[str, Any]) -> Usage:
    prompt, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        cached_tokens=_count(prompt.get("cached_tokens")) if isinstance(prompt, Mapping) else None,
        reasoning_tokens=_count(written.get("reasoning_tokens")) if isinstance(written, Mapping) else None,
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _mended(text: str) -> str:
    """The text as valid Unicode: escaped halves of a character, split over two chunks, find each other again."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
