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
from typing import TYPE_CHECKING, Final, NamedTuple

from sgr_spiders.titles.services import SERVICES
from sgr_spiders.titles.subjects import is_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

LABEL_FIELD: Final = "label_field"
DESCRIPTION_PARSING: Final = "description_parsing"
PUBLISHER_METADATA: Final = "publisher_metadata"
METHODS: Final = (LABEL_FIELD, DESCRIPTION_PARSING, PUBLISHER_METADATA)
"""Sources of labels, the most reliable first."""

MAX_TEXT: Final = 20_000
"""Number of characters of a description to search; SoundCloud allows about 4,000."""
MAX_NAME: Final = 100
"""Maximum length of a label's name; a longer text is not a name."""
_MAX_CUES: Final = 64
_MAX_WINDOW: Final = 240
_MAX_WORDS: Final = 8


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


# --- spellings of one label ------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LABEL_WORDS: Final = _words(
    "record records recording recordings recs rec recordz music musik musique música musica muzik "
    "muzyka tapes collective label netlabel рекордс рекордз мьюзик музыка лейбл"
)
"""Optional words after a label's name. "Sounds", "Audio" and similar words distinguish labels."""
_AFTER_LABEL_WORDS: Final = _words("group entertainment publishing international worldwide")
_LEGAL_SUFFIXES: Final = _words(
    "ltd limited llc llp inc incorporated corp corporation co company plc gmbh ug ag kg bv nv sa sas "
    "sarl srl spa sl ab as aps oy pty ltda kft sro kk ооо"
)
_GLUED_WORDS: Final = ("recordings", "records", "music")
_EAST_ASIAN_WORDS: Final = (
    "株式会社", "有限公司", "レコーズ", "レコード", "ミュージック",
    "唱片", "音乐", "音樂", "레코드", "레코즈", "뮤직",
)  # fmt: skip
_SINGLE_LETTERS: Final = re.compile(r"(?<![^\W_])([^\W\d_])\.(?=[^\W\d_](?:\W|$))")
_APOSTROPHES: Final = re.compile(r"['’ʼ`´]")
_MARKS: Final = re.compile(r"[™®℠]")
_PLUS_AND: Final = re.compile(r"&|(?<=\s)\+(?=\s)")
_LATIN_APART: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ё": "е"})
_LAST_OF_GREEK: Final = 0x03FF
_EXTENDED_LATIN_GREEK: Final = range(0x1E00, 0x2000)
_MIN_GLUED: Final = 4
_MIN_EAST_ASIAN: Final = 2


def label_key(name: str) -> str:
    """Return a key that all spellings of one label share, not for display; "" if nothing is named.

    Letter case, spaces, punctuation, accents on Latin and Greek letters, a leading "The", legal forms
    and final words such as Records or Music make no difference, and "&" equals "and". Marks in other
    scripts stay, because they distinguish letters there. A name of only such words keeps one of them.
    """
    text = _normalise(_MARKS.sub("", name[: 2 * MAX_NAME]))
    words = _PLUS_AND.sub(" and ", f" {text} ")
    words = _SINGLE_LETTERS.sub(r"\1", _APOSTROPHES.sub("", words))
    kept = "".join(char if _is_letter(char) else " " for char in words).split()
    if not kept:
        return "".join(text.split())
    return _unglue("".join(_stem(kept)))


def _stem(words: list[str]) -> list[str]:
    """Remove the words that labels have in common, except the last remaining word."""
    words = words[1:] if words[0] == "the" and len(words) > 1 else words
    while len(words) > 1:
        last = words[-1]
        after_label_word = last in _AFTER_LABEL_WORDS and len(words) > 2 and words[-2] in _LABEL_WORDS
        if not (last in _LABEL_WORDS or last in _LEGAL_SUFFIXES or after_label_word):
            break
        words = words[:-1]
    return words


def _unglue(key: str) -> str:
    for word in _GLUED_WORDS:
        if key.endswith(word) and len(key) >= len(word) + _MIN_GLUED:
            return key.removesuffix(word)
    for word in _EAST_ASIAN_WORDS:
        if key.endswith(word) and len(key) >= len(word) + _MIN_EAST_ASIAN:
            return key.removesuffix(word)
    return key


