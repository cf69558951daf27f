"""A chat answer put together from what a server sends, whole or in chunks, and turned into a completion. Pure.

What stands beside the text is a server's word: counts and times are kept where they can be (``schema/numbers.py``), the
others are named in ``Completion.left_out``, and the text is never lost for their sake.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_llmbench.errors import ModelError
from pytest_llmbench.llm.clients.reasoning import separate
from pytest_llmbench.llm.failures.classify import answer_failure
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, Usage
from pytest_llmbench.schema.numbers import count, figures

_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
"""One meaning, three servers; the first one filled counts."""
_COUNTS = ("prompt_tokens", "completion_tokens")
_PARTS_DEEP = 10
_NAME_CHARS = 500
"""Of a model's name and of a reason to finish: the rest is cut off."""


class Answer:
    """What has come of an answer so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self.finish_reason: str | None = None
        self.model: str | None = None
        self.usage = Usage()
        self.timings: dict[str, Any] | None = None
        self._left_out: dict[str, tuple[str, ...]] = {}
        self.choices = 0
        """Chunks that carried a choice."""

    def feed(self, chunk: Mapping[str, Any]) -> bool:
        """Take a chunk, or a whole answer; True when it brought text or reasoning.

        Any chunk may carry usage and timings, one without choices too. Parts of an unexpected type are passed over.
        """
        if isinstance(model := chunk.get("model"), str) and model:
            self.model = _mended(model[:_NAME_CHARS])
        if isinstance(usage := chunk.get("usage"), Mapping):
            self.usage, self._left_out["usage"] = _usage(usage)
        if isinstance(timings := chunk.get("timings"), Mapping):
            self.timings, self._left_out["timings"] = figures(timings)
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            return False
        self.choices += 1
        choice = choices[0]
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self.finish_reason = _mended(reason[:_NAME_CHARS])
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
            left_out=tuple(f"{place}.{name}" for place, names in self._left_out.items() for name in names),
            wall_s=wall_s,
            first_token_s=first_token_s,
            started=started,
        )
        if failure := answer_failure(completion, request, endpoint=endpoint, leak=parted.leak):
            raise ModelError(failure, completion)
        return completion


def _parts(content: Any, deep: int = _PARTS_DEEP) -> tuple[str, str]:
    """Text and thought of a content field: a string, or a list of typed parts as some hosted models send it."""
    if not isinstance(content, list) or not deep:
        return _string(content), ""
    parts = [part for part in content if isinstance(part, Mapping)]
    text = "".join(_string(part.get("text")) for part in parts if part.get("type") == "text")
    inner = [_parts(part.get("thinking"), deep - 1) for part in parts if part.get("type") == "thinking"]
    return text, "".join(text + thought for text, thought in inner)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _usage(usage: Mapping[str, Any]) -> tuple[Usage, tuple[str, ...]]:
    """The counts that can be kept, and the names of those that were told and cannot."""
    prompt, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    told = {name: usage.get(name) for name in _COUNTS}
    told["cached_tokens"] = prompt.get("cached_tokens") if isinstance(prompt, Mapping) else None
    told["reasoning_tokens"] = written.get("reasoning_tokens") if isinstance(written, Mapping) else None
    kept = {name: count(value) for name, value in told.items()}
    return Usage(**kept), tuple(name for name, value in told.items() if value is not None and kept[name] is None)


def _mended(text: str) -> str:
    """The text as valid Unicode: escaped halves of a character, split over two chunks, find each other again."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
