"""Who is mentioned, featured, remixes or produces, as title and description say.

A title is short and made for such marks, so they count wherever they stand. A description is prose: there
a mark counts only at the head of a line or in a bracket of its own.
"""

# Signs of other scripts that look like ASCII are what is looked for here.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sgr_spiders.titles.brackets import GAP, Part, parts
from sgr_spiders.titles.descriptions import credits_of_lines
from sgr_spiders.titles.markers import Found, Kind, credits_in, first_mark, remixers_in
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
    """The people that a title and a description name beside the uploader, who is no guest there."""
    title, description = title[:MAX_TITLE], (description or "")[:MAX_DESCRIPTION]
    found = _found(title, description, uploader)
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
    """How a track of somebody else credits an artist; ``None`` if it does not, or is the artist's own.

    The whole name must be there, letter case apart: "Ann" is not credited by "feat. Ann Marie".
    """
    wanted = [key(name) for name in split_names(artist)]
    if not wanted or (uploader and bare_key(uploader) == bare_key(artist)):
        return None
    title, description = title[:MAX_TITLE], (description or "")[:MAX_DESCRIPTION]
    found = _found(title, description, uploader)
    if _holds((f.names for f in found if f.kind == "remixers"), wanted):
        return "remixer"
    artists = (_joined_artists(title, uploader), artist_names((metadata_artist or "")[:MAX_TITLE]))
    if _holds([*(f.names for f in found if f.kind == "featured"), *artists], wanted):
        return "featuring"
    if _holds((f.names for f in found if f.kind == "producers"), wanted):
        return "producer"
    return None


def artist_names(artist_credit: str) -> tuple[str, ...]:
    """The names in a field of artists alone (``metadata_artist``), guests last: "A, B & C feat. D"."""
    main, guests = _artist_credit(artist_credit)
    return distinct([*main, *guests])


def collaborators(artist_credit: str, artist: str | None = None) -> tuple[str, ...]:
    """Who an artist credit names beside the artist; where the artist is not in it, only its marked guests.

    Without an artist: the guests, or if none are marked, everybody but the first.
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
        guests += [name for found in credits_in(part) for name in found.names]
    return main, guests


def _found(title: str, description: str, uploader: str | None) -> list[Found]:
    title = fold(title)
    title_parts = parts(title)
    found = [one for part in title_parts for one in credits_in(part)]
    found += [one for part in title_parts[1:] for one in _remix_in_brackets(part)]
    found += _remix_behind_dash(title_parts[0], uploader)
    if artists := _joined_artists(title, uploader):
        others = artists if uploader and bare_key(uploader) in map(bare_key, artists) else artists[1:]
        found.append(Found("featured", -1, others))
    described = credits_of_lines(description, title)
    if not any(one.kind == "producers" for one in (*found, *described)):
        found += _unmarked(title_parts, found, uploader)
    found.sort(key=lambda one: one.place)
    return found + described


def _unmarked(title: list[Part], found: list[Found], uploader: str | None) -> Iterable[Found]:
    guests = [name for one in found if one.kind == "featured" for name in one.names]
    people = [*guests, *_before_dash(title[0])[1], uploader or ""]
    return unmarked_producers(title, people, with_guests=bool(guests))


def _remix_in_brackets(part: Part) -> Iterable[Found]:
    head = part.text[: first_mark(part)]
    for piece in _DASH.split(head):
        if names := remixers_in(piece):
            yield Found("remixers", part.places[0], names)


def _remix_behind_dash(outer: Part, uploader: str | None) -> Iterable[Found]:
    """``Artist - Title - Name Remix``; with one dash Name may be the title, unless Name is the uploader."""
    pieces = _DASH.split(outer.text)
    if len(pieces) < 2:
        return
    place = len(outer.text) - len(pieces[-1])
    last = Part(pieces[-1], in_brackets=False, places=outer.places[place:])
    names = remixers_in(last.text[: first_mark(last)])
    if names and (len(pieces) > 2 or (uploader and bare_key(uploader) in map(bare_key, names))):
        yield Found("remixers", last.places[0], names)


def _joined_artists(title: str, uploader: str | None) -> tuple[str, ...]:
    """The artists of ``A x B - Title``, and of ``A & B - Title``, maybe one band, if A or B uploads it."""
    head, names = _before_dash(parts(fold(title))[0])
    ours = uploader is not None and bare_key(uploader) in map(bare_key, names)
    named = all(not name.isdecimal() for name in names)
    return names if len(names) > 1 and named and (ours or _JOINS.search(head)) else ()


def _before_dash(outer: Part) -> tuple[str, tuple[str, ...]]:
    """The text of ``Artists - Title`` before its dash, and the names in it; nothing without a dash."""
    head, *rest = _DASH.split(outer.text, maxsplit=1)
    if not rest:
        return "", ()
    end = first_mark(Part(head, in_brackets=False, places=outer.places))
    return head, tuple(split_names(head[:end].replace(GAP, " ")))


def _names(found: Iterable[Found], kind: Kind, own: str | None) -> tuple[str, ...]:
    return distinct(name for one in found if one.kind == kind for name in one.names if bare_key(name) != own)


def _holds(lists: Iterable[Iterable[str]], wanted: list[str]) -> bool:
    """Whether the names wanted, more than one where a band's name has an "&", stand one behind the other."""
    for names in lists:
        keys = [key(name) for name in names]
        if any(keys[i : i + len(wanted)] == wanted for i in range(len(keys) - len(wanted) + 1)):
            return True
    return False
