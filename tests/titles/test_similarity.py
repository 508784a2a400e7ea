# ruff: noqa: RUF001 - titles in many scripts

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.titles.similarity import similarity
from sgr_spiders.titles.words import MAX_CHARACTERS
from tests.benchmarks.similarity.measure import (
    DEFAULT_THRESHOLD,
    PARTS,
    SCORERS,
    best_threshold,
    quality,
    read_pairs,
    scores_of,
)
from tests.benchmarks.similarity.uploads import make_pairs

TITLES = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["lofi", "Night", "Drive", "-", "(", ")", "feat.", "雨の日", "東京", "мой", "II", "the", "รัก"]
    ),
    max_size=9,
).map(" ".join)


@pytest.mark.parametrize("found", ["Lofi Study Beats", "Study Music Lofi", "Lofi Beats Mix"])
def test_word_order_and_extra_words_do_not_hide_a_match(found: str) -> None:
    assert similarity("Lofi Beats to Study To", found) >= DEFAULT_THRESHOLD


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Lofi Beats to Study To", "Heavy Metal Drums"), ("Lofi Beats to Study To", "Beats"),
        ("Go", "Let It Go"), ("One", "Someone"), ("Night Drive", "Night Owl"), ("Hello", "Hello World"),
        ("Kestrel - Snowfall", "Kestrel - Redwood"), ("Kestrel - For You", "Kestrel - With Me"),
        ("Снежный вечер", "Снежный барс"), ("我爱你", "我恨你"), ("मेरा दिल", "मेरा देश"),
    ],
)  # fmt: skip
def test_unrelated_titles_stay_out(a: str, b: str) -> None:
    assert similarity(a, b) < DEFAULT_THRESHOLD


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Go", "GO! (Radio Edit) [HD]"), ("Us", "Us - Instrumental"), ("Café", "Cafe\u0301 (Live)"),
        ("Driftwood", "Solstice - Driftwood (feat. Wren)"), ("Don\u2019t Look", "Dont look"),
        ("Jardin d'hiver", "d\u2019Hiver Jardin"), ("ﾈｵﾝ", "ネオン"), ("S.O.S.", "sos"), ("Part 1", "part 1"),
    ],
)  # fmt: skip
def test_spelling_fluff_and_credits_do_not_count(a: str, b: str) -> None:
    assert similarity(a, b) == 1.0


def test_a_phrase_is_found_among_many_words() -> None:
    assert similarity("Copper Lantern", "we were walking home under one copper lantern in december") >= 0.6
    assert similarity("Copper Lantern", "the lantern of my grandmother was made in copper country") < 0.6


