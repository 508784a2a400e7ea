"""The parts of a title that may name the song, and those that name a person.

Uploads of one song are titled "Artist - Song", "Song - Artist", "Song by Artist", "Somebody plays Song",
"Song (Artist cover) [HD]", and so on. This module only says where a name may stand; whether two names are
the same is up to ``similarity``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sgr_spiders.titles.generic import STYLES
from sgr_spiders.titles.stopwords import BESIDE_UPLOAD, UPLOAD
from sgr_spiders.titles.words import (
    CREDIT,
    CREDIT_PART,
    FLUFF_WORDS,
    VERSIONS,
    fold_words,
    has_letters,
    normalise,
    prepare,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

Role = Literal["song", "either", "person"]

MAX_READINGS: Final = 12

_UPLOAD_WORDS: Final = fold_words(UPLOAD) | VERSIONS
"""Words that describe an upload or version wherever a part begins or ends with them."""
_BESIDE_WORDS: Final = fold_words(BESIDE_UPLOAD) | FLUFF_WORDS | STYLES
"""Words that describe it too if one of the former is beside them."""
_UNITS: Final = frozenset(["bpm", "hz", "kbps"])
_FIGURES: Final = re.compile(r"v\d+|\d+(?:kbps|hz|bpm|p|k)|(?:19|20)\d\d")
"""A take, a quality or a year."""
_LEAD: Final = re.compile(
    r"\s*(?:0\d\s*[.)-]?\s+|(?:learn )?(?:how )?to play\s+"
    r"|(?:\w+ ){0,3}(?:version|cover|rendition|take) (?:of|on)\s+"
    r"|(?:new|premiere|exclusive|out now|free dl|free download|throwback|live|cover)!*\s*[:|]\s+)(?=\S)",
    re.IGNORECASE,
)
"""A track number, or words that announce a version of the song."""
_DESCRIBED: Final = "\0"
"""A placeholder for a bracket that describes the version."""
_BRACKETS: Final = re.compile(r"[(\[{【]([^()\[\]{}【】]*)(?:[)\]}】]|$)")
_SEPARATOR: Final = re.compile(
    r"\s+[-\u2010-\u2015\u2212/]+\s*|\s*~+\s*|(?<=\w)[-\u2010-\u2015\u2212]+\s+|\s*//+\s*|\s*[|\u2022\u00b7\u00bb\u25ba\u25b6]+\s*"
    '|:\\s+|\\s#|\\.{2,}\\s*|["\u201c\u201d\u201e\u00ab]|_+(?=[^\\W_])|,\\s+'
)
_PERFORMS: Final = re.compile(
    r"\s+(?:plays|sings|does|performs|performing|covers|covering|presents)\s+", re.IGNORECASE
)
_BY: Final = re.compile(
    r"\s+(?:(?:as )?(?:played |performed |sung |made famous )?by|(?:a )?tribute to|in the style of"
    r"|live (?:at|from|in|on)|recorded (?:at|in))\s+",
    re.IGNORECASE,
)
"""Words between a song and its performer or place."""
_HYPHEN: Final = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W_]{2})")


_RECORDING: Final = re.compile(
    r"\b(?:slowed|sped|reverb|boosted|nightcore|8d|432hz|looped|chopped|screwed|karaoke|instrumental|lyrics?|extended"
    r"|re-?upload(?:ed)?|remaster(?:ed)?|full (?:album|song)|hq|hd|1080p|320kbps|explicit|deluxe|mp3|ringtone"
    r"|(?:vinyl|tape) rip|official (?:music )?video"
    r"|cover(?:ed)? by|(?:played|performed|sung) by)\b|"
    r"^\W*(?:0\d(?=[ .])|(?:\w+ )?cover\b(?! of))| / .*\bcover\b|"
    r"[-\u2013\u2014|/~\u2022]\s*(?:\w+ ){0,2}(?:cover|edit|flip|rework|tutorial|version)\W*$",
    re.IGNORECASE,
)
"""Words of titles that name nobody but the song's performer, or name the singer of a cover beside them."""


_COVER: Final = re.compile(r"\b(?:cover|tribute|unplugged|plays|sings|perform)", re.IGNORECASE)


_OCCASION: Final = re.compile(
    r"^\W*(?:live|recorded) (?:(?:at|from|in)\b|@)|^@"
    r"|\b(?:dj[ -]?set|live set|podcast|radio show)(?: #?\d+)?\W*$",
    re.IGNORECASE,
)


class Reading(NamedTuple):
    """The words of a part of a title.

    *role*: ``song``: it can only be a song; ``either``: a song or a person, as before the first
    dash; ``person``: somebody's name, or a description.
    """

    words: tuple[str, ...]
    role: Role


class Pair(NamedTuple):
    """The two parts of a title such as "Artist - Song"."""

    title: str
    parts: tuple[tuple[str, ...], tuple[str, ...]]
    others: frozenset[tuple[str, ...]]
    """Persons and descriptions named beside them."""

    @property
    def is_recording(self) -> bool:
        """True if the title is about a recording ("X - Y (slowed)") or says who else performs ("cover by Z").

        Such a title names the song and its performer.
        """
        return bool(_RECORDING.search(self.title))

    @property
    def is_cover(self) -> bool:
        """True if one of the parts may be somebody who performs the song of another."""
        return bool(_COVER.search(self.title))


