"""Words before a label in a description, such as "released by", "℗ 2020" and "Label:".

A cue that often means something else ("available on") needs more of the name: capitals, in a line of both
cases, or a label word ("… Records").
"""

# ruff: noqa: RUF001 - phrases in many languages
from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from sgr_spiders.titles.label_languages import (
    A_LABEL_ABROAD,
    A_LABEL_ABROAD_HAS,
    RELEASED_ABROAD,
    RELEASED_ABROAD_HAS,
    RELEASED_ABROAD_IN_TIME,
    RELEASED_ABROAD_IN_TIME_HAS,
    WORDS_FOR_LABEL,
)

MAX_CUES: Final = 64


_Needs = Literal["nothing", "capitals", "label word"]
"""Properties that make a name a label. Capitals count only in a line of both cases."""


class Cue(NamedTuple):
    pattern: re.Pattern[str]
    needs: _Needs
    among: tuple[str, ...]
    """Texts of which a line contains one if the pattern can match it; searching for them is much faster."""
    in_prose: bool
    """True if a sentence may continue after the name."""


MONTHS: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
WEEKDAYS: Final = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
DATE: Final = (
    rf"(?:{MONTHS})\.?|{WEEKDAYS}|\d{{1,4}}(?:[./-]\d{{1,4}}){{1,2}}\.?|\d{{1,2}}(?:st|nd|rd|th|\.)?|"
    r"(?:19|20)\d\d"
)
TIME: Final = (
    r"now|today|tonight|tomorrow|yesterday|soon|everywhere|worldwide|digitally|exclusively|"
    r"officially|originally|"
    r"vinyl|cassette|cd|tape|(?:7|10|12)(?:[\"”″]|''|[\s-]?inch)|first|again|next|this|last|week|month|year|early|late|mid|spring|summer|autumn|fall|winter"
)
_WHEN: Final = rf"(?:[\s,]{{1,3}}(?:(?:in|on|the|of)\s){{0,2}}(?:{DATE}|{TIME})(?![^\W_])){{0,6}}"
_BY: Final = r"[\s,]{1,3}(?:by|on|via|thru|through|over\ at)\s*:?\s+"
YEARS: Final = r"(?:(?:19|20)\d\d(?:\s?[-–,&/]\s?(?:(?:19|20)\d\d|\d\d)(?!\d)){0,3}(?!\d)|MM[XVI]{0,7}\b)"
SIGN: Final = r"(?:\(?[©℗ⓒⓟⒸⓅ]\)?|\([cp]\))"
SIGNS: Final = rf"{SIGN}(?:\s{{0,2}}[&+/]?\s{{0,2}}{SIGN}){{0,2}}"
_A_RELEASE: Final = (
    r"available|forthcoming|upcoming|coming(?:\sout|\shome)?|dropping|dropped|drops?|out|ep|lp|album|single|"
    r"compilation|debuts?|release|re-?issue|re-?press|get\sit|record|mixtape|vinyl|cassette|tape|cs|12\W{0,2}|7\W{0,2}|next|next\sup|new|"
    r"lands?|landing|arrives?|arriving|returns?|returning"
)
"""Words before "on Name" that speak of a release."""
_RIGHTS_SIGNS: Final = "copyright|©|℗|ⓒ|ⓟ|(c)|(p)"
_TITLE: Final = (
    r"(?:[\"'“‘«„][^\"'”’»“]{1,40}[\"'”’»“]|#?\d{1,3}|(?-i:[A-Z])[\w'’]{0,20}|series|ep|lp|album|single),?"
)
_OF_A_VERSION: Final = (
    "remix|mix|edit|rework|version|dub|feat|ft|live|vip|original|bootleg|flip|extended|instrumental|free|download|dl|"
    "unreleased|prod|official|video|set|remixes|part|pt|vol|volume|side|sampler|snippets?|previews?|clips?"
)
_ANY_LABEL_WORD: Final = (
    r"\b(?:(?:my|our|his|her|their|the)\s)?(?:own\s|new\s|legendary\s|record\s|net)?(?:label|imprint)\s"
    r"(?:called\s|named\s)?"
    r"(?!group|manager|mates?|boss|head|owner|night|showcase|info|page|site|contact|links?|of\b|twitter|facebook|"
    r"instagram|soundcloud|is|was|that|who|which|and|or|for|to|in)"
)