@pytest.mark.parametrize(
    ("a", "b", "is_similar"),
    [
        ("Nocturne in E flat, Op. 9 No. 2 - Chopin", "Rubinstein - Chopin Nocturne Op.9, No.2", True),
        ("Bach: Air, BWV 1068", "J. S. Bach - Air (BWV 1068) for string quartet", True),
        ("Piano Concerto No. 1 in D minor, Op. 15", "Piano Concerto No. 1 in B flat minor, Op. 23", False),
        ("Sonata Opus 10 No. 1", "Sonata op. 10 nr. 3", False),
        ("Sonata K. 310", "Sonata KV 331", False),
        ("Waltzes Op. 64", "Waltz Op. 64 No. 2", True),
        ("Paper Lanterns Op. 9", "Granite Op. 9", False),
    ],
)
def test_numbers_of_works(a: str, b: str, is_similar: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert (similarity(a, b) >= DEFAULT_THRESHOLD) is is_similar


@pytest.mark.parametrize(
    ("a", "b", "is_similar"),
    [
        ("Amber (Live) - Orrin Tide", "Granite (Live) - Orrin Tide", False),
        ("Amber (Live) - Orrin Tide", "Amber (Kiln Remix) - Ona", True),
        ("Amber ukulele cover - Kiln", "Amber ukulele cover - Lu & Jo", True),
        ("Orrin Tide live - Amber", "Orrin Tide live - Granite", False),
        ("quick cover of Amber", "Amber - Orrin Tide", True),
        ("NEW: Orrin Tide - Amber", "Kiln - Amber Flip", True),
        ("Orrin Tide - Amber (2011 Remaster)", "Granite - Orrin Tide [HQ]", False),
        ("03 Orrin Tide - Amber", "Granite - Orrin Tide", False),
        ("Orrin Tide - Amber acapella", "Orrin Tide - Amber (bass boosted)", True),
        ("Orrin Tide - Amber ringtone", "Amber tik tok version", True),
    ],
)
def test_what_shows_the_song(a: str, b: str, is_similar: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert (similarity(a, b) >= DEFAULT_THRESHOLD) is is_similar


@pytest.mark.parametrize("nothing", ["", " ", "🔥🔥", "---", "()", "\u0301"])
def test_a_title_without_letters_matches_nothing(nothing: str) -> None:
    assert similarity(nothing, nothing) == similarity(nothing, "Go") == similarity("Go", nothing) == 0.0


@given(TITLES, TITLES)
def test_bounds_and_symmetry(a: str, b: str) -> None:
    score = similarity(a, b)
    assert 0.0 <= score <= 1.0
    assert similarity(b, a) == pytest.approx(score, abs=2e-4)


@given(TITLES)
def test_a_title_is_most_like_itself(title: str) -> None:
    assert similarity(title, title) in {0.0, 1.0}


@pytest.mark.parametrize(
    "unit", ["a", "ab ", "( ", "雨", "x - ", " ", "[(", "é́", "a.", "ft. ", "🔥", "'a", "Aa - Bb / "]
)
def test_a_huge_title_costs_little(unit: str) -> None:
    huge = unit * (100_000 // len(unit))
    started = time.perf_counter()
    similarity(huge, huge[::-1])
    similarity(huge, "Night Drive")
    similarity("Aa - Bb " + " / " * 30_000, "Bb - Aa " + " / " * 30_000)
    assert time.perf_counter() - started < 1.0


def test_what_is_behind_the_maximum_length_makes_no_difference() -> None:
    long = "Aa - Bb " + " / " * (MAX_CHARACTERS // 3)
    assert similarity(f"{long}(cover)", "Cc - Bb (slowed)") == similarity(long, "Cc - Bb (slowed)")


@pytest.mark.parametrize("part", ["holdout", "second"])
def test_it_classifies_pairs_better_than_any_other_scorer(part: str) -> None:
    dev, pairs = read_pairs("dev"), read_pairs(part)
    f1 = {
        name: max(
            quality(scores_of(scorer, pairs), threshold).f1
            for threshold in (DEFAULT_THRESHOLD, best_threshold(scores_of(scorer, dev)))
        )
        for name, scorer in SCORERS.items()
    }
    ours = quality(scores_of(similarity, pairs), DEFAULT_THRESHOLD)
    assert min(ours) >= 0.95
    assert ours.f1 >= max(f1[name] for name in f1 if name != "similarity (ours)") + 0.03


@pytest.mark.parametrize(
    ("part", "least"),
    [("clean", 0.98), ("uploads", 0.9), ("covers", 0.93), ("holdout", 0.92), ("shared", 0.9)],
)
def test_uploads_of_one_song_are_told_from_others_at_the_default_threshold(part: str, least: float) -> None:
    pairs = make_pairs(part)
    ours = quality(scores_of(similarity, pairs), DEFAULT_THRESHOLD).f1
    assert ours >= least
    best = [
        max(quality(scores, step / 100).f1 for step in range(30, 90, 2))
        for name, scorer in SCORERS.items()
        if name != "similarity (ours)"
        for scores in (scores_of(scorer, pairs),)
    ]
    assert ours > max(best)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Ilse Quandt - Paper Boats", "Paper Boats - Ilse Quandt"),
        ("Paper Boats by Ilse Quandt", "Rue: Paper Boats"),
        ("Boats", "Ilse Quandt - Boats - Rue edit"), ("Ilse Quandt - Boats", "Rue plays Boats"),
        ("Boats (Ilse Quandt cover)", "Rue | Boats | live session"),
        ("Ilse Quandt-Boats", "how to play Boats"),
        ("Boats live in Berlin, Ilse Quandt", "my version of Boats"),
        ("Boats #cover #rue", "01 Ilse Quandt - Boats"),
        ("Ilse Quandt - Boat$ick", "ILSE QUANDT - BOATSICK FT RUE [OFFICIAL AUDIO]"),
        ("Ilse Quandt - Lantern Boats", "Lantern Boats (Ilse Quandt Cover) *one take*"),
        ("Ilse Quandt - Boats", "BOATS but it's raining"),
        ("Ilse Quandt - Boats", "boats (ilse) breakbeat flip"),
        ("Ilse Quandt - Boats", "Boats - Ilse Quandt (slowed + reverb)"),
        ("Boats - Ilse Quandt (bass boosted)", "boats - ilse quandt [nightcore]"),
        ("Ilse Quandt - Boats", "boats (jersey club) @rue-hald"),
        ("Rue | Boats (Ilse Quandt)", "Cover: Boats / Ilse Quandt"),
        ("Rue - Boats (Ilse Quandt cover)", "Kit - Boats (Ilse Quandt cover)"),
        ("Ilse Quandt - Boats Remix", "Ilse Quandt - Boats"), ("Boats - Rue Remix", "Ilse Quandt - Boats"),
        ("Ilse Quandt - Live at Paradiso", "Ilse Quandt live at Paradiso"),
        ("Ilse - Boats live session", "Rue - Boats acoustic session"),
    ],
)  # fmt: skip
def test_titles_that_name_one_song_are_similar(a: str, b: str) -> None:
    assert similarity(a, b) >= DEFAULT_THRESHOLD


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Ilse Quandt - Boats", "Ilse Quandt - Trains (live)"),
        ("Boats (Ilse Quandt cover)", "Trains (Ilse Quandt)"),
        ("Boats by Ilse Quandt", "Trains by Ilse Quandt"), ("Rue - Boats (Ilse remix)", "Ilse - Trains"),
        ("Rue sings Boats", "Rue sings Trains"),
        ("Ilse Quandt - Boats", "trains - ilse quandt [slowed + reverb]"),
        ("Boats - Ilse Quandt (bass boosted)", "Trains - Ilse Quandt (bass boosted)"),
        ("Boats | Ilse Quandt | cover by Rue", "Trains | Ilse Quandt | cover by Rue"),
        ("Boats - Ilse Quandt - Drum Cover", "Trains - Ilse Quandt - Drum Cover"),
        ("BOATS but it's raining", "TRAINS but it's raining"),
        ("Boats - Ilse Quandt (Rue Hald Remix)", "Trains - Ilse Quandt (Rue Hald Remix)"),
        ("Boats - Ilse Quandt [live at Paradiso]", "Trains - Ilse Quandt [live at Paradiso]"),
        ("Boats - Ilse Quandt - Live Acoustic Version", "Trains - Ilse Quandt - Live Acoustic Version"),
        ("Boats~ilse quandt~lofi flip", "Trains~ilse quandt~lofi flip"),
        ("ボート / イルゼ (cover)", "列車 / イルゼ (cover)"),
        ("Ilse Quandt - Common Boats", "Ilse Quandt - Disco 2000"),
        ("Boats, guitar cover by Rue", "Trains, guitar cover by Rue"),
        ("Ilse Quandt - Boats Remix", "Ilse Quandt - Trains Remix"),
        ("Ilse - Paper Boats Edit", "Ilse - Trains Edit"), ("Ilse - Boats Flip", "Ilse - Trains Flip"),
        ("Ilse - Boats Instrumental", "Ilse - Trains VIP"), ("Ilse Hald - Boats VIP", "Ilse Hald - Trains"),
        ("Ilse Quandt - Live at Paradiso", "Rue Hald - Live at Paradiso"),
        ("Ilse - Night Room DJ Set", "Rue - Night Room DJ Set"), ("Ilse - Podcast 12", "Rue - Podcast 12"),
    ],
)  # fmt: skip
def test_the_same_person_is_not_the_same_song(a: str, b: str) -> None:
    assert similarity(a, b) < DEFAULT_THRESHOLD


@pytest.mark.parametrize("shared", [" - Low Tide Records", " #techno", " | live at Paradiso", " - Paradiso"])
def test_what_follows_the_song_is_not_the_same_song(shared: str) -> None:
    boats, trains = f"Ilse Quandt - Boats{shared}", f"Rue Hald - Trains{shared}"
    assert similarity(boats, trains) < DEFAULT_THRESHOLD
    assert similarity(boats, f"Boats - Ilse Quandt{shared}") >= DEFAULT_THRESHOLD


def test_the_pairs_are_many_balanced_and_in_one_part_each() -> None:
    pairs = [pair for part in PARTS for pair in read_pairs(part)]
    assert len(pairs) >= 150
    assert 0.4 <= sum(pair.is_similar for pair in pairs) / len(pairs) <= 0.6
    assert len({frozenset((pair.a, pair.b)) for pair in pairs}) == len(pairs)
