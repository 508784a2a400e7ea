"""Where the name of a label ends in a sentence or in a statement of rights."""

# ruff: noqa: RUF001 - names and phrases in many scripts
from __future__ import annotations

import re
import unicodedata
from typing import Final

from sgr_spiders.titles.label_cues import MONTHS, SIGN, WEEKDAYS, YEARS
from sgr_spiders.titles.label_keys import (
    AFTER_LABEL_WORDS,
    LABEL_WORDS,
    LEGAL_SUFFIXES,
    SINGLE_LETTERS,
    word_set,
)
from sgr_spiders.titles.label_languages import MONTHS_ABROAD
from sgr_spiders.titles.label_lists import PART_OF_WORLD
from sgr_spiders.titles.label_names import bare, has_label_word, is_name

RIGHTS: Final = re.compile(
    r"(?:^|[\s,;.(\[-]{1,4})(?:(?:manufactured(?:\sand)?\s|marketed\s|distributed\s|exclusively\s|used\s|released\s)?"
    r"(?:under|by|with)\s(?:an?\s)?(?:exclusive|worldwide|global)?\s?licen[cs]e|"
    r"exclusively\s(?:distributed|licen[cs]ed)|"
    r"licen[cs]ed\s|distributed\s|distribu\w{1,5}\s(?:par|por|da|von)\s|dist(?:r(?:ib)?)?\.\s|marketed\s|"
    r"manufactured\s|all\srights|unauthori[sz]ed\s|an?\s(?:division|label|imprint)\sof|(?<=,\s)an?\s[^,]{2,60}\scompany\b|"
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
    rf"\s\d{{1,2}}\.?\s(?:de\s)?(?-i:{MONTHS_ABROAD})(?=\W|$)|"
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
_LABEL_AFTER: Final = re.compile(r"\s(?:(?:net)?label|imprint)$")
_ON: Final = re.compile(r"\s(?:on|via|through)\s", re.IGNORECASE)
YEARS_AFTER: Final = re.compile(rf"[\s,]+{YEARS}\W{{0,3}}$")
_DATE_AFTER: Final = re.compile(
    r"[\s,]+(?:\d{1,4}(?:[./-]\d{1,4}){1,2}|(?:19|20)\d\d|(?:7|10|12)[\"”″']|"
    rf"{WEEKDAYS}|(?:in\s|\d{{1,2}}\s)?(?:{MONTHS})(?:\s\d{{1,2}}\w{{0,2}})?|"
    r"(?-i:[A-Z]{2,10})[ -]?\d{2,4})\W{0,3}$",
    re.IGNORECASE,
)
_TERRITORY_AFTER: Final = re.compile(
    rf"\s(?:in|for)\s{PART_OF_WORLD}(?:\s(?:&|and)\s{PART_OF_WORLD})?$", re.IGNORECASE
)
NUMBER_AFTER: Final = re.compile(r"\s[A-Z]{2,10}[ -]?\d{2,4}\W{0,3}$")
_QUOTES: Final = "\"'“”„‟«»‹›「」『』*_~"
PARTICLES: Final = word_set(
    "vor für pour para con of the and & + de la le les du des da do di del der die das den von van "
    "und y e et ou for in to x n "
    "'n' 'n og och i и"
)


def cut(text: str) -> str:
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


def end_of_prose(text: str) -> str:
    """Return the name that a text begins with, without a date, a number, a territory and "label" after it."""
    name = _TERRITORY_AFTER.sub("", _DATE_AFTER.sub("", _first_words(text)))
    return name if name.islower() else _LABEL_AFTER.sub("", name)


def around_on(text: str) -> tuple[str, ...]:
    """Return B of ``A on B``, or A if B is a date or a shop; both if A contains a label word."""
    match = _ON.search(text)
    if match is None:
        return (text,)
    before, after = text[: match.start()], text[match.end() :]
    if not is_name(trim_end(_first_words(after))):
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
        continues = is_label_word or word.lower() in PARTICLES
        if _is_symbol(word) and not (number + 1 < len(words) and bare(words[number + 1]) in LABEL_WORDS):
            end = number
            break
        if mixed and not words[0].islower() and word.islower() and not continues:
            end = number
            break
        if not mixed and is_label_word:
            end = _end_of_label_words(words, number)
            break
    while end > 1 and words[end - 1].lower() in PARTICLES:
        end -= 1
    return " ".join(words[:end])


def _is_symbol(word: str) -> bool:
    return all(unicodedata.category(char) in {"So", "Sk", "Mn"} for char in word)


def _end_of_label_words(words: list[str], number: int) -> int:
    common = LABEL_WORDS | LEGAL_SUFFIXES | AFTER_LABEL_WORDS
    while number < len(words) and bare(words[number]) in common:
        number += 1
    return number


def trim_end(text: str) -> str:
    """Return a name without quotes, trailing symbols and the period of the sentence."""
    words = text.split()
    while words and not any(char.isalnum() for char in words[-1]) and words[-1] != "!!!":
        words.pop()
    name = " ".join(words).strip(_QUOTES + " ,:-–—/&+")
    name = name.rstrip(
        "".join({char for char in name[-8:] if unicodedata.category(char) in {"So", "Sk"}}) + " ️"
    )
    return name if _ENDING_PERIODS.search(name) or SINGLE_LETTERS.search(name) else name.rstrip(" .")
