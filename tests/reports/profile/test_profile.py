"""``scrapy profile`` on a database made without a crawl."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from sgr_spiders import SoundGraph
from sgr_spiders.reports.profile.preferences import NO_WORDS
from sgr_spiders.reports.profile.profile import Named, Profile, read_profile
from sgr_spiders.reports.profile.text import as_text
from sgr_spiders.storage.labels import Label
from sgr_spiders.storage.store import Store
from tests.databases import connect, url_of
from tests.relationships.worlds import World
from tests.reports.page.worlds import add_run
from tests.scrapy_process import CommandResult, run_command

SEED, OTHER_SEED = 100, 101
FANS, REPOSTER, UNSEEN, REMOVED, STRANGERS = range(1, 21), 21, 22, 23, range(30, 80)
LOVED, HITS, HIDDEN, PRIVATE, RARE, UNKNOWN = range(200, 210), range(300, 310), 401, 402, 403, 404


def build_world() -> World:
    """Return the fans of a seed, who like tracks of drum & bass, and strangers, who like others."""
    world = World({(user, SEED, "like") for user in (*FANS, UNSEEN, REMOVED)} | {(REPOSTER, SEED, "repost")})
    for user in (*FANS, REPOSTER, UNSEEN, REMOVED):
        world.engagements |= {(user, track, "like") for track in LOVED if (user + track) % 3}
        world.engagements |= {(user, track, "like") for track in (HITS[0], OTHER_SEED)}
        world.engagements.add((user, HITS[user % 10], "like"))
    world.engagements |= {(user, track, "like") for user in (1, 2) for track in (HIDDEN, PRIVATE, RARE)}
    world.engagements.add((3, RARE, "repost"))  # does not count as a like
    world.engagements |= {(user, HITS[0], "like") for user in STRANGERS}
    world.removed = {(5, LOVED[0], "like"), (2, RARE, "like")}
    world.artists = {track: 500 + track % 4 for track in LOVED} | {RARE: 600, SEED: 601, UNKNOWN: 602}
    world.artists |= {track: 600 + track % 4 for track in HITS}
    world.looks = dict.fromkeys((*FANS, REPOSTER, REMOVED, *STRANGERS), "whole") | {UNSEEN: "unseen"}
    world.looks[1] = "newest"
    return world


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "harvest.db"
    with closing(Store.open(url_of(path))) as store:
        build_world().spill(store)
        with store.write() as connection:
            add_run(connection, 1, SEED)
            add_run(connection, 2, OTHER_SEED)
    with closing(connect(path)) as database, database:
        database.execute("UPDATE tracks SET favoritings_count = 30, genre = 'Drum & Bass'")
        database.execute("UPDATE tracks SET tag_list = 'dnb \"drum and bass\" liquid geo:lat=1'")
        database.execute("UPDATE tracks SET genre = 'D''n''B' WHERE track_id % 2 = 0")
        pop = "UPDATE tracks SET favoritings_count = 90000, genre = 'Pop music', tag_list = 'Pop' "
        database.execute(pop + "WHERE track_id BETWEEN ? AND ?", (HITS[0], HITS[-1]))
        database.execute("UPDATE tracks SET tag_list = 'unique' WHERE track_id = ?", (HITS[0],))
        database.execute("UPDATE tracks SET favoritings_count = NULL WHERE track_id = ?", (HIDDEN,))
        database.execute("UPDATE tracks SET removed_at = '2026' WHERE track_id = ?", (PRIVATE,))
        database.execute("UPDATE users SET removed_at = '2026' WHERE user_id = ?", (REMOVED,))
        database.execute("UPDATE users SET country = 'United States', city = 'Detroit' WHERE user_id >= 30")
        database.execute("UPDATE users SET country = 'Deutschland', city = 'BERLIN' WHERE user_id < 30")
        database.execute("UPDATE users SET country = 'germany', city = ' Berlin ' WHERE user_id < 18")
        database.execute("UPDATE users SET country = 'Atlantis', city = '' WHERE user_id = 2")
        database.execute("UPDATE users SET country = 'UK', city = 'Leeds' WHERE user_id BETWEEN 3 AND 6")
    return path


def read(path: Path, name: str, limit: int = 100) -> Profile:
    with Store(url_of(path)).read() as connection:
        return read_profile(connection, name, limit)


@pytest.fixture(scope="module")
def profile(path: Path) -> Profile:
    return read(path, "track 100")


def run(path: Path, *arguments: str) -> CommandResult:
    return run_command("profile", *arguments, HARVEST_DATABASE_URL=url_of(path))


def test_listeners_are_those_whose_libraries_were_looked_at(profile: Profile) -> None:
    assert (profile.seed.id, profile.fans, profile.looked_at) == (SEED, 22, 21)
    assert (profile.seeds, profile.hidden, profile.hidden_likes) == (1, 2, 4)


def test_tracks_without_seeds_hidden_counts_and_removed_likes(profile: Profile) -> None:
    tracks = {row.id: row for row in profile.preferences["tracks"].found}
    assert set(tracks) == {*LOVED, *HITS, RARE}
    assert profile.likes == sum(row.listeners for row in tracks.values())
    liked = [user for user in (*FANS, REPOSTER) if (user + LOVED[0]) % 3]
    assert tracks[LOVED[0]].listeners == len(liked) - 1
    assert (tracks[HITS[0]].listeners, tracks[RARE].listeners) == (21, 1)
    first, second = tracks[LOVED[0]], tracks[HITS[1]]
    assert first.ratio == pytest.approx((first.listeners + 5) / (first.expected + 5))
    assert first.ratio > 1 > second.ratio
    assert second.expected <= 21 < second.likes == 90_000


def test_artists_count_each_listener_once(profile: Profile) -> None:
    artists = {row.id: row for row in profile.preferences["artists"].found}
    assert set(artists) == {*range(500, 504), *range(600, 604)}
    assert all(row.listeners <= 21 for row in artists.values())
    assert artists[600].listeners == 21


def test_genres_and_tags_are_normalised(profile: Profile) -> None:
    genres = {row.name: row for row in profile.words["genres"].found}
    assert set(genres) == {"drum & bass", "pop"}
    assert genres["drum & bass"].lowest > 1
    assert genres["drum & bass"].listeners == 21
    of_hits = sum(row.listeners for row in profile.preferences["tracks"].found if row.id in HITS)
    assert genres["drum & bass"].share == pytest.approx(1 - of_hits / profile.likes)
    assert [row.name for row in profile.words["tags"].found] == ["drum & bass", "liquid", "pop"]
    assert profile.words["tags"].rare == 1  # the tag of one artist


def test_places_of_fewer_than_five_listeners_are_not_shown(profile: Profile) -> None:
    countries, cities = profile.words["countries"], profile.words["cities"]
    assert [(row.name, row.listeners, row.share) for row in countries.found] == [("Germany", 17, 17 / 21)]
    assert (countries.above, countries.compared, countries.rare) == (1, 3, 1)
    assert [(row.name, row.listeners) for row in cities.found] == [("Berlin", 17)]  # as most people write it
    assert (profile.named["countries"].listeners, profile.named["cities"].listeners) == (21, 21)
    assert profile.named["countries"].others == len(STRANGERS) + 8  # with the artists


def test_json_has_every_section_that_is_asked_for(path: Path) -> None:
    done = run(path, "soundcloud:tracks:100", "--json", "--limit", "2")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert list(found)[:5] == ["id", "title", "artist_id", "artist", "permalink_url"]
    assert (found["listeners"], found["looked_at"]) == (22, 21)
    assert found["left_out"] == {"tracks": 2, "likes": 4, "seeds": 1}
    assert list(found)[9:] == ["tracks", "artists", "genres", "tags", "countries", "cities"]
    assert len(found["tracks"]["found"]) == 2
    assert found["tracks"]["compared"] == 21
    assert {"id", "ratio", "listeners", "expected", "likes", "title", "artist"} <= set(
        found["tracks"]["found"][0]
    )
    assert found["countries"]["others"] == 58
    assert json.loads(run(path, "100", "--json", "--only", "cities").out).keys() & {"tracks", "cities"} == {
        "cities"
    }


def test_tables_have_the_rows_of_the_json(path: Path) -> None:
    tables = SoundGraph(url_of(path), as_="arrow").profile(SEED, 2)
    found = json.loads(run(path, str(SEED), "--json", "--limit", "2").out)
    assert list(tables) == list(found)[9:]
    for section, table in tables.items():
        assert table.to_pylist() == found[section]["found"]


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_text_says_what_it_rests_on_and_fits(
    path: Path, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    done = run(path, "track 100", "--only", "artists,genres, countries")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert max(map(len, lines)) <= int(columns)
    text = " ".join(done.out.split())
    for said in (
        "22 users like or repost it; 21 of their libraries were looked at",
        "1 with fewer than 5 listeners not shown, because they could identify people",
        "21 of 22 listeners and 58 other accounts name a country",
        "Left out: 2 tracks, removed or with a hidden or unknown number of likes (4 likes of the listeners)",
        "Left out: 1 other seed of this database",
        "not with all of SoundCloud",
    ):
        assert said in text
    assert "United Kingdom" not in text
    assert "Tracks" not in text


def test_the_text_says_why_nothing_was_compared() -> None:
    seed = Label("track", SEED, "Paper Lanterns")
    profile = Profile(seed, 50, 50, words=dict.fromkeys(("tags", "countries", "cities"), NO_WORDS))
    profile.named = {"countries": Named(40, 0), "cities": Named(40, 10)}
    text = " ".join(as_text(profile))
    assert "Tags: not compared, because the liked tracks have fewer than two tags" in text
    assert "Countries: not compared, because no other account names one" in text
    assert "Cities: not compared, because all accounts name the same one" in text
    assert "fewer than 5 listeners" not in text


def test_a_track_without_listeners(path: Path) -> None:
    done = run(path, str(PRIVATE), "--json")
    found = json.loads(done.out)
    assert (found["listeners"], found["looked_at"]) == (2, 2)
    nobody = run(path, str(RARE), "--only", "tracks,tags,cities")
    assert nobody.code == 0, nobody.err
    assert "2 users like or repost it; 2 of their libraries were looked at" in nobody.out
    assert "Weak evidence: fewer than 5 libraries" in nobody.out
    alone = run(path, str(UNKNOWN))
    assert alone.code == 0, alone.err
    assert "0 users like or repost it; none of their libraries was looked at" in alone.out


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], "name one track by ID, URL or title"),
        (["1", "2"], "name one track by ID, URL or title"),
        (["7"], "track 7 is not in this database"),
        (["soundcloud:users:1"], "'soundcloud:users:1' is a user, not a track"),
        (["100", "--only", "tracks,tgas"], "cities, not 'tgas' (did you mean `tags`?)"),
        (["100", "--limit", "0"], "option `--limit`: must be an integer from 1 to"),
    ],
)
def test_errors_are_one_line(path: Path, arguments: list[str], wanted: str) -> None:
    done = run(path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert wanted in done.err
    assert done.err.count("\n") == 1
