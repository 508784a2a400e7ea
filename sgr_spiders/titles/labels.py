"""The labels that a track names, and a key that identifies spellings of one label.

A description is searched for cues ("released by", "℗ 2020", "Label:" …). The text after a cue, up to
the end of a name, is the label. A cue that often means something else ("Release:", "available on")
counts only if the name contains a label word ("… Records").
"""

# ruff: noqa: RUF001 - names and phrases in many scripts
from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sgr_spiders.titles.catalogue import name_of_series, names_by_number
from sgr_spiders.titles.label_cues import (
    LABEL_ALONE,
    MAX_CUES,
    MONTHS,
    NAME_BEFORE,
    SIGN,
    SIGNS,
    WEEKDAYS,
    WORDS_FOR_LABEL,
    YEARS,
    Cue,
    find_cues,
)
from sgr_spiders.titles.label_keys import (
    AFTER_LABEL_WORDS,
    LABEL_WORDS,
    LEGAL_SUFFIXES,
    MAX_NAME,
    SINGLE_LETTERS,
    label_key,
    word_set,
)
from sgr_spiders.titles.label_names import DETERMINERS, FORMATS, bare, has_label_word, is_label, is_name
from sgr_spiders.titles.subjects import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

LABEL_FIELD: Final = "label_field"
DESCRIPTION_PARSING: Final = "description_parsing"
PUBLISHER_METADATA: Final = "publisher_metadata"
METHODS: Final = (LABEL_FIELD, DESCRIPTION_PARSING, PUBLISHER_METADATA)
"""Sources of labels, the most reliable first."""

MAX_TEXT: Final = 20_000
"""Number of characters of a description to search; SoundCloud allows about 4,000."""
_MAX_WINDOW: Final = 240
_MAX_LISTED: Final = 4
"""Number of words of a label in a list with commas; longer parts are those of a sentence."""


@dataclass(frozen=True)
class DetectedLabel:
    """A label as the track spells it, and the method that found it."""

    name: str
    method: str


def labels(
    label_name: str | None,
    description: str | None,
    publisher: Mapping[str, object] | None,
    methods: Collection[str],
) -> tuple[DetectedLabel, ...]:
    """Return the distinct labels of a track (see `label_key`), found by the given methods.

    Those of ``label_name`` come first, then those of the description in order, then those of the
    publisher's metadata. The uploader's own name counts like any other.
    """
    found: dict[str, DetectedLabel] = {}
    for method in METHODS:
        if method not in methods:
            continue
        if method == LABEL_FIELD:
            names = _parse_field(label_name)
        elif method == DESCRIPTION_PARSING:
            names = _parse_description(description)
        else:
            names = _parse_publisher(publisher)
        for name in names:
            found.setdefault(label_key(name), DetectedLabel(name, method))
    return tuple(found.values())


def is_of_label(
    track_label_name: str | None,
    track_description: str | None,
    track_publisher: Mapping[str, object] | None,
    label: str,
) -> bool:
    """Return whether any of a track's own fields names the label in one of its spellings."""
    key = label_key(label)
    detected = labels(track_label_name, track_description, track_publisher, METHODS)
    return bool(key) and any(label_key(found.name) == key for found in detected)


def _parse_description(description: str | None) -> Iterator[str]:
    text = _LABEL_ABOVE.sub(r"\1: ", _clean((description or "")[:MAX_TEXT]))
    if _COLON_LAST.search(text):
        text = _BROKEN_AFTER_CUE.sub(r"\1 ", text)
    if _NOT_MINE.search(text):
        text = _SIGNS_OF_RIGHTS.sub(" ", text)
    cues = 0
    for line in filter(str.strip, text.split("\n")):
        found = find_cues(line)
        cues += len(found)
        if cues > MAX_CUES:
            return
        for cue, end in found:
            yield from _names_after(line, end, cue)
        if not line.isascii():
            yield from filter(is_name, NAME_BEFORE.findall(line))
        if not found:
            yield from _alone(line)
        yield from filter(is_name, names_by_number(line))


