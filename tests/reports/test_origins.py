"""``scrapy why``: each record has a path to its seed, and each step of it is true."""

from __future__ import annotations

import json
import re
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from sgr_spiders.model.items import Track
from sgr_spiders.reports import origins
from sgr_spiders.storage import schema
from sgr_spiders.storage.origins import Paths, read_history
from sgr_spiders.storage.records import write_records
from sgr_spiders.storage.store import Store
from tests.crawls import small
from tests.crawls.crawling import Harvester
from tests.databases import connect, copy_database, is_on_server, url_of
from tests.scrapy_process import scrapy_in_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sgr_spiders.sandbox.world import World
    from sgr_spiders.storage.origins import Link
    from sgr_spiders.storage.store import Connection


@pytest.fixture(scope="module")
def world() -> World:
    return small.build_world()


@pytest.fixture(scope="module")
def harvested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origins")
    config = small.write_config(folder / "small.yaml", small.settings_of())
    with small.start_sandbox() as sandbox:
        harvester = Harvester(sandbox, folder / "harvest.db", config=str(config))
        ended = harvester.crawl("deep_harvest")
        assert ended.code == 0, ended.log
    return folder / "harvest.db"


@pytest.fixture
def connection(harvested: Path) -> Iterator[Connection]:
    with Store(url_of(harvested)).read() as connection:
        yield connection


def _commented(world: World, track: int) -> list[int]:
    comments = world.comments_on(track) or []
    return [number for comment in comments for number in (comment.user_id, comment.comment_id)]


def _is_true(world: World, link: Link) -> bool:
    """Return whether the world of the sandbox contains a *link*."""
    listed: dict[str, Callable[[Any], Any]] = {
        "search_tracks": world.search_tracks,
        "search_users": world.search_users,
        "search_playlists": world.search_playlists,
        "track_favoriters": world.likers,
        "track_reposters": world.reposters,
        "track_comments": partial(_commented, world),
        "user_likes": world.library,
        "user_tracks": world.uploads,
        "user_playlists": world.playlists_of,
        "playlist_tracks": world.playlist_tracks,
        "contains": world.playlist_tracks,
    }
    if link.relation in listed:
        return link.id in (listed[link.relation](link.text if link.to is None else link.to[1]) or ())
    if link.to is None:
        return link.relation == "resolve"
    if link.relation == "uploads":
        return world.artist_of(link.to[1]) == link.id
    assert link.relation == "owns", link
    return link.to[1] in (world.playlists_of(link.id) or ())


def test_each_discovery_has_a_true_path(harvested: Path, connection: Connection, world: World) -> None:
    with closing(connect(harvested)) as direct:
        found = direct.execute(
            "SELECT kind, record_id, seed_id, layer FROM discoveries ORDER BY 1, 2, 4"
        ).fetchall()
    assert len({row[3] for row in found}) == 7
    assert len(found) > 300
    relations = set()
    for kind, record_id, seed_id, layer in found[::3]:
        path = Paths(connection, seed_id, layer).find((kind, record_id))
        assert path or record_id == seed_id, (kind, record_id, layer)
        for before, link in zip((None, *path), path, strict=False):
            assert before is None or before.to == (link.kind, link.id)
            assert _is_true(world, link), (kind, record_id, layer, link)
            relations.add(link.relation)
        assert not path or path[-1].to in {None, ("track", seed_id)}
    assert {"track_favoriters", "user_likes", "uploads", "search_tracks"} <= relations


def _text(connection: Connection, kind: str, record_id: int, *, include_removed: bool = False) -> str:
    origin = origins.read_origin(connection, kind, record_id, 20, include_removed=include_removed)
    assert origin is not None
    return "\n".join(origins.as_text(origin))


def test_a_path_is_a_sentence(connection: Connection, harvested: Path, world: World) -> None:
    seed = world.seed_track_id
    with closing(connect(harvested)) as direct:
        liker, track = direct.execute(
            "SELECT liked.user_id, min(liked.track_id) FROM engagements AS liked "
            "JOIN engagements AS of_seed ON of_seed.user_id = liked.user_id "
            "JOIN walks ON endpoint = 'user_likes' AND target = CAST(liked.user_id AS text) "
            "JOIN discoveries ON discoveries.record_id = liked.track_id AND layer = 'user_depth' "
            "WHERE of_seed.track_id = ? AND of_seed.kind = 'like' AND liked.kind = 'like' "
            "AND liked.track_id <> ? GROUP BY liked.user_id ORDER BY 1 LIMIT 1",
            (seed, seed),
        ).fetchone()
    assert re.search("  user_depth: (likes|reposted) the seed\n", _text(connection, "user", liker))
    (line,) = [line for line in _text(connection, "track", track).splitlines() if "user_depth" in line]
    assert re.fullmatch("  user_depth: (liked|reposted) by .+, who (likes|reposted) the seed", line)
    itself = _text(connection, "track", seed)
    assert f"A seed, first of run 1: given as {seed}" in itself
    assert "  user_depth: the seed itself\n" in itself
    artist = _text(connection, "artist", world.seed_artist_id)
    assert "  user_depth: uploaded the seed\n" in artist
    assert artist.startswith(f"Artist {world.seed_artist_id}: ")


