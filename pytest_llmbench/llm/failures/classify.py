"""A whole answer that cannot be graded, as a ``Failure``. Pure."""

from __future__ import annotations

from pytest_llmbench.llm.failures.endings import ending_of, is_whole
from pytest_llmbench.llm.failures.repetition import repeated
from pytest_llmbench.llm.failures.template_tokens import only_tokens
from pytest_llmbench.schema.attempt import Completion, CompletionRequest, ErrorKind, Failure
from pytest_llmbench.text import excerpt, one_line

_LIMITS = ("max_tokens", "max_completion_tokens", "n_predict")
_NAME_CHARS = 60
_USUAL = ("length", "max_tokens")


def answer_failure(
    completion: Completion, request: CompletionRequest, *, endpoint: str, leak: str, wordless: str = ""
) -> Failure | None:
    """Why a whole answer cannot be graded; None: it can, be it prose or code.

    ``leak``: a tag in the text that shows that the server did not parse the model's reply. ``wordless``: what the
    model did in place of writing a text, if it wrote none.
    """
    ending, reason = ending_of(completion.finish_reason), one_line(completion.finish_reason or "", _NAME_CHARS)
    empty, tokens = not completion.text.strip(), completion.usage.completion_tokens
    cut = ending in ("cut", "filtered")
    kind: ErrorKind
    if ending == "broken":
        kind, said = "server_error", f"broke off: finish_reason {reason!r}. Look into the server's log"
    elif empty and completion.reasoning.strip() and not wordless:
        kind, said = "reasoning_only", f"sent {len(completion.reasoning)} characters of reasoning and no answer"
        said += f"; {_cut_off(completion, request)}" if cut else ". Limit its reasoning, or read it under body"
    elif cut:
        kind, said = "truncated", f"did not end its answer: {_cut_off(completion, request)}"
    elif empty:
        normally = "" if ending == "unknown" else " normally"
        kind, said = "empty_content", f"ended{normally} (finish_reason {completion.finish_reason}) without a word"
        said += f", {tokens} tokens counted" if tokens else ""
        said += f": it {wordless}" if wordless else ""
    elif ending == "unknown" and not is_whole(completion.text):
        kind, said = "truncated", f"ended for a reason that is not known (finish_reason {reason!r}), and no block of "
        said += "code is whole at the end of its reply. Look into the server's log why it ended"
    elif leak := leak or only_tokens(completion.text):
        kind, said = "unparsed_format", f"answered with the raw tag {leak} in its text. Check the model's chat template"
    else:
        return None
    return Failure(
        kind=kind,
        message=f"model {request.model!r} at {endpoint} {said}.",
        http_status=200,
        body=excerpt(completion.text if not empty else completion.reasoning),
        cause=f"{kind} {endpoint} {request.model}",
    )


def _cut_off(completion: Completion, request: CompletionRequest) -> str:
    """Where a cut-off answer was cut off, as far as it is known."""
    reason = one_line(completion.finish_reason or "", _NAME_CHARS)
    if ending_of(reason) == "filtered":
        return f"a content filter cut it off (finish_reason {reason})"
    endless = _endless(completion)
    prompt, written = completion.usage.prompt_tokens, completion.usage.completion_tokens
    whole = None if prompt is None or written is None else prompt + written
    if request.context and whole is not None and whole >= request.context:
        filled = f"the context of {request.context} tokens is filled (prompt {prompt}, answer {written})"
        return f"{filled}{endless or '. Raise the context'}"
    for name in _LIMITS:
        limit = request.params.get(name)
        if isinstance(limit, int) and (written is None or written >= limit > 0):
            return f"cut off at {name}={limit}{endless or f'. Raise {name}'}"
    counted = f" after {written} tokens" if written is not None else ""
    counted += f" ({whole} with the prompt)" if whole is not None else ""
    if request.context and whole is not None:
        limited = f"by a limit of the server: the context of {request.context} tokens is not full"
        return f"cut off{counted} {limited}{endless or '. Raise that limit'}"
    advice = endless or ". Raise the context or that limit"
    named = "" if reason.lower() in _USUAL else f" (finish_reason {reason})"
    return f"cut off{named}{counted} by the model's context or the server's own limit{advice}"


def _endless(completion: Completion) -> str:
    """What a cut-off answer repeated to its end, and what to do; empty: it repeated nothing."""
    if (found := repeated(completion.text or completion.reasoning)) is None:
        return ""
    part, times = found
    shown = one_line(part.strip(), 40)
    return f", repeating {shown!r} at least {times} times. More room would hardly help: check its sampling parameters"
