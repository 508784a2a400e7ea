"""Databases for reports, made without a crawl."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import NOW, World

if TYPE_CHECKING:
    from pathlib import Path

SEED, ARTIST = 101, 501
HOSTILE = (
    "</script><script>window.broken = 1</script>",
    "\"><img src=x onerror='window.broken = 1'>",
    "&amp; &lt;b&gt; <b>bold</b> <!-- ",
    "right \u202eto\u202c left \u05e9\u05dc\u05d5\u05dd and \u0645\u0631\u062d\u0628\u0627",
    "line\u2028separator\u2029\r\n\ttab \u0007 bell \ufffe",
    "{{ x }} ${x} `x` \\u003c \\",
    "z\u0351\u036b\u0343\u036a\u0302" * 40,
    "x" * 400,
    " ",
)
"""Names that could break a page."""
ADDRESSES = (
    "javascript:window.broken = 1",
    "https://evil.example/https://soundcloud.com/",
    "https://soundcloud.com@evil.example/x",
    "http://soundcloud.com/x",
    'https://soundcloud.com/"onmouseover="window.broken=1',
)
"""Addresses that must not become links to another site, or break out of an attribute."""


def build_world(tracks: int = 60, users: int = 30) -> World:
    """Return a world around ``SEED``: groups of users who like the same tracks."""
    world = World({(user, SEED, "like") for user in range(1, users)})
    for user in range(1, users):
        group = user % 3
        world.engagements |= {(user, SEED + 1 + group + 3 * step, "like") for step in range(user % 9 + 8)}
        world.engagements.add((user, SEED + 1 + (user * 7) % tracks, "repost"))
    members = {101 + track for track in range(tracks)}
    world.artists = {track: ARTIST + track % 7 for track in members}
    world.artists[SEED] = ARTIST
    world.playlists = {
        1000 + number: {SEED, *(102 + number % 4 + 4 * step for step in range(12))} for number in range(12)
    }
    world.owners = {1000 + number: number + 1 for number in range(6)}
    world.looks = dict.fromkeys(range(1, users), "whole") | {2: "newest", 3: "unseen"}
    return world


def make_harvest(
    path: Path, world: World | None = None, *, related: bool = True, hostile: bool = False
) -> Path:
    """Create a database as after a crawl around ``SEED``."""
    with closing(Store.open(url_of(path))) as store:
        (world or build_world()).spill(store)
        with store.write() as connection:
            add_run(connection, 1, SEED)
            name_records(connection, hostile=hostile)
        if related:
            relate(store, HarvestConfig())
    return path


def add_run(connection: sa.Connection, run_id: int, *seeds: int, outcome: str | None = "complete") -> None:
    """Add a finished run that found all tracks and users around the *seeds*."""
    run = {
        "run_id": run_id, "spider": "deep_harvest", "layers": "user_depth,label_layer", "scope": str(run_id),
        "refresh": False, "fresh_after": "", "started_at": "2026-03-01T12:00:00.000Z", "outcome": outcome,
        "finished_at": outcome and "2026-03-01T12:05:00.000Z", "requests": 17, "version": "0.1.0",
        "arguments": json.dumps({"track_id": ",".join(map(str, seeds)), "_job": "x"}),
        "stats": json.dumps({"sgr/command": f"scrapy crawl deep_harvest -a track_id={seeds[0]}"}),
    }  # fmt: skip
    connection.execute(sa.insert(schema.runs).values(run))
    for seed in seeds:
        _add_walk(connection, seed, "track", "done", 1)
        _add_walk(connection, seed + 10**6, "track_favoriters", "capped", 20, expected=50)
        given = {"run_id": run_id, "given": str(seed), "track_id": seed, "walk_id": seed}
        connection.execute(sa.insert(schema.run_seeds).values(given))
        for layer in ("user_depth", "label_layer"):
            scope = {"run_id": run_id, "seed_id": seed, "layer": layer, "settings": ""}
            connection.execute(sa.insert(schema.run_scope).values(scope))
        _ask(connection, seed, seed, "user_depth", "seed", 1)
        _ask(connection, seed + 10**6, seed, "user_depth", "likers", 20)
        for kind, table in (("track", schema.tracks), ("user", schema.users)):
            (key,) = table.primary_key.columns
            rows = sa.select(sa.literal(seed), sa.literal("label_layer"), sa.literal(kind), key).where(
                key % 2 == 0
            )
            columns = ["seed_id", "layer", "kind", "record_id"]
            connection.execute(sa.insert(schema.selections).from_select(columns, rows))


def _add_walk(
    connection: sa.Connection, walk: int, endpoint: str, status: str, kept: int, expected: int | None = None
) -> None:
    counts = {"generation": 0, "pages": 1, "empty_pages": 0, "received": kept, "kept": kept}
    ended = {"created_at": NOW, "finished_at": "2026-03-01T12:00:01.000Z", "cursor": ""}
    capped = kept if status == "capped" else None
    connection.execute(
        sa.insert(schema.walks).values(
            walk_id=walk, endpoint=endpoint, target=str(walk), status=status, expected=expected,
            capped_at=capped, **counts, **ended,
        )
    )  # fmt: skip


def _ask(connection: sa.Connection, walk: int, seed: int, layer: str, step: str, cap: int) -> None:
    asked: dict[str, Any] = {"layer": layer, "step": step, "cap": cap, "widest": cap, "selective": False}
    connection.execute(
        sa.insert(schema.walk_requests).values(walk_id=walk, seed_id=seed, settings="", expanded=0, **asked)
    )


def name_records(connection: sa.Connection, *, hostile: bool = False) -> None:
    """Name all tracks and users, some of them in a hostile way."""
    genres = ("Ambient", "Deep House", "Techno", None)
    tables = (
        ("track", schema.tracks, schema.tracks.c.title),
        ("user", schema.users, schema.users.c.username),
    )
    for kind, table, name in tables:
        (key,) = table.primary_key.columns
        for number in connection.scalars(sa.select(key).order_by(key)).all():
            values: dict[str, Any] = {
                name.name: f"{kind.capitalize()} {number}",
                "permalink_url": f"https://soundcloud.com/{kind}-{number}",
            }
            if kind == "track":
                values |= {"genre": genres[number % 4], "playback_count": number * 10}
            if hostile:
                values[name.name] = HOSTILE[number % len(HOSTILE)]
                values["permalink_url"] = ADDRESSES[number % len(ADDRESSES)]
            if hostile and kind == "track":
                values["genre"] = HOSTILE[number % len(HOSTILE)]
            connection.execute(sa.update(table).where(key == number).values(values))
