"""The marks of a credit ("feat.", "prod. by", "remix by") and the names that follow them."""

# This file searches for characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal

from sgr_spiders.titles.brackets import GAP, Part
from sgr_spiders.titles.generic import (
    BEFORE_EDIT,
    GENERIC,
    NOT_NAMES,
    OPENERS,
    REMIX_KINDS,
    bare,
    is_generic,
    is_trailing,
)
from sgr_spiders.titles.names import key, split_names
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
  | (?P<bare_producers> (?<!\w) prod (?=[ ]) )
  | (?P<remixers>
        (?<!\w) (?: re-?mix(?:ed)? | rmx | edit | flip(?:ped)? | bootleg(?:ged)? | re-?work(?:ed)?
                  | re-?fix(?:ed)? | mash-?up | re-?edit(?:ed)? ) [ ] by\b [ ]? :?
      | (?<!\w) remix(?:er)?s? [ ]?:
    )
  | (?P<featured>
        (?<!\w) (?: featuring | feat[.．]? (?![ ]of\b) | ft[.．]? | f/ | w/ (?!o\b) )
        (?: (?<=\W) | (?=\W) ) [ ]? :? (?: [ ]? (?:the[ ])? vocals? [ ] (?:by|from|of)\b )?
    )
  | (?P<plus> (?: ^[ ]?\+{{1,9}}[ ]? | (?<=\s)\+{{1,9}} ) (?=[^\W\d]) )
  | (?P<bare_featured> (?<!\w) with (?=[ ]) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ARTICLE: Final = re.compile(r"\b(?:a|the) $", re.IGNORECASE)
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
_OFFICIAL: Final = re.compile(
    r" (?:(?:official|full|lyrics?|music|hd|4k|live) ?){0,4}(?:video|audio|visuali[sz]er|m/?v|clip)$"
    r"|(?: (?:extended|radio|club|original|vip|official))* (?:remix|version)$"
    r"|(?: (?:extended|radio|club|original|official|vocal|dub))+ (?:mix|edit)$"
    r"|[ ](?:official|sped up|slowed(?: ?(?:\+|&|and) ?reverb)?)$",
    re.IGNORECASE,
)
_STYLE: Final = re.compile(
    r" (?:(?:deep|tech|future|tropical|progressive|afro|bass|slap) house|uk garage|jersey club|"
    r"late[ -]night|after[ -]?hours|peak[ -]time|main[ -]?stage|drum (?:&|and|n) bass|dnb|d&b|amapiano|"
    r"hardstyle|dubstep|hard techno|techno|phonk|sped up|slowed(?: (?:\+|&|and) reverb)?)$",
    re.IGNORECASE,
)
_POSSESSIVE: Final = re.compile(r"['’]s?$|['’]s ", re.IGNORECASE)
_QUOTED: Final = re.compile(r"^ ?[\"“]([^\"“”]{1,80})[\"”]")
_NICKNAME: Final = re.compile(r" (?:[\"“][^\"“”]{0,80}[\"”]|['‘][^'‘’]{0,80}['’])$")
_HYPHENED: Final = re.compile(r"(?<=\w\w\w)-(?=(?:remix|edit|flip|bootleg|rework)\b)", re.IGNORECASE)
_KINDS: Final = REMIX_KINDS | {"dub", "mix"}
_MIXES: Final = frozenset({"club", "dub", "extended", "radio", "vocal", "instrumental"})
_OCCASIONS: Final = frozenset({"choice", "cut", "day", "eve", "night"})


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
        names = names_after(part.text[mark.end : end], strict=strict or not mark.sure, prose=strict)
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
        start, end = match.span()
        nothing_before = not part.text[:start].strip(" " + GAP)
        name = match.lastgroup
        if name == "featured" and not _is_feature(part, match, nothing_before=nothing_before):
            continue
        if name == "bare_featured" and not (part.in_brackets and (nothing_before or seen)):
            continue
        if name == "bare_producers" and not (part.in_brackets or seen):
            continue
        if name == "plus" and nothing_before and not part.in_brackets:
            continue
        kind: Kind = (
            "producers"
            if name in {"producers", "bare_producers"}
            else "remixers"
            if name == "remixers"
            else "featured"
        )
        seen = True
        yield _Mark(kind, start, end, sure=_is_sure(part, match))


def _is_sure(part: Part, match: re.Match[str]) -> bool:
    if match.lastgroup == "featured":
        word = match[0].lower()
        counted = word.startswith("ft") and part.text[: match.start()].rstrip()[-1:].isdecimal()
        return not (word.startswith("w/") or counted)
    return match.lastgroup in {"producers", "remixers", "bare_producers"}


def _is_feature(part: Part, match: re.Match[str], *, nothing_before: bool) -> bool:
    word = match[0].strip(" .:").lower()
    if word == "ft" and _MEASURE.match(part.text, match.end()):
        return False
    if _ARTICLE.search(part.text, max(0, match.start() - 5), match.start()):
        return False
    # "Ft. Elsewhere" is a fort; "Feat." alone at the start of a title has nobody to feature.
    return part.in_brackets or not nothing_before or word == "featuring" or match[0].endswith(":")


def names_after(text: str, *, strict: bool, prose: bool = False) -> tuple[str, ...]:
    """Return the names at the start of a text, up to anything else."""
    text = _QUOTED.sub(r" \1", text)
    stop = _STOP.search(text)
    text = (text[: stop.start()] if stop else text).replace(GAP, " ")
    if prose and (stop := _PROSE.search(text)):
        text = text[: stop.start()]
    text = _OFFICIAL.sub("", " " + text.rstrip(" ,"))
    names = []
    for name in split_names(text):
        if _is_name(name, strict=strict, prose=prose):
            names.append(name)
        elif prose:
            break
    return tuple(names)


def _is_name(name: str, *, strict: bool, prose: bool) -> bool:
    folded = key(name)
    if folded in NOT_NAMES or folded.isdecimal():
        return False
    words = folded.split()
    if prose and name.islower() and is_plain(name):
        return False
    if strict and (words[0] in OPENERS or all(word in GENERIC for word in words)):
        return False
    return not prose or (len(words) <= 5 and not name.startswith("the "))


def remixers_in(text: str) -> tuple[str, ...]:
    """Return the names in ``Name & Name Remix``; none if the words before "Remix" name nobody."""
    words = _HYPHENED.sub(" ", text.replace(GAP, " ")).split()
    for index, word in enumerate(words):
        kind = bare(word)
        if kind not in _KINDS or not all(is_trailing(w) for w in words[index + 1 :]):
            continue
        if kind in REMIX_KINDS or (kind == "mix" and index and bare(words[index - 1]) in _MIXES):
            return _remixers(words[:index], kind)
        # "Somebody's Sunset Mix" names somebody; "Sunset Mix" usually does not.
        names = _owners(" ".join(words[:index]))
        if names or kind == "mix":
            return names
    return ()


def _owners(text: str) -> tuple[str, ...]:
    """Return the owners in ``Name's Late Night Mix``, unless they are an occasion ("New Year's Mix")."""
    owner, possessive, rest = f"{text} ".replace("’", "'").partition("'s ")
    if not possessive or not _OCCASIONS.isdisjoint(key(rest).split()[:1]):
        return ()
    return tuple(
        name for name in split_names(owner) if _is_name(name, strict=True, prose=False) and not is_plain(name)
    )


def _remixers(words: list[str], kind: str) -> tuple[str, ...]:
    if words != ["X"] and all(is_generic(word) for word in words):
        return ()
    if words[0] in {"a", "an", "my", "our", "this", "your"}:
        return ()
    while len(words) > 1 and _may_precede(words[-1], kind):
        words = words[:-1]
    while len(words) > 1 and words[0].casefold() in {"official", "unofficial", "exclusive"}:
        words = words[1:]
    text = _NICKNAME.sub("", " ".join(words))
    style = _STYLE.search(text)
    if style and style.start():
        text = text[: style.start()]
    if text != "X" and all(is_generic(word) for word in text.split()):
        return ()
    names = (_strip_possessive(name) for name in split_names(text))
    return tuple(
        name
        for name in names
        if _is_name(name, strict=False, prose=False) and (name == "X" or not is_generic(name))
    )


def _strip_possessive(name: str) -> str:
    match = _POSSESSIVE.search(name)
    if match and match.start() and all(is_generic(word) for word in name[match.end() :].split()):
        return name[: match.start()]
    return name


def _may_precede(word: str, kind: str) -> bool:
    return is_trailing(word) or (kind in {"edit", "mix"} and bare(word) in BEFORE_EDIT)
