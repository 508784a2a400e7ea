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
_BY: Final = r"by\b | w/ | with\b | (?-i: von | par | por )\b"
_MARKER: Final = re.compile(
    rf"""
    (?P<producers>
        (?<!\w) (?: co-? | exec(?:utive)?[ ] )? (?:
            prod (?: uced | uction | s )? \.? (?: {AND} {ROLES} ){{0,5}} [ ]? (?: {_BY} ) [ ]? :?
          | prods? (?: \. | [ ]?: )
          | production [ ]?:
          | producers? (?: [ ]?: | [ ][-–][ ] )
        )
      | (?<!\S) (?-i:p)\. (?: [ ]?by\b )? (?=[ ]?[^\W\d]{{2}})
    )
  | (?P<bare_producers> (?<!\w) prod (?=[ ]) | (?<!\w) produced (?=[ ]\w) )
  | (?P<remixers>
        (?<!\w) (?: re-?mix(?:ed)? | rmx | edit | flip(?:ped)? | bootleg(?:ged)? | re-?work(?:ed)? | blend
                  | re-?fix(?:ed)? | mash-?up | re-?edit(?:ed)? | redrum | vip ) [ ] by\b [ ]? :?
      | (?<!\w) remix(?:er)?s? [ ]?:
    )
  | (?P<featured>
        (?<!\w) (?: featuring | feat[.．]? (?![ ]of\b) | ft[.．]? | f/ | w/ (?!o\b) )
        (?: (?<=\W) | (?=\W) ) [ ]? :? (?: [ ]? (?:the[ ])? vocals? [ ] (?:by|from|of)\b )?
    )
  | (?P<plus> (?: ^[ ]?\+{{1,9}}[ ]? | (?<=\s)\+{{1,9}} ) (?=[^\W\d]) )
  | (?P<bare_featured> (?<!\w) (?: with | (?-i: con | com | avec | mit ) ) (?=[ ]) )
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
  | (?<![\w-]) {ROLES} (?: {AND} (?: {ROLES} | produced ) ){{0,5}} [ ] (?:by\b|:)
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
    "acapella acappella acoustic audio clip cover demo instrumental karaoke live lyric lyrics m/v mv "
    "official performance preview remake remaster remastered remix reverb session slowed snippet sped "
    "teaser version video visualiser visualizer".split()
)
"""Last words of a title on the kind of upload, which follow a guest's name: "ft. Name Official Video"."""
_BEFORE_UPLOAD_WORDS: Final = frozenset(
    "& + 4k 8d and bass boosted clean club dub edit explicit extended full guitar hd hq long metal mix "
    "music new nightcore original piano radio rock short studio ukulele up violin vip vocal".split()
)
_FEW_WORDS: Final = 5
_FOREIGN_WORDS: Final = frozenset(word for words in STOP_WORDS.values() for word in words.split())
_GIVEN_NAME: Final = re.compile(
    r"(?:^|[,&])[ ]?[^\W\d_]{2,20}( [-–—] )(?=([^\W\d_]{2,20}(?: [^\W\d_]{2,20})?)$)"
)
"""A given name with a dash, "Anna - Lena Somebody", at the end of a bracket."""
_KEPT_DASH: Final = "\ue000"
_QUOTED: Final = re.compile(r"^ ?[\"“]([^\"“”]{1,80})[\"”]")


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

    Outside brackets, plain words after an unsure mark are not names: "Coffee w/ Milk & Sugar", "20 Ft Waves".
    """


def credits_in(part: Part, *, strict: bool = False) -> list[CreditMatch]:
    """Return the credits that the marks in one part of a text introduce."""
    marks = list(_marks(part))
    found = []
    for mark, following in zip_longest(marks, marks[1:]):
        end = following.start if following else len(part.text)
        text = part.text[mark.end : end]
        names = names_after(text, strict=strict or not mark.sure, prose=strict, in_brackets=part.in_brackets)
        if names and (mark.sure or part.in_brackets or not is_plain(names[0])):
            found.append(CreditMatch(mark.kind, part.positions[mark.start], names))
    return found


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
            yield _Mark(_KINDS_OF_MARKS[match.lastgroup or ""], *match.span(), sure=sure)


_KINDS_OF_MARKS: Final[dict[str, Kind]] = {
    "producers": "producers",
    "bare_producers": "producers",
    "remixers": "remixers",
    "featured": "featured",
    "bare_featured": "featured",
    "plus": "featured",
}


def _is_mark(part: Part, match: re.Match[str], *, nothing_before: bool, seen: bool) -> bool:
    match match.lastgroup:
        case "featured":
            return _is_feature(part, match, nothing_before=nothing_before)
        case "bare_featured":
            opens = part.in_brackets and (nothing_before or seen)
            return opens and (match[0].lower() == "with" or _is_foreign_guest(part.text[match.end() :]))
        case "bare_producers":
            if match[0].lower() == "produced":
                return part.in_brackets and nothing_before
            return (
                part.in_brackets
                or seen
                or not (nothing_before or _DETERMINER.search(part.text, 0, match.start()))
            )
        case "plus":
            return part.in_brackets or not nothing_before
    return True


def _is_foreign_guest(following: str) -> bool:
    """Return whether a capitalised name follows "con", "avec" or "mit", and no pronoun ("con te")."""
    words = following.split()
    return bool(words) and words[0][0].isupper() and words[0].lower() not in _FOREIGN_WORDS


def _is_sure(part: Part, match: re.Match[str], *, seen: bool) -> bool:
    if match.lastgroup == "featured":
        return not (match[0].lower().startswith("w/") or _is_counted(part, match))
    if match.lastgroup == "bare_producers":
        return match[0].lower() == "prod" and (part.in_brackets or seen)
    return match.lastgroup in {"producers", "remixers"}


def _is_feature(part: Part, match: re.Match[str], *, nothing_before: bool) -> bool:
    word = match[0].strip(" .:").lower()
    if word == "ft" and _is_measure(part, match):
        return False
    if _ARTICLE.search(part.text, max(0, match.start() - 5), match.start()):
        return False
    # "Ft. Elsewhere" is a fort; "Feat." alone at the start of a title has nobody to feature.
    return part.in_brackets or not nothing_before or word == "featuring" or match[0].endswith(":")


def _is_counted(part: Part, match: re.Match[str]) -> bool:
    is_ft = match[0].lower().startswith("ft")
    return is_ft and part.text[: match.start()].rstrip()[-1:].isdecimal()


def _is_measure(part: Part, match: re.Match[str]) -> bool:
    """Return whether "ft" means feet: "six ft under", "50 Ft Drop"."""
    if _MEASURE.match(part.text, match.end()):
        return True
    following = part.text[match.end() :].split(maxsplit=1)
    return "." not in match[0] and _is_counted(part, match) and is_english(bare("".join(following[:1])))


def names_after(
    text: str, *, strict: bool, prose: bool = False, in_brackets: bool = False
) -> tuple[str, ...]:
    """Return the names at the start of a text, up to anything else."""
    text = _QUOTED.sub(r" \1", text)
    if in_brackets and not prose:
        text = keep_dash_of_name(text)
    stop = _STOP.search(text)
    text = (text[: stop.start()] if stop else text).replace(GAP, " ")
    if prose and (stop := _PROSE.search(text)):
        text = text[: stop.start()]
    text = _without_upload_words(text.rstrip(" ,"))
    names = []
    for name in split_names(text, ends=prose or not in_brackets):
        if _is_name(name, strict=strict, prose=prose):
            names.append(name.replace(_KEPT_DASH, " - "))
        elif prose:
            break
    return tuple(names)


def keep_dash_of_name(text: str) -> str:
    """Hide the dash of a given name at the end of a text in brackets ("Anna - Lena Somebody")."""
    match = _GIVEN_NAME.search(text)
    if match is None or any(is_generic(word) or bare(word) in REMIX_KINDS for word in match[2].split()):
        return text
    return text[: match.start(1)] + _KEPT_DASH + text[match.end(1) :]


def _without_upload_words(text: str) -> str:
    words = text.split()
    last = len(words)
    while last > 1 and bare(words[last - 1]) in _UPLOAD_WORDS | _BEFORE_UPLOAD_WORDS:
        if ends_with_known(words[:last]):
            break
        last -= 1
    following = {bare(word) for word in words[last:]}
    mixed = not following.isdisjoint({"edit", "mix"}) and len(words) - last > 1
    return " ".join(words[:last]) if mixed or not _UPLOAD_WORDS.isdisjoint(following) else text


def _is_name(name: str, *, strict: bool, prose: bool) -> bool:
    folded = key(name)
    if is_nobody(folded) or (folded.isdecimal() and (strict or prose)):
        return False
    words = folded.split()
    if ends_with_known(words):
        return True
    if prose and name.islower() and is_plain(name):
        return False
    if strict and (words[0] in OPENERS or all(word in GENERIC for word in words)):
        return False
    return not prose or (len(words) <= _FEW_WORDS and not name.startswith("the "))
