"""Languages in which files and code blocks are written: one table. What runs them is in ``toolchains``."""

from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """One language."""

    name: str
    """Also that of its grammar in ast-grep."""
    endings: tuple[str, ...]
    """File endings without the dot, or whole names, in lower case; each is a label of code blocks too."""
    labels: tuple[str, ...] = ()
    """Further labels of code blocks."""
    identifiers: tuple[str, ...] = ()
    """Kinds of nodes in the grammar that are identifiers; empty: its code is not parsed to judge a reply by it."""
    searchable: bool = False
    """Whether tasks may search its files by its grammar."""


_TYPED = ("identifier", "type_identifier")
LANGUAGES = (
    Language(
        "python",
        ("py", "pyi"),
        ("py3", "ipython", "ipython3", "pycon", "cpython", "pypy", "micropython", "sage", "jupyter"),
        ("identifier",),
        searchable=True,
    ),
    Language(
        "javascript",
        ("js", "mjs", "cjs", "jsx"),
        ("node", "nodejs", "node.js", "ecmascript", "es", "esm", "bun", "deno", "commonjs", "javascriptreact"),
        ("identifier",),
        searchable=True,
    ),
    Language("typescript", ("ts", "mts", "cts"), (), _TYPED, searchable=True),
    Language("tsx", ("tsx",), ("typescriptreact",), _TYPED, searchable=True),
    Language("rust", ("rs",), (), _TYPED, searchable=True),
    Language("go", ("go",), ("golang",), _TYPED, searchable=True),
    Language("ruby", ("rb", "gemfile", "rakefile"), searchable=True),
    Language("java", ("java",), searchable=True),
    Language("c", ("c", "h"), ("ansi-c",), searchable=True),
    Language("cpp", ("cpp", "cc", "cxx", "hpp", "hh", "hxx"), ("c++", "cplusplus"), searchable=True),
    Language("ada", ("adb", "ads")),
    Language("assembly", ("asm",), ("assembler", "nasm", "x86asm")),
    Language("batch", ("bat", "cmd")),
    Language("clojure", ("clj", "cljs", "cljc", "edn")),
    Language("cmake", ("cmake", "cmakelists.txt")),
    Language("cobol", ("cob", "cbl")),
    Language("crystal", ("cr",)),
    Language("csharp", ("cs", "csx"), ("c#", "c-sharp", "dotnet")),
    Language("csv", ("csv",)),
    Language("cuda", ("cu", "cuh")),
    Language("dart", ("dart",), ("flutter",)),
    Language("elixir", ("ex", "exs")),
    Language("elm", ("elm",)),
    Language("erlang", ("erl", "hrl")),
    Language("fortran", ("f90", "f95", "f03", "f08")),
    Language("fsharp", ("fs", "fsx", "fsi"), ("f#", "f-sharp")),
    Language("graphql", ("graphql", "gql")),
    Language("groovy", ("groovy", "gradle", "jenkinsfile")),
    Language("haskell", ("hs", "lhs")),
    Language("hcl", ("tf", "tfvars", "hcl"), ("terraform",)),
    Language("html", ("html", "htm", "xhtml"), ("html5",)),
    Language("css", ("css",), ("css3",)),
    Language("scss", ("scss", "sass", "less")),
    Language("json", ("json", "json5"), ("jsonc",)),
    Language("jsonl", ("jsonl", "ndjson"), ("json-lines", "jsonlines")),
    Language("julia", ("jl",)),
    Language("kotlin", ("kt", "kts")),
    Language("latex", ("tex", "sty", "bib"), ("bibtex",)),
    Language("lisp", ("lisp", "lsp", "el"), ("common-lisp", "commonlisp", "emacs-lisp", "elisp")),
    Language("lua", ("lua",), ("luau",)),
    Language("nim", ("nim",)),
    Language("nix", ("nix",)),
    Language("objective-c", ("mm",), ("objc", "objectivec")),
    Language("ocaml", ("ml", "mli")),
    Language("pascal", ("pas", "dpr"), ("delphi",)),
    Language("perl", ("pl",), ("perl5", "raku")),
    Language("php", ("php", "phtml")),
    Language("prolog", (), ("swipl",)),
    Language("protobuf", ("proto",), ("proto3",)),
    Language("powershell", ("ps1", "psm1"), ("pwsh",)),
    Language("r", ("r", "rmd"), ("rscript", "rlang")),
    Language("racket", ("rkt",)),
    Language("scala", ("scala", "sbt")),
    Language("scheme", ("scm", "ss")),
    Language("solidity", ("sol",)),
    Language("svelte", ("svelte",)),
    Language("swift", ("swift",)),
    Language("tsv", ("tsv",)),
    Language("verilog", ("sv", "svh"), ("systemverilog",)),
    Language("vhdl", ("vhd", "vhdl")),
    Language("visual-basic", ("vb", "vbs", "bas"), ("vbnet", "vb.net", "vba")),
    Language("vue", ("vue",)),
    Language("zig", ("zig", "zon")),
    Language("yaml", ("yaml", "yml"), ("docker-compose",)),
    Language("toml", ("toml", "lock")),
    Language("markdown", ("md", "markdown"), ("mdx",)),
    Language("shell", ("sh", "bash"), ("zsh", "fish", "console", "terminal", "shell-session", "shellsession")),
    Language("sql", ("sql",), ("postgresql", "postgres", "mysql", "sqlite", "sqlite3", "plpgsql", "tsql")),
    Language("make", ("makefile", "mk")),
    Language("docker", ("dockerfile", "containerfile")),
    Language("text", ("txt",)),
    Language("other", ("mod", "sum", "cfg", "ini", "xml", "env", "conf", "properties")),
)
BY_ENDING = {ending: language for language in LANGUAGES for ending in language.endings}
