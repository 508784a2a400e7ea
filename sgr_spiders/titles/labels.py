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
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sgr_spiders.titles.catalogue import names_by_number
from sgr_spiders.titles.services import SERVICES
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
MAX_NAME: Final = 100
"""Maximum length of a label's name; a longer text is not a name."""
_MAX_CUES: Final = 64
_MAX_WINDOW: Final = 240
_MAX_WORDS: Final = 8
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
_OF_LABELS: Final = (
    _LABEL_WORDS | _LEGAL_SUFFIXES | _words("discs discos disques dischi tonträger schallplatten")
)
"""Words that only labels have in their names, whether or not they are part of it."""
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


_Needs = Literal["nothing", "capitals", "label word"]
"""Properties that make a name a label. Capitals count only in a line of both cases."""


class _Cue(NamedTuple):
    pattern: re.Pattern[str]
    needs: _Needs
    among: tuple[str, ...]
    """Texts of which a line contains one if the pattern can match it; searching for them is much faster."""
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
    r"vinyl|cassette|cd|tape|(?:7|10|12)(?:[\"”″]|''|[\s-]?inch)|first|again|next|this|last|week|month|year|early|late|mid|spring|summer|autumn|fall|winter"
)
_WHEN: Final = rf"(?:[\s,]{{1,3}}(?:(?:in|on|the|of)\s){{0,2}}(?:{_DATE}|{_TIME})(?![^\W_])){{0,6}}"
_BY: Final = r"[\s,]{1,3}(?:by|on|via|thru|through|over\ at)\s*:?\s+"
_YEARS: Final = r"(?:(?:19|20)\d\d(?:\s?[-–,&/]\s?(?:(?:19|20)\d\d|\d\d)(?!\d)){0,3}(?!\d)|MM[XVI]{0,7}\b)"
_SIGN: Final = r"(?:\(?[©℗ⓒⓟⒸⓅ]\)?|\([cp]\))"
_SIGNS: Final = rf"{_SIGN}(?:\s{{0,2}}[&+/]?\s{{0,2}}{_SIGN}){{0,2}}"
_LABEL_WORD_OF_LANGUAGES: Final = (
    r"labels?|record\s(?:label|company)|label\sname|netlabel|imprint|plattenfirma|plattenlabel|"
    r"maison\sde\sdisques|"
    r"sello(?:\sdiscogr[aá]fico)?|disquera|discogr[aá]fica|gravadora|selo|etichetta(?:\sdiscografica)?|"
    r"wytw[oó]rnia|wydawca|wydawnictwo|skivbolag|pladeselskab|plateselskap|levy-?(?:merkki|yhtiö)|kiadó|"
    r"vydavatel(?:ství|stvo)?|izdavač|yapım(?:cı)?|plak(?:\sşirketi)?|лейбл|издатель|レーベル|発売元?|厂牌|廠牌|"
    r"唱片公司|레이블사?"
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
_ABROAD_IN_TIME: Final = "|".join(
    rf"(?:{verbs})(?:\s[\w.:,'’]{{1,14}}){{0,7}}?\s(?:{prepositions})"
    for verbs, prepositions in (
        ("erscheint|erschienen|veröffentlicht|kommt|jetzt|raus|vö", "bei|auf|über"),
        ("sort(?:ie?|ira)?|parue?|disponible|dispo|extrait", "chez|sur"),
        ("publicad[oa]|editad[oa]|lanzad[oa]|sale|saldrá|disponible|fuera", "por|en|bajo|vía"),
        ("lançad[oa]|editad[oa]|saiu|sai|disponível", "por|pela|pelo"),
        ("pubblicat[oa]|uscit[oa]|uscita|esce|fuori", "da|su|per"),
        (r"uitgebracht|verschenen|verschijnt|nu\suit", "op|door|bij"),
        (r"wydan[eya]|ukaże\ssię|premiera", "przez|nakładem"),
        ("utgive[nt]|släpp[st]|ute|ude|udgivet|udkommer|utgitt", "av|på|af|via|hos"),
        ("выш(?:ел|ла|ло)|издано?|выпущено?|выходит|релиз", r"на\sлейбле|на"),
    )
)
"""Phrases of other languages for "released on", with up to seven words in between."""


_A_RELEASE: Final = (
    r"available|forthcoming|upcoming|coming(?:\sout|\shome)?|dropping|dropped|drops?|out|ep|lp|album|single|"
    r"compilation|debuts?|release|get\sit|record|mixtape|vinyl|cassette|tape|cs|12\W{0,2}|7\W{0,2}|next|next\sup|new|"
    r"lands?|landing|arrives?|arriving|returns?|returning|back"
)
"""Words before "on Name" that speak of a release."""
_OF_A_RELEASE: Final = (
    "appears?|arrives?|arriving|back|comes?|debuts?|drops?|dropping|grab|home|joins?|landing|lands?|latest|"
    "premieres?|releases?|returns?|returning|signed|signs|taken|tracks?|remixe?s?|vinyl"
)
"""Words before "on … Records" in sentences about a release."""
_RIGHTS_SIGNS: Final = "copyright|©|℗|ⓒ|ⓟ|(c)|(p)"
_TITLE: Final = (
    r"(?:[\"'“‘«„][^\"'”’»“]{1,40}[\"'”’»“]|#?\d{1,3}|(?-i:[A-Z])[\w'’]{0,20}|series|ep|lp|album|single),?"
)
_OF_A_VERSION: Final = (
    "remix|mix|edit|rework|version|dub|feat|ft|live|vip|original|bootleg|flip|extended|instrumental|free|download|dl|"
    "unreleased|prod|official|video|set"
)
_ANY_LABEL_WORD: Final = (
    r"\b(?:(?:my|our|his|her|their|the)\s)?(?:own\s|new\s|legendary\s|record\s|net)?(?:label|imprint)\s"
    r"(?!manager|mates?|boss|head|owner|night|showcase|info|page|site|contact|links?|of\b|twitter|facebook|"
    r"instagram|soundcloud|is|was|that|who|which|and|or|for|to|in)"
)


def _cue(pattern: str, needs: _Needs = "nothing", *, among: str = "", in_prose: bool = True) -> _Cue:
    return _Cue(re.compile(pattern, re.IGNORECASE), needs, tuple(among.split("|")), in_prose)


_ON_IT: Final = "on |via |through |thru "
_CUES: Final = (
    _cue(
        rf"(?:copyright\W{{0,3}})?{_SIGNS}\W{{0,3}}{_YEARS}(?:\s(?:by|von|par|por)\b)?",
        among=_RIGHTS_SIGNS, in_prose=False,
    ),
    _cue(r"(?:copyright\W{0,3})?[©℗](?:\sby\b)?(?!\W{0,3}(?:19|20)\d\d)", among="©|℗", in_prose=False),
    _cue(
        rf"(?:\bcopyright|{_SIGNS})\W{{1,3}}(?=[^.\n]{{2,50}}\s(?:19|20)\d\d\b)", "capitals",
        among=_RIGHTS_SIGNS, in_prose=False,
    ),
    _cue(
        rf"(?:copyright\W{{0,3}})?{_SIGN}(?!\W{{0,3}}(?:19|20)\d\d)", "label word",
        among=_RIGHTS_SIGNS, in_prose=False,
    ),
    _cue(rf"\bcopyright(?:s|ed)?\W{{0,3}}{_YEARS}(?:\sby\b)?", among="copyright", in_prose=False),
    _cue(
        r"(?<!\bof\s)(?<!\bthe\s)\bcopyright(?:ed)?(?:\sby\b|\s?[:：])", among="copyright", in_prose=False
    ),
    _cue(
        rf"(?<![^\W_])(?:{_LABEL_WORD_OF_LANGUAGES})(?:\s?[/&+]\s?\w{{2,12}}){{0,2}}\s?(?:[]:：=|»›→▸►▶➜➤]|//)",
        in_prose=False,
    ),
    _cue(
        rf"^\W{{0,5}}(?:{_LABEL_WORD_OF_LANGUAGES})\s?[-–—]{{1,3}}\s", among="-|–|—", in_prose=False
    ),
    _cue(rf"\b(?:releas|(?:re-?)?issu)(?:ed?|ing|es){_WHEN}{_BY}", among="releas|issu"),
    _cue(
        rf"\breleas(?:ed|es?|ing){_WHEN}\s(?:with|under|at|from|from\sour\sfriends\sat)\s", "label word",
        among="releas",
    ),
    _cue(r"\breleased?\s?[:：]", "label word", among="release", in_prose=False),
    _cue(rf"\bout(?:\s(?:{_TIME}|{_DATE}|on\s(?:{_DATE}))(?![^\W_])){_WHEN}{_BY}", among="out "),
    _cue(r"^\W{0,5}out\s(?:by|via|thru|through|over\sat)\s", among="out "),
    _cue(r"^\W{0,5}out\son\s", "capitals", among="out "),
    _cue(rf"\bout{_WHEN}\s?[-–—|:]\s", "label word", among="out "),
    _cue(r"\b(?:forthcoming|available\snow|now\savailable|coming\ssoon)\s(?:on|via|through)\s", among=_ON_IT),
    _cue(rf"\b(?:{_A_RELEASE})(?:\s{_TITLE})?{_WHEN}\s(?:on|via|through|thru)\s", "capitals", among=_ON_IT),
    _cue(r"\b(?:signed|returns?|returning)\sto\s|\bsigned\swith\s", "capitals", among="sign|return"),
    _cue(r"^\W{0,5}forthcoming:?\s(?!on\b|via\b)", "label word", among="forthcoming"),
    _cue(rf"{_ANY_LABEL_WORD}(?=[\"'“‘«]?(?-i:[A-Z0-9]))", "capitals", among="label|imprint"),
    _cue(
        r"\b(?:on|via|for|from|of|at|by|to)\s(?:\w+['’]s\s|the\s|his\s|her\s|their\s|my\s|our\s)(?:own\s|new\s)?"
        r"(?=[^.,!?()]{2,40}\s(?:label|imprint|family|camp|stable|crew|roster)\b)", "capitals", among=" label| imprint| family| camp| stable| crew| roster",
    ),
    _cue(r"^\W{0,5}an?\s(?=[^.,!?()]{2,40}\srelease\b)", "capitals", among=" release"),
    _cue(
        r"\b(?:first|second|third|latest|newest|next|\d{1,3}(?:st|nd|rd|th))\srelease\s(?:of|from|for)\s",
        "capitals", among=" release ",
    ),
    _cue(
        r"\b(?:ep|lp|album|single|compilation)\b[^()\[\]]{0,60}[(\[](?=[^()\[\]]{2,60}[\s,](?:19|20)\d\d[)\]])",
        "capitals", among="(|[",
    ),
    _cue(
        r"\bpremi[eè]re\s?[:|•–—-][^()\[\]]{1,100}\s[-–—]\s.{1,100}[(\[]"
        rf"(?=[^()\[\]]{{2,60}}[)\]]\W{{0,6}}$)(?![^()\[\]]*\b(?:{_OF_A_VERSION})\b)",
        "capitals", among="premi",
    ),
    _cue(r"\b(?:published\sby|via)\s", "label word", among="published| via "),
    _cue(
        r"\b(?:courtesy\sof|permission\s(?:of|from)|licen[sc]ed?\sto)\s", "label word",
        among="courtesy|permission|licen",
    ),
    _cue(r"\b(?:th(?:is|e)\s)?sound\srecording\sis\sowned\sby\s", among="owned by"),
    _cue(r"\bunder\s(?:an?\s)?(?:exclusive\s)?licen[cs]e\s(?:to|from|by)\s", among="under "),
    _cue(rf"(?<![^\W_])(?:{_ABROAD})\s"),
    _cue(rf"(?<![^\W_])(?:{_ABROAD_IN_TIME})\s", "capitals"),
    _cue(r"\b(?:on|via|through)\s(?=(?-i:[A-Z0-9]))", "label word", among=_ON_IT),
    _cue(r"\b(?:at|from|for)\s(?=(?-i:[A-Z0-9]).{1,40}\srecord(?:ing)?s\b)", "label word", among=" record"),
    _cue(
        rf"\b(?:{_OF_A_RELEASE})\b[^.!?]{{0,40}}?\s(?:on|via|through|to)\s", "label word",
        among=_ON_IT + "| to ",
    ),
)  # fmt: skip
_AMONG: Final = frozenset(cue.among for cue in _CUES)
_LABEL_ALONE: Final = re.compile(
    r"\W{0,5}(?:(?:19|20)\d\d\s)?([A-Z0-9!][^:.,!?()\[\]–—]{1,50}\s(?i:records|recordings|recordz|recs|discs|discos|disques|tapes|collective|tonträger))"
    r"(?:\s(?:presents?|proudly|releases?|welcomes|is\s(?:proud|happy|excited|pleased))\b|"
    r"\W{0,3}(?:#?\d{1,4}|[A-Z]{2,8}[ -]?\d{2,4})?\W{0,3}$)"
)
"""A label's name at the beginning of a line that says no more, or what the label does."""
_BEFORE_CUE: Final = re.compile(
    r"[「『]?([^\s「」『』]{2,40})[」』]?(?:(?:より|から)(?:リリース|発売|配信)|에서\s(?:나왔|나온|발매|출시))"
)
_BEFORE_NO_LABEL: Final = re.compile(
    r"\b(?:no|not|never|non|isn['’]t|wasn['’]t|self|un|photos?|samples?|with|following|previous|past|original)"
    r"[\s:,-]{0,3}$",
    re.IGNORECASE,
)
"""Words before a cue that change its meaning: "no copyright", "self-released by", "with releases on"."""
_BEFORE_OTHER_RIGHTS: Final = re.compile(
    r"\b(?:the|this|our|warning|for|artwork|art|cover|pictures?|images?|lyrics|video|logo|design)[\s:,-]{0,3}$",
    re.IGNORECASE,
)
"""Words before a sign or label word that then refers to something else: "artwork ©", "for labels:"."""
_LOOK_BACK: Final = 16


def _parse_description(description: str | None) -> Iterator[str]:
    text = _LABEL_ABOVE.sub(r"\1: ", _clean((description or "")[:MAX_TEXT]))
    if _COLON_LAST.search(text):
        text = _BROKEN_AFTER_CUE.sub(r"\1 ", text)
    cues = 0
    for line in text.split("\n"):
        found = _find_cues(line)
        cues += len(found)
        if cues > _MAX_CUES:
            return
        for cue, end in found:
            yield from _names_after(line, end, cue)
        if not line.isascii():
            yield from filter(_is_name, _BEFORE_CUE.findall(line))
        if not found and (alone := _LABEL_ALONE.match(line)) and _stands_alone(alone[1]):
            yield alone[1]
        yield from filter(_is_name, names_by_number(line))


def _find_cues(line: str) -> list[tuple[_Cue, int]]:
    """Return a line's cues and their ends, in order; of overlapping ones, the first in ``_CUES``."""
    found: list[tuple[int, int, _Cue | None]] = []
    lowered = line.lower()
    absent = {among for among in _AMONG if not any(map(lowered.__contains__, among))}
    for cue in _CUES:
        if cue.among in absent:
            continue
        for match in cue.pattern.finditer(line):
            if len(found) >= _MAX_CUES:
                break
            start, end = match.span()
            before = line[max(0, start - _LOOK_BACK) : start]
            negated = _BEFORE_NO_LABEL.search(before)
            if not cue.in_prose:
                negated = negated or _BEFORE_OTHER_RIGHTS.search(before)
            if not any(start < stop and begin < end for begin, stop, _ in found):
                found.append((start, end, None if negated else cue))
    return [(cue, end) for _, end, cue in sorted(found, key=lambda cue: cue[0]) if cue is not None]


# --- the end of a name -----------------------------------------------------------------------------

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
    r"\s(?:cat(?:alog(?:ue)?)?(?:[\s.]?(?:no|number|#))?|artists?|title|track|release(?:\sdate)?|date|year|genre|"
    r"style|format|isrc|upc|label)\.?\s?[:：]|"
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
    rf"((?:\b(?:by|on|via|through)|{_LABEL_WORD_OF_LANGUAGES})\s?[:：])[ ]{{0,3}}\n{{1,2}}[ ]{{0,3}}"
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
    rf"\W{{0,3}}(?:(?:copyright|[pc]\s?&\s?[cp])\W{{1,3}})?(?:{_SIGNS}\s{{0,3}}{_YEARS}?|{_YEARS}\s)",
    re.IGNORECASE,
)
_YEARS_AFTER: Final = re.compile(rf"[\s,]+{_YEARS}\W{{0,3}}$")
_DATE_AFTER: Final = re.compile(
    r"[\s,]+(?:\d{1,4}(?:[./-]\d{1,4}){1,2}|(?:19|20)\d\d|(?:7|10|12)[\"”″']|"
    rf"(?:in\s)?(?:{_MONTHS})(?:\s\d{{1,2}}\w{{0,2}})?|(?-i:[A-Z]{{2,10}})[ -]?\d{{2,4}})\W{{0,3}}$",
    re.IGNORECASE,
)
_NUMBER_AFTER: Final = re.compile(r"\s[A-Z]{2,10}[ -]?\d{2,4}\W{0,3}$")
_QUOTES: Final = "\"'“”„‟«»‹›「」『』*_~"
_PARTICLES: Final = _words(
    "vor für pour para con of the and & + de la le les du des da do di del der die das den von van "
    "und y e et for in to x n "
    "'n' 'n og och i и"
)


