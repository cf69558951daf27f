"""The table of options: each option's name, from which its three spellings follow, and its help text."""

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
    Option("model", "NAME", "model under test; may be repeated or comma-separated. LABEL=NAME renames it. "
           "dir:PATH grades replies stored in a directory, MODEL=run:PATH those recorded "
           f"in a run folder; {REFERENCE} and {STARTER} need no model", many=True),
    Option("suite", "NAME", "run the tasks of this suite; may be repeated or comma-separated. NAME:PATH has a plugin's "
           "loader read a file or folder of another format", many=True),
    Option("base-url", "URL", "OpenAI-compatible endpoint, such as http://127.0.0.1:8080/v1 "
           "(default: OPENAI_BASE_URL, if set)"),
    Option("solver", "NAME", "how models do tasks: completion, conversation, or a plugin's solver (default: auto, a "
           "conversation for tasks of several turns and one completion for the others)"),
    Option("epochs", "N", "independent attempts at each task (default: 1)"),
    Option("concurrency", "N", "requests in flight per endpoint; slots: as many as a llama-server has "
           "(default: 1 for a server on this machine, otherwise 8)"),
    Option("models-file", "PATH", "models with their endpoints and parameters: llmbench.toml, or a llama.cpp "
           "preset.ini (default: llmbench.toml in the rootdir, if it exists)"),
    Option("list-models", "", "list the models that can be reached, and exit", switch=True),
    Option("param", "KEY=VALUE", "sampling parameter to send with every request; may be repeated or comma-separated "
           "(default: none, so that the server's own presets apply)", many=True),
    Option("system-prompt", "TEXT", "system message before every prompt; empty: none (default: that of the models "
           "file, if it has one)"),
    Option("timeout", "SECONDS", "longest wait for one completion (default: 600)"),
    Option("connect-timeout", "SECONDS", "longest wait for a connection (default: 10)"),
    Option("first-byte-timeout", "SECONDS", "longest wait from sending to the answer's first byte (default: only "
           "--llm-timeout)"),
    Option("silence-timeout", "SECONDS", "longest pause inside an answer that has begun (default: only --llm-timeout)"),
    Option("max-cost", "USD", "send no more requests once this much was spent"),
    Option("max-tokens-total", "N", "send no more requests once this many tokens were used, prompts and replies "
           "together"),
    Option("max-minutes", "MINUTES", "send no more requests once the session has lasted this long"),
    Option("resume", "RUN", "resume a run that was stopped: its id, its folder, or no value for the newest",
           bare=LATEST),
    Option("retry-errors", "", "with --llm-resume: repeat the requests that ended as an error", switch=True),
    Option("pass-at", "PERCENT", "share of a task's required points at which an attempt counts as a pass, for pass@k "
           "(default: 100)"),
    Option("run-dir", "PATH", "directory of runs and stored completions (default: .llmbench in the rootdir)"),
    Option("sandbox", "NAME", "auto, bubblewrap, landlock, podman:IMAGE, docker:IMAGE, or none: no protection at all "
           "(default: auto)"),
    Option("cache", "MODE", "stored completions: use, refresh, only or off (default: use)"),
    Option("selfcheck", "", "grade each task's own reference, starter and mutants, three times each, instead of "
           "models; the exit status is 0 only if each of them loses exactly the points that it must", switch=True),
    Option("fail-under", "PERCENT", "the exit status is 0 only if every model reaches this share of the points "
           "and no attempt is an error or incomplete; missed points alone do not fail the session (default: none: "
           "pytest's own exit status)"),
    Option("fail-under-task", "TASK=PERCENT", "the same for one task; may be repeated or comma-separated", many=True),
    Option("min-coverage", "PERCENT", "the exit status is 0 only if this share of every model's attempts has a score; "
           "with it, --llm-fail-under allows errors and counts them as 0"),
    Option("min-tps", "N", "the exit status is 0 only if every model generates this many tokens per second on average"),
    Option("baseline", "RUN", "run folder or results.json: the exit status is 0 only if no model is worse than in that "
           "run"),
    Option("baseline-allow", "KIND", "differences that --llm-baseline accepts: " + ", ".join(KINDS)
           + ", all; may be repeated or comma-separated", many=True),
    Option("html", "PATH", "write a self-contained HTML report"),
    Option("shard", "I/N", "grade only the I-th of N parts of the attempts; llmbench merge joins the runs "
           "(default: all of them)"),
)  # fmt: skip
