"""Parts of a text, split at its brackets."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

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
    for position, character in enumerate(text):
        if character in _CLOSERS and (character != "<" or position < last_angle):
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