def _names_after(line: str, end: int, cue: _Cue) -> Iterator[str]:
    """Yield the names after a cue in a description: often one, sometimes none."""
    text = _TERRITORY.sub(" / ", _RIGHTS.sub("", line[end : end + _MAX_WINDOW]))
    text = _cut(text.lstrip(" \t:：-–—=|>'\"").removeprefix("@"))
    for before in (_THE_LABEL, _PRAISE):
        if match := before.match(text):
            text = text[match.end() :]
    has_label_word = _has_label_word(text)
    for part in _listed(text):
        name = _YEARS_AFTER.sub("", part) if not cue.in_prose else part
        for candidate in _around_on(name) if cue.in_prose else (name,):
            trimmed = _trim_end(_end_of_prose(candidate) if cue.in_prose else _NUMBER_AFTER.sub("", candidate))
            if _is_name(trimmed) and (
                cue.needs == "nothing"
                or _has_label_word(trimmed)
                or ("/" in text and has_label_word)
                or (cue.needs == "capitals" and _is_capitalised(trimmed, line))
            ):
                yield trimmed


def _end_of_prose(text: str) -> str:
    """Return the name that a text begins with, without a date, a number and "label" after it."""
    name = _DATE_AFTER.sub("", _first_words(text))
    return name if name.islower() else _LABEL_AFTER.sub("", name)