def _normalise(text: str) -> str:
    """Fold case and width, and drop combining marks on Latin and Greek letters."""
    out: list[str] = []
    base = 0
    for char in unicodedata.normalize("NFKD", text).casefold().translate(_LATIN_APART):
        category = unicodedata.category(char)
        if category in {"Cc", "Cf", "Cs"}:
            continue
        if category != "Mn":
            base = ord(char)
        elif base <= _LAST_OF_GREEK or base in _EXTENDED_LATIN_GREEK:
            continue
        out.append(char)
    return unicodedata.normalize("NFC", "".join(out)).translate(_LATIN_APART).strip()


def _is_letter(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) in {"Mn", "Mc"}


# --- the start of a name ---------------------------------------------------------------------------


class _Cue(NamedTuple):
    pattern: re.Pattern[str]
    sure: bool
    """True if the text after the cue is a label even without a label word."""
    in_prose: bool
    """True if a sentence may continue after the name."""


_MONTHS: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAYS: Final = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DATE: Final = (
    rf"(?:{_MONTHS})\.?|{_WEEKDAYS}|\d{{1,4}}(?:[./-]\d{{1,4}}){{1,2}}|\d{{1,2}}(?:st|nd|rd|th|\.)?|"
    r"(?:19|20)\d\d"
)
_TIME: Final = (
    r"now|today|tonight|tomorrow|yesterday|soon|everywhere|worldwide|digitally|exclusively|"
    r"officially|originally|"
    r"first|again|next|this|last|week|month|year|early|late|mid|spring|summer|autumn|fall|winter"
)
_WHEN: Final = rf"(?:[\s,]{{1,3}}(?:(?:in|on|the|of)\s)?(?:{_DATE}|{_TIME})(?![^\W_])){{0,6}}"
_BY: Final = r"[\s,]{1,3}(?:by|on|via|thru|through|over\ at)\s*:?\s+"
_YEARS: Final = r"(?:(?:19|20)\d\d(?:\s?[-–,&/]\s?(?:(?:19|20)\d\d|\d\d)(?!\d)){0,3}(?!\d)|MM[XVI]{0,7}\b)"
_SIGN: Final = r"(?:©|℗|ⓒ|ⓟ|Ⓒ|Ⓟ|\([cp]\))"
_SIGNS: Final = rf"{_SIGN}(?:\s{{0,2}}[&+/]?\s{{0,2}}{_SIGN}){{0,2}}"
_LABEL_WORD_OF_LANGUAGES: Final = (
    r"labels?|record\s(?:label|company)|label\sname|netlabel|imprint|plattenfirma|plattenlabel|"
    r"maison\sde\sdisques|"
    r"sello(?:\sdiscogr[aá]fico)?|disquera|discogr[aá]fica|gravadora|selo|etichetta(?:\sdiscografica)?|"
    r"wytw[oó]rnia|skivbolag|levymerkki|plak\sşirketi|лейбл|レーベル|厂牌|廠牌|唱片公司|레이블|레이블사"
)
_ABROAD: Final = (
    r"(?:erschienen|veröffentlicht|rausgekommen)(?:\s(?:bei|auf|über|von))|"
    r"erhältlich\sbei|(?:sorti|sortie|paru|parue|publié|publiée|édité|éditée|disponible)\s(?:chez|sur|par)|"
    r"(?:publicado|editado|lanzado)\s(?:por|en|bajo)|(?:lançado|lançada|editado)\s(?:por|pela|pelo)|"
    r"(?:pubblicato|pubblicata|edito|edita|uscito|uscita)\s(?:da|su|per)|"
    r"(?:uitgebracht|verschenen)\s(?:op|door|bij)|(?:wydane|wydany|wydana)\s(?:przez|nakładem)|"
    r"(?:utgiven|utgivet|släppt)\s(?:av|på)|"
    r"(?:вышел|вышла|вышло|издан|издано|выпущен|выпущено)\s(?:на\s)?(?:лейбл(?:е|ом)|на)"
)


_OF_A_RELEASE: Final = (
    "appears?|arrives?|arriving|back|comes?|debuts?|drops?|dropping|grab|home|joins?|landing|lands?|latest|"
    "premieres?|releases?|returns?|returning|signed|signs|taken|tracks?|remixe?s?|vinyl"
)
"""Words before "on … Records" in sentences about a release."""


