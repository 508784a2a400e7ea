"""Remixers in the description of a version: ``Name & Name Festival Trap Remix 2024``.

A description consists of names, words on the style, the purpose or the date of the version, a word for its
kind ("Remix", "Edit"), and again such words. The names are what remains without the others. If nothing
remains, nobody is named ("Deep House Remix"). The owner in ``Name's Golden Circle Remix`` is the name,
whatever follows it.
"""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001
# Word lists read better as text.
# ruff: noqa: SIM905

from __future__ import annotations

import re
from typing import Final

from sgr_spiders.titles.brackets import GAP
from sgr_spiders.titles.english import is_english_phrase
from sgr_spiders.titles.generic import (
    BEFORE_EDIT,
    REMIX_KINDS,
    STAGE_TITLES,
    STYLES,
    bare,
    describes_version,
    is_date,
    is_generic,
    is_nobody,
)
from sgr_spiders.titles.names import ORNAMENTS, key, split_names
from sgr_spiders.titles.performers import ends_with_known
from sgr_spiders.titles.subjects import SMALL, UPLOADS, is_plain
from sgr_spiders.titles.themes import is_theme

_KIND: Final = r"(?:remix|edit|flip|bootleg|rework|rmx|mix|dub)"
_HYPHENED: Final = re.compile(rf"[-_.](?<=\w\w\w.)(?={_KIND}\b)", re.IGNORECASE)
_SLASHED: Final = re.compile(rf"(?<=[ ])({_KIND}) ?/ ?(?=\w)", re.IGNORECASE)
_PLURALS: Final = {
    "bootlegs": "bootleg",
    "edits": "edit",
    "flips": "flip",
    "remixes": "remix",
    "reworks": "rework",
}
_OPENING: Final = re.compile(
    r" *(?:(?P<sure>incl?\b\.?|includ(?:es|ing)\b)|(?:plus|with|and)\b|w/|\+|&) *", re.IGNORECASE
)
"""A word before the versions that come with a release: "(incl. Name Remix)", "(+ Name Remix)"."""
_INVERTED: Final = re.compile(r"\s*(?:remix|rmx|ремикс) (dj [^()\0]{1,80})$", re.IGNORECASE)
_STYLE_PHRASE: Final = re.compile(
    r"\b(?:drums? ?(?:&|\+|and|['’´`]?n['’´`]?) ?bass|d ?& ?b|r ?& ?b|rock ?(?:&|['’´`]?n['’´`]?) ?roll"
    r"|(?:slowed|sped up) ?(?:&|\+|and|n) ?(?:reverb(?:ed)?|bass boosted)"
    r"|big room|boom bap|(?:old|new) school|bossa nova|new wave|hands up|jump up|sped up|full[ -]on"
    r"|afro ?beat|city pop|future rave|g[ -]house|ghetto house|happy hardcore|filter(?:ed)? house|y2k"
    r"|golden hour|broken beat|raptor house|lovers rock|hip house|uk funky|glitch hop|(?:old|nu) skool"
    r"|colou?r bass|half[ -]time|main room|(?:boat|pool) party|warm[ -]?up|(?:east|west) coast"
    r"|(?:late|after|peak|early|main)[ -](?:night|hours?|time|morning|stage)|\d{2,3} ?bpm)\b",
    re.IGNORECASE,
)
"""Phrases that describe a version although their words alone do not."""
_JOINED: Final = str.maketrans(" &+", "\ue011\ue012\ue013")
"""Stand-ins that keep the words of such a phrase together while a description is split."""
_APART: Final = {stand_in: character for character, stand_in in _JOINED.items()}
_JOINS: Final = frozenset({"&", "+", "and", "vs", "x"})
VERSION_KINDS: Final = REMIX_KINDS | {"dub", "mix"}
_MIXES: Final = frozenset({"club", "dub", "extended", "radio", "vocal", "vox", "instrumental"})
_CLUBS: Final = frozenset({"book", "cinema", "country", "social", "sports", "supper", "yacht"})
"""Words before "Club" in the name of a band, beside the plain ones ("Mill Street Club")."""
_AIMS: Final = frozenset({"for", "from"})
_FEW_WORDS: Final = 3
_OCCASIONS: Final = frozenset({"choice", "cut", "day", "eve", "night"})
_FIRST: Final = frozenset({"official", "unofficial", "exclusive", "free", "premiere"})
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_OWNER: Final = re.compile(
    r"[^\s'’´`][^\s]*(?:['’´`]s|(?<=s)['’´`]|(?<=x)['’´`]|(?<=z)['’´`]|´)$", re.IGNORECASE
)
_CONTRACTIONS: Final = frozenset(
    f"{word}'s" for word in "he here how it let she that there what when where who why".split()
)
_APART_OWNER: Final = re.compile(r" (?=['’´`]s )", re.IGNORECASE)
_OWNED: Final = re.compile(r"['’´`]s?$", re.IGNORECASE)
_NICKNAME: Final = re.compile(r"^[\"“][^\"“”]{0,80}[\"”] | (?:[\"“][^\"“”]{0,80}[\"”]|['‘][^'‘’]{0,80}['’])$")


