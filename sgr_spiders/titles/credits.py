"""People mentioned, featured, remixing or producing, according to title and description.

In a title, a mark such as "feat." counts anywhere. A description is prose, so a mark counts only at the start
of a line or in its own bracket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from sgr_spiders.titles.artists import (
    artists,
    guest_artists,
    joint_artists,
    own_end,
    own_keys,
    own_names,
    own_start,
    pieces,
)
from sgr_spiders.titles.brackets import GAP, Part, parts
from sgr_spiders.titles.descriptions import credits_of_lines
from sgr_spiders.titles.generic import REMIX_KINDS, bare, is_generic
from sgr_spiders.titles.markers import CreditMatch, Kind, credits_in, first_mark
from sgr_spiders.titles.mentions import mentions
from sgr_spiders.titles.names import bare_key, distinct, fold, key, split_names
from sgr_spiders.titles.subjects import is_plain
from sgr_spiders.titles.unmarked import unmarked_producers
from sgr_spiders.titles.versions import (
    VERSION_KINDS,
    kind_of_version,
    opening_of_versions,
    remixers_in,
    spell_out,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TITLE: Final = 1_000
MAX_DESCRIPTION: Final = 20_000

_DECORATED: Final = re.compile(r"(?<=[ ])([*~+])\1{0,2}(?![ *~+])([^*~+]{2,80})(?<! )\1{1,3}(?![^ ])")
"""Symbols that serve as brackets: "Title *prod. Name*"."""
_ADDED: Final = re.compile(rf"(?:{GAP}|[ ]EP) (?:\+|&|incl\.?|w/) (.{{1,80}})$", re.IGNORECASE)
"""A version beside another or beside a release: "Title (Name Remix) + Name Edit", "Title EP + Name Edit"."""
_MASHUP: Final = re.compile(r"\bmash-?up\b", re.IGNORECASE)
"""A mix of songs, whose artists are not each other's guests."""
_TYPE_BEAT: Final = re.compile(r"\btype ?beat\b|\bbeat type\b", re.IGNORECASE)
"""A beat in the style of the performers that it names."""
_WITH: Final = re.compile(r" (?:with|con|meets|pres\.|presents) ", re.IGNORECASE)


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
    own = own_keys(uploader)
    found = _find_credits(title, description, own)
    return Credits(
        mentions=mentions(title, description),
        featured=_names(found, "featured", own),
        remixers=_names(found, "remixers", frozenset()),
        producers=_names(found, "producers", own),
    )


def credits_artist(
    title: str, description: str | None, metadata_artist: str | None, uploader: str | None, artist: str
) -> Literal["featuring", "remixer", "producer"] | None:
    """Return how someone else's track credits an artist, or ``None``.

    The full name must match, ignoring letter case: "feat. Ann Marie" does not credit "Ann".
    """
    artist, uploader = artist[:MAX_TITLE], (uploader or "")[:MAX_TITLE]
    wanted = [key(name) for name in split_names(artist)]
    if not wanted or (uploader and bare_key(uploader) == bare_key(artist)):
        return None
    own = own_keys(uploader)
    title, description = title[:MAX_TITLE], (description or "")[:MAX_DESCRIPTION]
    found = _find_credits(title, description, own)
    if _contains((match.names for match in found if match.kind == "remixers"), wanted):
        return "remixer"
    artists = (
        joint_artists(parts(fold(title)[:MAX_TITLE])[0], own),
        artist_names((metadata_artist or "")[:MAX_TITLE]),
    )
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


def _find_credits(title: str, description: str, own: frozenset[str]) -> list[CreditMatch]:
    title = _DECORATED.sub(r"(\2)", fold(title)[:MAX_TITLE])
    outer, *brackets = title_parts = [_without_opening(part) for part in parts(title)]
    marked = [match for part in title_parts for match in credits_in(part)]
    found = _without_own_guest(marked, outer, own)
    found += [match for part in brackets for match in _remix_in_brackets(part, own)]
    found += _remix_after_dash(outer, own)
    if not _MASHUP.search(title):
        found.append(CreditMatch("featured", -1, guest_artists(outer, own)))
    if _TYPE_BEAT.search(title):
        found = [match for match in found if match.kind != "featured"]
    described = credits_of_lines(description, title)
    if not any(match.kind == "producers" for match in (*found, *described)):
        found += _find_unmarked(title_parts, found, own)
    found.sort(key=lambda match: match.position)
    return found + described


