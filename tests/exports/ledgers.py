"""A ledger made by code: a run around two seeds, with walks in every state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.storage import schema
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.frontier import walk_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sgr_spiders.storage.store import Connection

LAYER = "user_depth"
CONFIG = HarvestConfig()
ARGUMENTS = {
    "track_id": "101",
    "seeds": "/home/anna/secret/seeds.txt",
    "config": "/home/anna/my.yaml",
    "_job": "9",
}


def add_walk(connection: Connection, endpoint: str, target: str, status: str, **more: Any) -> int:
    """Add a walk; return its ID."""
    counts = dict.fromkeys(("generation", "pages", "empty_pages", "received", "kept"), 0)
    row = {"walk_id": walk_id(endpoint, target), "endpoint": endpoint, "target": target, "status": status}
    connection.execute(
        sa.insert(schema.walks).values({**counts, "cursor": "", "created_at": "", **row, **more})
    )
    return walk_id(endpoint, target)


def request(connection: Connection, walk: int, seed: int, step: str, cap: int, **more: Any) -> None:
    """Let the layer want a walk for a seed up to a cap."""
    row = {"walk_id": walk, "seed_id": seed, "layer": LAYER, "step": step, "cap": cap, "widest": cap}
    known = {
        "selective": False,
        "expanded": 0,
        "settings": "x",
        "requested_at": "2026-01-01T00:00:00.000000Z",
    }
    connection.execute(sa.insert(schema.walk_requests).values({**row, **known, **more}))


def add_run(
    connection: Connection,
    seeds: Iterable[int],
    outcome: str | None = "complete",
    stats: Mapping[str, int] | None = None,
) -> runs.Run:
    """Add a run of these seeds, which are fetched."""
    run = runs.begin_run(
        connection,
        spider="deep_harvest",
        layers=[LAYER],
        scope="x",
        fresh_after="",
        refresh=False,
        config_hash=CONFIG.fingerprint_of_all,
    )
    runs.note_asked(connection, run, json.dumps(ARGUMENTS), "0.1.0")
    runs.note_configuration(connection, CONFIG.fingerprint_of_all, CONFIG.as_json)
    for seed in seeds:
        walk = walk_id("track", str(seed))
        if not connection.scalar(sa.select(schema.walks.c.walk_id).where(schema.walks.c.walk_id == walk)):
            add_walk(connection, "track", str(seed), "done", kept=1, received=1)
        given = {"run_id": run.run_id, "given": str(seed), "track_id": seed, "walk_id": walk}
        connection.execute(sa.insert(schema.run_seeds).values(given))
        scope = {"run_id": run.run_id, "seed_id": seed, "layer": LAYER, "settings": "x"}
        connection.execute(sa.insert(schema.run_scope).values(scope))
    if outcome is not None:
        runs.end_run(connection, run, outcome, None, 0, json.dumps(dict(stats or {})))
    return run
