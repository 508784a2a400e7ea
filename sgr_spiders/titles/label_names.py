"""Which texts can be the name of a label."""

# ruff: noqa: RUF001 - phrases in many languages
from __future__ import annotations

import re
from typing import Final

from sgr_spiders.titles.label_cues import DATE, TIME, WEEKDAYS
from sgr_spiders.titles.label_keys import (
    EAST_ASIAN_WORDS,
    LABEL_WORDS,
    LEGAL_SUFFIXES,
    MAX_NAME,
    OF_LABELS,
    is_letter,
    label_key,
    normalise,
    word_set,
)
from sgr_spiders.titles.services import SERVICES
from sgr_spiders.titles.subjects import is_plain

MAX_WORDS: Final = 8

_GENERIC: Final = (
    "by myself|our own|label wanted|soon|exclusive|free dl|vinyl|digital|cd|ep|lp|cassette|none yet|not yet|"
    "promo only|demo|demos|bootleg|remix|mixtape|single|album|beats|copyright control|cc0|"
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
    "sem gravadora|sem selo|senza etichetta|ohne label|kein label|zonder label|bez wytwórni|własnym|"
    "not signed|no label yet|no label needed|own production|own music|selbstvertrieb|net label|multiple|"
    "multiple labels|unreleased dub|unreleased track|unreleased music|free ep|free lp|free album|free single|"
    "free track|same as artist|see description|see below|"
    "zelf uitgebracht|eigen beheer|in eigen beheer|egenutgivet|egenutgivelse|omakustanne|wydanie własne|"
    "własny nakład|nakład własny|vlastní náklad|vlastním nákladem|saját kiadás|szerzői kiadás|"
    "edição de autor|edição própria|auto edición|autoedición|autoédition|auto produzione|самоиздание|"
    "kendim|kendi|everything|everyone|anyone|you|us|it|this|that|vinyl digital|digital vinyl"
)
_GENERIC_PHRASES: Final = frozenset(normalise(phrase) for phrase in _GENERIC.split("|"))
_SERVICES: Final = frozenset(normalise(phrase) for phrase in SERVICES)
_COMMON_WORDS: Final = (
    LABEL_WORDS | LEGAL_SUFFIXES | frozenset(["the", "and", "a", "of", "labels", "our", "my", "copyright"])
)
_LIST: Final = re.compile(r",|\s(?:&|and|und|y|et|e)\s")
_NUMBER: Final = re.compile(r"[A-Z]{2,8}[ -]?(?:0\d{1,3}|\d{3,5})")
"""A catalogue number."""
_STAND_IN: Final = re.compile(r"\d{4,10} records dk", re.IGNORECASE)
"""The stand-in of a distributor for an artist without a label."""
_PLACES: Final = re.compile(
    r"(?:the\s)?(?:all\s.*|every\s.*|most\s.*|major\s.*|digital\s(?:stores|platforms|services).*|"
    r"streaming\b.*|"
    r"stores|shops|platforms|spotify\b.*|beatport\b.*|bandcamp\b.*|itunes\b.*|apple\s?music.*|youtube\b.*|stitcher|twitch|internet|nts\b.*|deutsch|englisch|platz\s\d.*|"
    r"amazon(?:\smusic|\smp3)?|google\splay.*|deezer\b.*|tidal(?:\shifi)?|traxsource\b.*|"
    r"juno(?:\s?download)?|"
    r"soundcloud\b.*|boomkat|napster|pandora|audiomack|vk|vkontakte|yandex.*|instagram|facebook|"
    r"tiktok|twitter|"
    r"mixcloud|hypeddit|toneden|distrokid|tunecore|cd\s?baby|netease.*|qq\smusic|patreon|discogs|"
    r"myspace\b.*|steam|netflix|vimeo|ebay|kickstarter|gumroad|indiegogo|paypal|arte|side\s[a-d]|.*\sканал\w{0,3}|"
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
FORMATS: Final = re.compile(rf"{_FORMAT}(?:\s(?:{_FORMAT}|and|or|&|\+|formats?|only|by|in|on|from)(?!\w).*)?")
_NOT_A_NAME: Final = re.compile(
    r"(?:(?:this|that|these|those|your|his|her|their|its|an?|some|several|many|any|every|various|"
    r"multiple|both)\s|"
    r"the\s(?:same|following|above|\d)|(?:photo|picture|image|artwork|cover|video|design|illustration)s?\s|"
    r"the\s(?:artist|owner|author|producer|composer|band|label)s?\b|(?:infringement|disclaimer|free|"
    r"act|law|notice|claim)\b|"
    r".*\b(?:haven['’]?t|don['’]?t\shave|looking\sfor|searching\sfor)\b|"
    rf"{WEEKDAYS}\s(?:in|at|on|night)\b|"
    r"(?:in|on|by|of|at|to)\s(?:the\b|\d)|provided\sto\b|date\b|creative\scommons|cc\sby|http)"
)
_DATE_WORDS: Final = re.compile(
    rf"(?:{DATE}|{TIME}|the|of|in|on|at|and|[ap]m|\d{{1,2}}[ap]m|utc|gmt|est|pst|cet|(?:mon|tue|wed|thu|fri|sat|sun))",
    re.IGNORECASE,
)
_PUBLISHER: Final = re.compile(r".+ (?:publishing|publishers)(?: (?:ltd|limited|llc|inc|gmbh|co|corp))?")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
DETERMINERS: Final = word_set("the a an my our your his her their this that these those no all")
_NEVER_FIRST: Final = ("this ", "that ", "these ", "his ", "her ", "their ", "your ", "its ")


def is_name(name: str) -> bool:
    """Return whether the text can be a label's name in a description."""
    words = name.split()
    if not words or len(words) > MAX_WORDS or not is_label(name):
        return False
    plain = " ".join(words).casefold().replace("-", " ").replace('"', "")
    if all(_DATE_WORDS.fullmatch(word.strip(".,")) for word in words):
        return False
    is_marked = has_label_word(name)
    is_phrase = words[0].lower() in DETERMINERS and is_plain(name)
    if (is_phrase or FORMATS.fullmatch(plain)) and not is_marked:
        return False
    first_of_list = _LIST.split(plain, 1)[0]
    if _PLACES.fullmatch(first_of_list) and not (plain.startswith("my ") and is_marked):
        return False
    if plain.startswith("the copyright ") or (_NOT_A_NAME.match(plain) and plain.endswith(" label")):
        return False
    return not _NOT_A_NAME.match(plain) or (
        len(words) > 2 and is_marked and not plain.startswith(_NEVER_FIRST) and words[0][0].isupper()
    )


def is_label(name: str) -> bool:
    """Return whether the text is a name, rather than a publisher or a statement that there is no label."""
    if not 0 < len(name) <= MAX_NAME or not label_key(name) or not any(char.isprintable() for char in name):
        return False
    if "@" in name or _NUMBER.fullmatch(name) or _STAND_IN.fullmatch(name):
        return False
    words = "".join(char if is_letter(char) else " " for char in normalise(name)).split()
    if not words:
        return any(char in name for char in "!+?*#") and len(name) > 1 and "?" not in name
    plain = " ".join(words)
    if (
        plain in _GENERIC_PHRASES
        or plain in _SERVICES
        or plain.startswith(
            (
                "self release",
                "selfrelease",
                "www ",
                "cc by ",
                "creative commons ",
                "looking for ",
                "open for ",
                "any label ",
            )
        )
        or _PUBLISHER.fullmatch(plain)
    ):
        return False
    return not all(word in _COMMON_WORDS or _YEAR.fullmatch(word) for word in words)


def has_label_word(name: str) -> bool:
    """Return whether the name contains a label word after its first word."""
    words = [bare(word) for word in name.split()]
    return not OF_LABELS.isdisjoint(words[1:]) or any(
        word.endswith(("records", "recordings", *EAST_ASIAN_WORDS)) for word in words
    )


def bare(word: str) -> str:
    return word.casefold().strip(".,:;!?()[]\"'’")
