"""What a parser says about a piece of code: does it parse, and what does it define? Pure; parsers imported late."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_llmbench.extraction.trees import MOST_CHARACTERS, parsed, parsed_python, with_parents
from pytest_llmbench.schema.languages import LANGUAGES

if TYPE_CHECKING:
    from ast_grep_py import SgNode

GRAMMARS = {language.name: language.identifiers for language in LANGUAGES if language.identifiers}
"""Languages that are parsed, and their kinds of identifiers; code in any other language has no outline."""
PARSED = frozenset(GRAMMARS) | {language.name for language in LANGUAGES if language.searchable}
"""Languages of which can be said whether code parses."""
LONGEST = MOST_CHARACTERS
"""Characters; longer code is not parsed, nor is what is nested too deeply (``trees``)."""
_MOST_CACHED = 8
"""Trees; one takes up to 20 MB."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMED = _words(
    """
    function_definition class_definition
    function_declaration generator_function_declaration class_declaration abstract_class_declaration
    interface_declaration type_alias_declaration enum_declaration function_signature internal_module module
    function_item struct_item enum_item union_item trait_item mod_item type_item const_item static_item
    macro_definition
    method_declaration type_spec type_alias
    """
)
"""Kinds of nodes that define the name in their field ``name``."""
_UNNAMED = _words(
    """
    import_statement import_from_statement future_import_statement
    export_statement lexical_declaration variable_declaration ambient_declaration
    impl_item use_declaration extern_crate_declaration
    package_clause import_declaration const_declaration var_declaration type_declaration
    """
)
"""Further kinds that stand in files only, never in prose."""
_WRAPPERS = _words(
    """
    decorated_definition export_statement expression_statement ambient_declaration type_declaration
    lexical_declaration variable_declaration
    """
)
_FUNCTIONS = _words("arrow_function function_expression generator_function class")
_KEYWORDS = _words("def class function fn func struct enum trait interface")
"""Where an error swallowed the node, the keyword still stands before the name."""
_BEHIND_NAME = _words("parameters formal_parameters parameter_list class_body ( { :")
_BINDERS = _words(
    """
    assignment for_statement for_in_clause parameters lambda_parameters typed_parameter default_parameter
    typed_default_parameter keyword_argument variable_declarator formal_parameters required_parameter
    optional_parameter let_declaration parameter closure_parameters parameter_declaration short_var_declaration
    """
)
"""Kinds of nodes that give a name to a variable or parameter; the rare name on the other side counts as given too."""
_COMMENT = re.compile(r"#(?!\[|!)|//|/\*|\*(?:[ /]|\Z)")


@dataclass(frozen=True, slots=True)
class Outline:
    """What a piece of code holds, also when it does not parse."""

    names: frozenset[str] = frozenset()
    """Functions, classes and types defined at the top level."""
    identifiers: frozenset[str] = frozenset()
    """Identifiers in use that are not also variables or parameters of its own."""
    lines: int = 0
    """Lines that are neither blank nor a comment."""
    defines: bool = False
    """Whether anything is defined or imported."""


def parses(source: str, language: str) -> bool:
    """Whether code is right in the eyes of a parser; False also without a parser for the language."""
    if language == "python":
        return _is_python(source)
    root = _root(source, language)
    return root is not None and root.find(kind="ERROR") is None


def is_file(source: str, language: str) -> bool:
    """Whether text is code beyond doubt: it parses, and defines or imports something."""
    if language == "python" and not _is_python(source):
        return False
    root = _root(source, language) if language in GRAMMARS else None
    if root is None or (language != "python" and root.find(kind="ERROR") is not None):
        return False
    return _survey(root)[1]


def outline(source: str, language: str) -> Outline:
    """The outline of some code; error-tolerant."""
    lines = sum(1 for line in source.split("\n") if (code := line.strip()) and not _COMMENT.match(code))
    root = _root(source, language) if language in GRAMMARS else None
    if root is None:
        return Outline(lines=lines)
    names, defines = _survey(root)
    used: set[str] = set()
    bound: set[str] = set()
    for node, parent in with_parents(root):
        if node.kind() in GRAMMARS[language]:
            (bound if parent.kind() in _BINDERS else used).add(node.text())
    return Outline(names, frozenset(used - bound), lines, defines)


def forget() -> None:
    """Give back the memory of the trees that were kept because the same code is asked about again and again."""
    _is_python.cache_clear()
    _root.cache_clear()


@lru_cache(maxsize=_MOST_CACHED)
def _is_python(source: str) -> bool:
    try:
        parsed_python(source)
    except (SyntaxError, ValueError):
        return False
    return True


def _survey(root: SgNode) -> tuple[frozenset[str], bool]:
    """The names defined at the top level, and whether anything is defined or imported."""
    names: set[str] = set()
    defines = False
    for node in _top_level(root):
        kind = node.kind()
        if kind in _NAMED or kind == "variable_declarator":
            name = node.field("name")
            value = node.field("value")
            if name is not None and (kind in _NAMED or (value is not None and value.kind() in _FUNCTIONS)):
                names.add(name.text())
        elif kind in _KEYWORDS:
            name = node.next()
            behind = name.next() if name is not None else None
            if name is not None and behind is not None and behind.kind() in _BEHIND_NAME:
                names.add(name.text())
                defines = True
        defines = defines or kind in _NAMED or kind in _UNNAMED or _exports(node)
    return frozenset(names), defines


@lru_cache(maxsize=_MOST_CACHED)
def _root(source: str, language: str) -> SgNode | None:
    if language not in PARSED:
        return None
    try:
        return parsed(source, language)
    except ValueError:  # beyond the bounds, or a lone surrogate, which is not text
        return None


def _top_level(root: SgNode) -> Iterator[SgNode]:
    """The nodes of the top level, those inside an ``export``, a decorator or a stretch with errors included."""
    open_nodes = [root]
    while open_nodes:
        for child in open_nodes.pop().children():
            yield child
            if child.kind() in _WRAPPERS or child.kind() == "ERROR":
                open_nodes.append(child)


def _exports(node: SgNode) -> bool:
    """``module.exports = ...`` or ``exports.x = ...``."""
    if node.kind() != "assignment_expression":
        return False
    left = node.field("left")
    return left is not None and left.text().startswith(("module.exports", "exports."))