_RIGHTS: Final = re.compile(
    r"(?:^|[\s,;.(\[-]{1,4})(?:(?:manufactured(?:\sand)?\s|marketed\s|distributed\s|exclusively\s|used\s|released\s)?"
    r"(?:under|by|with)\s(?:an?\s)?(?:exclusive|worldwide|global)?\s?licen[cs]e|"
    r"exclusively\s(?:distributed|licen[cs]ed)|"
    r"licen[cs]ed\s|distributed\s|marketed\s|manufactured\s|all\srights|an?\s(?:division|label|imprint)\sof|"
    r"todos\s(?:los|os)\s(?:derechos|direitos)|tous\sdroits|alle\srecht|tutti\si\sdiritti|все\sправа|"
    r"wszelkie\sprawa|tüm\shakları|版权所有|保留所有|無断転載).*",
    re.IGNORECASE,
)
_FULL_STOP: Final = re.compile(
    r"\s?/\s[^\W\d_]{2,20}\s?[:：]|"
    r"\s(?:cat(?:alog(?:ue)?)?(?:[\s.]?(?:no|number|#))?|artists?|title|track|release(?:\sdate)?|date|year|genre|"
    r"style|format|isrc|upc|label)\.?\s?[:：]|"
    rf"https?:|www\.|\b[\w-]{{1,60}}\.(?:com|net|org|co\.uk|de|fr|io)\b(?=/|\s|$)|{SIGN}|\s[-–—~>|•·]{{1,3}}(?:\s|$)|"
    r"\s-+>|→|[;|•·►▶«]|\s#|\sw/|[([{]|[)\]}](?=\W|$)|[!?…](?=\W|$)|[!?]{2}|\.{2}|[:：](?=\s|$)|\s@|\\|"
    r"(?<=records)\.(?=\w)|(?<=recordings)\.(?=\w)|(?<=music)\.(?=\w)",
    re.IGNORECASE,
)
_COMMA: Final = re.compile(r",(?!\s?(?:ltd|llc|inc|gmbh|corp|co|limited|s\.?a|b\.?v)\b)", re.IGNORECASE)
_PERIOD: Final = re.compile(r"\.(?=\s|$)")
_NAME_PERIODS: Final = re.compile(r"(?:^|\s)(?:st|dr|mr|mrs|ms|vol|no|[^\W\d_])\.$", re.IGNORECASE)
_ENDING_PERIODS: Final = re.compile(
    r"(?:^|[\s,])(?:recs?|ltd|inc|co|corp|s\.?a|b\.?v|s\.?r\.?l|bros)\.$", re.IGNORECASE
)
_SUFFIX_NEXT: Final = re.compile(
    r"\s{1,2}(?:recs?|ltd|limited|llc|inc|gmbh|co|corp|music|records)\b", re.IGNORECASE
)
_SENTENCE: Final = re.compile(
    r"[\s,]+(?:out\s(?:now|today|soon|everywhere|this|on|in|\d)|pre-?(?:order|save)|buy|get\s(?:it|"
    r"your)|grab|stream\s|"
    r"download|listen|follow|support\s|available|is|are|was|were|will|has|have|which|who|"
    r"as\s(?:part|a|an|the)|taken\s|"
    r"from\s(?:the|our|my|his|her|their)|in\s(?:association|collaboration|partnership|['’]?\d{2,4})|"
    r"worldwide|everywhere|"
    rf"today|tonight|tomorrow|yesterday|soon|now|(?:this|next|last)\s(?:week|month|year|night|{WEEKDAYS})|"
    r"on\sall|for\s(?:free|the|your)|and\s(?:is|are|was|available|out|on|you|it|we|i|get|now)|(?:\w{2,20}ed|"
    r"art(?:work)?|cover|video|photos?|mix|master(?:ing)?)\sby|cat(?:alog(?:ue)?)?[:\s.#]|genre|"
    r"release\sdate|"
    r"link\s|click|check|thanks?\s|enjoy|please|feat\.?|ft\.)(?![^\W_])"
    r"(?!\s{1,2}(?:rec|records?|recordings?|music|tapes|collective|label)\b)",
    re.IGNORECASE,
)
_THE_LABEL: Final = re.compile(
    r"(?:(?:my|our|his|her|their|the|independent)\s)?(?:own\s|new\s|legendary\s|independent\s|\w{2,12}-based\s){0,2}"
    r"(?:record\s|net)?(?:label|imprint)\s?[:,]?\s|"
    r"(?:[\w'’-]{2,20}\s){0,4}?(?:label|imprint)\s(?=[\"“‘'«]?(?-i:[A-Z0-9]))|"
    r"our\sfriends\s(?:at|over\sat|from)\s|[\w-]{2,20}['’]s\sown\s",
    re.IGNORECASE,
)
"""Words before the name of a label: "my own label", "the Berlin label", "Somebody's own"."""
_PRAISE: Final = re.compile(r"(?:the|his|her|their|our)\s(?:[a-z-]{3,20}\s){1,3}(?=[A-Z])")
"""Small words before a capitalised name: "the mighty"."""
_LABEL_AFTER: Final = re.compile(r"\s(?:label|imprint)$")
_ON: Final = re.compile(r"\s(?:on|via|through)\s", re.IGNORECASE)
_SLASH: Final = (
    r"\s+/{1,2}\s+|(?:(?<=[^\W\d][\w'’])/{1,2}(?=\w\w)|(?<=\w[\w'’])/{1,2}(?=[^\W\d]\w))"
    r"(?!(?i:or|off|out|pm|dc)\b)"
)
"""Between two labels; "On/Off" and "AM/PM" are one name."""
_BETWEEN_NAMES: Final = re.compile(_SLASH)
_TERRITORY: Final = re.compile(
    r"\s?[(\[](?:[a-z]{2,9}(?:\s?[/&+,]\s?[a-z]{2,9}){0,3}|(?:north|south|latin)\samerica|"
    r"rest\sof\s(?:the\s)?world|[a-z]{4,9}\sonly)[)\]]"
    r"\s?(?:,|&|\+|/|\band\b)\s?",
    re.IGNORECASE,
)
"""A territory in a list of labels: "A (UK), B (US)"."""
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
_TIMES: Final = re.compile(r"\s[xX×]\s")
_AND: Final = re.compile(r"\s(?:and|&|\+)\s(?!co\b)", re.IGNORECASE)
_COMMAS: Final = re.compile(
    r",\s(?:(?:and|&|\+)\s)?(?!(?:the|ltd|llc|inc|gmbh|corp|co|limited|s\.?a|b\.?v)\b)", re.IGNORECASE
)
_YEARS_BEFORE: Final = re.compile(
    rf"\W{{0,3}}(?:(?:copyright|[pc]\s?&\s?[cp])\W{{1,3}})?(?:{SIGNS}\s{{0,3}}{YEARS}?|{YEARS}\s)",
    re.IGNORECASE,
)
_YEARS_AFTER: Final = re.compile(rf"[\s,]+{YEARS}\W{{0,3}}$")
_DATE_AFTER: Final = re.compile(
    r"[\s,]+(?:\d{1,4}(?:[./-]\d{1,4}){1,2}|(?:19|20)\d\d|(?:7|10|12)[\"”″']|"
    rf"(?:in\s)?(?:{MONTHS})(?:\s\d{{1,2}}\w{{0,2}})?|(?-i:[A-Z]{{2,10}})[ -]?\d{{2,4}})\W{{0,3}}$",
    re.IGNORECASE,
)
_NUMBER_AFTER: Final = re.compile(r"\s[A-Z]{2,10}[ -]?\d{2,4}\W{0,3}$")
_BETWEEN_SEGMENTS: Final = re.compile(
    r"\s[-–—|/•:]{1,3}\s|(?<=\w\w)[.!]\s|,\s(?=[^,]{2,40}\s(?:19|20)\d\d\W{0,3}$)"
)
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
_QUOTES: Final = "\"'“”„‟«»‹›「」『』*_~"
_PARTICLES: Final = word_set(
    "vor für pour para con of the and & + de la le les du des da do di del der die das den von van "
    "und y e et for in to x n "
    "'n' 'n og och i и"
)