def _without_opening(part: Part) -> Part:
    """Read ``(incl. Name Remix)`` and ``(+ Name Remix)`` as ``(Name Remix)``: the remixer is not a guest."""
    length = opening_of_versions(part.text) if part.in_brackets else 0
    return replace(part, text=" " * length + part.text[length:]) if length else part


def _find_unmarked(title: list[Part], found: list[CreditMatch], own: frozenset[str]) -> Iterable[CreditMatch]:
    guests = [name for match in found if match.kind == "featured" for name in match.names]
    people = [*guests, *artists(title[0]), *own]
    return unmarked_producers(title, people, with_guests=bool(guests))


def _without_own_guest(found: Iterable[CreditMatch], outer: Part, own: frozenset[str]) -> list[CreditMatch]:
    """Drop the artist of ``Artist - Title (feat. Artist)`` from the guests."""
    names = artists(outer)
    first = set(map(bare_key, own_names(names, own) or names[:1]))
    return [
        replace(match, names=tuple(name for name in match.names if bare_key(name) not in first))
        if match.kind == "featured"
        else match
        for match in found
    ]


def _remix_in_brackets(part: Part, own: frozenset[str]) -> Iterable[CreditMatch]:
    given = ""
    for piece in pieces(_with_slashes_joined(part)):
        text = spell_out(piece.text[: first_mark(piece)]).strip()
        if names := _remixers(text, own) or remixers_in(_without_guest(text, piece)):
            # "(Anna - Lena Somebody Remix)" is by one person.
            yield CreditMatch("remixers", part.positions[0], (f"{given}{names[0]}", *names[1:]))
        given = f"{text} - " if " " not in text and text.istitle() and not is_generic(text) else ""


def _remixers(text: str, own: frozenset[str]) -> tuple[str, ...]:
    """Return the remixers of a version. What follows the uploader's name is not part of it."""
    words = text.split()
    if VERSION_KINDS.isdisjoint(map(kind_of_version, words)):
        return ()
    names = tuple(own_start(name.split(), own) or name for name in remixers_in(text))
    uploader = own_start(words, own)
    alone = len(names) < 2 or len(own_names(names, own)) == len(names)
    return (uploader,) if uploader and alone else names


def _with_slashes_joined(part: Part) -> Part:
    """Read ``Name / Name Remix`` as one list, unless the first piece is a version of its own."""
    *names, _ = part.text.split(" / ")
    words = map(bare, " ".join(names).split())
    is_list = REMIX_KINDS.isdisjoint(words) and not any(map(is_plain, names))
    return replace(part, text=part.text.replace(" / ", " & ")) if is_list else part


def _without_guest(text: str, piece: Part) -> str:
    """Return ``Name Remix`` for ``Name feat. Guest Remix``."""
    kind = piece.text.split()[-1:]
    return f"{text} {kind[0]}" if text and kind and bare(kind[0]) in REMIX_KINDS else ""


def _remix_after_dash(outer: Part, own: frozenset[str]) -> Iterable[CreditMatch]:
    """Yield the remixers of ``Artist - Title - Name Remix``, and of ``Artist - Title (…) + Name Remix``.

    After one dash, they count only if one is the uploader.
    """
    for number, piece in enumerate(pieces(outer)):
        names = _remixers(spell_out(piece.text[: first_mark(piece)]), own)
        if number <= 1:
            names = names if number and own_names(names, own) else own_end(names, own)
        if names:
            yield CreditMatch("remixers", piece.positions[0], names)
    if added := _ADDED.search(outer.text):
        yield CreditMatch("remixers", outer.positions[added.start(1)], remixers_in(spell_out(added[1])))


def _names(found: Iterable[CreditMatch], kind: Kind, own: frozenset[str]) -> tuple[str, ...]:
    names = (name for match in found if match.kind == kind for name in match.names)
    return distinct(name for name in names if bare_key(name) not in own)


def _contains(lists: Iterable[Iterable[str]], wanted: list[str]) -> bool:
    """Return whether a list contains the wanted names in sequence (a band's "A & B" is two names)."""
    for names in lists:
        keys = [key(name) for name in names]
        if any(keys[i : i + len(wanted)] == wanted for i in range(len(keys) - len(wanted) + 1)):
            return True
    return False