def test_what_has_left_is_history(harvested: Path, tmp_path: Path, world: World) -> None:
    """Paths are those that exist; the history also shows what was removed."""
    changed = copy_database(harvested, tmp_path / "changed.db")
    liker = (world.likers(world.seed_track_id) or [])[0]
    with closing(connect(changed)) as direct, direct:
        direct.execute(
            "UPDATE walk_records SET removed_at = '2027-01-02T03:04:05Z' WHERE record_id = ?", (liker,)
        )
        direct.execute(
            "UPDATE users SET removed_at = '2027-01-02T03:04:05Z', removed_reason = 'gone' WHERE user_id = ?",
            (liker,),
        )
        direct.execute(
            "INSERT INTO users (user_id, is_stub, fullness, fetched_at) VALUES (8, ?, 0, 't')", (True,)
        )
        direct.execute(
            "INSERT INTO playlist_leftovers (playlist_id, track_id, position) "
            "SELECT min(playlist_id), 9, 7 FROM playlists"
        )
    with Store(url_of(changed)).read() as connection:
        now = _text(connection, "user", liker)
        assert "likes the seed" not in now
        assert "removed 2027-01-02 03:04 UTC: the API does not find it" in now
        assert "Found earlier; `--include-removed` shows how" in now
        assert "No layer has found it" not in now
        then = _text(connection, "user", liker, include_removed=True)
        assert "user_depth: likes the seed (until 2027-01-02 03:04)" in then
        stub = _text(connection, "user", 8)
        assert "No layer has found it: it is known only from other records" in stub
        assert "Only its ID is known, from a reference" in stub
    (as_json, text, missing, left_out, bad) = scrapy_in_one(
        changed,
        ["why", "user", str(liker), "--include-removed", "--json"],
        ["why", "track", world.title_of(world.seed_track_id), "--limit", "1"],
        ["why", "track", "5"],
        ["why", "track", "9"],
        ["why", "song", "5"],
    )
    document = json.loads(as_json[1])
    assert (document["id"], document["kind"], document["history"]["removed_reason"]) == (
        liker,
        "user",
        "gone",
    )
    (found,) = [one for one in document["found"] if one["layer"] == "user_depth"]
    assert (found["present"], found["sentence"]) == (False, "likes the seed")
    assert found["path"][0]["to"]["title"] == world.title_of(world.seed_track_id)
    assert "more discoveries; `--limit` shows them" in text[1]
    assert (missing[0], missing[2]) == (2, "track 5 is not in this database\n")
    assert (left_out[0], bad[0]) == (2, 2)
    assert left_out[2].startswith("track 9 is not in this database: a cap left it out of playlist ")
    assert "name one of track, user, playlist, artist and its ID, URL or name" in bad[2]


def at(hour: int) -> str:
    return f"2026-01-01T{hour:02}:00:00.000000Z"


def _first_runs(path: Path, spans: list[tuple[int, int | None]], hours: list[int]) -> list[int | None]:
    """Return the first run of a track first seen at each of *hours*, beside runs with these *spans*."""
    with closing(Store.open(url_of(path))) as store, store.write() as connection:
        for number, (begin, end) in enumerate(spans, 1):
            row = {
                "run_id": number, "spider": "x", "layers": "x", "scope": "s", "refresh": False,
                "fresh_after": "", "started_at": at(begin), "finished_at": None if end is None else at(end),
            }  # fmt: skip
            connection.execute(sa.insert(schema.runs).values(row))
        found = []
        for hour in hours:
            write_records(connection, [Track(hour, "A")], set(), at(hour))
            history = read_history(connection, "track", hour)
            assert history is not None
            found.append(history.first_run)
        return found


def test_the_first_run_is_the_one_at_work_then(tmp_path: Path) -> None:
    spans: list[tuple[int, int | None]] = [(1, 3), (5, None), (7, 9)]
    # Only on a server, a run without an end may be at work beside a later one.
    beside = None if is_on_server() else 3
    assert _first_runs(tmp_path / "a.db", spans, [0, 2, 4, 6, 8]) == [None, 1, None, 2, beside]


@pytest.mark.postgresql("runs side by side")
def test_the_first_run_of_several_at_work_is_unknown(tmp_path: Path) -> None:
    assert _first_runs(tmp_path / "a.db", [(1, 5), (3, 7)], [2, 4, 6]) == [1, None, 2]
