"""The measured steps: each runs in a process of its own."""

from __future__ import annotations

import itertools
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.embeddings.base import Corpus
from sgr_spiders.embeddings.embed import build_corpus
from sgr_spiders.embeddings.preparation import Choice, prepare
from sgr_spiders.embeddings.svd import Svd
from sgr_spiders.embeddings.walk import RandomWalk
from sgr_spiders.model.items import Engagement, Entry, Fullness, Page, Track, User, Walk, WalkRequest
from sgr_spiders.relationships import processor
from sgr_spiders.relationships.user_similarity import UserSimilarity
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.ledger import Ledger
from sgr_spiders.storage.ledger.spill import spill_page
from sgr_spiders.storage.store import Store
from tests.benchmarks.relationships.data import libraries
from tests.benchmarks.relationships.ways import compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sgr_spiders.relationships.inputs import Incidence

LIKES_PER_USER, TRACKS_PER_USER = 50, 6
PAGE = 200
SEED = 1


@dataclass(frozen=True, slots=True)
class World:
    """The counts that costs depend on."""

    users: int
    tracks: int
    likes: int
    meetings: int
    """Co-occurrences: pairs of users at the same track."""
    ways: int
    """Ways of a random walk from a track over a fan to a track."""


def make_libraries(users: int) -> Incidence:
    return libraries(users, LIKES_PER_USER, TRACKS_PER_USER * users)


def warm_up() -> None:
    """Compile the kernels, so that later processes only load them."""
    relationship = UserSimilarity(HarvestConfig().relationships.user_similarity)
    compiled(libraries(3_000, 60, 2_000), relationship, 1)


def describe(users: int) -> World:
    """Generate a world and count it."""
    nodes = make_libraries(users)
    fans = np.bincount(nodes.contexts)
    return World(
        users,
        int((fans > 0).sum()),
        len(nodes.contexts),
        int((fans * (fans - 1) // 2).sum()),
        int((nodes.sizes**2).sum()),
    )


def spill(url: str, users: int) -> int:
    """Spill each library as a crawl does, in pages of 200 tracks; return the size of the database."""
    nodes = make_libraries(users)
    with closing(Store.open(url)) as store:
        with store.write() as connection:
            run = runs.begin_run(
                connection,
                spider="user_depth",
                layers=["user_depth"],
                scope="",
                fresh_after="",
                refresh=False,
            )
            Ledger(connection, run).widen_scope(SEED, {"user_depth": ""})
        number_of = {str(user): number for number, user in enumerate(nodes.ids.tolist())}
        for first in range(0, users, PAGE):
            some = nodes.ids[first : first + PAGE].tolist()
            with store.write() as connection:
                ledger = Ledger(connection, run)
                wanted = [WalkRequest("user_likes", str(user), "libraries", 10_000) for user in some]
                ledger.request(SEED, "user_depth", "", wanted)
                leased = ledger.lease(PAGE)
            for walk in leased:
                number = number_of[walk.target]
                tracks = nodes.contexts[nodes.starts[number] : nodes.starts[number + 1]].tolist()
                _spill_library(store, run, walk, tracks)
    return size(url)


def _spill_library(store: Store, run: runs.Run, walk: Walk | None, tracks: list[int]) -> None:
    for first in range(0, len(tracks), PAGE):
        assert walk is not None
        part = tracks[first : first + PAGE]
        cursor = f"/next?offset={first + PAGE}" if first + PAGE < len(tracks) else None
        page = Page(walk, list(_entries(int(walk.target), part)), next_cursor=cursor, received=len(part))
        with store.write() as connection:
            spilled = spill_page(connection, page, run)
        assert spilled is not None
        walk = spilled.walk


def _entries(user: int, tracks: list[int]) -> Iterator[Entry]:
    for track in tracks:
        record = Track(
            track + 1,
            title=f"An invented title of track {track}",
            artist_id=track // 20 + 1,
            permalink_url=f"https://soundcloud.com/artist-{track // 20}/track-{track}",
            created_at="2024-05-17T10:11:12Z",
            duration_ms=200_000 + track % 90_000,
            genre="House",
            playback_count=track % 10_007,
            favoritings_count=track % 1_009,
            fullness=Fullness.OWN,
        )
        artist = User(track // 20 + 1, username=f"artist {track // 20}", fullness=Fullness.STUB)
        yield Entry(record, [artist], Engagement(user, track + 1, "like"))


def fill(url: str, users: int) -> int:
    """Write the same libraries in bulk, without a ledger; return the size of the database."""
    nodes = make_libraries(users)
    Store.open(url).close()
    artists, tracks = nodes.context_count // 20 + 1, nodes.context_count
    owners, members = np.repeat(nodes.ids, nodes.sizes).tolist(), (nodes.contexts + 1).tolist()
    known = sorted({*range(1, artists + 1), *nodes.ids.tolist()})
    rows = ((user, True, 0, "") for user in known)
    with connect(url) as connection:
        if connection.dialect.name == "sqlite":
            for pragma in ("cache_size = -2000000", "synchronous = OFF"):
                connection.connection.cursor().execute(f"PRAGMA {pragma}")
        _write(connection, "users (user_id, is_stub, fullness, fetched_at)", rows)
        _write(
            connection,
            "tracks (track_id, artist_id, is_stub, fullness, fetched_at)",
            ((track, (track - 1) // 20 + 1, True, 0, "") for track in range(1, tracks + 1)),
        )
        _write(
            connection,
            "engagements (user_id, track_id, kind)",
            zip(owners, members, itertools.repeat("like"), strict=False),
        )
        connection.connection.commit()
    return size(url)


def _write(connection: sa.Connection, target: str, rows: Iterable[tuple[object, ...]]) -> None:
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * (target.count(",") + 1))
        cursor.executemany(f"INSERT INTO {target} VALUES ({places})", rows)  # noqa: S608 - ours
        return
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def connect(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def size(url: str) -> int:
    """Return the bytes of a database."""
    with connect(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
            return Path(str(connection.engine.url.database)).stat().st_size
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)


def relate(url: str, _users: int) -> int:
    """Relate the users; return the number of pairs."""
    with closing(Store.open(url)) as store:
        (built,) = processor.relate(store, HarvestConfig(), only=["user_similarity"])
    assert built.error is None
    return built.rows


def read(url: str) -> Corpus:
    with Store(url).read() as connection:
        return build_corpus(prepare(connection, Choice(test=0, validation=0)))


def read_corpus(url: str, _users: int) -> int:
    """Read what vectors are learned from; return the number of likes."""
    return int(read(url).matrix.nnz)


def fit_svd(url: str, _users: int) -> int:
    """Read and learn the vectors of the default method; return their number."""
    vectors = Svd(Svd.default_dimensions, 1).fit(read(url))
    return len(vectors.users) + len(vectors.tracks)


def fit_walk(url: str, _users: int) -> int:
    """Read and walk from each track; return the number of neighbours."""
    matrix = read(url).matrix
    return int(RandomWalk(matrix).reach(np.arange(matrix.shape[1])).nnz)
