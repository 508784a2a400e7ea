"""A small harvest with values that could break a file."""

from __future__ import annotations

import argparse
import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from scrapy.settings import Settings

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.embeddings.preparation import Choice
from sgr_spiders.exports.export import Exported, export, resolve_options
from sgr_spiders.relationships.processor import relate
from sgr_spiders.soundcloud.raw import pack
from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.databases import connect, url_of
from tests.embeddings.test_preparation import SEED, harvest_around_the_seed
from tests.relationships.worlds import NOW, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sgr_spiders.cli.database_command import DatabaseCommand

AWKWARD = 'a "quoted", title\twith\r\nlines; \u0001\u001b[31m <&> =1+1 \U0001f3b5 \ufffe'
SECRET_ADDRESS = "https://soundcloud.com/x/y?secret_token=s-opensesame"

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="session")
def harvest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the database; tests must not write to it."""
    path = tmp_path_factory.mktemp("exports") / "harvest.db"
    world = World({(user, SEED, "like") for user in range(1, 30)})
    for user in range(1, 30):
        world.engagements |= {(user, 102 + (user * step) % 61, "like") for step in range(1, 21)}
        world.engagements.add((user, 102 + user % 3, "repost"))
    world.artists = {track: 500 + track % 5 for track in range(102, 163)}
    world.playlists = {1000 + user: set(range(100 + user, 130 + user)) for user in range(1, 9)}
    world.owners = {1000 + user: user for user in range(1, 7)}
    with closing(Store.open(url_of(path))) as store:
        world.spill(store)
        with store.write() as connection:
            harvest_around_the_seed(connection)
            make_awkward(connection)
        relate(store, HarvestConfig())
    return path


def make_awkward(connection: sa.Connection) -> None:
    known = {
        "title": AWKWARD,
        "genre": AWKWARD,
        "description": "",
        "tag_list": f'drone "deep{AWKWARD}',
        "bpm": 174.5,
        "playback_count": 2**40,
        "downloadable": True,
        "raw": pack({"mood": AWKWARD, "nested": {"list": [1, None]}}),
    }
    tracks, users, comments = schema.tracks, schema.users, schema.comments
    connection.execute(sa.update(tracks).where(tracks.c.track_id == 110).values(known))
    connection.execute(
        sa.update(tracks).where(tracks.c.track_id == 111).values(description=f"listen: {SECRET_ADDRESS}")
    )
    connection.execute(sa.update(users).where(users.c.user_id == 3).values(username=AWKWARD, country="NA"))
    connection.execute(
        sa.insert(comments), [{"comment_id": -1, "track_id": 110, "body": AWKWARD, "fetched_at": NOW}]
    )


@pytest.fixture
def exporting(harvest: Path, tmp_path: Path) -> Callable[..., Exported]:
    """Export from the harvest into ``tmp_path / "out"``."""
    return lambda *arguments, **options: export_from(harvest, tmp_path / "out", *arguments, **options)


def export_from(
    harvest: Path, folder: Path, purpose: str | None, formats: Sequence[str] = (), **options: Any
) -> Exported:
    named = {name: options.pop(name) for name in ("include_removed", "as_of") if name in options}
    with_raw = options.pop("with_raw", False)
    wanted = resolve_options(purpose, formats, Choice(**options), with_raw=with_raw, **named)
    return export(Store(url_of(harvest)), folder, wanted)


def rows_of(harvest: Path, sql: str) -> Rows:
    with closing(connect(harvest)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def signals() -> Iterator[None]:
    """Restore the SIGTERM handler that commands replace."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def run(kind: type[DatabaseCommand], database: Path, *arguments: str) -> int:
    """Run a command in this process; return its exit code."""
    command, parser = kind(), argparse.ArgumentParser()
    command.settings = Settings({"HARVEST_DATABASE_URL": url_of(database)})
    command.add_options(parser)
    options, rest = parser.parse_known_args(arguments)
    command.run(rest, options)
    return command.exitcode