def _names_after(line: str, end: int, cue: Cue) -> Iterator[str]:
    """Yield the names after a cue in a description: often one, sometimes none."""
    text = _TERRITORY.sub(" / ", _RIGHTS.sub("", line[end : end + _MAX_WINDOW]))
    text = _cut(text.lstrip(" \t:：-–—=|>'\"").removeprefix("@"))
    for before in (_THE_LABEL, _PRAISE):
        if match := before.match(text):
            text = text[match.end() :]
    is_marked = "/" in text and has_label_word(text)
    for part in _listed(text):
        name = _YEARS_AFTER.sub("", part) if not cue.in_prose else part
        for candidate in _around_on(name) if cue.in_prose else (name,):
            trimmed = _trim_end(
                _end_of_prose(candidate) if cue.in_prose else _NUMBER_AFTER.sub("", candidate)
            )
            if not cue.in_prose and _APPEAL.match(trimmed) and not has_label_word(trimmed):
                continue
            if is_name(trimmed) and (is_marked or _is_enough(trimmed, cue, line)):
                yield trimmed


def _is_enough(name: str, cue: Cue, line: str) -> bool:
    """Return whether the name has what a label after this cue needs."""
    return (
        cue.needs == "nothing"
        or has_label_word(name)
        or (cue.needs == "capitals" and _is_capitalised(name, line))
    )


def _end_of_prose(text: str) -> str:
    """Return the name that a text begins with, without a date, a number and "label" after it."""
    name = _DATE_AFTER.sub("", _first_words(text))
    return name if name.islower() else _LABEL_AFTER.sub("", name)


