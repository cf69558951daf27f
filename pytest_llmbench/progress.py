"""A sign of life while models are waited for: one line now and then, never with ``-q``."""

from __future__ import annotations

from pytest_llmbench.llm.client import Progress

TERMINAL_S, PLAIN_S = 10.0, 30.0
"""Between two lines: where somebody looks on, and in a log."""


def sign_of_life(progress: Progress, elapsed_s: float, local: int = 0) -> str:
    """How far generation is, what it took, and how long the rest will take at this session's own pace.

    ``local``: attempts whose files are on this machine, which take no time and so tell nothing of the pace.
    """
    ended = progress.answered + progress.failed
    parts = [f"{ended} of {progress.total} replies"]
    if progress.in_flight:
        models = ", ".join(dict.fromkeys(key.model for key in progress.in_flight))
        parts.append(f"{len(progress.in_flight)} in flight ({models})")
    if progress.tokens and elapsed_s > 0:
        parts.append(f"{progress.tokens / elapsed_s:.1f} tokens/s")
    if progress.spent_usd:
        parts.append(f"{progress.spent_usd:.4f} USD spent")
    asked = ended - progress.reused - progress.earlier - local
    if asked > 0:
        parts.append(f"about {_duration((progress.total - ended) * elapsed_s / asked)} left")
    return "; ".join(parts)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - seconds read better
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - then hours read better