def spell_out(text: str) -> str:
    """Return the text of a version with its words apart, without symbols: "Name_Remix/Name Edit"."""
    text = text.replace(GAP, " ")
    if not text.isascii():
        text = ORNAMENTS.sub("", text)
    if "/" in text:
        text = _SLASHED.sub(r"\1, ", text)
    return _APART_OWNER.sub("", _HYPHENED.sub(" ", text))


def opening_of_versions(text: str) -> int:
    """Return the length of "incl. " or "+ " in ``+ Name Remix``; 0 if there is none, as in ``+ Name``."""
    opening = _OPENING.match(text)
    if opening and (opening["sure"] or remixers_in(spell_out(text[opening.end() :]))):
        return opening.end()
    return 0


def remixers_in(text: str) -> tuple[str, ...]:
    """Return the names in ``Name & Name Remix`` or ``Remix DJ Name``; none if the words name nobody.

    The text is one that ``spell_out`` returned.
    """
    if inverted := _INVERTED.match(text):
        return _names(inverted[1])
    words = _STYLE_PHRASE.sub(lambda found: found[0].translate(_JOINED), text).split()
    for index, word in enumerate(words):
        kind, following = kind_of_version(word), words[index + 1 :]
        if kind not in VERSION_KINDS or _ends_with_known(words[: index + 1]):
            continue
        if all(map(_may_follow, following)) or bare(following[0]) in _AIMS:
            names = _names_before(words[:index], kind)
            if names or kind in REMIX_KINDS or kind == "mix":
                return names
        elif kind in REMIX_KINDS and (word.endswith(",") or bare(following[0]) in _JOINS):
            # "Name Remix, Name Edit"
            joined = following if word.endswith(",") else following[1:]
            return _names_before(words[:index], kind) + remixers_in(" ".join(joined).translate(_APART))
    return ()


def kind_of_version(word: str) -> str:
    """Return "remix" for "Remix" and "Remixes"."""
    word = bare(word)
    return _PLURALS.get(word, word)


def _is_phrase(word: str) -> bool:
    return _STYLE_PHRASE.fullmatch(bare(word.translate(_APART))) is not None


def _describes_version(word: str) -> bool:
    return describes_version(word) or _is_phrase(word)


def _is_generic(word: str) -> bool:
    return is_generic(word) or _is_phrase(word)


def _ends_with_known(words: list[str]) -> bool:
    return ends_with_known(" ".join(words).translate(_APART).split())


def _may_follow(word: str) -> bool:
    return _describes_version(word) or word.removeprefix("#").isdecimal()


def _names_before(words: list[str], kind: str) -> tuple[str, ...]:
    owner = _owner(words)
    if owner is not None:
        return _names(owner)
    if kind not in REMIX_KINDS and not _is_mix(words):
        # "Somebody's Sunset Mix" names somebody; "Sunset Mix" usually does not.
        return ()
    if not words or words[0] in {"a", "an", "my", "our", "this", "your"}:
        return ()
    if words[0] == "A" and kind == "mix":
        words = words[1:]
    return _names(_NICKNAME.sub("", " ".join(_without_description(words, kind))))


def _is_mix(words: list[str]) -> bool:
    """Return whether "Mix" or "Dub" may follow a name: "Name Club Mix", but not "Old School Techno Mix"."""
    if all(map(_is_generic, words)):
        return False
    if bare(words[-1]) in _MIXES:
        return True
    if _describes_version(words[-1]):
        return not is_plain(" ".join(words[:-1]).translate(_APART))
    names = _names_of_list(words)
    return any(map(_may_own_mix, names)) and not any(is_plain(" ".join(name)) for name in names)


