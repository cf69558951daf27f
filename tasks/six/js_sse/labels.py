"""How a reply decodes and how it cuts text into lines, for reports: told from its source, worth no points."""

from typing import Any

from pytest_llmbench import SourceFile

LEAVES = ("identifier", "number", "property_identifier", "regex_pattern", "string")
"""Nodes that hold no other of these: all their texts together are no longer than the file, however it is nested."""
LINE_FEEDS = {"'\\n'", '"\\n"', "10", "0x0a", "0xa", "lf"}


def _leaf(node: Any) -> str:
    """The text of a small node; nothing of one that may hold others, or is not there."""
    return node.text() if node is not None and node.kind() in LEAVES else ""


def decoder(file: SourceFile, *, works: bool) -> str:
    """How it decodes, for reports."""
    made = {_leaf(node.field("constructor")) for node in file.find_all(kind="new_expression")}
    if "TextDecoderStream" in made:
        return "decoder-stream"
    if "TextDecoder" not in made:
        return "other"
    for pair in file.find_all(kind="pair"):
        if _leaf(pair.field("key")) == "stream" and pair.field("value").kind() == "true":
            return "streaming"
    return "other" if works else "per-chunk"


def parser(file: SourceFile) -> str:
    """How it parses, for reports."""
    methods = file.find_all(kind="method_definition")
    if file.find_all(kind="generator_function_declaration") or any(
        child.kind() == "*" for method in methods for child in method.children()
    ):
        return "generator"
    cuts = [_leaf(node) for node in file.find_all(kind="regex_pattern")]
    for call in file.find_all(kind="call_expression"):
        function, arguments = call.field("function"), call.field("arguments")
        if function.kind() == "member_expression" and _leaf(function.field("property")) in ("split", "indexOf"):
            cuts += map(_leaf, arguments.children())
    if any(end in text for end in ("\\n", "\\r") for text in cuts):
        return "lines"
    compared = file.find_all(kind="binary_expression") + file.find_all(kind="switch_case")
    if LINE_FEEDS & {_leaf(side).lower() for node in compared for side in node.children()}:
        return "state-machine"
    return "other"
