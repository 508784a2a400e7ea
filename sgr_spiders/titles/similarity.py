"""How alike two titles are, so that word order and extra words do not hide a match.

The scorers of RapidFuzz (https://rapidfuzz.github.io/RapidFuzz/Usage/fuzz.html) compare letters:
``token_sort_ratio`` sorts the words first, so extra words cost as much as their letters, and
unrelated words that share letters score; ``token_set_ratio`` is 100 as soon as one title's words
are all in the other ("Go" in "Let It Go"), and so are the partial ones and, nearly, ``WRatio``.
Titles are short: whether two are alike depends on which words they share, and how much these tell.

So words are matched by ``rapidfuzz.fuzz.ratio`` (normalised Indel similarity) where they begin
alike, and what is shared is weighed against the rest, as in the coefficient of Dice:

    score = shared / (shared + rest / 2 + doubt)        doubt = min(rest, 1) / 4

- A word weighs 1, a generic one ("beats") 0.6, a number 0.35, a stop word or fluff 0.15; where a title
  has nothing but light words, each weighs 1. Two characters of a Han run weigh as much as a word.
- ``shared`` is the weight of the matched words, each pair by its closeness; ``rest`` what is left on
  both sides.
- ``doubt`` keeps one shared word beside one other below 0.6 ("Night Drive", "Night Owl"; "Hello",
  "Hello World"), and hardly counts where more is shared.
- A title of two words or more that stands as a phrase in the other one scores at least 0.6, however
  many words surround it.
- Both titles lose brackets, credits and fluff first. Where a part before a dash names the same in
  both, it is the artist, and only what follows is compared; where only one has it, it may be missing.

``python -m tests.benchmarks.similarity`` shows this scorer beside RapidFuzz's own on labelled pairs.
"""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from sgr_spiders.titles.words import (
    GENERIC_WORDS,
    LIGHT,
    is_number,
    parts,
    pieces_of,
    plain,
    split,
    without_fluff,
)

_LIGHT_WEIGHT: Final = 0.15
_NUMBER_WEIGHT: Final = 0.35
_GENERIC_WEIGHT: Final = 0.6
_DOUBT: Final = 0.25
_SAME_ARTIST: Final = 0.8
_PHRASE_WEIGHT: Final = 1.6
"""A phrase tells enough by itself if its words weigh so much: two words, one of them generic at most."""
_PHRASE_SCORE: Final = 0.6
_CLOSE: Final = 0.86
"""Words that begin with the same letter and are so close are one word in two spellings."""
_STEM: Final = 3
_STEM_SHARE: Final = 0.6
"""Words whose common beginning is so long, in letters and as a share of the longer, are forms of one word."""
_MOST_WORDS: Final = 80
_NGRAM: Final = {"han": 2, "hiragana": 3, "syllables": 3}
"""Scripts without spaces: pieces of so many characters stand for words."""
_CHARACTERS_OF_A_WORD: Final = {"han": 2, "hiragana": 3, "syllables": 4}


class _Word(NamedTuple):
    text: str
    weight: float


def similarity(a: str, b: str) -> float:
    """How alike two titles are, from 0 to 1; the same for (b, a); 0 if one has no letters."""
    parts_a, parts_b = without_fluff(parts(a)), without_fluff(parts(b))
    if not parts_a or not parts_b:
        return 0.0
    whole_a, whole_b = " ".join(parts_a), " ".join(parts_b)
    if len(parts_a) == len(parts_b) == 1:
        return _alike(whole_a, whole_b)
    tail_a, tail_b = " ".join(parts_a[1:]) or whole_a, " ".join(parts_b[1:]) or whole_b
    by_tails = _alike(tail_a, tail_b)
    if len(parts_a) > 1 and len(parts_b) > 1 and _alike(parts_a[0], parts_b[0]) >= _SAME_ARTIST:
        return by_tails
    return max(by_tails, _alike(whole_a, whole_b))


