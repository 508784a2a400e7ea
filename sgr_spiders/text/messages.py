"""Values in messages to the user: short, on one line and safe for a terminal."""

from __future__ import annotations

from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING

from sgr_spiders.text.escape import MAX_SHOWN, cut_middle

if TYPE_CHECKING:
    from collections.abc import Iterable

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = MAX_SHOWN
_repr.maxlevel = 2


def quote_value(value: object) -> str:
    """Return the value's ``repr``, which escapes control characters, cut to ``MAX_SHOWN``."""
    try:
        text = _repr.repr(value)
    except ValueError:  # Python refuses to write out integers of thousands of digits.
        return "a number of thousands of digits"
    return cut_middle(text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean `x`?)`` for the known word closest to *word*, else an empty string."""
    close = get_close_matches(word[:MAX_SHOWN], sorted(known), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""
