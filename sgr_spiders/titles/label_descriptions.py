"""The labels that a description names beside a cue, beside a catalogue number, or in a line of their own."""

# ruff: noqa: RUF001 - names and phrases in many scripts
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.catalogue import name_of_series, names_by_number
from sgr_spiders.titles.known_labels import is_known_label
from sgr_spiders.titles.label_cues import (
    LABEL_ALONE,
    LABEL_SPEAKS,
    MAX_CUES,
    NAME_BEFORE,
    SIGN,
    Cue,
    find_cues,
)
from sgr_spiders.titles.label_ends import (
    NUMBER_AFTER,
    PARTICLES,
    RIGHTS,
    YEARS_AFTER,
    around_on,
    cut,
    end_of_prose,
    trim_end,
)
from sgr_spiders.titles.label_keys import LABEL_WORDS
from sgr_spiders.titles.label_languages import WORDS_FOR_LABEL
from sgr_spiders.titles.label_lists import TERRITORY, listed
from sgr_spiders.titles.label_names import DETERMINERS, FORMATS, bare, has_label_word, is_name
from sgr_spiders.titles.subjects import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_WINDOW: Final = 240
_THE_LABEL: Final = re.compile(
    r"(?:(?:my|our|his|her|their|the|independent)\s)?(?:own\s|new\s|legendary\s|independent\s|\w{2,12}-based\s){0,2}"
    r"(?:record\s|net)?(?:label|imprint)\s?[:,]?\s|"
    r"(?:[\w'’-]{2,20}\s){0,4}?(?:label|imprint)\s(?!group\b)(?=[\"“‘'«]?(?-i:[A-Z0-9]))|"
    r"our\sfriends\s(?:at|over\sat|from)\s|[\w-]{2,20}['’]s\sown\s",
    re.IGNORECASE,
)
"""Words before the name of a label: "my own label", "the Berlin label", "Somebody's own"."""
_PRAISE: Final = re.compile(r"(?:the|his|her|their|our)\s(?:[a-z-]{3,20}\s){1,3}(?=[A-Z])")
"""Small words before a capitalised name: "the mighty"."""
_COLON_LAST: Final = re.compile(r"[:：][ ]{0,3}\n")
_BROKEN_AFTER_CUE: Final = re.compile(
    rf"((?:\b(?:by|on|via|through)|{WORDS_FOR_LABEL})\s?[:：])[ ]{{0,3}}\n{{1,2}}[ ]{{0,3}}"
    r"(?=[^\n:：]{1,100}(?:\n|$))",
    re.IGNORECASE,
)
"""A cue at the end of a line, whose name is in the next one."""
_LABEL_ABOVE: Final = re.compile(
    r"(?<![^\n])(\W{0,3}(?:record\s)?label)\s{0,2}\n(?=[^\n:：@]{1,60}(?:\n|$))", re.IGNORECASE
)
_BETWEEN_SEGMENTS: Final = re.compile(
    r"\s[-–—|/•:]{1,3}\s|(?<=\w[\w\"”»’)])[.!]\s|,\s(?=[^,]{2,40}\s(?:19|20)\d\d\W{0,3}$)"
)
_BEFORE_NAME: Final = re.compile(r"^[^\w!]{0,5}(?:(?:19|20)\d\d\s)?")
_AFTER_NAME: Final = re.compile(
    r"(?:[\s,]+(?:(?:19|20)\d\d|#?\d{3,4}|\d{3} \d{4}|[A-Z]{2,8} ?\d{2,6})|"
    r"\s(?:presents?|welcomes)\b.*)?[\s()\[\].,!:]*$"
)
_MAX_SEGMENT: Final = 60
"""Maximum length of a well-known label with the year, number, brackets and verb around it."""
_MAX_KNOWN: Final = 2
"""Number of well-known labels in a line that are those of a release."""
_NUMBERED: Final = re.compile(r"\W{0,3}(?:\d{1,3}|[A-D]\d)[.:)]?\s")
_NOT_MINE: Final = re.compile(
    r"\bi\s(?:do\snot|don['’]?t)\sown\b|\bown\snothing\b|\bno\scopyright\sinfringement\b|"
    r"\ball\s(?:rights|credits?)\s(?:go\s|belong\s)?to\b",
    re.IGNORECASE,
)
"""Statements of those who upload what others own."""
_SIGNS_OF_RIGHTS: Final = re.compile(rf"{SIGN}.*", re.IGNORECASE)
_APPEAL: Final = re.compile(r"(?:contact|dm|get|hit|please|send)\b")
"""Words after "label:" that ask labels for something."""