def _listed(text: str) -> Iterator[str]:
    """Yield the parts of "A / B", "A x B" and "A Records and B Records"."""
    for part in _BETWEEN_NAMES.split(text):
        for piece in _split_if(part, _TIMES, is_label):
            yield from _split_if(piece, _AND, has_label_word)


def _split_if(text: str, joint: re.Pattern[str], accepts: Callable[[str], bool]) -> list[str]:
    """Return the pieces of a list, or the whole text if one of the pieces is not accepted."""
    pieces = joint.split(text)
    return pieces if len(pieces) > 1 and all(map(accepts, pieces)) else [text]


def _alone(line: str) -> Iterator[str]:
    """Yield the labels that are parts of a line, except in a list of tracks."""
    if _NUMBERED.match(line):
        return
    for segment in _BETWEEN_SEGMENTS.split(line):
        if (alone := LABEL_ALONE.match(segment)) and _stands_alone(alone[1]):
            yield alone[1]
    if (name := name_of_series(line)) and _stands_alone(name):
        yield name


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
        and all(word[0].isupper() or word[0].isnumeric() or word.lower() in _PARTICLES for word in words)
    )


def _cut(text: str) -> str:
    """Return the text up to the latest possible end of a name."""
    stops = [match.start() for pattern in (_FULL_STOP, _COMMA) if (match := pattern.search(text, 1))]
    text = text[: min(stops, default=len(text))]
    if match := _SENTENCE.search(text):
        text = text[: match.start()]
    for match in _PERIOD.finditer(text):
        until = text[: match.end()]
        if _ENDING_PERIODS.search(until):
            if not _SUFFIX_NEXT.match(text, match.end()):
                return until
        elif not _NAME_PERIODS.search(until):
            return text[: match.start()]
    return text


def _around_on(text: str) -> tuple[str, ...]:
    """Return B of ``A on B``, or A if B is a date or a shop; both if A contains a label word."""
    match = _ON.search(text)
    if match is None:
        return (text,)
    before, after = text[: match.start()], text[match.end() :]
    if not is_name(_trim_end(_first_words(after))):
        return (before,)
    return (before, after) if has_label_word(before) else (after,)


def _first_words(text: str) -> str:
    """Return the name that a sentence begins with: a capitalised one ends at a lower-case word."""
    words = text.split()
    if not words:
        return ""
    mixed = not (text.islower() or text.isupper())
    end = len(words)
    for number, word in enumerate(words[1:], 1):
        is_label_word = bare(word) in LABEL_WORDS
        continues = is_label_word or word.lower() in _PARTICLES
        if _is_symbol(word) and not (number + 1 < len(words) and bare(words[number + 1]) in LABEL_WORDS):
            end = number
            break
        if mixed and not words[0].islower() and word.islower() and not continues:
            end = number
            break
        if not mixed and is_label_word:
            end = _end_of_label_words(words, number)
            break
    while end > 1 and words[end - 1].lower() in _PARTICLES:
        end -= 1
    return " ".join(words[:end])


def _is_symbol(word: str) -> bool:
    return all(unicodedata.category(char) in {"So", "Sk", "Mn"} for char in word)


def _end_of_label_words(words: list[str], number: int) -> int:
    common = LABEL_WORDS | LEGAL_SUFFIXES | AFTER_LABEL_WORDS
    while number < len(words) and bare(words[number]) in common:
        number += 1
    return number


def _trim_end(text: str) -> str:
    """Return a name without quotes, trailing symbols and the period of the sentence."""
    words = text.split()
    while words and not any(char.isalnum() for char in words[-1]) and words[-1] != "!!!":
        words.pop()
    name = " ".join(words).strip(_QUOTES + " ,:-–—/&+")
    name = name.rstrip(
        "".join({char for char in name[-8:] if unicodedata.category(char) in {"So", "Sk"}}) + " ️"
    )
    return name if _ENDING_PERIODS.search(name) or SINGLE_LETTERS.search(name) else name.rstrip(" .")


_PUBLISHER_FIELDS: Final = (
    "label", "label_name", "record_label",
    "p_line", "p_line_for_display", "c_line", "c_line_for_display", "publisher",
)  # fmt: skip
_NAME_FIELDS: Final = ("name", "username")
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_BREAKS: Final = re.compile(r"\r\n?|[\u2028\u2029\x85]")


