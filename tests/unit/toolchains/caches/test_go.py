"""Go's standard library is compiled once per machine; builds in sandboxes find it."""

import os
import re
import shutil
import time
from dataclasses import replace

import pytest

from pytest_llmbench.toolchains import go
from pytest_llmbench.toolchains.caches.store import VARIABLE

MODULE = "module thing\n\ngo 1.22\n"
MAIN = """package main

import (
\t"encoding/json"
\t"fmt"
\t"net/http"
\t"sync"
\t"time"
)

var lock sync.Mutex

func main() {
\tlock.Lock()
\ttext, _ := json.Marshal(map[string]any{"status": http.StatusOK, "took": time.Second})
\tfmt.Println(string(text))
}
"""
TEST = """package main

import (
\t"net/http/httptest"
\t"testing"
)

func TestMain_(t *testing.T) {
\tif httptest.NewRecorder().Code != 200 {
\t\tt.Fatal()
\t}
}
"""
PRINTED = '{"status":200,"took":1000000000}\n'
FILES = {"go.mod": MODULE, "main.go": MAIN, "main_test.go": TEST}


def compiled(result):
    """The packages that a build with ``-x`` had to compile."""
    assert result.ok, result
    return set(re.findall(r"/compile .* -p (\S+)", result.stderr))


@pytest.fixture
def warm(found):
    """This machine's Go, with its cache made."""
    chain = found("go")
    go.entry(chain).make(lambda folder: go.fill(chain, folder))
    return chain


@pytest.mark.slow
@pytest.mark.parametrize("command", ["build", "vet", "test"])
def test_a_build_compiles_its_own_package_only(warm, attempt, run, command):
    workspace = attempt(**FILES)
    tools = [go.equip(warm)]
    assert compiled(run(workspace, tools, "go", command, "-x", ".")) <= {"main", "thing"}  # a test is of "thing"
    started = run(workspace, tools, "go", "run", ".")
    assert (started.stdout, started.stderr) == (PRINTED, "")


@pytest.mark.slow
def test_an_old_entry_is_still_warm(warm, attempt, run, tmp_path, monkeypatch):
    """Go throws away what nobody used for five days, judging by a time that nobody can change here."""
    files = go.entry(warm).path / "files"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))

    def fill(folder):
        shutil.copytree(files, folder / "files")
        go.finish(warm, folder)

    entry = go.entry(warm)
    entry.make(fill)
    long_ago = time.time() - 60 * 86400
    for path in (entry.path / "files").rglob("*"):
        os.utime(path, (long_ago, long_ago))
    workspace = attempt(**FILES)
    tools = [go.equip(warm)]
    for _ in range(2):
        (workspace / "main.go").write_text(MAIN + f"// {time.time()}\n")
        assert compiled(run(workspace, tools, "go", "build", "-x", ".")) == {"main"}
    seen = run(workspace, tools, "sh", "-c", "go build .; ls $GOCACHE")
    assert "README" in seen.stdout.split()


@pytest.mark.slow
def test_a_poisoned_view_is_not_seen_by_the_next_command(warm, attempt, run):
    workspace = attempt(**FILES)
    poison = """for f in $(find "$GOCACHE" -name "*-[ad]"); do echo poison > "$f"; rm -f "$f"; echo poison > "$f"; done
        cat "$GOCACHE"/*/*-d | sort -u
    """
    tools = [go.equip(warm)]
    result = run(workspace, tools, "sh", "-c", poison)
    assert (result.stdout, result.limit_hit) == ("poison\n", None)
    assert compiled(run(workspace, tools, "go", "build", "-x", "-o", "out", ".", keep=["out"])) == {"main"}
    assert run(workspace, tools, "./out").stdout == PRINTED


def test_another_go_has_another_entry(found):
    chain = found("go")
    names = {
        go.entry(other).name
        for other in (
            chain,
            replace(chain, version="1.99"),
            replace(chain, executable=chain.executable.parent / "other"),
            replace(chain, env=(*chain.env, ("GOAMD64", "v3"))),
        )
    }
    assert len(names) == 4
