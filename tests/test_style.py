"""Rules of style that a program can check; CONTRIBUTING.md has the rest."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENINGS = re.compile(r"(Gives?|Tells?|Says?|Notes?|What|Whether|How)\b")
"""First words that make a docstring a clause instead of an instruction or a noun phrase."""

TERMS = {
    r"anew": "refetch, rebuild, re-record",
    r"sets? aside": "reject",
    r"(lies?|stands?) (in(?! for\b)|on|there)": "is stored in, is in",
    r"held back": "paused",
    r"the same command": "rerun",
    r"said again|is at it|harvests? at work": "rerun, running",
    r"go(es)? on from": "resume",
    r"(try|tries|tried|trying) \S+ again|(try|tries|tried) again": "retry",
    r"by itself when|(by|for) (itself|themselves) (as|if|where)": "automatically",
    r"passing faults?": "transient error",
    r"whole numbers?": "integer",
    r"foretells?": "predict",
    r"what speaks for": "evidence",
    r"how far (it|they) (got|is|are)": "checkpoint, progress",
    r"(?<!there) is no (?!longer\b|more\b)\w+": "is not a",
    r"only now": "the reason, in the present tense",
    r"in silence": "silently",
    r"one's": "your, their",
    r"makes? (a mistake|mistakes)": "bug, error",
}
"""Expressions (patterns) that a native editor replaces, with their replacements."""

NOUNS = (
    "artist|column|comment|crawl|day|edge|engagement|failure|fault|file|item|label|layer|name|node|page|pair"
    "|playlist|record|reject|request|response|row|seed|setting|token|track|user|vector|walk"
)
"""Nouns that messages count. "runs" and "likes" are missing: they are verbs as well."""

COUNT = re.compile(rf"(?<!of )(?<!of the )(?<!no )(?:\{{\}}|%d) (?:{NOUNS})s\b")
"""A count and its noun; after "of" the number is a total, after "no" it is a name."""


def python_files(root: Path) -> list[Path]:
    directories = ("sgr_spiders", "pipelines", "tests", "docs")
    files = (path for name in directories for path in sorted((root / name).rglob("*.py")))
    return [path for path in files if path != Path(__file__)]


def strings_in_statements(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring, including those that follow an assignment."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(ast.Constant(str(text))):
                yield node.lineno, text


@cache
def prose(path: Path) -> str:
    """Return a document, or the comments and strings of a Python file on their lines, without code."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    lines = [""] * (text.count("\n") + 2)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if tokenize.tok_name[token.type] in {"COMMENT", "STRING", "FSTRING_MIDDLE"}:
            for number, line in enumerate(token.string.split("\n"), token.start[0]):
                lines[number - 1] += f" {line}"
    return "\n".join(lines)


def test_docstrings_start_with_an_instruction_or_a_noun(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{line}: {text.splitlines()[0]}"
        for path in python_files(root)
        for line, text in strings_in_statements(ast.parse(path.read_text()))
        if OPENINGS.match(text.lstrip())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("term", TERMS)
def test_no_term_is_used_that_has_a_better_one(root: Path, term: str) -> None:
    documents = [
        path for path in (*root.glob("*.md"), *(root / "docs").glob("*.md")) if path.stem != "CHANGELOG"
    ]
    # A comment may continue on the next line, after its "#".
    pattern = re.compile(rf"\b(?:{term})\b".replace(" ", r"[\s#]+"), re.IGNORECASE)
    found = [
        f"{path.relative_to(root)}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}"
        for path in (*documents, *python_files(root))
        for text in [prose(path)]
        for hit in pattern.finditer(text)
    ]
    assert not found, f"use: {TERMS[term]}\n" + "\n".join(found)


def test_messages_agree_with_their_counts(root: Path) -> None:
    """A count of 1 needs a singular: ``pluralize(count, "walk")``."""
    found = [
        f"{path.relative_to(root)}:{node.lineno}: {text}"
        for path in python_files(root)
        if path.relative_to(root).parts[0] != "tests"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr | ast.Constant) and COUNT.search(text := message(node))
    ]
    assert not found, "\n".join(found)


def message(node: ast.JoinedStr | ast.Constant) -> str:
    """Return the text of a string, with ``{}`` for each value of an f-string."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node.value, str) and "%d" in node.value else ""