def _names_of_list(words: list[str]) -> list[list[str]]:
    """Return the words of each name in a list: "Name Somebody & Name"."""
    names: list[list[str]] = [[]]
    for word in words:
        if bare(word) in _JOINS or not bare(word):
            names.append([])
        else:
            names[-1].append(word)
            if word.endswith(","):
                names.append([])
    return [name for name in names if name]


def _may_own_mix(name: list[str]) -> bool:
    """Return whether a word is not English, or none of several is plain: "Sunset Mix" is by nobody."""
    if len(name) > _FEW_WORDS or all(map(_is_generic, name)):
        return False
    if len(name) > 1 and not any(is_plain(word) or bare(word) in UPLOADS for word in name):
        return True
    return not is_english_phrase(filter(str.isalpha, name))


def _owner(words: list[str]) -> str | None:
    """Return the owner in ``Name's Late Night`` or ``Name Let's Go``, or ``None``.

    The owner of an occasion ("New Year's Eve") is "".
    """
    for index, word in enumerate(words):
        following = words[index + 1 :]
        if _OWNER.fullmatch(word) and not any(
            _ends_with_known(words[:end]) for end in range(index + 1, len(words) + 1)
        ):
            if bare(word) in _CONTRACTIONS:
                return " ".join(words[:index])
            owner = " ".join([*words[:index], _OWNED.sub("", word)])
            return "" if _is_occasion(following) or _is_anybody(owner) else owner
    return None


def _is_occasion(following: list[str]) -> bool:
    """Return whether the words behind an owner name an occasion: "Eve 2020", not "Night Vision"."""
    return bare("".join(following[:1])) in _OCCASIONS and all(map(_describes_version, following[1:]))


def _is_anybody(owner: str) -> bool:
    """Return whether an owner is not a name: "Lover's Dub", "My Brother's Edit", "New Year's Remix"."""
    words = owner.split()
    if _ends_with_known(words) or not is_plain(owner.translate(_APART)):
        return False
    return len(words) == 1 or words[0].lower() in SMALL or all(map(_is_generic, words))


def _without_description(words: list[str], kind: str) -> list[str]:
    while (
        len(words) > 1
        and (bare(words[0]) in _FIRST or _YEAR.fullmatch(words[0]))
        and not _ends_with_known(words)
    ):
        words = words[1:]
    kept = words
    while len(kept) > 1 and not _is_name(kept) and _describes(kept, kind):
        kept = kept[:-1]
    *others, last = kept or [""]
    is_first = not others or others[-1].endswith(",") or bare(others[-1]) in _JOINS
    # "Big Country" is not a country version by somebody called Big.
    return words[: len(kept) + 1] if is_first and last.isalpha() and is_plain(last) else kept


def _describes(words: list[str], kind: str) -> bool:
    """Return whether the last word describes the version."""
    word = bare(words[-1])
    if word in BEFORE_EDIT:
        # "Mill Street Club Remix" is by a club, "Orrin Tide Club Remix" is not.
        before = words[:-1]
        is_club = word == "club" and len(before) > 1 and _is_kind_of_club(before[-1])
        return kind in {"edit", "mix"} or not is_club or _ends_with_known(before)
    return _describes_version(words[-1]) or word in _JOINS


def _is_kind_of_club(word: str) -> bool:
    return bare(word) in _CLUBS or (is_plain(word) and not _describes_version(word))


def _names(text: str) -> tuple[str, ...]:
    names = split_names(text, ends=False)
    return tuple(name.translate(_APART) for name in names if _is_remixer(name))


def _is_remixer(name: str) -> bool:
    folded, words = key(name.translate(_APART)), name.split()
    if is_nobody(folded) or is_theme(folded) or is_date(name):
        return False
    if folded.isdecimal():
        return len(folded) > 2 and folded not in STYLES
    return name == "X" or not all(map(_is_generic, words)) or _is_name(words)


def _is_name(words: list[str]) -> bool:
    """Return whether the words end with a name although they could describe a version ("DJ Dubstep")."""
    is_stage_name = len(words) > 1 and bare(words[-2]) in STAGE_TITLES and bare(words[-1]) in STYLES
    return is_stage_name or _ends_with_known(words)
