"""Compiled languages build and run inside, offline."""

from pytest_llmbench.schema.execution import Limits

LIMITS = Limits(wall_s=120, cpu_s=120, memory_mb=2048, processes=300)


def test_go(builder, workspace):
    (workspace / "go.mod").write_text("module hello\n\ngo 1.22\n")
    (workspace / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    box = builder("go")
    built = box.run(["go", "build", "-o", "hello", "."], LIMITS, keep=["hello"])
    assert built.ok, built
    assert box.run(["./hello"]).stderr == "hello\n"


def test_cargo(builder, workspace):
    (workspace / "src").mkdir()
    (workspace / "Cargo.toml").write_text('[package]\nname = "hello"\nversion = "0.1.0"\nedition = "2021"\n')
    (workspace / "src" / "main.rs").write_text('fn main() { println!("hello"); }\n')
    box = builder("cargo")
    built = box.run(["cargo", "build"], LIMITS, keep=["target/debug/hello"])
    assert built.ok, built
    assert box.run(["target/debug/hello"]).stdout == "hello\n"