def _listed(text: str) -> Iterator[str]:
    """Yield the parts of "A / B", "A x B" and "A Records and B Records"."""
    for part in _BETWEEN_NAMES.split(text):
        for piece in _split_if(part, _TIMES, _is_label):
            yield from _split_if(piece, _AND, _has_label_word)


def _split_if(text: str, joint: re.Pattern[str], accepts: Callable[[str], bool]) -> list[str]:
    """Return the pieces of a list, or the whole text if one of the pieces is not accepted."""
    pieces = joint.split(text)
    return pieces if len(pieces) > 1 and all(map(accepts, pieces)) else [text]


def _stands_alone(name: str) -> bool:
    """Return whether a line is a label's name ("Opal Records"), rather than a phrase ("Some Old Records")."""
    kept = [word for word in name.split() if _bare(word) not in _LABEL_WORDS]
    rest = " ".join(kept)
    return (
        _is_name(name)
        and _is_capitalised(name, "")
        and not (is_plain(rest) or _FORMATS.fullmatch(rest.lower()) or kept[0].lower() in _DETERMINERS)
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
    "www|coming soon|forthcoming|currently unsigned|distribution|self|self release|self released|"
    "selfreleased|self published|self produced|independent|indie|"
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
    "auto production|auto produit|auto edition|"
    "selbstveröffentlicht|unabhängig|autoproduction|autoproduit|indépendant|independant|sans label|"
    "autoproducido|autoeditado|independiente|sin sello|autoproduzione|autoprodotto|indipendente|"
    "independente|niezależny|brak|без лейбла|самиздат|независимый|нет|自主制作|"
    "自主レーベル|独立|独立音乐人|独立发行|無|无|인디|없음|unabhaengig|geen|ingen|original|"
    "original mix|the world|world|"
    "kendim|kendi|everything|everyone|anyone|you|us|it|this|that|vinyl digital|digital vinyl"
)
_GENERIC_PHRASES: Final = frozenset(_normalise(phrase) for phrase in _GENERIC.split("|"))
_SERVICES: Final = frozenset(_normalise(phrase) for phrase in SERVICES)
_COMMON_WORDS: Final = (
    _LABEL_WORDS | _LEGAL_SUFFIXES | frozenset(["the", "and", "a", "of", "labels", "our", "my", "copyright"])
)
_LIST: Final = re.compile(r",|\s(?:&|and|und|y|et|e)\s")
_NUMBER: Final = re.compile(r"[A-Z]{2,8}[ -]?(?:0\d{1,3}|\d{3,5})")
"""A catalogue number."""
_STAND_IN: Final = re.compile(r"\d{4,10} records dk", re.IGNORECASE)
"""The stand-in of a distributor for an artist without a label."""
_PLACES: Final = re.compile(
    r"(?:the\s)?(?:all\s.*|every\s.*|most\s.*|major\s.*|digital\s(?:stores|platforms|services).*|"
    r"streaming\b.*|"
    r"stores|shops|platforms|spotify\b.*|beatport\b.*|bandcamp\b.*|itunes\b.*|apple\s?music.*|youtube\b.*|"
    r"amazon(?:\smusic|\smp3)?|google\splay.*|deezer\b.*|tidal(?:\shifi)?|traxsource\b.*|"
    r"juno(?:\s?download)?|"
    r"soundcloud\b.*|boomkat|napster|pandora|audiomack|vk|vkontakte|yandex.*|instagram|facebook|"
    r"tiktok|twitter|"
    r"mixcloud|hypeddit|toneden|distrokid|tunecore|cd\s?baby|netease.*|qq\smusic|patreon|discogs|"
    r"myspace\b.*|steam|netflix|vimeo|ebay|kickstarter|indiegogo|paypal|arte|side\s[a-d]|.*\sканал\w{0,3}|"
    r"ps\d|playstation\b.*|xbox\b.*|nintendo\b.*|bbc\b.*|boiler\sroom\b.*|mixmag\b.*|"
    r".*\b(?:plateformes|plataformas|piattaforme|plattformen|platformach|plattformar|площадках|платформах)\b.*|"
    r".*\b(?:radio\b.*|fm|tv|magazine|festival|podcast|tour|show|stage|channel)|"
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
    r".*\b(?:haven['’]?t|don['’]?t\shave|looking\sfor|searching\sfor)\b|"
    rf"{_WEEKDAYS}\s(?:in|at|on|night)\b|"
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
    plain = " ".join(words).casefold().replace("-", " ").replace('"', "")
    if plain.endswith((" publishing", " publishers")) or all(
        _DATE_WORDS.fullmatch(word.strip(".,")) for word in words
    ):
        return False
    has_label_word = _has_label_word(name)
    is_phrase = words[0].lower() in _DETERMINERS and is_plain(name)
    if (is_phrase or _FORMATS.fullmatch(plain)) and not has_label_word:
        return False
    first_of_list = _LIST.split(plain, 1)[0]
    if _PLACES.fullmatch(first_of_list) and not (plain.startswith("my ") and has_label_word):
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
    if "@" in name or _NUMBER.fullmatch(name) or _STAND_IN.fullmatch(name):
        return False
    words = "".join(char if _is_letter(char) else " " for char in _normalise(name)).split()
    if not words:
        return any(char in name for char in "!+?*#") and len(name) > 1 and "?" not in name
    plain = " ".join(words)
    if (
        plain in _GENERIC_PHRASES
        or plain in _SERVICES
        or plain.startswith(("self release", "selfrelease", "www ", "cc by "))
    ):
        return False
    return not all(word in _COMMON_WORDS or _YEAR.fullmatch(word) for word in words)


def _has_label_word(name: str) -> bool:
    """Return whether the name contains a label word after its first word."""
    words = [_bare(word) for word in name.split()]
    return not _OF_LABELS.isdisjoint(words[1:]) or any(
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
_FIELD_CUE: Final = re.compile(
    rf"(?:{_LABEL_WORD_OF_LANGUAGES})\s?[:：]\s*|cat\.?\s?no\.?\s?\S+\s|"
    r"(?:released|out|available|forthcoming|coming)(?:\s(?:now|soon))?(?:\s(?:by|on|via|through)|:)?\s+|"
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
    for before in (_FIELD_CUE, _YEARS_BEFORE):
        if match := before.match(whole):
            whole = whole[match.end() :]
    for between in (_FOR_TERRITORY, _TERRITORY):
        whole = between.sub(" / ", whole)
    for part in _FIELD_JOINTS.split(_RIGHTS.sub("", whole)):
        for piece in _split_commas(part):
            for name in map(_bare_field, _listed(piece)):
                if _is_label(name):
                    yield name


def _split_commas(text: str) -> list[str]:
    """Return the pieces of "A, B & C", or the whole text if one of them is longer than a name."""
    pieces = _split_if(text, _COMMAS, _is_short_label)
    return [*pieces[:-1], *_split_if(pieces[-1], _AND, _is_label)] if len(pieces) > 1 else pieces


def _is_short_label(name: str) -> bool:
    return _is_label(name) and len(name.split()) <= _MAX_LISTED


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
