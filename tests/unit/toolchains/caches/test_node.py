"""A task's npm packages: fetched once, shown read-only, and reached past whatever lies in the workspace."""

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.toolchains import node

DEPENDENCIES = Path(__file__).with_name("packages")
PROGRAM = 'const label: string = "typed";\nconsole.log(label);\n'


@pytest.fixture
def warm(found):
    """This machine's node, with the test's packages fetched."""
    chain = found("node")
    try:
        node.packages(chain, DEPENDENCIES).make(lambda folder: node.fetch(chain, DEPENDENCIES, folder))
    except HarnessError as error:
        pytest.skip(f"npm packages cannot be fetched here: {error}")
    return chain


@pytest.fixture
def planted(found, own_cache):
    """Node, with a cache that holds one small package and its command."""
    chain = found("node")

    def fill(folder):
        package = folder / "node_modules" / "greeting"
        package.mkdir(parents=True)
        (package / "package.json").write_text('{"name": "greeting", "main": "index.js"}')
        (package / "index.js").write_text('module.exports = "sound";\n')
        (package / "cli.js").write_text('#!/usr/bin/env node\nconsole.log(require("./index.js"));\n')
        (package / "cli.js").chmod(0o755)
        (folder / "node_modules" / ".bin").mkdir()
        (folder / "node_modules" / ".bin" / "greet").symlink_to("../greeting/cli.js")

    node.packages(chain, DEPENDENCIES).make(fill)
    return chain


@pytest.mark.slow
def test_the_compiler_of_typescript_runs_offline(warm, attempt, run):
    workspace = attempt(**{"a.ts": PROGRAM, "b.ts": "const n: number = 'text';\n"})
    tools = node.equip(warm, DEPENDENCIES, workspace)
    built = run(workspace, tools, "tsc", "--lib", "es2022,dom", "a.ts", keep=["*.js"])
    assert built.ok, built
    assert run(workspace, tools, "node", "a.js").stdout == "typed\n"
    wrong = run(workspace, tools, "tsc", "--noEmit", "b.ts")
    assert "TS2322" in wrong.stdout


@pytest.mark.parametrize(
    "file", [{"a.cjs": 'console.log(require("greeting"))'}, {"a.mjs": 'import g from "greeting"; console.log(g)'}]
)
def test_modules_are_found_from_the_workspace(planted, attempt, run, file):
    workspace = attempt(**file)
    result = run(workspace, node.equip(planted, DEPENDENCIES, workspace), "node", *file)
    assert result.stdout == "sound\n", result


def test_what_a_reply_planted_does_not_win(planted, attempt, run):
    files = {
        "node_modules__greeting__index.js": 'module.exports = "planted";\n',
        "node_modules__.bin__greet": "#!/bin/sh\necho planted\n",
        "a.cjs": 'console.log(require("greeting"))',
    }
    workspace = attempt(**files)
    tools = node.equip(planted, DEPENDENCIES, workspace)
    assert run(workspace, tools, "node", "a.cjs").stdout == "sound\n"
    assert run(workspace, tools, "greet").stdout == "sound\n"


def test_what_a_program_plants_is_its_own_affair(planted, attempt, run, own_cache, unchanged):
    """It may replace the link in its workspace. The next command does not see that, even if what it made is kept."""
    before = unchanged(own_cache)
    hostile = """
        echo poison > node_modules/greeting/index.js; rm -rf node_modules/greeting; chmod 777 node_modules/greeting
        rm node_modules; mkdir -p node_modules/greeting node_modules/.bin
        echo 'module.exports = "planted"' > node_modules/greeting/index.js
        printf '#!/bin/sh\\necho planted\\n' > node_modules/.bin/greet; chmod +x node_modules/.bin/greet
    """
    workspace = attempt(**{"a.cjs": 'console.log(require("greeting"))'})
    probe = workspace.with_name("probe.cjs")
    probe.write_text('console.log(require("greeting"))')
    tools = node.equip(planted, DEPENDENCIES, workspace)
    program = str(tools[0].executable)
    seen = run(workspace, tools, "sh", "-c", f'{hostile}\nNODE_PATH= "$0" a.cjs', program, keep=["*"])
    assert (seen.stdout, seen.limit_hit) == ("planted\n", None)
    assert run(workspace, tools, "node", "a.cjs").stdout == "sound\n"
    assert run(workspace, tools, "greet").stdout == "sound\n"
    tools[0] = replace(tools[0], mounts=(*tools[0].mounts, probe))
    assert run(workspace, tools, "node", str(probe)).stdout == "sound\n"
    assert unchanged(own_cache) == before


def test_without_npm_it_says_where_it_comes_from(found, own_cache, monkeypatch, tmp_path):
    chain = replace(found("node"), executable=tmp_path / "node")
    (tmp_path / "npm").write_text("#!/bin/sh\necho a stump >&2; exit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HarnessError, match=r"npm is missing, .* comes with Node"):
        node.packages(chain, DEPENDENCIES).make(lambda folder: node.fetch(chain, DEPENDENCIES, folder))


@pytest.mark.slow
def test_what_cannot_be_fetched_leaves_nothing_and_says_why(found, own_cache, tmp_path):
    (tmp_path / node.MANIFEST).write_text('{"dependencies": {"left": "1.0.0"}}')
    (tmp_path / node.LOCK).write_text((DEPENDENCIES / node.LOCK).read_text())
    chain = found("node")
    with pytest.raises(HarnessError, match=r"npm ci --ignore-scripts .*failed with status 1: "):
        node.packages(chain, tmp_path).make(lambda folder: node.fetch(chain, tmp_path, folder))
    assert not node.packages(chain, tmp_path).made
