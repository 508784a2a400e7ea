"""Names beside a catalogue number that abbreviates them: "Hivern Discs HVN042"."""

# ruff: noqa: RUF001 - names in many scripts
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBER: Final = re.compile(
    r"[\s(\[#]([A-Z]{2,12}) ?-?(?:0\d{1,3}|\d{3,4})(?:EP|LP|CD|D|V|R)?(?![\w/:.]\w|[\w/])"
)
_NAME: Final = re.compile(
    r"(?:[^\W_a-z][\w'’&.+-]{0,24}\s(?:(?:of|the|and|&|\+|van|de|la)\s){0,2}){1,5}(?:[-–—/|:,•]{1,2}\s?)?\Z"
)
_FORMATS: Final = re.compile(r"(?<=[A-Z]{2})(?:CDR?|LP|EP|DIGI|DIG|D|V)$")
_SERIES: Final = re.compile(r"(?:cast|mix|mixes|radio|show|sessions?|series|episode)$", re.IGNORECASE)
"""Last words of a podcast, whose episodes are numbered like releases."""
_CAPITALISED: Final = r"(?:[^\W\d_a-z][\w'’&.+-]{1,20}\s){1,4}"
_SERIES_LINE: Final = re.compile(rf"\W{{0,3}}({_CAPITALISED})(?:#\s?\d{{1,3}}|0\d{{1,3}})\W{{0,3}}")
_SERIES_BRACKET: Final = re.compile(rf"\[({_CAPITALISED})#?\d{{2,4}}\]\W{{0,3}}$")
_PREFIX: Final = re.compile(r"[A-Z]{2,6}")
"""The letters of a catalogue number, without a name."""
_LONGEST_NAME: Final = 60


def names_by_number(line: str) -> Iterator[str]:
    """Yield the names before catalogue numbers whose letters abbreviate them."""
    for number in () if line.isupper() else _NUMBER.finditer(line):
        before = line[max(0, number.start() - _LONGEST_NAME) : number.start()].rstrip() + " "
        if found := _NAME.search(before):
            name = found[0].rstrip(" -–—/|:,•")
            if not _SERIES.search(name):
                yield from _abbreviated(name.split(), _FORMATS.sub("", number[1]).casefold())


def name_of_series(line: str) -> str:
    """Return the name in a line such as "Night Owl 012", "Night Owl #12" and "… [Night Owl 12]", or ""."""
    found = _SERIES_LINE.fullmatch(line) or _SERIES_BRACKET.search(line)
    name = found[1].strip() if found else ""
    return "" if _SERIES.search(name) or _PREFIX.fullmatch(name) else name


def _abbreviated(words: list[str], prefix: str) -> Iterator[str]:
    """Yield the longest end of *words* that *prefix* abbreviates: its letters, in order, from the first."""
    for start in range(len(words)):
        letters = "".join(filter(str.isalpha, "".join(words[start:]).casefold()))
        rest = iter(letters)
        if letters.startswith(prefix[0]) and all(letter in rest for letter in prefix):
            yield " ".join(words[start:])
            return
