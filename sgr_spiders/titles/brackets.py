"""Parts of a text, split at its brackets."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

GAP: Final = "\0"
"""A placeholder in a part's text for each bracket inside it."""

_CLOSERS: Final = {
    "(": ")",
    "[": "]",
    "{": "}",
    "<": ">",
    "【": "】",
    "（": "）",
    "［": "］",
    "｛": "｝",
    "〔": "〕",
    "《": "》",
    "〈": "〉",
}
_PART_OF_NAME: Final = re.compile(r"(?<=\w)[(\[][A-Za-z]{1,2}[)\]](?!\w)|[(\[][A-Za-z]{1,2}[)\]](?=\w)")
"""Brackets within a word: "f(x)", "(G)I-DLE"."""
_CLOSING: Final = frozenset(_CLOSERS.values())


@dataclass(frozen=True, slots=True)
class Part:
    """The text outside all brackets, or the text in one of them, without inner brackets."""

    text: str
    in_brackets: bool
    positions: tuple[int, ...]
    """The position of each of its characters in the whole text."""


def parts(text: str) -> list[Part]:
    """Return the parts of a text in order. Brackets may be of any kind, nested, or left open."""
    text = text.replace(GAP, " ")
    outer: list[tuple[int, str]] = []
    found = [outer]
    stack = [("", outer)]
    last_angle = text.rfind(">")
    kept = {position for match in _PART_OF_NAME.finditer(text) for position in range(*match.span())}
    for position, character in enumerate(text):
        if position in kept:
            stack[-1][1].append((position, character))
        elif character in _CLOSERS and (character != "<" or position < last_angle):
            stack[-1][1].append((position, GAP))
            inner: list[tuple[int, str]] = []
            stack.append((_CLOSERS[character], inner))
            found.append(inner)
        elif character in _CLOSING and any(character == closer for closer, _ in stack[-8:]):
            while stack.pop()[0] != character:
                pass
        else:
            stack[-1][1].append((position, character))
    return [
        Part("".join(c for _, c in inner), bool(index), tuple(p for p, _ in inner))
        for index, inner in enumerate(found)
        if not index or any(c.isalnum() for _, c in inner)
    ]
