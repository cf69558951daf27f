"""What users copy works as it stands: the examples, and the walk through ``docs/tasks.md``."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bench import REPOSITORY, Bench, Run
from support.server import ChatServer

OWN_TASK = REPOSITORY / "examples/own_task"
WORKFLOW = REPOSITORY / "examples/ci/.github/workflows/llmbench.yml"
FILE = re.compile(
    r"^`(?P<name>[\w./-]+)`(?P<marker>, with this marker)?:\n\n(?P<fence>`{3,})\w+\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
CONSOLE = re.compile(r"^```console\n\$ (?P<command>.+)\n(?P<output>(.*\n)*?)```$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of somebody who has no pytest settings at all."""
    path = tmp_path / "somewhere"
    path.mkdir()
    return path


def run_in(bench: Bench, folder: Path, command: str) -> Run:
    """Run a ``pytest ...`` command line."""
    program, *arguments = shlex.split(command)
    assert program == "pytest"
    return dataclasses.replace(bench.run(*arguments, cwd=folder), project=folder)


# -- examples/own_task -----------------------------------------------------------------------------------------------


def test_own_task_is_short() -> None:
    assert len((OWN_TASK / "test_slug.py").read_text().splitlines()) < 40
    assert len((OWN_TASK / "README.md").read_text().splitlines()) == 3


def test_own_task_shows_a_result_at_once(bench: Bench, folder: Path, workers: tuple[str, ...]) -> None:
    shutil.copytree(OWN_TASK, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".llmbench", "__pycache__"))
    command = re.findall(r"`(pytest [^`]+)`", (OWN_TASK / "README.md").read_text())[0]
    run = run_in(bench, folder, shlex.join([*shlex.split(command), *workers]))
    assert run.exit == 1, run.out + run.err
    assert run.counts() == {"passed": 3, "missed": 1}
    (attempt,) = run.results["attempts"]
    assert (attempt["status"], attempt["points"], attempt["max_points"]) == ("scored", 8.0, 10.0)
    assert {c["id"] for c in attempt["criteria"] if c["outcome"] == "missed"} == {"ends"}


def test_own_task_counts_code_that_breaks_as_misses(bench: Bench, folder: Path) -> None:
    shutil.copy(OWN_TASK / "test_slug.py", folder)
    (folder / "slug.md").write_text("```python\ndef slug(title):\n    while True:\n        title += title[1000]\n```\n")
    run = run_in(bench, folder, "pytest --llm-model=dir:.")
    assert run.counts() == {"missed": 4}, run.out
    assert run.results["attempts"][0]["status"] == "scored"


# -- examples/repair -------------------------------------------------------------------------------------------------

BROKEN_ROMAN = "```python\ndef to_roman(number)\n    return 'I'\n```\n"
ROMAN = """```python
def to_roman(number):
    if not 0 < number < 4000:
        raise ValueError(number)
    signs = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
             (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
    text = ""
    for value, sign in signs:
        text += number // value * sign
        number %= value
    return text
```
"""