def _alike(a: str, b: str) -> float:
    words_a, words_b = split(plain(a)), split(plain(b))
    joined = "".join(words_a)
    if joined == "".join(words_b):
        return 1.0 if joined else 0.0
    weighed_a = _weigh(_join_compounds(words_a, words_b))
    weighed_b = _weigh(_join_compounds(words_b, words_a))
    shared = _shared(weighed_a, weighed_b)
    total = sum(word.weight for word in weighed_a) + sum(word.weight for word in weighed_b)
    rest = max(total - 2 * shared, 0.0)
    if not shared:
        return 0.0
    score = shared / (shared + rest / 2 + _DOUBT * min(rest, 1.0))
    if _is_phrase_of(weighed_a, weighed_b) or _is_phrase_of(weighed_b, weighed_a):
        score = max(score, _PHRASE_SCORE + (1 - _PHRASE_SCORE) * shared / (shared + rest))
    return min(round(score, 4), 1.0)


def _join_compounds(words: list[str], others: list[str]) -> list[str]:
    """Two neighbours as one word where the other title writes them so ("Night Drive", "Nightdrive")."""
    known = set(others)
    result: list[str] = []
    joined = False
    for word in words:
        if result and not joined and result[-1] + word in known:
            result[-1] += word
            joined = True
        else:
            result.append(word)
            joined = False
    return result


def _weigh(words: list[str]) -> list[_Word]:
    pieces = [piece for word in words for piece in pieces_of(word)]
    weighed = [found for kind, text in pieces for found in _weigh_piece(kind, text)][:_MOST_WORDS]
    if all(word.weight == _LIGHT_WEIGHT for word in weighed):
        return [_Word(word.text, 1.0) for word in weighed]
    return weighed


def _weigh_piece(kind: str, text: str) -> list[_Word]:
    if text in LIGHT or (kind == "hiragana" and len(text) < _NGRAM[kind]):
        return [_Word(text, _LIGHT_WEIGHT)]
    if is_number(text):
        return [_Word(text, _NUMBER_WEIGHT)]
    if kind not in _NGRAM:
        return [_Word(text, _GENERIC_WEIGHT if text in GENERIC_WORDS else 1.0)]
    size = _NGRAM[kind]
    grams = [text[at : at + size] for at in range(max(len(text) - size, 0) + 1)]
    weight = max(len(text) / _CHARACTERS_OF_A_WORD[kind], 0.5) / len(grams)
    return [_Word(gram, weight) for gram in grams]


def _shared(words_a: list[_Word], words_b: list[_Word]) -> float:
    """The weight of what is in both: equal words first, then the closest pairs of what is left."""
    rest_a, rest_b = list(words_a), list(words_b)
    shared = 0.0
    texts_b = Counter(word.text for word in rest_b)
    for word in words_a:
        if texts_b[word.text]:
            texts_b[word.text] -= 1
            other = next(found for found in rest_b if found.text == word.text)
            rest_a.remove(word)
            rest_b.remove(other)
            shared += (word.weight + other.weight) / 2
    pairs = [(_closeness(a.text, b.text), a, b) for a in rest_a for b in rest_b]
    close = [pair for pair in pairs if pair[0]]
    close.sort(
        key=lambda pair: (-pair[0], -pair[1].weight - pair[2].weight, sorted((pair[1].text, pair[2].text)))
    )
    for closeness, a, b in close:
        if a in rest_a and b in rest_b:
            rest_a.remove(a)
            rest_b.remove(b)
            shared += closeness * (a.weight + b.weight) / 2
    return shared


def _closeness(a: str, b: str) -> float:
    if a == b:
        return 1.0
    if a[0] != b[0] or any(char.isnumeric() for char in a + b):
        return 0.0
    stem = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    ratio = fuzz.ratio(a, b) / 100
    is_form = stem >= _STEM and stem >= _STEM_SHARE * max(len(a), len(b))
    return ratio if is_form or (ratio >= _CLOSE and stem) else 0.0


def _is_phrase_of(phrase: list[_Word], title: list[_Word]) -> bool:
    """Whether the words that tell something stand side by side, in order, in the other title."""
    wanted = [word for word in phrase if word.weight > _LIGHT_WEIGHT]
    if sum(word.weight for word in wanted) < _PHRASE_WEIGHT:
        return False
    telling = [word.text for word in title if word.weight > _LIGHT_WEIGHT]
    return any(
        all(_closeness(word.text, text) for word, text in zip(wanted, telling[at:], strict=False))
        for at in range(len(telling) - len(wanted) + 1)
    )
