"""Lists of labels: "A / B", "A x B", "A (UK), B (US)" and "A Records and B Records"."""

# ruff: noqa: RUF001 - the sign of multiplication in lists
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.label_names import has_label_word, is_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLASH: Final = (
    r"\s+/{1,2}\s+|(?:(?<=[^\W\d][\w'’])/{1,2}(?=\w\w)|(?<=\w[\w'’])/{1,2}(?=[^\W\d]\w))"
    r"(?!(?i:or|off|out|pm|dc)\b)"
)
"""Between two labels; "On/Off" and "AM/PM" are one name."""
_BETWEEN_NAMES: Final = re.compile(SLASH)
_TIMES: Final = re.compile(r"\s[xX×]\s")
_AND: Final = re.compile(r"\s(?:and|&|\+)\s(?!co\b)", re.IGNORECASE)
_COMMAS: Final = re.compile(
    r",\s(?:(?:and|&|\+)\s)?(?!(?:the|ltd|llc|inc|gmbh|corp|co|limited|s\.?a|b\.?v)\b)", re.IGNORECASE
)
_MAX_LISTED: Final = 4
"""Number of words of a label in a list with commas; longer parts are those of a sentence."""
PART_OF_WORLD: Final = (
    r"(?:the\s)?(?:uk|u\.?s\.?a?|eu|europe|(?:north|south|latin)\samerica|america|canada|japan|asia|australia|"
    r"germany|france|benelux|(?:rest\sof\s(?:the\s)?)?world)"
)
TERRITORY: Final = re.compile(
    r"(?<=\S)\s?[(\[](?:[a-z]{2,9}(?:\s?[/&+,]\s?[a-z]{2,9}){0,3}|(?:north|south|latin)\samerica|"
    r"rest\sof\s(?:the\s)?world|[a-z]{4,9}\sonly)[)\]]"
    r"(?:\s?(?:,|&|\+|/|\band\b)\s?|$)|"
    rf"\s(?:in|for)\s{PART_OF_WORLD}(?:\s(?:&|and)\s{PART_OF_WORLD})?(?:,\s(?:and\s)?|\s(?:and|&)\s)(?=(?-i:[A-Z0-9]))",
    re.IGNORECASE,
)
"""A territory beside a label: "A (UK), B (US)", "A in Europe and B in the US"."""
_FOR_TERRITORY: Final = re.compile(
    r"\sfor\sthe\s(?:united|world|rest|territory|uk|us|usa|eu)\b(?:(?!\sand\s(?-i:[A-Z]))[^.])*(?:\sand\s|\..*|$)",
    re.IGNORECASE,
)


def listed(text: str) -> Iterator[str]:
    """Yield the parts of "A / B", "A x B" and "A Records and B Records"."""
    for part in _BETWEEN_NAMES.split(text):
        for piece in split_if(part, _TIMES, is_label):
            yield from split_if(piece, _AND, has_label_word)


def split_if(text: str, joint: re.Pattern[str], accepts: Callable[[str], bool]) -> list[str]:
    """Return the pieces of a list, or the whole text if one of the pieces is not accepted."""
    pieces = joint.split(text)
    return pieces if len(pieces) > 1 and all(map(accepts, pieces)) else [text]


def split_commas(text: str) -> list[str]:
    """Return the pieces of "A, B & C", or the whole text if one of them is longer than a name."""
    pieces = split_if(text, _COMMAS, _is_short_label)
    return [*pieces[:-1], *split_if(pieces[-1], _AND, is_label)] if len(pieces) > 1 else pieces


def _is_short_label(name: str) -> bool:
    return is_label(name) and len(name.split()) <= _MAX_LISTED


def split_territories(text: str) -> str:
    """Return "A / B" for "A (UK) & B (US)" and "A for the UK and B for the rest of the world"."""
    if " for the " in text:
        text = _FOR_TERRITORY.sub(" / ", text)
    return TERRITORY.sub(" / ", text) if "(" in text or "[" in text else text