def _cue(pattern: str, needs: _Needs = "nothing", *, among: str = "", in_prose: bool = True) -> Cue:
    return Cue(re.compile(pattern, re.IGNORECASE), needs, tuple(among.split("|")), in_prose)


_ON_IT: Final = "on |via |through |thru "
_CUES: Final = (
    _cue(
        rf"(?:copyright\W{{0,3}})?{SIGNS}\W{{0,3}}{YEARS}(?:\s(?:by|von|par|por)\b)?",
        among=_RIGHTS_SIGNS, in_prose=False,
    ),
    _cue(r"(?:copyright\W{0,3})?[©℗](?:\sby\b)?(?!\W{0,3}(?:19|20)\d\d)", among="©|℗", in_prose=False),
    _cue(
        rf"(?:\bcopyright|{SIGNS})\W{{1,3}}(?=[^.\n]{{2,50}}\s(?:19|20)\d\d\b)", "capitals",
        among=_RIGHTS_SIGNS, in_prose=False,
    ),
    _cue(
        rf"(?:copyright\W{{0,3}})?{SIGN}(?!\W{{0,3}}(?:19|20)\d\d)", "label word",
        among=_RIGHTS_SIGNS, in_prose=False,
    ),
    _cue(rf"\bcopyright(?:s|ed)?\W{{0,3}}{YEARS}(?:\sby\b)?", among="copyright", in_prose=False),
    _cue(
        r"(?<!\bof\s)(?<!\bthe\s)\bcopyright(?:ed)?(?:\sby\b|\s?[:：])", among="copyright", in_prose=False
    ),
    _cue(
        rf"(?<![^\W_])(?:{WORDS_FOR_LABEL})(?:\s?[/&+]\s?\w{{2,12}}){{0,2}}\s?(?:[]:：=|»›→▸►▶➜➤]|//|-{{1,2}}>)",
        among="]|:|：|=|»|›|→|▸|►|▶|➜|➤|//|->", in_prose=False,
    ),
    _cue(
        rf"^\W{{0,5}}(?:{WORDS_FOR_LABEL})\s?[-–—]{{1,3}}\s", among="-|–|—", in_prose=False
    ),
    _cue(rf"\b(?:releas|(?:re-?)?issu)(?:ed?|ing|es){_WHEN}{_BY}", among="releas|issu"),
    _cue(
        rf"\breleas(?:ed|es?|ing){_WHEN}\s(?:with|at|from|from\sour\sfriends\sat)\s", "label word",
        among="releas",
    ),
    _cue(
        rf"\breleas(?:ed|es?|ing){_WHEN}\sunder\s(?![^.,]{{0,30}}\b(?:alias|moniker|name|pseudonym|licen[cs]e)\b)",
        "capitals", among="releas",
    ),
    _cue(
        r"\b(?:released?|lançamento|lanzamiento|релиз)\s?[:：]", "label word",
        among="release|lançamento|lanzamiento|релиз", in_prose=False,
    ),
    _cue(rf"\bout(?:\s(?:{TIME}|{DATE}|on\s(?:{DATE}))(?![^\W_])){_WHEN}{_BY}", among="out "),
    _cue(r"^\W{0,5}out\s(?:by|via|thru|through|over\sat)\s", among="out "),
    _cue(rf"\bout{_WHEN}\s?[-–—|:]\s", "label word", among="out "),
    _cue(r"\b(?:forthcoming|available\snow|now\savailable|coming\ssoon)\s(?:on|via|through)\s", among=_ON_IT),
    _cue(rf"\b(?:{_A_RELEASE})(?:\s{_TITLE})?{_WHEN}\s(?:on|via|through|thru)\s", "capitals", among=_ON_IT),
    _cue(
        r"\b(?:to|join(?:s|ed|ing)?)\sthe\s(?=(?-i:[A-Z0-9])[^.,!?()]{1,40}\s(?:family|roster|crew|camp|stable|fold)\b)",
        "capitals", among=" family| roster| crew| camp| stable| fold",
    ),
    _cue(
        r"\b(?:signed(?:\sthis\sone)?|returns?|returning)\sto:?\s|\bsigned\swith\s", "capitals",
        among="sign|return",
    ),
    _cue(r"^\W{0,5}forthcoming:?\s(?!on\b|via\b)", "label word", among="forthcoming"),
    _cue(rf"{_ANY_LABEL_WORD}(?=[\"'“‘«]?(?-i:[A-Z0-9]))", "capitals", among="label|imprint"),
    _cue(
        r"\b(?:on|via|for|from|of|at|by|to|in)\s(?:\w+['’]s\s|the\s|his\s|her\s|their\s|my\s|our\s)?(?:own\s|new\s)?"
        r"(?=(?-i:[A-Z0-9])[^.,!?()]{1,40}\s(?:(?:net)?label|imprint|camp|stable|roster)\b(?!\s(?-i:[A-Z])))",
        "capitals",
        among=" label|netlabel| imprint| camp| stable| roster",
    ),
    _cue(r"^\W{0,5}an?\s(?=[^.,!?()]{2,40}\srelease\b)", "capitals", among=" release"),
    _cue(
        r"\b(?:first|second|third|latest|newest|next|\d{1,3}(?:st|nd|rd|th))\srelease\s(?:of|from|for)\s",
        "capitals", among=" release ",
    ),
    _cue(
        r"\b(?:ep|lp|album|single|compilation)\b[^()\[\]]{0,60}[(\[](?=[^()\[\]]{2,60}[\s,](?:(?:19|20)\d\d|record(?:ing)?s[^()\[\]]{0,6})[)\]])",
        "capitals", among="(|[",
    ),
    _cue(
        r"\b(?:ep|lp|12\W{0,2})\s[(\[](?=[^()\[\]]{2,40}[)\]])"
        rf"(?![^()\[\]]*\b(?:{_OF_A_VERSION})\b)",
        "capitals", among="(|[",
    ),
    _cue(
        rf"[\"”’'],\s(?=(?-i:[A-Z0-9])[^,.()]{{2,40}},?\s(?:(?:{MONTHS})\s)?(?:19|20)\d\d)", "capitals",
        among="\"|”|’|'",
    ),
    _cue(
        r"\bpremi[eè]re\s?[:|•–—-][^()\[\]]{1,100}\s[-–—]\s.{1,100}[(\[]"
        rf"(?=[^()\[\]]{{2,60}}[)\]]\W{{0,6}}$)(?![^()\[\]]*\b(?:{_OF_A_VERSION})\b)",
        "capitals", among="premi",
    ),
    _cue(
        r"\b(?:courtesy\sof|permission\s(?:of|from)|arrangement\swith|licen[sc]ed(?:\sexclusively)?\s(?:to|by))\s",
        "label word", among="courtesy|permission|arrangement|licen",
    ),
    _cue(r"\b(?:th(?:is|e)\s)?sound\srecording\sis\sowned\sby\s", among="owned by"),
    _cue(
        r"\b(?:rights\sreserved\sby|(?:masters?|rights|recordings?)\s(?:is\s|are\s)?owned\sby|property\sof)\s",
        "capitals", among="reserved by|owned by|property of",
    ),
    _cue(r"\bunder\s(?:an?\s)?(?:exclusive\s)?licen[cs]e\s(?:to|from|by)\s", among="under "),
    _cue(
        rf"(?<![^\W_])(?:{RELEASED_ABROAD})\s(?!(?:el|le|o|il)\s(?:sello|label|selo)\b)",
        among=RELEASED_ABROAD_HAS,
    ),
    _cue(rf"(?<![^\W_])(?:{RELEASED_ABROAD_IN_TIME})\s", "capitals", among=RELEASED_ABROAD_IN_TIME_HAS),
    _cue(A_LABEL_ABROAD, "capitals", among=A_LABEL_ABROAD_HAS),
    _cue(r"\b(?:available|order)\s(?:now\s)?from\s", "capitals", among="available|order"),
    _cue(
        r"\b(?:debut|debut\s\w{1,8}|ep|lp|12\W{0,2}|release|"
        r"(?:first|second|third|fourth|fifth|next|latest|new)\s(?:album|single|record))\sfor\s",
        "capitals", among=" for ",
    ),
    _cue(r"\bmusic\sprovided\sby\s", "capitals", among="provided by"),
    _cue(
        r"\b(?:on|via|through|auf|bei|für|chez|pour|su|per|på|hos|op|bij|con|por|para|pela|na|на)\s(?=(?-i:[A-Z0-9А-Я]))",
        "label word", among="rec|mu|tape|coll|label|dis|рек|муз|лейбл",
    ),
    _cue(
        r"(?<!mastered\s)(?<!recorded\s)(?<!mixed\s)(?<!bought\s)(?<!buy\s)(?<!buy\sit\s)(?<!artwork\s)"
        r"(?<!contest\s)\b(?:at|from|for|"
        r"(?:brought\sto\syou|presented|exclusive|restored|reissued|pressed|digital|dl|cassette|tape|vinyl)\sby)\s"
        r"(?=(?-i:[A-Z0-9]).{1,40}\s(?:record(?:ing)?s|tapes)\b)",
        "label word", among=" record| tapes",
    ),
)  # fmt: skip
_AMONG: Final = tuple({text for cue in _CUES for text in cue.among})
_IS_PROUD: Final = r"(?:is|are)\s(?:very\s|so\s)?(?:proud|happy|excited|pleased|delighted|thrilled|honou?red)"
LABEL_ALONE: Final = re.compile(
    r"\W{0,5}(?:(?:19|20)\d\d\s)?(?!(?i:\w+ed|buy|bought|artwork|contest)\s(?i:at|from|for)\s)"
    r"([A-Z0-9!][^:.,!?()\[\]–—]{1,50}\s"
    r"(?i:records|recordings|recordz|recs|discs|discos|disques|tapes|collective|tonträger))"
    rf"(?:\s(?:presents?|präsentiert|présente|presenta|apresenta|proudly|releases?|will\srelease|welcomes|{_IS_PROUD})\b|"
    r"\W{0,3}(?:#?\d{1,4}|[A-Z]{2,8}[ -]?\d{2,4})?\W{0,3}$)"
)
"""A label's name at the beginning of a line that says no more, or what the label does."""
LABEL_SPEAKS: Final = re.compile(
    r"\W{0,5}(?:[\w-]{2,20}['’]s\s)?(?!(?i:dj|mc)\s)((?:[A-Z0-9!][\w'’&.+-]{1,20}\s){1,4})"
    rf"(?:(?:proudly\s)?(?:presents?|welcomes)|{_IS_PROUD}\sto\s(?:present|announce|welcome|release|introduce)|returns\swith\sits)"
    r"\b.{0,100}\b(?:(?:(?i:ep|lp)|album|single|release|record|cassette|compilation|reissue)\b.{0,40}\s(?:by|from|of)\s(?:[a-z]{2,12}\s){0,2}[A-Z]|"
    r"to\s(?:the|its|their|our)\s(?:label|roster|imprint|family)\b|back\b.{0,40}\b(?i:ep|lp)\b|for\s[A-Z]{2,8}\d{2,4}\b)"
)
"""A sentence on a label that presents somebody's record: "Dekmantel welcomes Rue back for the “Dusk” EP"."""
NAME_BEFORE: Final = re.compile(
    r"[「『]?([^\s「」『』]{2,40})[」』]?(?:(?:より|から)(?:リリース|発売|配信)|에서\s(?:나왔|나온|발매|출시))"
)
_BEFORE_NO_LABEL: Final = re.compile(
    r"\b(?:no|not|never|non|isn['’]t|wasn['’]t|self|un|photos?|samples?|with|following|after|earlier|previous(?:ly)?|past|original)"
    r"[\s:,-]{0,3}$",
    re.IGNORECASE,
)
"""Words before a cue that change its meaning: "no copyright", "self-released by", "with releases on"."""
_BEFORE_OTHER_RIGHTS: Final = re.compile(
    r"\b(?:the|this|our|warning|for|artwork|art|cover|pictures?|images?|lyrics|video|logo|design|your(?:\s\w{2,12})?)[\s:,-]{0,3}$",
    re.IGNORECASE,
)
"""Words before a sign or label word that then refers to something else: "artwork ©", "for labels:"."""
_LOOK_BACK: Final = 16


def find_cues(line: str) -> list[tuple[Cue, int]]:
    """Return a line's cues and their ends, in order; of overlapping ones, the first in ``_CUES``."""
    found: list[tuple[int, int, Cue | None]] = []
    lowered = line.lower()
    present = {text for text in _AMONG if text in lowered}
    for cue in _CUES:
        if present.isdisjoint(cue.among):
            continue
        for match in cue.pattern.finditer(line):
            if len(found) >= MAX_CUES:
                break
            start, end = match.span()
            before = line[max(0, start - _LOOK_BACK) : start]
            negated = _BEFORE_NO_LABEL.search(before)
            if not cue.in_prose:
                negated = negated or _BEFORE_OTHER_RIGHTS.search(before)
            if not any(start < stop and begin < end for begin, stop, _ in found):
                found.append((start, end, None if negated else cue))
    return [(cue, end) for _, end, cue in sorted(found, key=lambda cue: cue[0]) if cue is not None]
