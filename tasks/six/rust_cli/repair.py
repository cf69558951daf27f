"""Mends a source that does not compile, one seeded defect, or one function, at a time: with as few as it takes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pytest_llmbench import SourceFile

FILE = "src/main.rs"
LONGEST, LONGEST_LINE = 100_000, 1_000
"""Characters of a file that is repaired, and of its lines: many times those of the reference."""


def with_value_enum(text: str) -> str | None:
    """The source with a derived ``ValueEnum`` for ``Priority``; None when it has one, or no such enum."""
    file = SourceFile(FILE, text)
    found = [(enum, attributes) for enum, attributes in enums(file) if name_of(enum) == "Priority"]
    if not found or implements(file, "ValueEnum"):
        return None
    enum, attributes = found[0]
    names = [word for attribute in attributes for word in words(attribute) if word.text() == "ValueEnum"]
    if not names:
        return changed(file, {enum: f"#[derive(clap::ValueEnum)]\n{enum.text()}"})
    if "clap" not in [word.text() for word in words(names[0].parent())]:  # derived, and perhaps not imported
        return changed(file, {names[0]: "clap::ValueEnum"})
    return None


def with_mutable_done(text: str) -> str | None:
    """The source with a ``mark_done`` that borrows mutably; None when it does, or there is none."""
    file = SourceFile(FILE, text)
    for function in file.find_all(kind="function_item"):
        if name_of(function) == "mark_done" and (parameters := function.field("parameters")):
            for this in parameters.children():
                if this.kind() == "self_parameter" and this.text() == "&self":
                    return changed(file, {this: "&mut self"})
    return None


def with_old(name: str, text: str, starter: str) -> str | None:
    """The source with a function as the starter has it; None when it is as there, or there is none."""
    file = SourceFile(FILE, text)
    new, old = function_of(file, name), function_of(SourceFile(FILE, starter), name)
    return changed(file, {new: old.text()}) if new and old and new.text() != old.text() else None


def function_of(file: SourceFile, name: str) -> Any:
    """The first function of that name; None when there is none."""
    return next((one for one in file.find_all(kind="function_item") if name_of(one) == name), None)


def repairs(starter: str) -> dict[str, Callable[[str], str | None]]:
    """What mends a source, by the point that is missed then; None of them: nothing to mend.

    A function whose new text does not compile is replaced by the old one.
    """
    return {
        "value-enum": with_value_enum,
        "mark-done": with_mutable_done,
        "unique-ids": lambda text: with_old("add", text, starter),
        "remove": lambda text: with_old("remove", text, starter),
    }


def without_edit(text: str) -> str | None:
    """The source with an ``edit`` that does nothing; None when there is none."""
    file = SourceFile(FILE, text)
    stubs = {
        function.field("body"): "{ unimplemented!() }"
        for function in file.find_all(kind="function_item")
        if "edit" in name_of(function).lower() and function.field("body")
    }
    file = SourceFile(FILE, changed(file, stubs))
    stubs = {one: "Edit" for one in file.find_all(kind="enum_variant") if name_of(one) == "Edit"}
    for arm in file.find_all(kind="match_arm"):
        pattern = arm.field("pattern") and arm.field("pattern").child(0)
        path = pattern and (pattern.field("type") or pattern)
        if path and path.text().split("::")[-1] == "Edit":
            stubs[arm] = f"{path.text()} => unimplemented!(),"
    return changed(file, stubs) if stubs else None


def enums(file: SourceFile) -> Iterator[tuple[Any, list[Any]]]:
    """Every enum, with the attributes right before it. Asking each node for those before it would be quadratic."""
    waiting = [file.root]
    while waiting:
        children = waiting.pop().children()
        attributes: list[Any] = []
        for child in children:
            match child.kind():
                case "attribute_item":
                    attributes.append(child)
                case "line_comment":
                    pass
                case kind:
                    if kind == "enum_item":
                        yield child, attributes
                    attributes = []
        waiting += reversed(children)


def words(node: Any) -> list[Any]:
    return node.find_all(kind="identifier")


def implements(file: SourceFile, trait: str) -> bool:
    """Whether a trait is implemented by hand, for whatever type."""
    found = [node.field("trait") for node in file.find_all(kind="impl_item")]
    return any(one.text().split("::")[-1] == trait for one in found if one)


def name_of(item: Any) -> str:
    """The name of an item; empty where the parser had to guess that there is one."""
    name = item.field("name")
    return name.text() if name else ""


def changed(file: SourceFile, texts: dict[Any, str]) -> str:
    """The source with other texts in place of some nodes; nothing is changed inside of what is replaced."""
    edits, end = [], 0
    for node in sorted(texts, key=lambda node: node.range().start.index):
        if node.range().start.index >= end:
            edits.append(node.replace(texts[node]))
            end = node.range().end.index
    return file.root.commit_edits(edits)


def variants(text: str, starter: str) -> Iterator[tuple[str, frozenset[str], bool]]:
    """The source as it is, then with one repair, then with two, and which they are; at last without ``edit``."""
    if len(text) > LONGEST or max(map(len, text.split("\n"))) > LONGEST_LINE:
        yield text, frozenset(), True  # nothing of such a length is repaired
        return
    mends = repairs(starter)
    for whole, base in ((True, text), (False, without_edit(text))):
        for count in range(3 if base else 0):
            for names in itertools.combinations(mends, count):
                repaired = base
                for name in names:
                    repaired = repaired and mends[name](repaired)
                if repaired:
                    yield repaired, frozenset(names), whole
