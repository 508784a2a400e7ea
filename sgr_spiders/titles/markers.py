"""The marks of a credit ("feat.", "prod. by", "remix by") and the names that follow them."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001
# Word lists read better as text.
# ruff: noqa: SIM905

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal

from sgr_spiders.titles.brackets import GAP, Part
from sgr_spiders.titles.english import is_english
from sgr_spiders.titles.generic import GENERIC, OPENERS, REMIX_KINDS, bare, is_generic, is_nobody
from sgr_spiders.titles.names import key, split_names
from sgr_spiders.titles.performers import ends_with_known
from sgr_spiders.titles.stopwords import STOP_WORDS
from sgr_spiders.titles.subjects import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["featured", "remixers", "producers"]

ROLES: Final = (
    r"(?:co-?)?(?:written|composed|recorded|performed|arranged|engineered|mixed|mastered|remastered|lyrics|words|"
    r"music|directed|shot|filmed|edited|played|sung|vocals|voice|artwork|cover|video|guitar|bass|drums|keys|piano|"
    r"photo|photography|design|animation|visuals|mixing|mastering|mix|master|beat|beats|songs?|tracks?|all)"
)
AND: Final = r"(?:[ ]?(?:,|&|\+|/|\band\b)){1,2}[ ]?"
_FOREIGN_BY: Final = r"(?-i: (?: von | par | por )\b | (?: da | de | от ) (?=[ ][^\W\d_a-zа-я]) )"
_BY: Final = rf"by\b | w/ | with\b | {_FOREIGN_BY}"
_MARKER: Final = re.compile(
    rf"""
    (?P<producers>
        (?<!\w) (?: co-? | re-? | exec(?:utive)?[ ] )? (?:
            prod (?: uced | uction | s | u[cz]id[oa] | uit | ott[oa] | uziert )? \.?
                (?: {AND} {ROLES} ){{0,5}} [ ]? (?: {_BY} ) [ ]? :?
          | prods? (?: \. | [ ]?: | / | [ ][-–](?=[ ]) ) (?: {AND} {ROLES} ){{0,5}}
          | production [ ]?:
          | producers? (?: [ ]?: | [ ][-–][ ] )
          | прод (?: юсер | акшн )? (?: [ ]by\b | \. (?:[ ]?by\b)? | [ ]?: | (?=[ ]\w) )
        )
      | (?<!\w) (?<!prod[ ]) (?<!prod\.[ ]) (?<!by[ ]) beats? [ ]? (?: by\b | : )
      | (?<!\w) instrumental [ ] by\b
      | (?<!\S) (?-i:p)\. (?: [ ]?by\b )? (?=[ ]?[^\W\d]{{2}})
    )
  | (?P<bare_producers> (?<!\w) prod (?=[ ]) | (?<!\w) produced (?=[ ]\w) )
  | (?P<remixers>
        (?<!\w) (?: re-?mix(?:ed|es)? | rmx | edit | flip(?:ped)? | bootleg(?:ged)? | re-?work(?:ed)? | blend
                  | re-?imagined | dub | re-?fix(?:ed)? | mash-?up | re-?edit(?:ed)? | redrum | vip | ремикс
                  | (?: club | dub | extended | radio | vocal )[ ]mix )
            (?: [ ] (?:19|20)\d\d )? [ ] (?: by\b | {_FOREIGN_BY} ) [ ]? :?
      | (?<!\w) remixes[ ]from\b | (?<!\w) remix(?:ers?|es)? [ ]?:
    )
  | (?P<featured>
        (?<!\w) (?: featuring | feat[.．]? (?![ ]of\b) | ft[.．]? | f/ | w/ (?!o\b) | (?-i:[fw])\.(?=[ ]?\w\w)
                  | starring | part\.(?:[ ]?esp(?:ecial\b|\.))? (?![ ]?(?:\d|[ivx]+\b))
                  | при[ ]уч(?:астии\b|\.)(?=[ ]?[a-z\d]) | фи?т[.] )
        (?: (?<=\W) | (?=\W) ) [ ]? :? (?: [ ]? (?:the[ ])? (?:vocals?|voices?) [ ] (?:by|from|of)\b )?
    )
  | (?P<voices> (?<!\w) (?: (?:additional|guest|lead)[ ] )?
        (?: vocals? | vox | voice | verse | hook | bars | rap | sung ) [ ]? (?: by\b | from\b | : )
    )
  | (?P<plus> (?: ^[ ]?\+{{1,9}}[ ]? | ^[ ]?(?-i:[x×])[ ] | (?<=\s)\+{{1,9}} ) (?=[^\W\d]) )
  | (?P<bare_featured> (?<!\w) (?:
        (?: (?:together|along|collab(?:oration)?|duet)[ ] )? with
      | (?-i: w | con | com | avec | mit | med | مع | (?:вместе[ ])?с (?=[ ][A-Za-z\d]) )
    ) (?=[ ]) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ARTICLE: Final = re.compile(r"\b(?:a|the) $", re.IGNORECASE)
_DETERMINER: Final = re.compile(
    r"\b(?:a|another|best|every|first|free|her|his|last|latest|more|my|new|next|no|old|our|the|their|"
    r"this|your) $",
    re.IGNORECASE,
)
_MEASURE: Final = re.compile(
    r"\s?(?:above|apart|away|below|deep|down|from|high|in|long|of|tall|under|up|wide)\b", re.IGNORECASE
)
_STOP: Final = re.compile(
    rf"""
    {GAP} (?![ ]?[,&+])
  | [ ] [-–—|~•·/\\_>→]+ (?=[ ]|$) | [|"“”„«»「」『』\n] | // | [ ]:: | [ ]?https?:// | [ ]?www\. | [ ]\#
  | (?<![\w-]) (?! (?<!\w[ ]) beats[ ]by\b )
    {ROLES} (?: {AND} (?: {ROLES} | produced ) ){{0,5}} [ ] (?:by\b|:)
  | [ ] (?: dir | mix | mast )\.[ ] | ,[ ] (?: mix | master | mastering )[ ]
  | [ ]<3 | [ ] (?-i: aka[ ] | from [ ] (?=[^\W\d_a-z]) )
  | [ ]\d{{2,3}}[ ]?bpm\b
  | [ ] (?: @[ ] | out[ ]now | out[ ]on | now[ ]available | available[ ] | free[ ](?:download|dl)
          | (?:lyrics?[ ]|music[ ])?video[ ]in[ ] | vid[ ]in[ ] | cover[ ]by\b | live[ ](?:at|from|in|on)[ ] )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PROSE: Final = re.compile(
    r" (?:about|after|and I|are|as|at|because|but|during|exclusively|for|from|has|he|in|is|it|on|she|so|that|"
    r"they|using|via|was|we|were|when|where|which|while|who|whose|with|you) |(?<=\w\w\w\w)[.] |[!?;]( |$)"
)
_UPLOAD_WORDS: Final = frozenset(
    "acapella acappella acoustic audio boosted clip cover demo freestyle hd hq instrumental karaoke "
    "leak live lyric lyrics m/v mv nightcore official performance preview remake remaster remastered "
    "remix reverb session slowed snippet sped teaser unmastered unreleased version video visualiser "
    "visualizer".split()
)
"""Last words of a title on the kind of upload, which follow a guest's name: "ft. Name Official Video"."""
_BEFORE_UPLOAD_WORDS: Final = frozenset(
    "& + 4k 8d and bass clean club dub edit explicit extended final full guitar long metal mix music "
    "new original piano radio rock short studio tiktok ukulele up violin vip vocal".split()
)
_UPLOAD_DATE: Final = re.compile(r"20\d\d|\d{2,3} ?bpm", re.IGNORECASE)
_FEW_WORDS: Final = 5
_OWNERS: Final = frozenset({"her", "his", "my", "our", "their", "your"})
_FOREIGN_WORDS: Final = frozenset(word for words in STOP_WORDS.values() for word in words.split())
_GIVEN_NAME: Final = re.compile(
    r"(?:^|[,&])[ ]?[^\W\d_]{2,20}( [-–—] )(?=([^\W\d_]{2,20}(?: [^\W\d_]{2,20})?)$)"
)
"""A given name with a dash, "Anna - Lena Somebody", at the end of a bracket."""
_KEPT_DASH: Final = "\ue000"
_KEPT_QUOTE: Final = "\ue001"
_QUOTED: Final = re.compile(r"^ ?[\"“]([^\"“”]{1,80})[\"”]")
_NICKNAME: Final = re.compile(
    r"(?<=\w )[\"“]([^\"“”]{1,30})[\"”]"
    r"(?! (?:Official|Music|Lyrics?|Video|Audio|Live|Remix|Session|Version)\b)(?= [^\W\d_a-z])"
)
_PIECES: Final = re.compile(r" (?:[|•·/]|//) ")
_ROLE: Final = re.compile(ROLES, re.IGNORECASE)
_OTHERS: Final = re.compile(r"(?: (?:&|\+|and)|,) (?:[Cc]o|company|etc|friends|guests?|more|others)\.?$")
_ON_INSTRUMENT: Final = re.compile(
    r" on (?:the )?(?:bass|drums|flute|guitar|harp|keys|mic|percussion|piano|sax|saxophone|synths?|trumpet"
    r"|violin|vocals|vox)(?= ?(?:[,&+]|and |$))",
    re.IGNORECASE,
)
_JOINS: Final = (" &", " +", " /", " and", ",", " ")


@dataclass(frozen=True, slots=True)
class CreditMatch:
    """The names of one credit, and its position in the text."""

    kind: Kind
    position: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    kind: Kind
    start: int
    end: int
    sure: bool
    """True if a name always follows the mark, unlike "with …" or "+ …".

    Outside brackets, or in lower case, plain words after an unsure mark are not names: "Coffee w/ Milk &
    Sugar", "20 Ft Waves", "(w/ rain)".
    """
    is_voice: bool = False
    """True for "vocals by", which in a description is one role of many."""


def credits_in(part: Part, *, strict: bool = False) -> list[CreditMatch]:
    """Return the credits that the marks in one part of a text introduce."""
    marks = [mark for mark in _marks(part) if not (strict and mark.is_voice)]
    found = []
    for mark, following in zip_longest(marks, marks[1:]):
        end = following.start if following else len(part.text)
        text = part.text[mark.end : end]
        if mark.kind == "producers":
            text = text.partition(" for ")[0]
        names = names_after(text, strict=strict or not mark.sure, prose=strict, in_brackets=part.in_brackets)
        if names and (mark.sure or not _is_text(names[0], in_brackets=part.in_brackets)):
            found.append(CreditMatch(mark.kind, part.positions[mark.start], names))
    return found


def _is_text(name: str, *, in_brackets: bool) -> bool:
    """Return whether the words after an unsure mark are plain; in brackets, also in lower case."""
    return is_plain(name) and not (in_brackets and not name.islower())


def first_mark(part: Part) -> int:
    """Return the start of the first mark in a part, or the part's length."""
    return next((mark.start for mark in _marks(part)), len(part.text))


def nothing_follows(text: str) -> bool:
    """Return whether the title ends before this text: it is empty, or like "free download"."""
    rest = text.replace(GAP, " ").rstrip()
    return not any(map(str.isalnum, rest)) or bool(_STOP.match(" " + rest.lstrip()))


def _marks(part: Part) -> Iterator[_Mark]:
    seen = False
    for match in _MARKER.finditer(part.text):
        nothing_before = not part.text[: match.start()].strip(" " + GAP)
        if _is_mark(part, match, nothing_before=nothing_before, seen=seen):
            sure = _is_sure(part, match, seen=seen)
            seen = True
            kind = _KINDS_OF_MARKS[match.lastgroup or ""]
            yield _Mark(kind, *match.span(), sure=sure, is_voice=match.lastgroup == "voices")


_KINDS_OF_MARKS: Final[dict[str, Kind]] = {
    "producers": "producers",
    "bare_producers": "producers",
    "remixers": "remixers",
    "featured": "featured",
    "voices": "featured",
    "bare_featured": "featured",
    "plus": "featured",
}


def _is_mark(part: Part, match: re.Match[str], *, nothing_before: bool, seen: bool) -> bool:
    match match.lastgroup:
        case "featured":
            return _is_feature(part, match, nothing_before=nothing_before)
        case "bare_featured":
            return _is_with(part, match, opens=part.in_brackets and (nothing_before or seen))
        case "bare_producers" if match[0].lower() == "produced":
            return part.in_brackets and nothing_before
        case "bare_producers":
            is_verb = nothing_before or _DETERMINER.search(part.text, 0, match.start())
            return part.in_brackets or seen or not is_verb
        case "plus" | "voices" as mark:
            return part.in_brackets or (mark == "plus" and not nothing_before)
    # A song may be called "The Producer".
    return not _follows_article(part, match)


def _is_with(part: Part, match: re.Match[str], *, opens: bool) -> bool:
    if match[0] == "w" and not part.in_brackets:
        # "w" is a word in other languages.
        before = "".join(part.text[: match.start()].split()[-1:]).lower()
        return before.isdecimal() or is_english(before)
    is_with = match[0].lower().endswith(("with", "w"))
    return opens and (is_with or _is_foreign_guest(part.text[match.end() :]))


def _is_foreign_guest(following: str) -> bool:
    """Return whether a name that is not in lower case follows "con" or "avec", and no pronoun ("con te")."""
    words = following.split()
    if not words or not words[0][0].isalpha() or words[0][0].islower():
        return False
    return words[0].lower() not in _FOREIGN_WORDS


def _is_sure(part: Part, match: re.Match[str], *, seen: bool) -> bool:
    if match.lastgroup == "featured":
        mark = match[0].lower()
        may_be_text = mark.startswith(("part", "star")) and not part.in_brackets
        return not (may_be_text or mark.startswith("w") or _is_counted(part, match))
    if match.lastgroup == "bare_producers":
        return match[0].lower() == "prod" and (part.in_brackets or seen)
    return match.lastgroup in {"producers", "remixers"}


def _is_feature(part: Part, match: re.Match[str], *, nothing_before: bool) -> bool:
    word = match[0].strip(" .:").lower()
    if word == "f":
        return part.in_brackets and nothing_before
    if word == "ft" and _is_measure(part, match):
        return False
    if _follows_article(part, match):
        return False
    # "Ft. Elsewhere" is a fort; "Feat." alone at the start of a title has nobody to feature.
    return part.in_brackets or not nothing_before or word == "featuring" or match[0].endswith(":")


def _follows_article(part: Part, match: re.Match[str]) -> bool:
    return bool(_ARTICLE.search(part.text, max(0, match.start() - 5), match.start()))


def _is_counted(part: Part, match: re.Match[str]) -> bool:
    is_ft = match[0].lower().startswith("ft")
    return is_ft and part.text[: match.start()].rstrip()[-1:].isdecimal()


def _is_measure(part: Part, match: re.Match[str]) -> bool:
    """Return whether "ft" means feet: "six ft under", "50 Ft Drop", but not "ft. High Contrast"."""
    if measured := _MEASURE.match(part.text, match.end()):
        return "." not in match[0] or measured[0].islower() or _is_counted(part, match)
    following = part.text[match.end() :].split(maxsplit=1)
    return "." not in match[0] and _is_counted(part, match) and is_english(bare("".join(following[:1])))


def names_after(
    text: str, *, strict: bool, prose: bool = False, in_brackets: bool = False
) -> tuple[str, ...]:
    """Return the names at the start of a text, up to anything else."""
    text = _NICKNAME.sub(rf"{_KEPT_QUOTE}\1{_KEPT_QUOTE}", _QUOTED.sub(r" \1", text))
    if in_brackets and not prose:
        text = _join_pieces(keep_dash_of_name(text))
    stop = _STOP.search(text)
    text = (text[: stop.start()] if stop else text).replace(GAP, " ")
    if prose and (stop := _PROSE.search(text)):
        text = text[: stop.start()]
    text = _ON_INSTRUMENT.sub("", _OTHERS.sub("", text.rstrip()))
    while text.endswith(_JOINS):
        text = text[: text.rindex(" ") if text[-1] not in ", " else -1]
    text = _without_upload_words(text)
    names = []
    for name in split_names(text, ends=prose or not in_brackets):
        if _is_name(name, strict=strict, prose=prose):
            names.append(name.replace(_KEPT_DASH, " - ").replace(_KEPT_QUOTE, '"'))
        elif prose:
            break
    return tuple(names)


def _join_pieces(text: str) -> str:
    """Return a list in brackets with commas for other separators: "Name | Name • Name / mixed by Name"."""
    names, *pieces = _PIECES.split(text)
    for piece in pieces:
        if _ROLE.match(piece) or is_plain(piece) or any(bare(word) in REMIX_KINDS for word in piece.split()):
            break
        names += f", {piece}"
    return names


def keep_dash_of_name(text: str) -> str:
    """Hide the dash of a given name at the end of a text in brackets ("Anna - Lena Somebody")."""
    match = _GIVEN_NAME.search(text)
    if match is None or any(is_generic(word) or bare(word) in REMIX_KINDS for word in match[2].split()):
        return text
    return text[: match.start(1)] + _KEPT_DASH + text[match.end(1) :]


def _without_upload_words(text: str) -> str:
    words = text.split()
    last = len(words)
    while last > 1 and (_is_upload_word(words[last - 1]) or bare(words[last - 1]) in _BEFORE_UPLOAD_WORDS):
        if ends_with_known(words[:last]):
            break
        last -= 1
    following = words[last:]
    mixed = len(following) > 1 and any(bare(word) in {"edit", "mix"} for word in following)
    return " ".join(words[:last]) if mixed or any(map(_is_upload_word, following)) else text


def _is_upload_word(word: str) -> bool:
    return bare(word) in _UPLOAD_WORDS or bool(_UPLOAD_DATE.fullmatch(word))


def _is_name(name: str, *, strict: bool, prose: bool) -> bool:
    folded = key(name)
    if is_nobody(folded) or (folded.isdecimal() and (strict or prose)):
        return False
    words = folded.split()
    if ends_with_known(words):
        return True
    if name.islower() and words[0] in _OWNERS:
        return False
    if prose and name.islower() and is_plain(name):
        return False
    if strict and (words[0] in OPENERS or all(word in GENERIC for word in words)):
        return False
    return not prose or (len(words) <= _FEW_WORDS and not name.startswith("the "))