_FIELD_JOINTS: Final = re.compile(rf"{_SLASH}|\s*[|;•·]\s*")
_ADDRESS: Final = re.compile(
    r"\s?(?:https?://|www\.)\S+|(?<![\w.@])(?:[\w-]+\.)+(?:com|net|org|co\.uk|de|fr|es|it|nl|io)\b\S*(?=\s*(?:$|[,;/|)\]]))",
    re.IGNORECASE,
)
_A_RELEASE: Final = re.compile(r"^an?\s(.{1,60})\srelease$", re.IGNORECASE)
_YEAR_AFTER: Final = re.compile(r"(?<=\w)\s(in\s)?(?:19|20)\d\d$")
_FIELD_CUE: Final = re.compile(
    r"courtesy\sof\s|"
    rf"(?:{WORDS_FOR_LABEL})\s?[:：]\s*|cat\.?\s?no\.?\s?\S+\s|"
    r"(?:released|out|available|forthcoming|coming)(?:\s(?:now|soon))?(?:\s(?:by|on|via|through)|\s?:)\s+|"
    r"(?:under\s(?:an?\s)?(?:exclusive\s|worldwide\s|global\s)?licen[cs]e|(?:exclusively\s)?licen[cs]ed)\s(?:to|from|by)\s",
    re.IGNORECASE,
)
_FOR_TERRITORY: Final = re.compile(
    r"\sfor\sthe\s(?:united|world|rest|territory|uk|us|usa|eu)\b(?:(?!\sand\s(?-i:[A-Z]))[^.])*(?:\sand\s|\..*|$)",
    re.IGNORECASE,
)
_IN_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]+)[)\]]?")
_BRACKET_AFTER: Final = re.compile(r"\s*[(\[][^()\[\]]{0,60}[)\]]?$|(?<=[^(\[])[)\]]$")
_CATALOGUE_NUMBER: Final = re.compile(r"\s+[-–—]\s+[A-Z]{2,10}[ -]?\d{2,5}[A-Z]?$")


def _parse_field(text: str | None) -> Iterator[str]:
    """Yield the names in a field for labels; "X / Y", "X, Y", "X x Y" and "X (UK), Y (US)" are two."""
    whole = " ".join(_clean((text or "")[: 4 * MAX_NAME]).split())
    whole = _A_RELEASE.sub(r"\1", _ADDRESS.sub("", whole))
    for before in (_FIELD_CUE, _YEARS_BEFORE):
        if match := before.match(whole):
            whole = whole[match.end() :]
    for part in _FIELD_JOINTS.split(_RIGHTS.sub("", _split_territories(whole))):
        for piece in _split_commas(part):
            for name in map(_bare_field, _listed(piece)):
                if is_label(name):
                    yield name


def _split_territories(text: str) -> str:
    """Return "A / B" for "A (UK) & B (US)" and "A for the UK and B for the rest of the world"."""
    if " for the " in text:
        text = _FOR_TERRITORY.sub(" / ", text)
    return _TERRITORY.sub(" / ", text) if "(" in text or "[" in text else text


def _split_commas(text: str) -> list[str]:
    """Return the pieces of "A, B & C", or the whole text if one of them is longer than a name."""
    pieces = _split_if(text, _COMMAS, _is_short_label)
    return [*pieces[:-1], *_split_if(pieces[-1], _AND, is_label)] if len(pieces) > 1 else pieces


def _is_short_label(name: str) -> bool:
    return is_label(name) and len(name.split()) <= _MAX_LISTED


def _bare_field(piece: str) -> str:
    """Return a name without its brackets, catalogue number, link and handle."""
    name = piece.split("http", 1)[0].strip(' ,;:-–—"“”')
    if match := _IN_BRACKETS.fullmatch(name):
        name = match[1]
    name = _CATALOGUE_NUMBER.sub("", _BRACKET_AFTER.sub("", name) or name)
    if (year := _YEAR_AFTER.search(name)) and (year[1] or has_label_word(name[: year.start()])):
        name = name[: year.start()]
    return name.strip(' ,;:-–—"“”').removeprefix("@")


def _parse_publisher(publisher: Mapping[str, object] | None) -> Iterator[str]:
    for key in _PUBLISHER_FIELDS if publisher else ():
        value = publisher.get(key) if publisher else None
        for text in _texts(value):
            yield from _parse_field(text)


def _texts(value: object) -> Iterator[str]:
    """Yield a field's text, or the name of an account, which old responses contain under ``label``."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (name for key in _NAME_FIELDS if isinstance(name := value.get(key), str))


def _clean(text: str) -> str:
    r"""Remove controls, formatting, terminal escapes and lone surrogates; convert line breaks to "\n"."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return _SPACES.sub(" ", text)
    visible = (
        " " if char == "\t" else char
        for char in _BREAKS.sub("\n", _ESCAPES.sub("", text))
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return _SPACES.sub(" ", unicodedata.normalize("NFC", "".join(visible)))
