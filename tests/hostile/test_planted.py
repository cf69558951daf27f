"""Trusted probes find nothing of what lies in the workspace, be it left there by a program or handed in.

Planted is every name of the standard libraries of Python and Node, and the settings that their tools read. Whatever of
it is run says so, and each probe of the shipped tasks must come up as it does without.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.sandbox.registry import own_backends
from pytest_llmbench.sandbox.selection import choose, open_sandbox
from pytest_llmbench.schema.execution import Limits

PROJECT = Path(__file__).parents[2]
PROBES = sorted(path for path in (PROJECT / "tasks" / "six").rglob("*") if path.suffix in (".py", ".mjs"))
PROBES = [path for path in PROBES if path.stem in ("probe", "compile", "play", "stage")]
NODE_NAMES = ("fs", "fs/promises", "module", "path", "timers", "timers/promises", "url", "util", "vm", "v8", "crypto")
SAYS = "PLANTED"
PYTHON = f"import os\nos.write(2, b'{SAYS}')\n"
NODE = f"require('fs').writeSync(2, '{SAYS}')\n"
SETTINGS = {
    "package.json": json.dumps({"main": "./fs.js", "imports": {"#fs": "./fs.js"}}),
    ".npmrc": "node-options=--require=./fs.js\n",
    ".env": "NODE_OPTIONS=--require=./fs.js\n",
    "node.config.json": json.dumps({"nodeOptions": {"require": ["./fs.js"]}}),
    "tsconfig.json": json.dumps({"compilerOptions": {"noLib": True, "types": ["fs"]}}),
    "pyvenv.cfg": "home = /w\ninclude-system-site-packages = true\n",
    "planted.pth": "import json\n",
    "go.work": "no settings\n",
    "rust-toolchain": "planted\n",
    ".cargo/config.toml": "[build]\nrustc-wrapper = './fs.js'\n",
}


def planted() -> dict[str, str]:
    """Name and text of each file."""
    python = {f"{name}.py": PYTHON for name in (*sys.stdlib_module_names, "sitecustomize", "usercustomize")}
    node = {f"node_modules/{name}/index.js": NODE for name in (*NODE_NAMES, *(f"node:{name}" for name in NODE_NAMES))}
    return {**python, **node, "fs.js": NODE, **SETTINGS}


PLANT = """
import json, os, sys
for name, text in json.load(sys.stdin).items():
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    open(name, "w").write(text)
print(len(os.listdir(".")))
"""


@pytest.fixture
def sandbox(request, tmp_path):
    """Over a workspace with the task's reference in it."""
    backend, probe = request.param
    workspace = tmp_path / "workspace"
    shutil.copytree(PROJECT / "fixtures" / probe.parent.name.replace("_", "-") / "reference", workspace)
    found = [toolchain for name in ("python", "node") if (toolchain := toolchains.find(name))]
    return open_sandbox(choose(backend, own_backends()), workspace, found)


def came_up(sandbox, probe):
    """What is said of a function that no probe has: nothing else than that, when it could be loaded."""
    result = sandbox.call(probe, "no_such_function", limits=Limits(wall_s=30, cpu_s=15))
    assert result.outcome == "raised"
    return result.type_name, result.message, result.execution.stderr, result.execution.exit_code


CASES = [(backend, probe) for backend in ("bubblewrap", "landlock") for probe in PROBES]


@pytest.mark.parametrize(
    ("sandbox", "probe"),
    [(case, case[1]) for case in CASES],
    indirect=["sandbox"],
    ids=[f"{backend}-{probe.parent.name}-{probe.stem}" for backend, probe in CASES],
)
def test_a_probe_comes_up_alike(sandbox, probe):
    before = came_up(sandbox, probe)
    assert SAYS not in before[2]
    files = planted()
    left = sandbox.run(["python", "-I", "-S", "-c", PLANT], stdin=json.dumps(files))
    assert int(left.stdout) > 200, left
    assert came_up(sandbox, probe) == before
    for name, text in files.items():
        path = sandbox.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert came_up(sandbox, probe) == before


def test_every_task_has_a_probe_here():
    assert len({probe.parent for probe in PROBES}) == 6
