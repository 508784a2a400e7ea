"""Genres and tags without the differences of spelling.

``genres.csv`` contains the spellings of each genre, separated by `` | ``. A spelling that differs only in
case, accents, spaces or punctuation, or that adds the word *music*, needs no entry.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from itertools import chain
from typing import TYPE_CHECKING, Final

from sgr_spiders.text.folding import fold
from sgr_spiders.titles.spellings import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

_AND: Final = re.compile(r"(?: *(?:[&+]|\b(?:n|and)\b) *)+")
_CONJUNCTIONS: Final = frozenset({"n", "and"})
_NOTHING: Final = re.compile(r"['’‘ʼ`´.]")  # noqa: RUF001 - typographic apostrophes
"""Characters inside a word: ``80's``, ``u.k.``, ``d'n'b``."""
_APOSTROPHE_N: Final = re.compile(r"\s*['’‘ʼ`´]\s*n\s*['’‘ʼ`´]?\s*(?=\w)|(?<=\w)\s*n['’‘ʼ`´]\s*(?=\w)")  # noqa: RUF001 - the same
"""``d'n'b``, ``rock 'n roll``, ``drum n' bass``."""
_SPACE: Final = re.compile(r"[^\w&+]+|_+")
_MUSIC: Final = "music"
END_OF_TAGS: Final = "\n"
_TAG: Final = re.compile(r'"[^"\n]*"|[^\s"]+|\n')
_MACHINE: Final = re.compile(r"\w+:\w+=")
"""The beginning of a tag by a program, e.g. ``geo:lat=52.5``."""
_BETWEEN_TAGS: Final = re.compile("[,;|#]")
_BETWEEN_GENRES: Final = re.compile("[,;|/#]")


def read_tags(tag_list: str | None) -> tuple[str, ...]:
    """Return the distinct tags of a ``tag_list`` in order, normalised, without those of programs."""
    tags = split_tag_lists([tag_list or ""])[:-1]
    return tuple(dict.fromkeys(chain.from_iterable(map(read_tag, tags))))


def split_tag_lists(tag_lists: Iterable[str]) -> list[str]:
    """Return the tags of each list, as they are written, followed by ``END_OF_TAGS``."""
    # At once, which takes a third of the time.
    return _TAG.findall(
        "".join([f"{tag_list.replace(END_OF_TAGS, ' ')}{END_OF_TAGS}" for tag_list in tag_lists])
    )


def read_tag(tag: str) -> tuple[str, ...]:
    """Return the names in a tag of ``split_tag_lists``: one, unless people have written several as one."""
    text = tag.strip('"')
    parts = [] if _MACHINE.match(text) else _BETWEEN_TAGS.split(text)
    return tuple(filter(None, map(normalise_tag, parts)))


def read_genre(text: str | None) -> str | None:
    """Return the genre in a field that may contain several: the first known one, else the first."""
    if text is None:
        return None
    parts = [normalise_tag(part) for part in (text, *_BETWEEN_GENRES.split(text))]
    known = [name for name in parts if name in _genres()]
    return next(filter(None, [*known, *parts[1:]]), None)


@functools.lru_cache(maxsize=1 << 16)
def normalise_tag(text: str) -> str:
    """Return the name of the genre that *text* spells, else the text in lower case without punctuation."""
    name = _clean(text)
    key = _key(name)
    spellings = _spellings()
    return spellings.get(key) or spellings.get(key.removesuffix(_MUSIC)) or name


def _clean(text: str) -> str:
    if text.isascii() and text.isalnum():  # most tags, in a tenth of the time
        return "" if text.lower() in _CONJUNCTIONS else text.lower()
    lower = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = _SPACE.sub(" ", _NOTHING.sub("", _APOSTROPHE_N.sub(" & ", lower)))
    return " ".join(_AND.sub(" & ", words).strip(" &").split())


def _key(name: str) -> str:
    if name.isascii():
        return name.replace(" ", "")
    return fold(name).replace(" ", "")


@functools.cache
def _genres() -> frozenset[str]:
    return frozenset(_spellings().values())


@functools.cache
def _spellings() -> dict[str, str]:
    """Return the genre of each spelling, by the key of the spelling."""
    return {
        _key(_clean(spelling)): name
        for name, spellings in read_rows("genres.csv")
        for spelling in (name, *spellings.split(" | "))
        if spelling
    }
