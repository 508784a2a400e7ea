"""Expected likes and log-odds ratios, against values computed by hand and against chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from sgr_spiders.reports.profile.log_odds import QUANTILE, compare, effects_of_artists, effects_of_people
from sgr_spiders.reports.profile.popularity import expect_if_liked, expect_people, fit_pull
from sgr_spiders.reports.profile.preferences import (
    Library,
    compare_places,
    compare_words,
    incidence,
    prefer_artists,
    prefer_tracks,
)
from sgr_spiders.sandbox.options import WorldOptions
from sgr_spiders.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.reports.profile.popularity import Expect


def test_the_pull_makes_the_expected_likes_those_found() -> None:
    popularity = np.array([1, 1, 50, 2_000, 900_000])
    expected = expect_people(popularity, 10, fit_pull(expect_people, popularity, 10, 12))
    assert expected.sum() == pytest.approx(12)
    assert expected[0] == expected[1]
    assert expected[4] == pytest.approx(10, abs=1e-3)  # not 900,000 times the pull
    # Rare tracks: the share of popularity.
    assert expected[3] / expected[2] == pytest.approx(40, rel=0.2)


def test_two_tracks_by_hand() -> None:
    """With c = 1 and 2 and x = exp(-pull): 2 - x - x² = 1, so x = (√5 - 1) / 2."""
    x = (math.sqrt(5) - 1) / 2
    pull = fit_pull(expect_people, np.array([1, 2]), 100, 100)
    assert math.exp(-pull) == pytest.approx(x)
    assert expect_people(np.array([1, 2]), 100, pull) == pytest.approx([100 * (1 - x), 100 * (1 - x * x)])


def test_a_liked_track_is_expected_to_be_liked() -> None:
    popularity = np.array([1, 30, 9_000])
    expected = expect_if_liked(popularity, 3, fit_pull(expect_if_liked, popularity, 3, 6))
    assert expected.sum() == pytest.approx(6)
    assert expected[0] == pytest.approx(1, abs=0.1)
    # Two people and a chance of a half: one of them likes it in two of four cases, both in one: 4 of 3 cases.
    assert expect_if_liked(np.array([1]), 2, math.log(2)) == pytest.approx([4 / 3])
    assert expect_if_liked(np.array([5]), 1, 0.3) == pytest.approx([1])


@pytest.mark.parametrize("expect", [expect_people, expect_if_liked])
def test_all_like_all_tracks_or_each_likes_another(expect: Expect) -> None:
    popularity = np.array([3, 4, 4])
    everything = fit_pull(expect, popularity, 3, 9)
    assert expect(popularity, 3, everything).tolist() == [3, 3, 3]
    one_each = expect(popularity, 3, fit_pull(expect, popularity, 3, 3))
    assert one_each.sum() == pytest.approx(3)
    assert fit_pull(expect, np.empty(0, int), 3, 0) == 0


def test_ratios_of_tracks_and_artists_by_hand() -> None:
    """Three listeners; tracks 11 and 12 of artist 1, 13 of artist 2, 14 of nobody known, 15 not liked."""
    likes = sp.csr_array(np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 1, 0]], float))
    popularity = np.array([10, 10, 400, 1, 30])
    library = Library.of(likes, np.arange(11, 16), np.array([1, 1, 2, -1, 2]), popularity)
    expected = 3 * (1 - np.exp(-library.pull * popularity[:4]))
    assert expected.sum() == pytest.approx(6)

    tracks = prefer_tracks(library, 10)
    assert tracks.compared == 4
    assert [(row.id, row.listeners, row.likes) for row in tracks.found] == [
        (14, 1, 1), (11, 2, 10), (12, 2, 10), (13, 1, 400),
    ]  # fmt: skip
    assert tracks.found[1].expected == pytest.approx(expected[0])
    assert tracks.found[1].ratio == pytest.approx(7 / (expected[0] + 5))

    artists = prefer_artists(library, 1)
    assert artists.compared == 2
    (best,) = artists.found
    # All three like a track of artist 1, one of them both tracks, and count once.
    assert (best.id, best.listeners, best.likes) == (1, 3, 20)
    assert best.expected == pytest.approx(3 * (1 - math.exp(-library.pull * 20)))


def test_a_count_older_than_the_likes_is_at_least_their_number() -> None:
    likes = sp.csr_array(np.array([[1, 0], [1, 1]], float))
    library = Library.of(likes, np.arange(2), np.arange(2), np.array([0, 7]))
    assert library.popularity.tolist() == [2, 7]


def test_log_odds_by_hand() -> None:
    """Monroe et al., equations 15, 16 and 20, without their approximation of the variance."""
    odds = compare(np.array([30.0]), np.array([100.0]), np.array([50.0]), 1_000.0, prior=22.0)
    prior, rest = 22 * 80 / 1_100, 22 * 1_020 / 1_100
    ratio = math.log((30 + prior) / (70 + rest)) - math.log((50 + prior) / (950 + rest))
    deviation = math.sqrt(1 / (30 + prior) + 1 / (70 + rest) + 1 / (50 + prior) + 1 / (950 + rest))
    assert odds.ratios == pytest.approx([ratio])
    assert odds.scores == pytest.approx([ratio / deviation])
    assert odds.lowest == pytest.approx([ratio - QUANTILE * deviation])
    assert odds.highest == pytest.approx([ratio + QUANTILE * deviation])


def test_effects_of_people_by_hand() -> None:
    """One of four people uses the first word ten times: that is one person, not ten uses."""
    used = sp.csr_array(np.array([[10, 0], [0, 10], [0, 10], [0, 10]], float))
    # p = 1/4, residuals 7.5, -2.5, -2.5, -2.5: 75 / (40 · 1/4 · 3/4), with 4/3 for the few people.
    assert effects_of_people(used) == pytest.approx([75 / 7.5 * 4 / 3] * 2)
    single = sp.csr_array(np.eye(40))
    assert effects_of_people(single)[0] == pytest.approx(40 / 39)


def test_effects_of_artists_by_hand() -> None:
    """Word 0: artists with 6 and 2 likes where 2 and 2 are expected; word 1: one artist."""
    word, used, expected = np.array([0, 0, 1]), np.array([6.0, 2.0, 9.0]), np.array([2.0, 2.0, 1.0])
    first, second = effects_of_artists(word, used, expected, 2)
    # The ratio is 2: distances 2 and -2, each divided by 1 - 1/2; the variance 32 of a count of 8.
    assert first == pytest.approx(32 / 8)
    assert math.isinf(second)


def test_few_words_and_few_people_are_not_compared() -> None:
    likes = sp.csr_array(np.ones((4, 3)))
    library = Library.of(likes, np.arange(3), np.array([1, 2, 3]), np.array([9, 9, 9]))
    one = compare_words(library, ["house"], incidence(np.arange(3), np.zeros(3, int), (3, 1)), 9)
    assert (one.found, one.above, one.compared, one.rare) == ([], 0, 0, 0)
    two = compare_words(library, ["house", "dub"], incidence(np.arange(3), np.array([0, 0, 1]), (3, 2)), 9)
    assert (two.found, two.compared, two.rare) == ([], 0, 2)
    assert compare_words(library, [], incidence(np.empty(0, int), np.empty(0, int), (3, 0)), 9).rare == 0
    alone = compare_places(["DE", "FR"], np.array([40, 3]), np.array([0, 0]), 9)
    assert (alone.found, alone.compared, alone.rare) == ([], 0, 0)


def test_places_below_five_listeners_are_not_shown() -> None:
    found = compare_places(["DE", "FR", "US"], np.array([30, 4, 6]), np.array([10, 90, 900]), 9)
    assert [row.name for row in found.found] == ["DE", "US"]
    assert (found.above, found.compared, found.rare) == (1, 3, 1)
    assert (found.found[0].share, found.found[0].usual) == (30 / 40, 10 / 1_000)


@pytest.mark.parametrize("people", [12, 60, 300])
@pytest.mark.parametrize("places", [40, 400])
def test_people_chosen_by_chance_are_from_few_places(people: int, places: int) -> None:
    """If only places of five listeners were compared, up to all of them would be above."""
    random = np.random.default_rng(3)
    shares = 1 / np.arange(1, places + 1)
    shares /= shares.sum()
    above = compared = 0
    for _ in range(200):
        listeners, others = random.multinomial(people, shares), random.multinomial(1_000, shares)
        found = compare_places(list(map(str, range(places))), listeners, others, 99)
        assert found.compared == np.count_nonzero(listeners + others)
        assert found.rare == np.count_nonzero((listeners > 0) & (listeners < 5))
        above, compared = above + found.above, compared + found.compared
    assert above / compared < 0.05


@pytest.fixture(scope="module")
def world() -> World:
    return World.build()


def listeners_of(world: World, people: list[int]) -> Library:
    """Return the libraries of *people*, without the seed and tracks with hidden counts."""
    shown = world.track_visible & ~world.catalogue.hides_stats
    shown[world.catalogue.seed] = False
    tracks = np.flatnonzero(shown)
    column = np.full(len(shown), -1)
    column[tracks] = np.arange(len(tracks))
    row = [np.full(len(world.likes.of_owner(person).indices), at) for at, person in enumerate(people)]
    item = column[np.concatenate([world.likes.of_owner(person).indices for person in people])]
    likes = incidence(np.concatenate(row)[item >= 0], item[item >= 0], (len(people), len(tracks)))
    popularity = np.diff(world.likes.item_starts)[tracks]
    return Library.of(likes, tracks, world.catalogue.uploader[tracks].astype(np.int64), popularity)


def genres_of(world: World, library: Library) -> sp.csr_array:
    community = world.catalogue.community[library.ids].astype(np.int64)
    return incidence(np.arange(len(community)), community, (len(community), int(community.max()) + 1))


def auc(scores: NDArray[Any], relevant: NDArray[np.bool_]) -> float:
    """Return the share of pairs of a relevant and another one in which the relevant one scores higher."""
    inside, outside = scores[relevant][:, None], scores[~relevant][None, :]
    return float((inside > outside).mean() + (inside == outside).mean() / 2)


WORLDS = [
    WorldOptions(),
    WorldOptions(seed=2, users=1_000, tracks=4_000, playlists=200, seed_likers=100),
    WorldOptions(seed=3, users=1_000, tracks=4_000, playlists=200),
]


@pytest.mark.parametrize("options", WORLDS, ids=lambda options: f"{options.seed}-{options.users}")
def test_the_ratio_tells_the_tracks_of_the_community_of_the_seed(options: WorldOptions) -> None:
    """Among the tracks that a listener likes; popularity alone would list the hits of all communities."""
    world = World.build(options)
    fans = {*world.likes.of_item(world.catalogue.seed).indices.tolist()}
    fans |= {*world.reposts.of_item(world.catalogue.seed).indices.tolist()}
    open_ = [fan for fan in sorted(fans) if world.user_visible[fan] and not world.people.hidden_library[fan]]
    library = listeners_of(world, open_)
    found = prefer_tracks(library, len(library.ids)).found
    home = world.catalogue.community[[row.id for row in found]] == 0
    by_ratio = auc(np.array([row.ratio for row in found]), home)
    by_count = auc(np.array([row.listeners for row in found]), home)
    assert by_ratio >= 0.98
    assert by_count < 0.96

    twice = np.array([row.listeners > 1 for row in found])
    assert auc(np.array([row.ratio for row in found])[twice], home[twice]) >= 0.99

    names = [f"genre {number}" for number in range(genres_of(world, library).shape[1])]
    genres = compare_words(library, names, genres_of(world, library), 9)
    assert genres.found[0].name == "genre 0"
    assert genres.found[0].lowest > 1
    assert genres.above == 1


def words_by_popularity(world: World, library: Library) -> sp.csr_array:
    """Return words of which one half is of tracks with few likes, the other of those with many."""
    random = np.random.default_rng(2).integers(0, 10, len(world.catalogue))
    is_popular = np.diff(world.likes.item_starts) > 5
    word = (random + 10 * is_popular)[library.ids]
    return incidence(np.arange(len(word)), word, (len(word), 20))


@pytest.mark.parametrize("words_of", [genres_of, words_by_popularity])
def test_people_chosen_by_chance_prefer_few_words(words_of: Callable[[World, Library], sp.csr_array]) -> None:
    """Without the effects, a third of the genres would be above; with `expected`, all rare words."""
    world = World.build(WorldOptions(users=1_000, tracks=10_000, playlists=100, communities=20))
    random = np.random.default_rng(1)
    likers = np.flatnonzero(np.diff(world.likes.owner_starts))
    above = compared = 0
    for _ in range(20):
        library = listeners_of(world, random.choice(likers, 60, replace=False).tolist())
        words = words_of(world, library)
        found = compare_words(library, list(map(str, range(words.shape[1]))), words, 99)
        above, compared = above + found.above, compared + found.compared
    assert compared > 300
    assert above / compared < 0.05