def test_what_the_interpreter_says_goes_back_to_the_model_once(bench: Bench, folder: Path) -> None:
    shutil.copy(REPOSITORY / "examples/repair/test_roman.py", folder)
    script = {"mends": [BROKEN_ROMAN, ROMAN], "stays": [BROKEN_ROMAN, BROKEN_ROMAN], "right": [ROMAN]}
    with ChatServer(lambda body: script[body["model"]][len(body["messages"]) // 2], models=list(script)) as server:
        run = run_in(bench, folder, f"pytest --llm-model={','.join(script)} --llm-base-url={server.base_url}")
        told = {seen.model: seen.body["messages"][-1]["content"] for seen in server.requests}
    found = {a["model"]: (a["points"], a["iterations"]) for a in run.results["attempts"]}
    assert found == {"mends": (10.0, 2), "stays": (0.0, 2), "right": (10.0, 1)}, run.out + run.err
    assert "SyntaxError: expected ':'" in told["mends"]


# -- examples/existing_suite -----------------------------------------------------------------------------------------


@pytest.fixture
def project(folder: Path) -> Path:
    shutil.copytree(
        REPOSITORY / "examples/existing_suite",
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(".llmbench", "__pycache__", ".pytest_cache"),
    )
    return folder


def test_an_existing_suite_grades_a_reply(bench: Bench, project: Path) -> None:
    old = run_in(bench, project, "pytest")
    assert old.counts() == {"passed": 8}, old.out + old.err
    run = run_in(bench, project, "pytest --llm-model=dir:replies")
    assert run.exit == 0, run.out + run.err
    assert run.attempt("shop-total", "dir:replies")["points"] == 10.0
    prompt = run.plan["tasks"][0]["messages"][0]["content"]
    assert "raise NotImplementedError" in prompt
    assert "From ten of one thing on" in prompt
    assert "0.95" not in prompt, "what is asked for is hidden"


def test_an_existing_suite_sees_what_is_wrong(bench: Bench, project: Path) -> None:
    reply = project / "replies/shop-total.md"
    reply.write_text(reply.read_text().replace(">= 10", "> 10"))
    run = run_in(bench, project, "pytest --llm-model=dir:replies")
    assert run.counts() == {"missed": 1}
    assert "7 of 8 expected tests passed; failed: test_shop.py::test_many_of_one_thing_are_cheaper" in run.out


# -- examples/ci -----------------------------------------------------------------------------------------------------


def workflow_commands() -> list[str]:
    """Every ``run`` of the workflow's job."""
    text = WORKFLOW.read_text()
    try:
        import yaml
    except ImportError:
        assert "\t" not in text
        return re.findall(r"^ {6}- run: (?!\|)(.+)$", text, re.MULTILINE)
    content = yaml.safe_load(text)
    assert set(content) == {"name", True, "permissions", "jobs"}, "YAML 1.1 reads the key `on` as true"
    (job,) = content["jobs"].values()
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize(("model", "expected"), [("builtin/reference", 0), ("builtin/starter", 1)])
def test_the_workflow_gates_and_leaves_what_it_uploads(bench: Bench, folder: Path, model: str, expected: int) -> None:
    (command,) = [command for command in workflow_commands() if command.startswith("pytest ")]
    path = f"{Path(sys.executable).parent}:{bench.environment()['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder, env=bench.environment(LLM_MODEL=model, PATH=path), capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == expected, done.stdout + done.stderr
    (uploaded,) = re.findall(r"^ +path: (\S+)$", WORKFLOW.read_text(), re.MULTILINE)
    assert list((folder / uploaded).glob("*/results.json"))
    assert not any(part.startswith(".") for part in Path(uploaded).parts), "upload-artifact passes hidden folders over"


# -- docs/tasks.md ---------------------------------------------------------------------------------------------------


def steps(text: str) -> Iterator[re.Match[str]]:
    """Files to write and commands to type, as they stand on the page."""
    found = [*FILE.finditer(text), *CONSOLE.finditer(text)]
    return iter(sorted(found, key=lambda match: match.start()))


def with_marker(module: Path, marker: str) -> str:
    """Take a module away and give its text with another marker."""
    text = module.read_text()
    module.unlink()
    changed, count = re.subn(r"^pytestmark = .*?^\)\n", lambda _: marker, text, flags=re.MULTILINE | re.DOTALL)
    assert count == 1
    return changed


def walked_through(page: str, bench: Bench, folder: Path) -> list[Run]:
    """Write and type what a page says, and see what it says is printed."""
    runs = []
    for step in steps(page):
        if step.re is FILE:
            path = folder / step["name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(with_marker(folder / path.name, step["text"]) if step["marker"] else step["text"])
        else:
            run = run_in(bench, folder, step["command"])
            for line in step["output"].splitlines():
                assert line in run.out.splitlines(), f"{step['command']} does not print {line!r}:\n{run.out}{run.err}"
            runs.append(run)
    return runs


def test_the_walk_through_tasks_md(bench: Bench, folder: Path) -> None:
    page = (REPOSITORY / "docs/tasks.md").read_text(encoding="utf-8").partition("\n## The data folder\n")[0]
    runs = walked_through(page, bench, folder)
    assert [run.counts() for run in runs] == [
        {"passed": 3, "missed": 1},
        {"passed": 4, "missed": 4},
        {"passed": 45, "xfailed": 39},
    ]
    assert runs[2].exit == 0


# -- docs/extending.md, examples/extension ---------------------------------------------------------------------------


def test_the_walk_through_extending_md(bench: Bench, folder: Path) -> None:
    shutil.copytree(OWN_TASK, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".llmbench", "__pycache__"))
    page = (REPOSITORY / "docs/extending.md").read_text(encoding="utf-8")
    sandbox, models, solved, loaded, heard = walked_through(page, bench, folder)
    assert sandbox.results["run"]["sandbox"]["name"] == "niced"
    assert sandbox.row("dir:replies")["total"] == 8.0
    assert (models.row("canned:hyphen")["total"], models.row("canned:underscore")["total"]) == (4.0, 0.0)
    assert (solved.row("written:-")["total"], solved.row("written:_")["total"]) == (4.0, 0.0)
    assert loaded.attempt("add", "dir:answers")["points"] == 3.0
    assert heard.exit == 1, "missed points, as without a listener"
    assert (folder / "graded.txt").read_text() == "slug scored 8.0\n"


def install(plugin: Path, packages: Path) -> None:
    """What pip leaves of a package of modules: there may be no build backend without a network."""
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    for module in plugin.glob("*.py"):
        shutil.copy(module, packages)
    info = packages / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["pytest11"].items()
    (info / "entry_points.txt").write_text(
        "\n".join(["[pytest11]", *(f"{name} = {module}" for name, module in points)])
    )


class WithPlugin(Bench):
    """A project with a ``.venv`` in which somebody's plugin is installed beside this environment's packages."""

    def __init__(self, root: Path, plugin: Path) -> None:
        super().__init__(root)
        self.cold = True  # with its own Python
        self.python = root / ".venv/bin/python"
        venv.create(root / ".venv", symlinks=True)
        (packages,) = (root / ".venv/lib").glob("python3*/site-packages")
        here = [path for path in sys.path if path and Path(path).is_dir() and path.endswith("site-packages")]
        (packages / "here.pth").write_text("\n".join([*here, str(REPOSITORY)]) + "\n")
        install(plugin, packages)

    def command(self, *args: object) -> list[str]:
        """The command line, with the project's own Python."""
        return [str(self.python), *super().command(*args)[1:]]


def test_a_plugin_of_sixty_lines_adds_a_sandbox_a_solver_and_a_loader(tmp_path: Path, workers: tuple[str, ...]) -> None:
    example = REPOSITORY / "examples/extension"
    lines = (example / "llmbench_extension.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 60
    root = tmp_path / "project"
    root.mkdir()
    bench = WithPlugin(root, example)
    shutil.copy(OWN_TASK / "test_slug.py", root / "tasks")
    (root / "slug.py").write_text((OWN_TASK / "replies/slug.md").read_text().split("```")[1].partition("\n")[2])
    shutil.copy(example / "titles.jsonl", root)
    command = re.findall(r"`(pytest [^`]+)`", (example / "README.md").read_text())[0]
    run = bench.run(*shlex.split(command.replace("$PWD", str(root)))[1:], *workers)
    assert run.attempt("slug", "copied")["points"] == 8.0, run.out + run.err
    assert run.attempt("titled", "copied")["points"] == 5.0
    assert run.results["run"]["sandbox"]["name"] == "niced"
    assert "(plugin llmbench-extension) (self-test passed)" in run.out
    ordinary = root / "tests/test_ordinary.py"
    ordinary.write_text("def test_one():\n    pass\n")
    assert bench.run("-p", "no:llmbench", ordinary, "-o", "llm_taskpaths=").exit == 0


def test_the_kit_of_tasks_md(bench: Bench, folder: Path) -> None:
    page = (REPOSITORY / "docs/tasks.md").read_text(encoding="utf-8")
    section = page.partition("\n## A kit for graders\n")[2].partition("\n## ")[0]
    (run,) = walked_through(section, bench, folder)
    assert run.counts() == {"passed": 2, "missed": 1}
    assert "none: died" in run.out