def _cue(pattern: str, *, sure: bool = True, in_prose: bool = True) -> _Cue:
    return _Cue(re.compile(pattern, re.IGNORECASE), sure, in_prose)


_CUES: Final = (
    _cue(rf"(?:copyright\W{{0,3}})?{_SIGNS}\W{{0,3}}{_YEARS}(?:\s(?:by|von|par|por)\b)?", in_prose=False),
    _cue(r"(?:copyright\W{0,3})?[©℗](?:\sby\b)?(?!\W{0,3}(?:19|20)\d\d)", in_prose=False),
    _cue(rf"(?:copyright\W{{0,3}})?{_SIGN}(?!\W{{0,3}}(?:19|20)\d\d)", sure=False, in_prose=False),
    _cue(rf"\bcopyright(?:s|ed)?\W{{0,3}}{_YEARS}(?:\sby\b)?", in_prose=False),
    _cue(r"(?<!\bof\s)(?<!\bthe\s)\bcopyright(?:ed)?(?:\sby\b|\s?[:：])", in_prose=False),
    _cue(
        rf"(?<![^\W_])(?:{_LABEL_WORD_OF_LANGUAGES})(?:\s?[/&+]\s?\w{{2,12}}){{0,2}}\s?[:：=|»›→▸►▶]",
        in_prose=False,
    ),
    _cue(rf"^\W{{0,5}}(?:{_LABEL_WORD_OF_LANGUAGES})\s?[-–—]{{1,3}}\s", in_prose=False),
    _cue(rf"\breleas(?:ed?|ing|es){_WHEN}{_BY}"),
    _cue(rf"\breleas(?:ed|es?|ing){_WHEN}\s(?:with|under|at|from|from\sour\sfriends\sat)\s", sure=False),
    _cue(r"\breleased?\s?[:：]", sure=False, in_prose=False),
    _cue(rf"\bout(?:\s(?:{_TIME}|{_DATE}|on\s(?:{_DATE}))(?![^\W_])){_WHEN}{_BY}"),
    _cue(rf"^\W{{0,5}}out{_BY}"),
    _cue(r"\b(?:forthcoming|available\snow|now\savailable|coming\ssoon)\s(?:on|via|through)\s"),
    _cue(
        rf"\b(?:available|forthcoming|upcoming|coming|dropping|dropped|out|ep|lp|album|single){_WHEN}"
        r"\s(?:on|via|through)\s",
        sure=False,
    ),
    _cue(r"\b(?:published\sby|via)\s", sure=False),
    _cue(r"\b(?:courtesy\sof|licen[sc]ed?\sto|issued\sby)\s", sure=False),
    _cue(r"\b(?:th(?:is|e)\s)?sound\srecording\sis\sowned\sby\s"),
    _cue(r"\bunder\s(?:an?\s)?(?:exclusive\s)?licen[cs]e\s(?:to|from|by)\s"),
    _cue(rf"(?<![^\W_])(?:{_ABROAD})\s"),
    _cue(rf"\b(?:{_OF_A_RELEASE})\b[^.!?]{{0,40}}?\s(?:on|via|through|to)\s", sure=False),
)  # fmt: skip
_BEFORE_NO_LABEL: Final = re.compile(
    r"\b(?:no|not|never|non|isn['’]t|wasn['’]t|self|un|photos?|samples?|the|this|our|warning)[\s:,-]{0,3}$",
    re.IGNORECASE,
)
"""Words before a cue that change its meaning: "no copyright", "self-released by"."""
_BEFORE_OTHER_RIGHTS: Final = re.compile(
    r"\b(?:artwork|art|cover|pictures?|images?|lyrics|video|logo|design)[\s:,-]{0,3}$", re.IGNORECASE
)
"""Words before a copyright sign that then refers to a picture or a text."""
_LOOK_BACK: Final = 16


def _parse_description(description: str | None) -> Iterator[str]:
    text = _BROKEN_AFTER_CUE.sub(r"\1 ", _clean((description or "")[:MAX_TEXT]))
    cues = 0
    for line in text.split("\n"):
        for cue, end in _find_cues(line):
            cues += 1
            if cues > _MAX_CUES:
                return
            yield from _names_after(line[end : end + _MAX_WINDOW], cue)


