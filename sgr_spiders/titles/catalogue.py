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
_LONGEST_NAME: Final = 60


def names_by_number(line: str) -> Iterator[str]:
    """Yield the names before catalogue numbers whose letters abbreviate them."""
    for number in () if line.isupper() else _NUMBER.finditer(line):
        before = line[max(0, number.start() - _LONGEST_NAME) : number.start()].rstrip() + " "
        if found := _NAME.search(before):
            name = found[0].rstrip(" -–—/|:,•")
            if not _SERIES.search(name):
                yield from _abbreviated(name.split(), _FORMATS.sub("", number[1]).casefold())


def _abbreviated(words: list[str], prefix: str) -> Iterator[str]:
    """Yield the longest end of *words* that *prefix* abbreviates: its letters, in order, from the first."""
    for start in range(len(words)):
        letters = "".join(filter(str.isalpha, "".join(words[start:]).casefold()))
        rest = iter(letters)
        if letters.startswith(prefix[0]) and all(letter in rest for letter in prefix):
            yield " ".join(words[start:])
            return
