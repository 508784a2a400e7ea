"""Similarity of two titles, independent of word order and tolerant of extra words.

The scorers of RapidFuzz (https://rapidfuzz.github.io/RapidFuzz/Usage/fuzz.html) compare letters.
``token_sort_ratio`` sorts the words first, so extra words cost as much as their letters, and
unrelated words that share letters score. ``token_set_ratio`` is 100 as soon as one title contains
all words of the other ("Go" in "Let It Go"); so are the partial scorers and, nearly, ``WRatio``.
Titles are short: their similarity depends on which words they share and how distinctive these are.

This scorer matches words that begin alike with ``rapidfuzz.fuzz.ratio`` (normalised Indel
similarity) and compares the shared weight with the rest, like the Dice coefficient:

    score = shared / (shared + rest / 2 + doubt)        doubt = min(rest, 1) / 4

- A word weighs 1, a generic word ("beats") 0.6, a number 0.35, a stop word or fluff 0.15. In a title
  of only light words, each weighs 1. Two characters of a Han run weigh as much as a word.
- ``shared`` is the weight of the matched words, scaled by the closeness of each pair; ``rest`` is the
  remaining weight of both titles.
- ``doubt`` keeps one shared word with one other below 0.6 ("Night Drive", "Night Owl"; "Hello",
  "Hello World") and has little effect if more is shared.
- A title of two or more words that is a phrase of the other scores at least 0.6, however many words
  surround it.
- Brackets, credits and fluff are removed first. If both titles have the same part before a dash, it is
  the artist, and only the rest is compared; if only one has such a part, it may be missing.
  "Remix" and the like do not count in that rest, and a place or kind of recording says nothing by itself.
- Numbers of works ("Op. 9 No. 2", "BWV 1007") of one catalogue tell classical works apart (``works``).
- Two titles that name one performer and two songs score at most 0.4. What they share is the performer if it
  stands first in one and last in the other, and a word such as "slowed" or "cover by" shows that both parts
  of a title are those of a recording.
- Two titles that name the same song score at least 0.6, whoever plays it and whatever else they say
  (``readings``): a part of one equals a part of the other, or is a phrase of it, and at least one of both
  parts can only be the song.

``python -m tests.benchmarks.similarity`` compares this scorer with those of RapidFuzz on labelled pairs.
"""

from __future__ import annotations

from collections import Counter
from itertools import takewhile
from typing import TYPE_CHECKING, Final, NamedTuple

from rapidfuzz import fuzz

from sgr_spiders.titles.readings import Pair, Reading, is_occasion, pair_of, readings, undescribed
from sgr_spiders.titles.words import (
    GENERIC_WORDS,
    LIGHT,
    VERSIONS,
    drop_fluff,
    is_number,
    normalise,
    parts,
    pieces_of,
    shorten,
    split,
)
from sgr_spiders.titles.works import are_two_works, work_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIGHT_WEIGHT: Final = 0.15
_NUMBER_WEIGHT: Final = 0.35
_GENERIC_WEIGHT: Final = 0.6
_DOUBT: Final = 0.25
_SAME_ARTIST: Final = 0.8
_PHRASE_WEIGHT: Final = 1.6
"""Minimum weight of a phrase that counts by itself: two words, at most one of them generic."""
_PHRASE_SCORE: Final = 0.6
_OTHER_SONG: Final = 0.4
"""Maximum score of two songs by one performer."""
_ONE_WORK: Final = 0.3
"""From this score, two titles with one number of a work name one work; composers share opus numbers."""
_CLOSE: Final = 0.86
"""From this closeness, words with the same first letter are spellings of one word."""
_STEM: Final = 3
_STEM_SHARE: Final = 0.6
"""Words with a common prefix this long (in letters, and as a share of the longer) are forms of one word."""
_MAX_WORDS: Final = 80
_NGRAM: Final = {"han": 2, "hiragana": 3, "syllables": 3}
"""Piece lengths in characters, for scripts without spaces."""
_CHARACTERS_OF_A_WORD: Final = {"han": 2, "hiragana": 3, "syllables": 4}


class _Word(NamedTuple):
    text: str
    weight: float


def similarity(a: str, b: str) -> float:
    """Return the similarity of two titles, from 0 to 1; 0 if one has no letters. The order is irrelevant."""
    a, b = shorten(a), shorten(b)
    score = _compare_titles(a, b)
    readings_a, readings_b = readings(a), readings(b)
    work_a, work_b = work_of(a), work_of(b)
    if are_two_works(work_a, work_b) or _are_of_one_performer(pair_of(a, readings_a), pair_of(b, readings_b)):
        score = min(score, _OTHER_SONG)
    elif work_a and work_a == work_b and score >= _ONE_WORK:
        score = max(score, _PHRASE_SCORE)
    elif score >= _PHRASE_SCORE and not _name_one_song(readings_a, readings_b):
        score = _without_persons(readings_a, readings_b, score)
    elif score < _PHRASE_SCORE and _name_one_song(readings_a, readings_b):
        score = _PHRASE_SCORE + (1 - _PHRASE_SCORE) * score
    return min(round(score, 4), 1.0)


def _compare_titles(a: str, b: str) -> float:
    parts_a, parts_b = parts(a), parts(b)
    if songs := _versions_of_songs(parts_a, parts_b):
        return _compare(*songs)
    parts_a, parts_b = drop_fluff(parts_a), drop_fluff(parts_b)
    if not parts_a or not parts_b:
        return 0.0
    whole_a, whole_b = " ".join(parts_a), " ".join(parts_b)
    if len(parts_a) == len(parts_b) == 1:
        return _compare(whole_a, whole_b)
    tail_a, tail_b = " ".join(parts_a[1:]) or whole_a, " ".join(parts_b[1:]) or whole_b
    by_tails = _compare(tail_a, tail_b)
    if len(parts_a) > 1 and len(parts_b) > 1 and _compare(parts_a[0], parts_b[0]) >= _SAME_ARTIST:
        return by_tails
    if len(parts_a) == len(parts_b) == 2 and is_occasion(tail_a) and is_occasion(tail_b):
        return min(_compare(parts_a[0], parts_b[0]), _compare(whole_a, whole_b))
    return max(by_tails, _compare(whole_a, whole_b))