def _find_cues(line: str) -> list[tuple[_Cue, int]]:
    """Return a line's cues and their ends, in order; of overlapping ones, the first in ``_CUES``."""
    found: list[tuple[int, int, _Cue]] = []
    for cue in _CUES:
        for match in cue.pattern.finditer(line):
            if len(found) >= _MAX_CUES:
                break
            start, end = match.span()
            before = line[max(0, start - _LOOK_BACK) : start]
            negated = _BEFORE_NO_LABEL.search(before)
            if not cue.in_prose:
                negated = negated or _BEFORE_OTHER_RIGHTS.search(before)
            if not negated and not any(start < stop and begin < end for begin, stop, _ in found):
                found.append((start, end, cue))
    return [(cue, end) for _, end, cue in sorted(found, key=lambda cue: cue[0])]


# --- the end of a name -----------------------------------------------------------------------------

_RIGHTS: Final = re.compile(
    r"[\s,;.(\[-]{1,4}(?:(?:manufactured\s|marketed\s|distributed\s|exclusively\s|used\s|released\s)?"
    r"(?:under|by|with)\s(?:an?\s)?(?:exclusive|worldwide|global)?\s?licen[cs]e|"
    r"exclusively\s(?:distributed|licen[cs]ed)|"
    r"licen[cs]ed\s|distributed\s|marketed\s|manufactured\s|all\srights|an?\s(?:division|label|imprint)\sof|"
    r"todos\s(?:los|os)\s(?:derechos|direitos)|tous\sdroits|alle\srecht|tutti\si\sdiritti|все\sправа|"
    r"wszelkie\sprawa|tüm\shakları|版权所有|保留所有|無断転載).*",
    re.IGNORECASE,
)
_FULL_STOP: Final = re.compile(
    rf"https?:|www\.|\b[\w-]{{1,60}}\.(?:com|net|org|co\.uk|de|fr|io)\b(?=/|\s|$)|{_SIGN}|\s[-–—~>|•·]{{1,3}}(?:\s|$)|"
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
    r"from\s(?:the|our|my|his|her|their)|in\s(?:association|collaboration|partnership|\d{4})|"
    r"worldwide|everywhere|"
    rf"today|tonight|tomorrow|yesterday|soon|now|(?:this|next|last)\s(?:week|month|year|night|{_WEEKDAYS})|"
    r"on\sall|for\s(?:free|the|your)|and\s(?:is|are|was|available|out|on|you|it|we|i|get|now)|(?:\w{2,20}ed|"
    r"art(?:work)?|cover|video|photos?|mix|master(?:ing)?)\sby|cat(?:alog(?:ue)?)?[:\s.#]|genre|"
    r"release\sdate|"
    r"link\s|click|check|thanks?\s|enjoy|please|feat\.?|ft\.)(?![^\W_])"
    r"(?!\s{1,2}(?:rec|records?|recordings?|music|tapes|collective|label)\b)",
    re.IGNORECASE,
)
_THE_LABEL: Final = re.compile(
    r"(?:(?:(?:my|our|his|her|their|the|independent)\s)?(?:own\s|new\s|legendary\s|independent\s|"
    r"\w{2,12}-based\s){0,2}"
    r"(?:record\s|net)?(?:label|imprint)\s?[:,]?\s|our\sfriends\s(?:at|over\sat|from)\s)",
    re.IGNORECASE,
)
_ON: Final = re.compile(r"\s(?:on|via|through)\s", re.IGNORECASE)
_SLASH: Final = r"\s+/{1,2}\s+|(?<=[^\W\d][\w'’])/{1,2}(?=\w\w)|(?<=\w[\w'’])/{1,2}(?=[^\W\d]\w)"
_BETWEEN_NAMES: Final = re.compile(_SLASH)
_TERRITORY: Final = re.compile(
    r"\s?[(\[](?:[a-z]{2,4}|world(?:wide)?|rest\sof\s(?:the\s)?world|europe|[a-z]{4,9}\sonly)[)\]]"
    r"\s?(?:,|&|\+|/|\band\b)\s?",
    re.IGNORECASE,
)
"""A territory in a list of labels: "A (UK), B (US)"."""
_BROKEN_AFTER_CUE: Final = re.compile(
    rf"((?:\b(?:by|on|via|through)|{_LABEL_WORD_OF_LANGUAGES})\s?[:：])[ ]{{0,3}}\n{{1,2}}[ ]{{0,3}}"
    r"(?=[^\n:：]{1,100}(?:\n|$))",
    re.IGNORECASE,
)
"""A cue at the end of a line, whose name is in the next one."""
_YEARS_BEFORE: Final = re.compile(
    rf"\W{{0,3}}(?:copyright\W{{0,3}})?(?:{_SIGNS}\s{{0,3}}{_YEARS}?|{_YEARS}\s)", re.IGNORECASE
)
_YEARS_AFTER: Final = re.compile(rf"[\s,]+{_YEARS}\W{{0,3}}$")
_QUOTES: Final = "\"'“”„‟«»‹›「」『』*_~"
_PARTICLES: Final = _words(
    "vor für pour para con avec of the and & + de la le les du des da do di del der die das den von van "
    "und y e et for in to x n "
    "'n' 'n with og och i и"
)


