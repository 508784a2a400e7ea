"""How a message to the user shows what the user gave: on one line, short, harmless to a terminal."""

from __future__ import annotations

from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SHOWN = 80

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = MAX_SHOWN
_repr.maxlevel = 2


def shown(value: object) -> str:
    """The value as Python writes it, which escapes control characters, shortened to MAX_SHOWN characters."""
    try:
        text = _repr.repr(value)
    except ValueError:  # Python refuses to write out integers of thousands of digits.
        return "a number of thousands of digits"
    return _cut(text)


def plain(text: str) -> str:
    """A name or sentence from outside, without quotes: unprintable characters and line ends escaped."""
    return _cut("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean `x`?)`` for the known word closest to this one, or nothing."""
    close = get_close_matches(word[:MAX_SHOWN], sorted(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _cut(text: str) -> str:
    # In the middle, as the end of a path says as much as its beginning.
    half = (MAX_SHOWN - 3) // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}...{text[-half:]}"
