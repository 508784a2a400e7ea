"""Check values by the rules of their fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.model.fields import MAX_INTEGER, Rule
from sgr_spiders.soundcloud.dates import is_day, is_iso
from sgr_spiders.soundcloud.track_page import MAX_MADE_UP_ID
from sgr_spiders.text.escape import for_database

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_TEXT: Final = 100_000
"""The maximum length of a string, in characters."""


class Bad:
    """Sentinel for an invalid value."""


BAD: Final = Bad()
_TWO_LETTERS: Final = re.compile(r"[A-Za-z]{2}", re.ASCII)
Check = Callable[[object], object]
"""A function that returns a value, corrected if necessary, or ``BAD``; the value is never ``None``."""
Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """The functions that check values by a rule.

    ``check`` checks one value. ``fine`` quickly returns whether values of these ``types`` are all valid
    unchanged; if it is ``None``, values of these types are always valid.
    """

    check: Check
    types: frozenset[type]
    fine: Callable[[Values], bool] | None = None


@cache
def judge_of(rule: Rule) -> Judge:
    """Return the judge for *rule*."""
    match rule.form:
        case "id" | "integer":
            return _integers(rule.low, rule.high)
        case "word":
            allowed = frozenset(rule.words)
            return Judge(_one_of(allowed), frozenset({str}), allowed.issuperset)
        case form:
            return _JUDGES[form]


def _integer(low: int, high: int) -> Check:
    """Return a check for integers in a range, which accepts ``1.0`` but not ``True``."""

    def check(value: object) -> object:
        if type(value) is float and value.is_integer():
            value = int(value)
        return value if type(value) is int and low <= value <= high else BAD

    return check


def _integers(low: int, high: int) -> Judge:
    def fine(values: tuple[int, ...]) -> bool:
        return min(values) >= low and max(values) <= high

    return Judge(_integer(low, high), frozenset({int}), fine)


def _one_of(allowed: Collection[str]) -> Check:
    def check(value: object) -> object:
        return value if type(value) is str and value in allowed else BAD

    return check


def _tempo(value: object) -> object:
    if (type(value) is int or type(value) is float) and 0 < value < 1000:
        return float(value)
    return BAD


def _comment_id(value: object) -> object:
    """Accept an ID of the API, or one generated for a comment that a page shows without an ID."""
    number = _integer(-MAX_INTEGER, MAX_INTEGER)(value)
    return number if type(number) is int and (number > 0 or number <= MAX_MADE_UP_ID) else BAD


def _flag(value: object) -> object:
    return value if type(value) is bool else BAD


def _text(value: object) -> object:
    if type(value) is not str or len(value) > MAX_TEXT:
        return BAD
    return value if value.isprintable() else for_database(value)


def _two_letters(value: object) -> object:
    return value if type(value) is str and _TWO_LETTERS.fullmatch(value) is not None else BAD


def _are_texts_fine(values: tuple[str, ...]) -> bool:
    joined = "".join(values)
    if len(joined) > MAX_TEXT:
        return False
    return joined.isprintable() or joined.replace("\r\n", " ").replace("\n", " ").isprintable()


def _date(value: object) -> object:
    return value if is_iso(value) else BAD


def _day(value: object) -> object:
    return value if is_day(value) else BAD


_JUDGES: Final = {
    "comment_id": Judge(
        _comment_id, frozenset({int}), lambda values: all(_comment_id(value) is not BAD for value in values)
    ),
    "flag": Judge(_flag, frozenset({bool})),
    "text": Judge(_text, frozenset({str}), _are_texts_fine),
    "two_letters": Judge(
        _two_letters, frozenset({str}), lambda values: all(_two_letters(value) is value for value in values)
    ),
    "date": Judge(_date, frozenset({str}), lambda values: all(map(is_iso, values))),
    "day": Judge(_day, frozenset({str}), lambda values: all(map(is_day, values))),
    # The API sends a tempo without a fraction as an integer, which becomes a float.
    "tempo": Judge(
        _tempo, frozenset({float, int}), lambda values: all(_tempo(value) is value for value in values)
    ),
}