def _names_after(window: str, cue: _Cue) -> Iterator[str]:
    """Yield the names after a cue in a description: often one, sometimes none."""
    text = _TERRITORY.sub(" / ", _RIGHTS.sub("", window))
    text = _cut(text.lstrip(" \t:：-–—=|>'\"").removeprefix("@"))
    text = _THE_LABEL.sub("", text, count=1) if _THE_LABEL.match(text) else text
    sure = cue.sure or _has_label_word(text)
    for part in _BETWEEN_NAMES.split(text):
        name = _YEARS_AFTER.sub("", part) if not cue.in_prose else part
        for candidate in _around_on(name) if cue.in_prose else (name,):
            trimmed = _trim_end(_first_words(candidate) if cue.in_prose else candidate)
            if _is_name(trimmed) and (sure if "/" in text else cue.sure or _has_label_word(trimmed)):
                yield trimmed


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
    if not _is_name(_trim_end(_first_words(after))):
        return (before,)
    return (before, after) if _has_label_word(before) else (after,)


def _first_words(text: str) -> str:
    """Return the name that a sentence begins with: a capitalised one ends at a lower-case word."""
    words = text.split()
    if not words:
        return ""
    mixed = not (text.islower() or text.isupper())
    end = len(words)
    for number, word in enumerate(words[1:], 1):
        is_label_word = _bare(word) in _LABEL_WORDS
        continues = is_label_word or word.lower() in _PARTICLES
        if _is_symbol(word) and not (number + 1 < len(words) and _bare(words[number + 1]) in _LABEL_WORDS):
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
    common = _LABEL_WORDS | _LEGAL_SUFFIXES | _AFTER_LABEL_WORDS
    while number < len(words) and _bare(words[number]) in common:
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
    return name if _ENDING_PERIODS.search(name) or _SINGLE_LETTERS.search(name) else name.rstrip(" .")


# --- not a label -----------------------------------------------------------------------------------

