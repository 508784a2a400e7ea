"""The labels in a field for labels, and in the publisher's lines of rights."""

# ruff: noqa: RUF001 - names and phrases in many scripts
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.label_cues import SIGN, SIGNS, YEARS
from sgr_spiders.titles.label_ends import RIGHTS
from sgr_spiders.titles.label_languages import RELEASED_ABROAD, WORDS_FOR_LABEL
from sgr_spiders.titles.label_lists import SLASH, listed, split_commas, split_territories
from sgr_spiders.titles.label_names import has_label_word, is_label

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORK: Final = r"(?:(?:sound\s)?recordings?|compilation|release|album|single)"
_YEARS_BEFORE: Final = re.compile(
    rf"\W{{0,3}}(?:(?:copyright|[pc]\s?&\s?[cp])\W{{1,3}}|(?:th(?:is|e)\s)?{_WORK}\s)?"
    rf"(?:{SIGNS}\s{{0,3}}{YEARS}?(?:\s?by\s)?|{YEARS}\s)",
    re.IGNORECASE,
)
_YEARS_LAST: Final = re.compile(rf"(?=\W{{0,3}}{SIGN}).*?(?P<after>[\s,]+{YEARS}\W{{0,3}})", re.IGNORECASE)
"""A statement of rights that begins with a sign and ends with years: "© Opal 2020"."""
_FIELD_JOINTS: Final = re.compile(rf"{SLASH}|\s*[|;•·]\s*|{SIGNS}\s{{0,3}}{YEARS}?", re.IGNORECASE)
_ADDRESS: Final = re.compile(
    r"\s?(?:https?://|www\.)\S+|(?<![\w.@])(?:[\w-]+\.)+(?:com|net|org|co\.uk|de|fr|es|it|nl|io)\b\S*(?=\s*(?:$|[,;/|)\]]))",
    re.IGNORECASE,
)
_A_RELEASE: Final = re.compile(r"^an?\s(.{1,60})\srelease$", re.IGNORECASE)
_YEAR_AFTER: Final = re.compile(r"(?<=\w)\s(in\s)?(?:19|20)\d\d$")
_FIELD_CUE: Final = re.compile(
    rf"courtesy\sof\s|copyright(?:\sby\s|\s?[:：]\s*)|(?:the\scopyright\sin\s)?th(?:is|e)\s{_WORK}\sis\sowned\sby\s|"
    rf"(?:{WORDS_FOR_LABEL})\s?[:：]\s*|cat\.?\s?no\.?\s?\S+\s|"
    rf"(?:{RELEASED_ABROAD})\s|"
    r"(?:released|published|out|available|forthcoming|coming)(?:\s(?:now|soon))?(?:\s(?:by|on|via|through)|\s?:)\s+|"
    r"(?:under\s(?:an?\s)?(?:exclusive\s|worldwide\s|global\s)?licen[cs]e|(?:exclusively\s)?licen[cs]ed)\s(?:to|from|by)\s",
    re.IGNORECASE,
)
_IN_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]+)[)\]]?")
_BRACKET_AFTER: Final = re.compile(r"\s*[(\[][^()\[\]]{0,60}[)\]]?$|(?<=[^(\[])[)\]]$")
_NUMBER: Final = r"[A-Z]{2,10}[ -]?\d{2,5}[A-Z]?"
_CATALOGUE_NUMBER: Final = re.compile(
    rf"^{_NUMBER}\s+[-–—]\s+|\s+[-–—]\s+{_NUMBER}$|\s+(?:#\s?\d{{1,4}}|0\d{{2,3}})$|\s+(?i:cat)\s?[.:#].*$"
)
_EDGES: Final = ' ,;:/-–—"“”'


def parse_field(text: str) -> Iterator[str]:
    """Yield the names in a field for labels; "X / Y", "X, Y", "X x Y" and "X (UK), Y (US)" are two."""
    whole = " ".join(text.split())
    whole = _A_RELEASE.sub(r"\1", _ADDRESS.sub("", whole) if "." in whole else whole)
    if years := _YEARS_LAST.fullmatch(whole):
        whole = whole[: years.start("after")]
    for before in (_YEARS_BEFORE, _FIELD_CUE, _YEARS_BEFORE):
        if match := before.match(whole):
            whole = whole[match.end() :]
    for part in _FIELD_JOINTS.split(RIGHTS.sub("", split_territories(whole))):
        for piece in split_commas(part):
            for name in map(_bare_field, listed(piece)):
                if is_label(name):
                    yield name


def _bare_field(piece: str) -> str:
    """Return a name without its brackets, catalogue number, link and handle."""
    name = piece.split("http", 1)[0].strip(_EDGES)
    if match := _IN_BRACKETS.fullmatch(name):
        name = match[1]
    name = _CATALOGUE_NUMBER.sub("", _BRACKET_AFTER.sub("", name) or name)
    if (year := _YEAR_AFTER.search(name)) and (year[1] or has_label_word(name[: year.start()])):
        name = name[: year.start()]
    return name.strip(_EDGES).removeprefix("@")
