"""A task's crates: fetched once, built in a sandbox once, then only the attempt's own package is compiled."""

import re
from pathlib import Path

import pytest

from pytest_llmbench.errors import HarnessError
from pytest_llmbench.sandbox.selection import open_sandbox
from pytest_llmbench.schema.execution import ExecResult, Limits
from pytest_llmbench.toolchains import cargo
from pytest_llmbench.toolchains.caches.store import VARIABLE

DEPENDENCIES = Path(__file__).with_name("crates")
BUILD = Limits(wall_s=600, cpu_s=600, memory_mb=4000, processes=500, file_mb=1000, disk_mb=4000, inodes=100_000)
MANIFEST = """[package]
name = "thing"
version = "0.1.0"
edition = "2021"

[dependencies]
itoa = "1"
paste = "1"
either = { version = "1", default-features = false, features = ["std"] }
"""
MAIN = """
use either::Either::{self, Left, Right};

paste::paste! { fn [<macro _ made>]() -> &'static str { "generated" } }

fn one(which: bool) -> Either<&'static str, u8> { if which { Left(macro_made()) } else { Right(2) } }

fn main() { println!("{} {}", one(true).left().unwrap(), itoa::Buffer::new().format(7)); }

#[test]
fn works() { assert_eq!(one(false), Right(2)); }
"""
FILES = {"Cargo.toml": MANIFEST, "src__main.rs": MAIN}


@pytest.fixture
def warm(found, choice):
    """This machine's cargo, with the test's crates fetched and built."""
    chain = found("cargo")
    try:
        cargo.crates(DEPENDENCIES).make(lambda folder: cargo.fetch(chain, DEPENDENCIES, folder))
    except HarnessError as error:
        pytest.skip(f"crates cannot be fetched here: {error}")

    def run(workspace, equipped, command, keep):
        return open_sandbox(choice, workspace, [equipped]).run(command, BUILD, keep=keep)

    cargo.built(chain, DEPENDENCIES).make(lambda folder: cargo.build(chain, DEPENDENCIES, folder, run))
    return chain


def compiled(result):
    assert result.ok, result
    return re.findall(r"Compiling (\S+)", result.stderr)


LIMITS = {"memory_mb": 2048, "processes": 300}


@pytest.mark.slow
@pytest.mark.parametrize("command", [["build"], ["build", "--release"], ["test"], ["test", "--release"]], ids=" ".join)
def test_only_the_own_package_is_compiled(warm, attempt, run, command):
    workspace = attempt(**FILES)
    tools = [cargo.equip(warm, DEPENDENCIES, workspace)]
    assert compiled(run(workspace, tools, "cargo", *command, keep=["target/debug/thing"], **LIMITS)) == ["thing"]
    if command == ["build"]:
        assert run(workspace, tools, "target/debug/thing").stdout == "generated 7\n"


def test_a_crate_that_is_not_there_is_the_attempts_own_failure(warm, attempt, run):
    workspace = attempt(**{**FILES, "Cargo.toml": MANIFEST + 'rand = "0.9"\n'})
    result = run(workspace, [cargo.equip(warm, DEPENDENCIES, workspace)], "cargo", "build", **LIMITS)
    assert result.exit_code == 101
    assert "rand" in result.stderr


@pytest.mark.slow
def test_a_poisoned_view_is_not_seen_by_the_next_command(warm, attempt, run, unchanged):
    entries = [cargo.crates(DEPENDENCIES).path, cargo.built(warm, DEPENDENCIES).path]
    before = [unchanged(entry) for entry in entries]
    workspace = attempt(**FILES)
    tools = [cargo.equip(warm, DEPENDENCIES, workspace)]
    poison = """
        for f in $(find target "$CARGO_HOME/.." -type f -o -type l); do echo poison > "$f"; done
        for f in $(find target -type l); do rm -f "$f"; echo poison > "$f"; done
        rm -rf "$CARGO_HOME"; chmod -R 777 "$CARGO_HOME/.."; find target -name "lib*.rlib" -exec cat {} + | sort -u
    """
    result = run(workspace, tools, "sh", "-c", poison)
    assert (result.stdout, result.limit_hit) == ("poison\n", None), result
    assert [unchanged(entry) for entry in entries] == before
    assert compiled(run(workspace, tools, "cargo", "build", **LIMITS)) == ["thing"]