_GENERIC: Final = (
    "self|self release|self released|selfreleased|self published|self produced|independent|indie|"
    "independently|independent release|independent artist|independent label|indie label|indie artist|"
    "diy|d i y|none|n a|na|nil|null|no|no label|not on label|not on a label|white label|unsigned|"
    "unsigned artist|unlabeled|unreleased|unknown|unknown label|various|various artists|"
    "various labels|tba|tbd|tbc|label|record label|own label|my label|my own label|own|own release|"
    "private|promo|free|free download|free release|free music|all rights reserved|copyright|"
    "the artist|the artists|artist|artists|the band|the label|the author|the authors|the owner|"
    "the owners|the producer|respective owners|their respective owners|its respective owners|me|"
    "myself|himself|herself|themselves|popular demand|demand|accident|mistake|surprise|chance|"
    "halloween|christmas|christmas day|new years eve|new year s eve|"
    "new year s day|valentines day|valentine s day|bandcamp friday|record store day|time|repeat|air|"
    "tour|fire|royalty free|"
    "creative commons|public domain|soundcloud|youtube|eigenproduktion|eigenvertrieb|eigenverlag|"
    "selbstveröffentlicht|unabhängig|autoproduction|autoproduit|indépendant|independant|sans label|"
    "autoproducido|autoeditado|independiente|sin sello|autoproduzione|autoprodotto|indipendente|"
    "independente|niezależny|brak|без лейбла|самиздат|независимый|нет|自主制作|"
    "自主レーベル|独立|独立音乐人|独立发行|無|无|인디|없음|unabhaengig|geen|ingen|original|"
    "original mix|the world|world|"
    "everything|everyone|anyone|you|us|it|this|that|vinyl digital|digital vinyl"
)
_GENERIC_PHRASES: Final = frozenset(_normalise(phrase) for phrase in _GENERIC.split("|"))
_SERVICES: Final = frozenset(_normalise(phrase) for phrase in SERVICES)
_COMMON_WORDS: Final = (
    _LABEL_WORDS | _LEGAL_SUFFIXES | frozenset(["the", "and", "a", "of", "labels", "our", "my"])
)
_PLACES: Final = re.compile(
    r"(?:the\s)?(?:all\s.*|every\s.*|most\s.*|major\s.*|digital\s(?:stores|platforms|services).*|"
    r"streaming\b.*|"
    r"stores|shops|platforms|spotify\b.*|beatport\b.*|bandcamp\b.*|itunes\b.*|apple\s?music.*|youtube\b.*|"
    r"amazon(?:\smusic|\smp3)?|google\splay.*|deezer\b.*|tidal(?:\shifi)?|traxsource\b.*|"
    r"juno(?:\s?download)?|"
    r"soundcloud\b.*|boomkat|napster|pandora|audiomack|vk|vkontakte|yandex.*|instagram|facebook|"
    r"tiktok|twitter|"
    r"mixcloud|hypeddit|toneden|distrokid|tunecore|cd\s?baby|netease.*|qq\smusic|patreon|discogs|"
    r"(?:my|our)\s.*|.*\b(?:platforms?|stores|shops|services|sites|websites|channels|outlets))"
)
_FORMAT: Final = (
    r"(?:limited|edition|double|coloured|colored|heavyweight|vinyl|cds?|cassettes?|tapes?|"
    r"digital(?:ly)?|lp|ep|usb|mp3|wav|"
    r"minidisc|film|dvd|blu\sray|\d{1,2}\s?(?:inch|[”″'])?)"
)
_FORMATS: Final = re.compile(rf"{_FORMAT}(?:\s(?:{_FORMAT}|and|or|&|\+|formats?|only|by|in|on|from)\b.*)?")
_NOT_A_NAME: Final = re.compile(
    r"(?:(?:this|that|these|those|your|his|her|their|its|an?|some|several|many|any|every|various|"
    r"multiple|both)\s|"
    r"the\s(?:same|following|above|\d)|(?:photo|picture|image|artwork|cover|video|design|illustration)s?\s|"
    r"the\s(?:artist|owner|author|producer|composer|band|label)s?\b|(?:infringement|disclaimer|free|"
    r"act|law|notice|claim)\b|"
    r"(?:in|on|by|of|at|to)\s(?:the\b|\d)|provided\sto\b|date\b|creative\scommons|cc\sby|http)"
)
_DATE_WORDS: Final = re.compile(
    rf"(?:{_DATE}|{_TIME}|the|of|in|on|at|and|[ap]m|\d{{1,2}}[ap]m|utc|gmt|est|pst|cet|(?:mon|tue|wed|thu|fri|sat|sun))",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_DETERMINERS: Final = _words("the a an my our your his her their this that these those no all")
_NEVER_FIRST: Final = ("this ", "that ", "these ", "his ", "her ", "their ", "your ", "its ")


def _is_name(name: str) -> bool:
    """Return whether the text can be a label's name in a description."""
    words = name.split()
    if not words or len(words) > _MAX_WORDS or not _is_label(name):
        return False
    if all(_DATE_WORDS.fullmatch(word.strip(".,")) for word in words):
        return False
    plain = " ".join(words).casefold().replace("-", " ").replace('"', "")
    has_label_word = _has_label_word(name)
    is_phrase = words[0].lower() in _DETERMINERS and is_plain(name)
    if (is_phrase or _FORMATS.fullmatch(plain)) and not has_label_word:
        return False
    if _PLACES.fullmatch(plain) and not (plain.startswith("my ") and has_label_word):
        return False
    if plain.startswith("the copyright ") or (_NOT_A_NAME.match(plain) and plain.endswith(" label")):
        return False
    return not _NOT_A_NAME.match(plain) or (
        len(words) > 2 and has_label_word and not plain.startswith(_NEVER_FIRST) and words[0][0].isupper()
    )


def _is_label(name: str) -> bool:
    """Return whether the text is a name, rather than a statement that there is no label."""
    if not 0 < len(name) <= MAX_NAME or not label_key(name) or not any(char.isprintable() for char in name):
        return False
    words = "".join(char if _is_letter(char) else " " for char in _normalise(name)).split()
    if not words:
        return any(char in name for char in "!+?*#") and len(name) > 1 and "?" not in name
    plain = " ".join(words)
    if (
        plain in _GENERIC_PHRASES
        or plain in _SERVICES
        or plain.startswith(("self release", "selfrelease", "www "))
    ):
        return False
    return not all(word in _COMMON_WORDS or _YEAR.fullmatch(word) for word in words)


def _has_label_word(name: str) -> bool:
    """Return whether the name contains a label word after its first word."""
    words = [_bare(word) for word in name.split()]
    return any(word in _LABEL_WORDS or word in _LEGAL_SUFFIXES for word in words[1:]) or any(
        word.endswith(("records", "recordings", *_EAST_ASIAN_WORDS)) for word in words
    )


def _bare(word: str) -> str:
    return word.casefold().strip(".,:;!?()[]\"'’")


# --- fields ----------------------------------------------------------------------------------------

_PUBLISHER_FIELDS: Final = (
    "label", "label_name", "record_label",
    "p_line", "p_line_for_display", "c_line", "c_line_for_display", "publisher",
)  # fmt: skip
_NAME_FIELDS: Final = ("name", "username")
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
_SPACES: Final = re.compile(r"[^\S\n]+")
_BREAKS: Final = re.compile(r"\r\n?|[\u2028\u2029\x85]")


_FIELD_JOINTS: Final = re.compile(rf"{_SLASH}|\s*[|;•·]\s*")
_FIELD_LISTS: Final = (re.compile(r"\s[xX×]\s"), re.compile(r"(?:\s(?:&|\+|and)|,)\s(?!co\b)", re.IGNORECASE))
_FIELD_CUE: Final = re.compile(
    rf"(?:{_LABEL_WORD_OF_LANGUAGES})\s?[:：]\s*|(?:released|out)(?:\snow)?\s(?:by|on|via|through)\s+",
    re.IGNORECASE,
)
_IN_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]+)[)\]]?")
_BRACKET_AFTER: Final = re.compile(r"\s*[(\[][^()\[\]]{0,60}[)\]]?$|(?<=[^(\[])[)\]]$")
_CATALOGUE_NUMBER: Final = re.compile(r"\s+[-–—]\s+[A-Z]{2,10}[ -]?\d{2,5}[A-Z]?$")


