"""The artists of a title: ``Artists - Title``, and which of them are guests of the uploader."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.brackets import GAP, Part
from sgr_spiders.titles.english import is_english_phrase
from sgr_spiders.titles.generic import TRAILING, bare, is_nobody
from sgr_spiders.titles.markers import first_mark
from sgr_spiders.titles.names import bare_key, key, split_names
from sgr_spiders.titles.performers import known_lists
from sgr_spiders.titles.subjects import is_plain
from sgr_spiders.titles.themes import is_theme

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_MAX_UPLOADER: Final = 200

_DASH: Final = re.compile(r" [-–—~|]+ |//| [-–—](?=\w)|(?<=\w)[-–—] |(?<=\w)—(?=\w)")
_DASH_OR_SLASH: Final = re.compile(rf"{_DASH.pattern}| / ")
_HEADING: Final = re.compile(
    rf"""
    [ {GAP}]* (?:
        (?: [^\W\d_]+[ ] )?
            (?: premiere | exclusive | first[ ]listen | free[ ](?:dl|download) | new | out[ ]now ) [ ]?[:|][ ]
      | (?: \d{{1,2}}[ ]? | [A-Z]{{2,8}}[ ]?\d{{2,4}}[ ] ) (?: [-–|:.] | // ) [ ] (?=.*[ ][-–—][ ])
    )?
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A heading before the artists: "Premiere: …", "LABEL012 // Artists - Title", "03 - Artists - Title"."""
_QUOTED_TITLE: Final = re.compile(rf" (?=[\"“][^\"“”]+[\"”][ {GAP}]*$)")
_BY: Final = re.compile(r" by ", re.IGNORECASE)
_LIST_WORDS: Final = frozenset({"", "&", "+", "and", "b2b", "vs", "with", "x"})
_NOT_AFTER_ARTISTS: Final = TRAILING | {"at", "cover", "live"}
_JOINS: Final = re.compile(r" (?:[x×х✕✖✗✘+/]|vs\.?|versus|b2b) (?!(?-i:the) )", re.IGNORECASE)
_WEAK_JOINS: Final = re.compile(r" (?:with|meets|pres\.|presents?|con) (?!the )", re.IGNORECASE)
"""Words between artists that also occur in titles: "Dancing With Myself - Artist"."""
_NO_ARTISTS: Final = re.compile(
    r"[^ ]: |\b(?:op|nos?|nr|bwv|hwv|kv?|rv)\b\.? ?\d|@|\b(?:at|episode|from|in|live|podcast|radio|show)\b",
    re.IGNORECASE,
)
"""A classical work or a recording: "Composer: Sonata, Op. 2 - Allegro", "Live at Hall, City - Part 1"."""
_OWNED: Final = re.compile(r"['’´`]s?$", re.IGNORECASE)
_VERSUS: Final = re.compile(r" (?:vs\.?|versus) ", re.IGNORECASE)
_EVENT: Final = re.compile(
    rf"\W*(?:(?:the|main|official|full|rap|epic|final|presidential)[ ])*"
    rf"(?:theme(?:[ ]song)?|ost|soundtrack|battle|game[ ]\d+|debate|podcast|amv)(?:[ ]\d+)?[\W{GAP}]*",
    re.IGNORECASE,
)
"""Titles behind the names of characters, parties or teams: "Rap Battle", "Game 7"."""
_DIGITS: Final = 2
"""Number of digits of a part's number: "Part 1 + 2"."""
_SEPARATES: Final = re.compile(rf"{_WEAK_JOINS.pattern}|[^\W\d], \w", re.IGNORECASE)


def pieces(part: Part) -> Iterator[Part]:
    """Yield the pieces of a part between its dashes and slashes."""
    start = 0
    for match in _DASH_OR_SLASH.finditer(part.text):
        yield _slice(part, start, match.start())
        start = match.end()
    yield _slice(part, start, len(part.text))


def artists(outer: Part) -> tuple[str, ...]:
    """Return the names in ``Artists - Title`` before the dash; none without a dash."""
    return _names(_head(outer))


def joint_artists(outer: Part, own: Collection[str]) -> tuple[str, ...]:
    """Return the artists of ``A x B - Title``, or of ``A & B - Title`` if A or B uploads it (see `own_keys`).

    Otherwise ``A & B`` may be one band, and ``A with B`` a title. The uploader's own name counts behind the
    title too: ``Title - A & B``, ``Title by A & B``.
    """
    head = _head(outer)
    names = _names(head)
    for text in _tails(outer) if own and not own_names(names, own) else ():
        if own_names(names_of_tail := _names(text), own):
            return names_of_tail
    if len(names) < 2 or not any(len(name) > 1 and not name.isdecimal() for name in names):
        return ()
    if own_names(names, own):
        return names
    if _JOINS.search(head):
        return () if all(map(is_plain, names)) or _is_no_list(outer, head, names) else names
    if not _SEPARATES.search(head) or _NO_ARTISTS.search(head):
        return ()
    # Of three or more, one may be plain: "Name Somebody, Young B, Name".
    plain = sum(map(is_plain, names))
    return () if plain > len(names) // 3 or is_english_phrase(names) else names


def _is_no_list(outer: Part, head: str, names: Sequence[str]) -> bool:
    """Return whether a list is that of characters, opponents or numbers: "Lakers vs Celtics - Game 7"."""
    behind = outer.text[outer.text.find(head) + len(head) :]
    return (
        any(is_theme(key(name)) for name in names)
        or _EVENT.fullmatch(behind) is not None
        or any(name.startswith("The ") and is_plain(name) for name in names[1:] if _VERSUS.search(head))
        or any(a[-1].isdecimal() and b.isdecimal() and len(b) <= _DIGITS for a, b in pairwise(names))
    )


def guest_artists(outer: Part, own: Collection[str]) -> tuple[str, ...]:
    """Return the joint artists but the uploader, or but the first act: of ``A & B x C``, C."""
    joint = joint_artists(outer, own)
    first = own_names(joint, own)
    if not first:
        known = known_lists(head := _head(outer))
        joins = (join.start() for join in _JOINS.finditer(head))
        end = next((join for join in joins if not any(start <= join < end for start, end in known)), 0)
        first = _names(head[:end]) or joint[:1]
    return tuple(name for name in joint if name not in first)


def own_end(names: Sequence[str], own: Collection[str]) -> tuple[str, ...]:
    """Return the uploader's name if the last name ends with it ("Title Name" of ``Title Name Remix``)."""
    words = names[-1].split() if names else []
    ends = (" ".join(words[start:]) for start in range(1, len(words)))
    return next(((end,) for end in ends if bare_key(end) in own), ())


def own_start(words: Sequence[str], own: Collection[str]) -> str:
    """Return the uploader's name at the start of a version ("Name Night Edit"), unless others follow."""
    for end in range(len(words) - 1, 0, -1):
        name = _OWNED.sub("", " ".join(words[:end]))
        if bare(words[end - 1]) not in _LIST_WORDS and bare_key(name) in own:
            is_list = words[end - 1].endswith(",") or bare(words[end]) in _LIST_WORDS
            return "" if is_list else name
    return ""


def own_names(names: Iterable[str], own: Collection[str]) -> tuple[str, ...]:
    """Return those of the names that are the uploader's."""
    return tuple(name for name in names if bare_key(name) in own)


def own_keys(uploader: str | None) -> frozenset[str]:
    """Return the keys of the uploader's name, and of the names in it if it is a list ("A & B")."""
    name = (uploader or "")[:_MAX_UPLOADER]
    return frozenset(map(bare_key, [name, *split_names(name)])) if name else frozenset()


def _head(outer: Part) -> str:
    text = outer.text
    if heading := _HEADING.match(text):
        text = text[heading.end() :]
    dash = _DASH.search(text) or _DASH_OR_SLASH.search(text) or _QUOTED_TITLE.search(text)
    return text[: dash.start()] if dash else ""


def _tails(outer: Part) -> Iterator[str]:
    """Yield the texts behind the title that may be artists, but not "Name Remix" or "live at Name"."""
    for separator in (_DASH, _BY):
        tail = separator.split(outer.text)[-1]
        if tail != outer.text and _NOT_AFTER_ARTISTS.isdisjoint(map(bare, tail.split())):
            yield tail


@lru_cache(maxsize=64)
def _names(head: str) -> tuple[str, ...]:
    end = first_mark(Part(head, in_brackets=False, positions=()))
    names = split_names(_WEAK_JOINS.sub(" & ", head[:end].replace(GAP, " ")), ends=False)
    return tuple(name for name in names if not is_nobody(key(name)))


def _slice(part: Part, start: int, end: int) -> Part:
    return Part(part.text[start:end], in_brackets=part.in_brackets, positions=part.positions[start:end])
