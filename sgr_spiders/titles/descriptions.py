"""Credits in descriptions, line by line, with stricter rules than in titles: most lines are prose."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from typing import Final

from sgr_spiders.titles.brackets import GAP, Part, parts
from sgr_spiders.titles.markers import AND, ROLES, CreditMatch, credits_in
from sgr_spiders.titles.names import fold, key

MAX_LINES: Final = 500
MAX_LINE: Final = 300

_ORNAMENT: Final = re.compile(r"^[^\w@(\[{【（]+")
_LISTED: Final = re.compile(r"^[(\[]?(?:\d{1,3}[.):\]]|\d{1,2}:\d\d|\d{1,3} [-–—])")
_PIECES: Final = re.compile(
    r" [|•·/●]+ |//|(?<=\w{3})(?<![Pp]rod)(?<!PROD)(?<![Ff]eat)(?<!FEAT)\. (?=[A-Z])|[!?] (?=[A-Z])"
)
_HEAD: Final = re.compile(
    rf"""
    (?: {ROLES} (?: {AND} | [ ] ) ){{0,6}}
    (?: (?: co-? | exec(?:utive)?[ ] )? (?:
            prod (?: uced | uction )? \.? (?: {AND} {ROLES} ){{0,5}} [ ]? by\b
          | prods? (?: \. | [ ]?: )
          | production [ ]?:
          | producers? (?: [ ]?: | [ ][-–][ ] )
          | prod (?=[ ]\S+(?:[ ]\S+){{0,3}}$)
        )
      | (?: re-?mix(?:ed)? | rmx | flip(?:ped)? | bootleg | re-?work(?:ed)? | re-?fix | re-?edit ) [ ] by\b
      | remix(?:er)?s? [ ]?:
      | (?: featuring | feat\.? | ft\.? | w/ ) (?=[ :@])
      | (?: with[ ] )? {ROLES} [ ]? (?: by\b | : )
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def credits_of_lines(description: str, title: str) -> list[CreditMatch]:
    """Return the credits in the lines that look like credits, in order."""
    found: list[CreditMatch] = []
    for line in map(fold, description.splitlines()[:MAX_LINES]):
        if len(line) > MAX_LINE or not line or _LISTED.match(line):
            continue
        for piece in _PIECES.split(line):
            found += _credits_of(_ORNAMENT.sub("", piece), title)
    return found


def _credits_of(piece: str, title: str) -> list[CreditMatch]:
    piece_parts = parts(piece)
    core = key(parts(title)[0].text.partition(GAP)[0])
    about_title = len(core) > 2 and core in key(piece)
    found: list[CreditMatch] = []
    for part in piece_parts:
        text = part.text.strip()
        alone = part.in_brackets and not piece_parts[0].text.strip(" " + GAP)
        heads = bool(_HEAD.match(text)) and (not part.in_brackets or alone or about_title)
        if heads:
            found += credits_in(_at_line_start(part), strict=True)
    return found


def _at_line_start(part: Part) -> Part:
    """Treat a line that opens with its mark like a bracket, which needs no text before the mark."""
    return Part(part.text, in_brackets=True, positions=part.positions)
