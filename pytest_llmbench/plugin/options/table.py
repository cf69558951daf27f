"""Every option: its name, from which the three spellings follow, and what it is."""

from typing import NamedTuple

from pytest_llmbench.schema.builtin import REFERENCE, STARTER
from pytest_llmbench.schema.difference import KINDS
from pytest_llmbench.schema.run_files import LATEST


class Option(NamedTuple):
    """One setting in its three spellings."""

    name: str
    """``base-url`` is ``--llm-base-url``, ``LLMBENCH_BASE_URL`` and the ini ``llm_base_url``."""
    metavar: str
    help: str
    many: bool = False
    switch: bool = False
    """True: on or off, without a value."""
    bare: str = ""
    """What the option means without a value, where it may stand alone."""

    @property
    def flag(self) -> str:
        """The command line option."""
        return f"--llm-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"LLMBENCH_{self.name.replace('-', '_').upper()}"

    @property
    def dest(self) -> str:
        """Name in pytest's namespace and in the ini file."""
        return f"llm_{self.name.replace('-', '_')}"


OPTIONS = (
    Option("model", "NAME", "model under test; several: again or with commas. LABEL=NAME renames it. "
           "dir:PATH grades replies kept in a folder, MODEL=run:PATH those recorded "
           f"in a run folder; {REFERENCE} and {STARTER} need no model", many=True),
    Option("suite", "NAME", "run the tasks of this suite; several: again or with commas", many=True),
    Option("base-url", "URL", "OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1 "
           "(default: OPENAI_BASE_URL, if set)"),
    Option("epochs", "N", "independent attempts at each task (default: 1)"),
    Option("concurrency", "N", "requests in flight per endpoint (default: 1 for a server on this machine, else 8)"),
    Option("models-file", "PATH", "models with their endpoints and parameters: llmbench.toml, or a llama.cpp "
           "preset.ini (default: llmbench.toml in the rootdir, if there)"),
    Option("list-models", "", "show which models can be reached, and end", switch=True),
    Option("param", "KEY=VALUE", "sampling parameter to send with every request; several: again or with commas "
           "(default: none, so that the server's own presets hold)", many=True),
    Option("system-prompt", "TEXT", "system message before every prompt; empty: none (default: that of the models "
           "file, if there is one)"),
    Option("timeout", "SECONDS", "longest wait for one completion (default: 600)"),
    Option("connect-timeout", "SECONDS", "longest wait for a connection (default: 10)"),
    Option("first-byte-timeout", "SECONDS", "longest wait from sending to the answer's first byte (default: none of "
           "its own)"),
    Option("silence-timeout", "SECONDS", "longest pause inside an answer that has begun (default: none of its own)"),
    Option("max-cost", "USD", "ask nothing more once this much was spent"),
    Option("max-tokens-total", "N", "ask nothing more once so many tokens were used, prompts and replies together"),
    Option("max-minutes", "MINUTES", "ask nothing more once the session has lasted so long"),
    Option("resume", "RUN", "go on with a run that was stopped: its id, its folder, or nothing for the newest",
           bare=LATEST),
    Option("retry-errors", "", "with --llm-resume: ask again what ended as an error", switch=True),
    Option("pass-at", "PERCENT", "share of a task's points from which an attempt counts as a pass, for pass@k "
           "(default: 100)"),
    Option("run-dir", "PATH", "folder of runs and stored completions (default: .llmbench in the rootdir)"),
    Option("sandbox", "NAME", "auto, bubblewrap, landlock, podman:IMAGE, docker:IMAGE, or none: no protection at all "
           "(default: auto)"),
    Option("cache", "MODE", "stored completions: use, refresh, only or off (default: use)"),
    Option("selfcheck", "", "grade each task's own reference, starter and mutants, three times each, in place of "
           "models; the exit status is 0 only if each of them loses exactly what it must", switch=True),
    Option("fail-under", "PERCENT", "the exit status is 0 only if every model reaches this share of the points "
           "and nothing is an error or incomplete; missed points alone fail nothing then (default: none: "
           "pytest's own exit status)"),
    Option("fail-under-task", "TASK=PERCENT", "the same for one task; several: again or with commas", many=True),
    Option("min-coverage", "PERCENT", "the exit status is 0 only if this share of every model's attempts has a score; "
           "with it, --llm-fail-under allows errors and counts them as 0"),
    Option("min-tps", "N", "the exit status is 0 only if every model generates this many tokens per second on average"),
    Option("baseline", "RUN", "run folder or results.json: the exit status is 0 only if no model is worse than there"),
    Option("baseline-allow", "KIND", "compare with --llm-baseline although these differ: " + ", ".join(KINDS)
           + ", all; several: again or with commas", many=True),
    Option("html", "PATH", "write a self-contained HTML report"),
    Option("shard", "I/N", "grade the I-th of N parts of the attempts only; llmbench merge puts the runs together "
           "(default: all of them)"),
)  # fmt: skip