def _parse_field(text: str | None) -> Iterator[str]:
    """Yield the names in a field for labels; "X / Y", "X/Y" and "X | Y" are two labels."""
    whole = " ".join(_clean((text or "")[: 4 * MAX_NAME]).split())
    for before in (_FIELD_CUE, _YEARS_BEFORE):
        if match := before.match(whole):
            whole = whole[match.end() :]
    for part in _FIELD_JOINTS.split(_RIGHTS.sub("", whole)):
        for piece in _field_list(part):
            name = _bare_field(piece)
            if _is_label(name):
                yield name


def _field_list(part: str) -> list[str]:
    """Split "A Records x B Records": "x" joins if any name has a label word, "&" if all have one."""
    for joint, enough in zip(_FIELD_LISTS, (any, all), strict=True):
        names = joint.split(part)
        if len(names) > 1 and enough(map(_has_label_word, names)):
            return names
    return [part]


def _bare_field(piece: str) -> str:
    """Return a name without its brackets, catalogue number, link and handle."""
    name = piece.split("http", 1)[0].strip(' ,;:-–—"“”')
    if match := _IN_BRACKETS.fullmatch(name):
        name = match[1]
    name = _CATALOGUE_NUMBER.sub("", _BRACKET_AFTER.sub("", name) or name)
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
    visible = (
        " " if char == "\t" else char
        for char in _BREAKS.sub("\n", _ESCAPES.sub("", text))
        if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    return _SPACES.sub(" ", unicodedata.normalize("NFC", "".join(visible)))