def _versions_of_songs(a: list[str], b: list[str]) -> tuple[str, str] | None:
    """Return the songs of "Artist - Song Remix" and "Artist - Other Song", without "Remix"."""
    if not len(a) == len(b) == 2 or _compare(a[0], b[0]) < _SAME_ARTIST:
        return None
    if VERSIONS.isdisjoint((split(normalise(a[1])) or [""])[-1:] + (split(normalise(b[1])) or [""])[-1:]):
        return None
    song, other = " ".join(undescribed(a[1])), " ".join(undescribed(b[1]))
    return (song, other) if song and other else None


def _are_of_one_performer(a: Pair | None, b: Pair | None) -> bool:
    """Return whether both titles name one performer and two songs: a recorded song has one performer.

    The shared part is the performer if it is first in one title and last in the other ("A - X",
    "Y - A (slowed)"), or if both titles are about recordings or the same version ("Y - A (Rue Remix)").
    """
    if a is None or b is None:
        return False
    for i, j in ((0, 1), (1, 0), (1, 1)):
        if _are_spellings(a.parts[i], b.parts[j]) and _show_performer(a, b, is_last_in_both=i == j):
            other_a, other_b = a.parts[1 - i], b.parts[1 - j]
            if other_a in b.others or other_b in a.others:
                return False
            return _compare(" ".join(other_a), " ".join(other_b)) < _PHRASE_SCORE
    return False


def _show_performer(a: Pair, b: Pair, *, is_last_in_both: bool) -> bool:
    """Return whether the titles show that the part they share is the performer."""
    if (a.is_recording and b.is_recording) or not (a.others.isdisjoint(b.others) or a.is_cover or b.is_cover):
        return True
    return not is_last_in_both and (
        (a.is_recording and not b.is_cover) or (b.is_recording and not a.is_cover)
    )


def _name_one_song(a: Sequence[Reading], b: Sequence[Reading]) -> bool:
    """Return whether a part of each title names the same song."""
    return any(_may_name(one, other) for one in a for other in b)


def _without_persons(a: Sequence[Reading], b: Sequence[Reading], score: float) -> float:
    """Return the similarity of the songs alone if both titles name the same person beside them."""
    for one in a:
        for other in b:
            if "song" in {one.role, other.role} or not _are_spellings(one.words, other.words):
                continue
            songs_a, songs_b = _songs_beside(a, one), _songs_beside(b, other)
            if songs_a and songs_b:
                return max(_compare(" ".join(x), " ".join(y)) for x in songs_a for y in songs_b)
    return score


def _songs_beside(found: Sequence[Reading], person: Reading) -> list[tuple[str, ...]]:
    return [one.words for one in found if one.role == "song" and not set(person.words) & set(one.words)]


def _may_name(one: Reading, other: Reading) -> bool:
    roles = {one.role, other.role}
    if "person" in roles or "song" not in roles:
        return False
    if _are_spellings(one.words, other.words):
        return True
    weighed, others = _weigh([*one.words]), _weigh([*other.words])
    return (one.role == "song" and _is_phrase_of(weighed, others)) or (
        other.role == "song" and _is_phrase_of(others, weighed)
    )


def _are_spellings(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether the words are spellings of the others, in their order."""
    if "".join(words) == "".join(others):
        return True
    return len(words) == len(others) and all(map(_closeness, words, others))


def _compare(a: str, b: str) -> float:
    words_a, words_b = split(normalise(a)), split(normalise(b))
    joined = "".join(words_a)
    if joined == "".join(words_b):
        return 1.0 if joined else 0.0
    weighed_a = _weigh(_join_compounds(words_a, words_b))
    weighed_b = _weigh(_join_compounds(words_b, words_a))
    shared = _shared_weight(weighed_a, weighed_b)
    total = sum(word.weight for word in weighed_a) + sum(word.weight for word in weighed_b)
    rest = max(total - 2 * shared, 0.0)
    if not shared:
        return 0.0
    score = shared / (shared + rest / 2 + _DOUBT * min(rest, 1.0))
    if _is_phrase_of(weighed_a, weighed_b) or _is_phrase_of(weighed_b, weighed_a):
        score = max(score, _PHRASE_SCORE + (1 - _PHRASE_SCORE) * shared / (shared + rest))
    return min(round(score, 4), 1.0)


def _join_compounds(words: list[str], others: list[str]) -> list[str]:
    """Join neighbours that the other title writes as one word ("Night Drive", "Nightdrive")."""
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
    weighed = [found for kind, text in pieces for found in _weigh_piece(kind, text)][:_MAX_WORDS]
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


def _shared_weight(words_a: list[_Word], words_b: list[_Word]) -> float:
    """Return the shared weight: equal words first, then the closest pairs of the remaining words."""
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
    """Return whether the other title contains the phrase's distinctive words side by side, in order."""
    wanted = [word for word in phrase if word.weight > _LIGHT_WEIGHT]
    if sum(word.weight for word in wanted) < _PHRASE_WEIGHT:
        return False
    distinctive = [word.text for word in title if word.weight > _LIGHT_WEIGHT]
    return any(
        all(_closeness(word.text, text) for word, text in zip(wanted, distinctive[at:], strict=False))
        for at in range(len(distinctive) - len(wanted) + 1)
    )