def parse_description(text: str) -> Iterator[str]:
    """Yield the names of the labels in a description, in order, some more than once."""
    is_mine = not _NOT_MINE.search(text)
    if not is_mine:
        text = _SIGNS_OF_RIGHTS.sub(" ", text)
    cues = 0
    for line in filter(str.strip, _with_cues_joined(text).split("\n")):
        found = find_cues(line)
        cues += len(found)
        if cues > MAX_CUES:
            return
        for cue, end in found:
            yield from _names_after(line, end, cue)
        if not line.isascii():
            yield from filter(is_name, NAME_BEFORE.findall(line))
        if not found:
            yield from _alone(line, is_mine=is_mine)
        yield from filter(is_name, names_by_number(line))


def _with_cues_joined(text: str) -> str:
    """Return the text with each cue at the end of a line in the line of its name."""
    text = _LABEL_ABOVE.sub(r"\1: ", text)
    return _BROKEN_AFTER_CUE.sub(r"\1 ", text) if _COLON_LAST.search(text) else text


def _names_after(line: str, end: int, cue: Cue) -> Iterator[str]:
    """Yield the names after a cue in a description: often one, sometimes none."""
    text = TERRITORY.sub(" / ", RIGHTS.sub("", line[end : end + _MAX_WINDOW]))
    text = text.lstrip(" \t:：-–—=|>'\"").removeprefix("@")
    for before in (_THE_LABEL, _PRAISE):
        if match := before.match(text):
            # The space stays, because a word after one may end a name: "the label will".
            text = text[match.end() - 1 :]
    text = cut(text)
    is_marked = "/" in text and has_label_word(text)
    for part in listed(text):
        for name in _names_of_prose(part) if cue.in_prose else _names_of_entry(part):
            if is_name(name) and (is_marked or _is_enough(name, cue, line)):
                yield name


def _names_of_prose(text: str) -> Iterator[str]:
    """Yield the one or two texts that may be names at the beginning of the rest of a sentence."""
    for name in around_on(text):
        yield trim_end(end_of_prose(name))


def _names_of_entry(text: str) -> Iterator[str]:
    """Yield what may be the name in an entry such as "Label: Opal OPL012", but not an appeal to labels."""
    name = trim_end(NUMBER_AFTER.sub("", YEARS_AFTER.sub("", text)))
    if has_label_word(name) or not _APPEAL.match(name):
        yield name


def _is_enough(name: str, cue: Cue, line: str) -> bool:
    """Return whether the name has what a label after this cue needs."""
    return (
        cue.needs == "nothing"
        or has_label_word(name)
        or is_known_label(name)
        or (cue.needs == "capitals" and _is_capitalised(name, line))
    )


def _alone(line: str, *, is_mine: bool) -> Iterator[str]:
    """Yield the labels that are parts of a line, except in a list of tracks."""
    if _NUMBERED.match(line):
        return
    segments = _BETWEEN_SEGMENTS.split(line)
    if is_mine:
        yield from _known(segments)
    for segment in segments:
        found = LABEL_ALONE.match(segment) or LABEL_SPEAKS.match(segment)
        if found and _stands_alone(name := found[1].strip()):
            yield name
    if (name := name_of_series(line)) and _stands_alone(name):
        yield name


def _known(segments: list[str]) -> list[str]:
    """Return the well-known labels that are segments or present something, unless a career is listed."""
    short = (segment for segment in segments if len(segment) <= _MAX_SEGMENT)
    names = (_AFTER_NAME.sub("", _BEFORE_NAME.sub("", segment)) for segment in short)
    known = [name for name in names if is_known_label(name)]
    return known if len(known) <= _MAX_KNOWN else []


def _stands_alone(name: str) -> bool:
    """Return whether a line is a label's name ("Opal Records"), rather than a phrase ("Some Old Records")."""
    kept = [word for word in name.split() if bare(word) not in LABEL_WORDS]
    rest = " ".join(kept)
    return (
        is_name(name)
        and _is_capitalised(name, "")
        and not (is_plain(rest) or FORMATS.fullmatch(rest.lower()) or kept[0].lower() in DETERMINERS)
    )


def _is_capitalised(name: str, line: str) -> bool:
    """Return whether all words of a name begin with a capital, in a line that has small letters, too."""
    words = name.split()
    return (
        not line.isupper()
        and not (len(words) == 1 and is_plain(name))
        and all(word[0].isupper() or word[0].isnumeric() or word.lower() in PARTICLES for word in words)
    )
