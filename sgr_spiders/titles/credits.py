"""People mentioned, featured, remixing or producing, according to title and description.

In a title, a mark such as "feat." counts anywhere. A description is prose, so a mark counts only at the start
of a line or in its own bracket.
"""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sgr_spiders.titles.brackets import GAP, Part, parts
from sgr_spiders.titles.descriptions import credits_of_lines
from sgr_spiders.titles.markers import CreditMatch, Kind, credits_in, first_mark, remixers_in
from sgr_spiders.titles.mentions import mentions
from sgr_spiders.titles.names import bare_key, distinct, fold, key, split_names
from sgr_spiders.titles.unmarked import unmarked_producers

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TITLE: Final = 1_000
MAX_DESCRIPTION: Final = 20_000

_DASH: Final = re.compile(r" [-–—|~/]+ |//")
_WITH: Final = re.compile(r" with ", re.IGNORECASE)
_JOINS: Final = re.compile(r" (?:x|X|×|vs\.?|\+) (?!the )")


@dataclass(frozen=True, slots=True)
class Credits:
    """Names in order of appearance, each once; ``mentions`` are permalinks."""

    mentions: tuple[str, ...] = ()
    featured: tuple[str, ...] = ()
    remixers: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()


def credits(title: str, description: str | None = None, uploader: str | None = None) -> Credits:  # noqa: A001
    """Return the people named in a title and a description; the uploader is not a guest."""
    title, description = title[:MAX_TITLE], (description or "")[:MAX_DESCRIPTION]
    found = _find_credits(title, description, uploader)
    own = bare_key(uploader) if uploader else None
    return Credits(
        mentions=mentions(title, description),
        featured=_names(found, "featured", own),
        remixers=_names(found, "remixers", None),
        producers=_names(found, "producers", own),
    )


def credits_artist(
    title: str, description: str | None, metadata_artist: str | None, uploader: str | None, artist: str
) -> Literal["featuring", "remixer", "producer"] | None:
    """Return how someone else's track credits an artist, or ``None``.

    The full name must match, ignoring letter case: "feat. Ann Marie" does not credit "Ann".
    """
    wanted = [key(name) for name in split_names(artist)]
    if not wanted or (uploader and bare_key(uploader) == bare_key(artist)):
        return None
    title, description = title[:MAX_TITLE], (description or "")[:MAX_DESCRIPTION]
    found = _find_credits(title, description, uploader)
    if _contains((match.names for match in found if match.kind == "remixers"), wanted):
        return "remixer"
    artists = (_find_joint_artists(title, uploader), artist_names((metadata_artist or "")[:MAX_TITLE]))
    if _contains([*(match.names for match in found if match.kind == "featured"), *artists], wanted):
        return "featuring"
    if _contains((match.names for match in found if match.kind == "producers"), wanted):
        return "producer"
    return None


def artist_names(artist_credit: str) -> tuple[str, ...]:
    """Return the names in a field of artists (``metadata_artist``), guests last: "A, B & C feat. D"."""
    main, guests = _artist_credit(artist_credit)
    return distinct([*main, *guests])


def collaborators(artist_credit: str, artist: str | None = None) -> tuple[str, ...]:
    """Return the other names in an artist credit; if the artist is not in it, only its marked guests.

    Without an artist, return the guests, or all names but the first if no guest is marked.
    """
    main, guests = _artist_credit(artist_credit)
    if artist is None:
        return distinct(guests or main[1:])
    others = [name for name in (*main, *guests) if bare_key(name) != bare_key(artist)]
    return distinct(others if len(others) < len(main) + len(guests) else guests)


def _artist_credit(text: str) -> tuple[list[str], list[str]]:
    main: list[str] = []
    guests: list[str] = []
    for part in parts(fold(text[:MAX_TITLE])):
        main += split_names(_WITH.sub(" & ", part.text[: first_mark(part)].replace(GAP, " ")))
        guests += [name for match in credits_in(part) for name in match.names]
    return main, guests


def _find_credits(title: str, description: str, uploader: str | None) -> list[CreditMatch]:
    title = fold(title)
    title_parts = parts(title)
    found = [match for part in title_parts for match in credits_in(part)]
    found += [match for part in title_parts[1:] for match in _remix_in_brackets(part)]
    found += _remix_after_dash(title_parts[0], uploader)
    if artists := _find_joint_artists(title, uploader):
        others = artists if uploader and bare_key(uploader) in map(bare_key, artists) else artists[1:]
        found.append(CreditMatch("featured", -1, others))
    described = credits_of_lines(description, title)
    if not any(match.kind == "producers" for match in (*found, *described)):
        found += _find_unmarked(title_parts, found, uploader)
    found.sort(key=lambda match: match.position)
    return found + described


def _find_unmarked(
    title: list[Part], found: list[CreditMatch], uploader: str | None
) -> Iterable[CreditMatch]:
    guests = [name for match in found if match.kind == "featured" for name in match.names]
    people = [*guests, *_before_dash(title[0])[1], uploader or ""]
    return unmarked_producers(title, people, with_guests=bool(guests))


def _remix_in_brackets(part: Part) -> Iterable[CreditMatch]:
    head = part.text[: first_mark(part)]
    for piece in _DASH.split(head):
        if names := remixers_in(piece):
            yield CreditMatch("remixers", part.positions[0], names)


def _remix_after_dash(outer: Part, uploader: str | None) -> Iterable[CreditMatch]:
    """Yield the remixers of ``Artist - Title - Name Remix``; with one dash, only if one is the uploader."""
    pieces = _DASH.split(outer.text)
    if len(pieces) < 2:
        return
    start = len(outer.text) - len(pieces[-1])
    last = Part(pieces[-1], in_brackets=False, positions=outer.positions[start:])
    names = remixers_in(last.text[: first_mark(last)])
    if names and (len(pieces) > 2 or (uploader and bare_key(uploader) in map(bare_key, names))):
        yield CreditMatch("remixers", last.positions[0], names)


def _find_joint_artists(title: str, uploader: str | None) -> tuple[str, ...]:
    """Return the artists of ``A x B - Title``, or of ``A & B - Title`` if A or B uploads it.

    Otherwise ``A & B`` may be one band.
    """
    head, names = _before_dash(parts(fold(title))[0])
    ours = uploader is not None and bare_key(uploader) in map(bare_key, names)
    named = all(not name.isdecimal() for name in names)
    return names if len(names) > 1 and named and (ours or _JOINS.search(head)) else ()


def _before_dash(outer: Part) -> tuple[str, tuple[str, ...]]:
    """Return the text of ``Artists - Title`` before the dash and the names in it; empty without a dash."""
    head, *rest = _DASH.split(outer.text, maxsplit=1)
    if not rest:
        return "", ()
    end = first_mark(Part(head, in_brackets=False, positions=outer.positions))
    return head, tuple(split_names(head[:end].replace(GAP, " ")))


def _names(found: Iterable[CreditMatch], kind: Kind, own: str | None) -> tuple[str, ...]:
    names = (name for match in found if match.kind == kind for name in match.names)
    return distinct(name for name in names if bare_key(name) != own)


def _contains(lists: Iterable[Iterable[str]], wanted: list[str]) -> bool:
    """Return whether a list contains the wanted names in sequence (a band's "A & B" is two names)."""
    for names in lists:
        keys = [key(name) for name in names]
        if any(keys[i : i + len(wanted)] == wanted for i in range(len(keys) - len(wanted) + 1)):
            return True
    return False