def readings(title: str) -> list[Reading]:
    """Return the parts of *title* that are more than a description of the upload.

    A part of the form "Song by Somebody" or "Somebody plays Song" is given whole, and in its pieces.
    """
    text = prepare(title)
    within = [found[1] for found in _BRACKETS.finditer(text)]
    outside = _BRACKETS.sub(lambda found: f" {_DESCRIBED} " if _describes(found[1]) else " ", text)
    if not has_letters(outside):
        within, outside = [], " ".join(within)
    lead = _LEAD.match(outside)
    found = [*_main_parts(outside[lead.end() :] if lead else outside), *_named("person", within)]
    return found[:MAX_READINGS]


def pair_of(title: str, found: Sequence[Reading]) -> Pair | None:
    """Return the two parts of a title, of which one is the song; None if it has more or fewer."""
    parts = [one.words for one in found if one.role != "person"]
    if len(parts) != 2 or set(parts[1]) <= set(parts[0]):
        return None
    others = frozenset(one.words for one in found if one.role == "person")
    return Pair(title, (parts[0], parts[1]), others)


def _main_parts(text: str) -> list[Reading]:
    parts = [CREDIT.sub("", part) for part in _SEPARATOR.split(text) if not CREDIT_PART.match(part)]
    credited = [performer for part in parts if (performer := _credited(part))]
    named = [(part, words) for part in parts if (words := undescribed(part)) and not _credited(part)]
    found = _named("person", credited)
    song_first = len(named) > 1 and _is_song_first(named[0][0])
    for place, (part, words) in enumerate(named):
        found.append(Reading(words, _role(part, place, len(named), song_first=song_first)))
        found += _pieces(part)
    if len(named) == 1:
        found += _around_hyphen(named[0][0])
    return found


def is_occasion(part: str) -> bool:
    """Return whether a part of a title names a place or a recording ("Live at Paradiso", "Radio Show 12")."""
    return _OCCASION.search(part) is not None


def _role(part: str, place: int, count: int, *, song_first: bool) -> Role:
    if count == 1 or (place == 0 and song_first):
        return "song"
    if place == 1 and count == 2 and (song_first or is_occasion(part)):
        return "person"
    if place == 0:
        return "either"
    if split(normalise(part))[-1] in VERSIONS:
        # "Artist - Song Remix", or "Song - Somebody Remix"; after both, only somebody's.
        return "either" if place == 1 else "person"
    # What follows the song may be a label, a hashtag or a place, which other songs share.
    return "song" if place == 1 else "either"


def _is_song_first(part: str) -> bool:
    """Return whether the first part ends with a description: "Song (Live) - Artist", "Song guitar cover - …".

    A single word without brackets may follow the artist: "Artist live - Song".
    """
    return part.rstrip().endswith(_DESCRIBED) or _description(split(normalise(part))[::-1]) > 1


def _describes(text: str) -> bool:
    """Return whether a text in brackets says which version this is: "Live", "Somebody Remix"."""
    words = split(normalise(text))
    return bool(words) and (words[-1] in VERSIONS or not undescribed(text))


def _credited(part: str) -> str:
    """Return who made the version, if *part* only says that ("guitar cover by Somebody")."""
    version, _, performer = _partition(_BY, part)
    return "" if undescribed(version) else performer


def _pieces(part: str) -> list[Reading]:
    """Return the song and its performer, if *part* names them in words."""
    song, by, performer = _partition(_BY, part)
    singer, performs, performed = _partition(_PERFORMS, song)
    if performs:
        song = performed
    if not by and not performs:
        return []
    return [*_named("song", [song]), *_named("person", [performer, singer if performs else ""])]


def _around_hyphen(part: str) -> list[Reading]:
    """Return the second half of "Artist-Song". That of a compound ("Ex-Factor") is hardly ever a title."""
    halves = _HYPHEN.split(part)
    return _named("song", halves[1:]) if len(halves) == 2 else []


def _partition(separator: re.Pattern[str], text: str) -> tuple[str, str, str]:
    found = separator.search(text)
    return (text, "", "") if found is None else (text[: found.start()], found[0], text[found.end() :])


def _named(role: Role, texts: list[str]) -> list[Reading]:
    found = [undescribed(CREDIT.sub("", text)) for text in texts]
    return [Reading(words, role) for words in found if words]


def undescribed(text: str) -> tuple[str, ...]:
    """Return the words of *text* without those at its ends that describe the upload.

    Styles and figures alone are a name ("Disco 2000").
    """
    words = split(normalise(text))
    kept = words[: len(words) - _description(words[::-1])]
    kept = kept[_description(kept) :]
    is_name = not kept and _UPLOAD_WORDS.isdisjoint(words) and not FLUFF_WORDS.issuperset(words)
    return tuple(words if is_name else kept)


def _description(words: list[str]) -> int:
    """Return how many of the first words describe the upload."""
    count = 0
    for number, word in enumerate(words, 1):
        if word in _UPLOAD_WORDS or _FIGURES.fullmatch(word):
            count = number
        elif count and (word in _BESIDE_WORDS or (word.isnumeric() and words[number - 2] in _UNITS)):
            # "guitar cover" is read from its end: the upload word comes first.
            count = number
        elif word not in _BESIDE_WORDS:
            break
    return count