def test_what_a_reply_planted_in_the_target_folder_is_removed(warm, attempt, run):
    workspace = attempt(**{**FILES, "target__debug__deps__libitoa.rlib": "planted"})
    tools = [cargo.equip(warm, DEPENDENCIES, workspace)]
    seen = run(workspace, tools, "sh", "-c", "find target -type f; ls target; find target -name libitoa.rlib")
    assert (seen.stdout, seen.stderr) == ("CACHEDIR.TAG\ndebug\nrelease\n", "")


def test_the_names_tell_versions_and_places_apart(found, tmp_path, own_cache, monkeypatch):
    chain = found("cargo")
    changed = tmp_path / "changed"
    changed.mkdir()
    for name in (cargo.MANIFEST, cargo.LOCK):
        (changed / name).write_bytes((DEPENDENCIES / name).read_bytes())
    assert cargo.crates(changed) == cargo.crates(DEPENDENCIES)
    assert cargo.built(chain, changed) == cargo.built(chain, DEPENDENCIES)
    (changed / cargo.LOCK).write_text("# changed\n")
    assert cargo.crates(changed) != cargo.crates(DEPENDENCIES)
    here = cargo.built(chain, DEPENDENCIES)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    assert cargo.built(chain, DEPENDENCIES) != here


def test_what_cannot_be_fetched_leaves_nothing_and_says_why(found, tmp_path, own_cache):
    for name in (cargo.MANIFEST, cargo.LOCK):
        (tmp_path / name).write_bytes((DEPENDENCIES / name).read_bytes())
    (tmp_path / cargo.MANIFEST).write_text(MANIFEST.replace("itoa", "ryu"))
    chain = found("cargo")
    with pytest.raises(HarnessError, match=r"(?s)cargo vendor --locked .*failed with status 101: .*lock file"):
        cargo.crates(tmp_path).make(lambda folder: cargo.fetch(chain, tmp_path, folder))
    assert not cargo.crates(tmp_path).made


@pytest.mark.parametrize("text", ["[workspace]\n", "not toml", "[package]\nname = 1\n", "package = 3\n"])
def test_a_manifest_without_a_package_is_told(found, tmp_path, own_cache, text):
    (tmp_path / cargo.MANIFEST).write_text(text)
    (tmp_path / cargo.LOCK).touch()
    chain = found("cargo")
    with pytest.raises(HarnessError, match=r"Cargo\.toml cannot be used"):
        cargo.crates(tmp_path).make(lambda folder: cargo.fetch(chain, tmp_path, folder))


@pytest.fixture
def fetched(own_cache):
    """Sources of crates, without the crates."""
    cargo.crates(DEPENDENCIES).make(lambda folder: (folder / "project").mkdir())


@pytest.mark.usefixtures("fetched")
def test_a_crate_that_does_not_build_is_our_fault(found):
    def run(workspace, equipped, command, keep):
        return ExecResult(tuple(command), 101, "", "error[E0308]: mismatched types", 1.0, 1.0)

    with pytest.raises(HarnessError, match=r"^building the crates in .*: cargo ended with status 101: error\[E0308"):
        cargo.built(found("cargo"), DEPENDENCIES).make(lambda new: cargo.build(found("cargo"), DEPENDENCIES, new, run))
    assert not cargo.built(found("cargo"), DEPENDENCIES).made


@pytest.mark.usefixtures("fetched")
def test_a_build_script_cannot_show_us_as_a_cache(found, choice):
    """A link in place of the folder that is looked through afterwards, with our rights."""

    def run(workspace, equipped, command, keep):
        hostile = ["/bin/sh", "-c", "rm -rf target; ln -s / target"]
        return open_sandbox(choice, workspace, []).run(hostile, keep=keep)

    with pytest.raises(HarnessError, match=r"took away the folder"):
        cargo.built(found("cargo"), DEPENDENCIES).make(lambda new: cargo.build(found("cargo"), DEPENDENCIES, new, run))
