from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.titles.terms import key_terms


def test_the_whole_title_comes_first_then_pairs_of_words() -> None:
    assert key_terms("Lofi Beats to Study To", None, 3) == ("lofi beats study", "lofi study", "lofi beats")


@pytest.mark.parametrize(
    ("title", "artist", "first"),
    [
        ("Kestrel - Paper Lanterns (Juniper Remix)", "Kestrel", "paper lanterns"),
        ("Kestrel - Paper Lanterns", "Redbrick Records", "paper lanterns"),
        ("Paper Lanterns - KESTREL", "Kestrel", "paper lanterns"),
        ("Kestrel: Paper Lanterns", "Kestrel", "paper lanterns"),
        ("Paper: Lanterns", "Kestrel", "paper lanterns"),
        ("Kestrel - For You", "Kestrel", "for you"),
        ("Kestrel - Free", "Kestrel", "free"),
        ("Paper Lanterns - Juniper Remix", "Kestrel", "paper lanterns"),
        ("Paper Lanterns feat. Wren & Rune", None, "paper lanterns"),
        ("Paper Lanterns ft Wren - Live", None, "paper lanterns"),
        ("Paper Lanterns w/ Wren", None, "paper lanterns"),
        ("Paper Lanterns prod. by Wren", None, "paper lanterns"),
        ("[FREE DOWNLOAD] Paper Lanterns II", None, "paper lanterns"),
        ("Kestrel「紙灯籠」", None, "kestrel 紙灯籠"),
        ("Kestrel", "Kestrel", "kestrel"),
        ("The One", None, "the one"),
        ("Chapter 4", None, "chapter 4"),
        ("1979", None, "1979"),
        ("Official Video", None, "official video"),
        ("[FREE]", None, "free"),
        ("Song 1", None, "song 1"),
        ("Inside Out [Official Video]", None, "inside out"),
        ("Driftwood Official Music Video", None, "driftwood"),
        ("Kestrel - Volume Up (Audio)", None, "volume up"),
        ("Many Years Ft. Wren - Prod. By Rune", None, "many years"),
        ("Wonder Lanterns M/V", None, "wonder lanterns"),
        ("Don\u2019t Stop Rock'n'Roll", None, "stop rock'n'roll"),
        ("Der Himmel über der Stadt (Offizielles Video)", None, "himmel stadt"),
        ("Le jardin d'hiver (clip officiel)", None, "jardin hiver"),
        ("Дорога домой (премьера клипа)", None, "дорога домой"),
        ("चाँदनी रात (Official Video)", None, "चाँदनी रात"),
        ("مطر الليل", None, "مطر الليل"),
        ("คืนฝนตก", None, "คืนฝนตก"),
        ("달빛 아래서 [MV]", None, "달빛 아래서"),
        ("雨の日のコーヒー【公式】", None, "雨の日のコーヒー"),
        ("Cafe\u0301 Society", None, "caf\u00e9 society"),
    ],
)
def test_the_first_term_is_the_cleaned_title(title: str, artist: str | None, first: str) -> None:
    assert key_terms(title, artist, 1) == (first,)


def test_words_follow_longest_first() -> None:
    assert key_terms("Paper Lanterns", None, 9) == ("paper lanterns", "lanterns", "paper")


def test_scripts_without_spaces_are_split_where_the_script_changes() -> None:
    assert key_terms("雨の日のコーヒー", None, 9) == ("雨の日のコーヒー", "コーヒー")
    assert key_terms("ネオン東京ナイト", None, 9)[1:] == ("ネオン", "ナイト", "東京")


@pytest.mark.parametrize("title", ["", " - ", "🔥🔥", "()", "\u0301", "&"])
def test_a_title_without_letters_has_no_terms(title: str) -> None:
    assert key_terms(title, "Kestrel", 3) == ()


def _has_letters(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "LN" for char in text)


@given(st.text(max_size=80), st.none() | st.text(max_size=20), st.integers(-1, 6))
def test_never_empty_never_too_many_each_once(title: str, artist: str | None, limit: int) -> None:
    terms = key_terms(title, artist, limit)
    assert len(terms) <= max(limit, 0)
    assert len(set(terms)) == len(terms)
    assert all(term.strip() == term != "" for term in terms)
    if limit > 0:
        # Some characters are letters only before normalisation, some only after it ("™").
        normal = unicodedata.normalize("NFKC", title)
        assert terms or not _has_letters(title)
        assert not terms or _has_letters(title + normal)
    assert terms == key_terms(title, artist, limit)


@pytest.mark.parametrize("unit", ["a", "ab cd ", "( ", "雨の", "x - ", " ", "[(", "a.", "ft. "])
def test_a_huge_title_costs_little(unit: str) -> None:
    huge = unit * (100_000 // len(unit))
    started = time.perf_counter()
    terms = key_terms(huge, huge, 5)
    assert time.perf_counter() - started < 1.0
    assert all(len(term) <= 600 for term in terms)
