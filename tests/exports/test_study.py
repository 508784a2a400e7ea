"""Studies: nothing identifies anybody in those with pseudonyms, and the same data gives the same study."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
import yaml

from sgr_spiders.commands.study import Command
from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.exports import manifest
from sgr_spiders.exports.study.coarsening import choose_common, choose_common_within, round_few
from sgr_spiders.exports.study.provenance import hide
from sgr_spiders.exports.study.pseudonyms import DIGITS, Pseudonyms
from sgr_spiders.exports.study.study import StudyOptions, build_study
from sgr_spiders.exports.study.study_tables import LEFT_OUT, ONLY_IN_CLEAR
from sgr_spiders.model.exceptions import ArgumentError, ConfigError
from sgr_spiders.model.items import Fullness
from sgr_spiders.relationships.processor import relate
from sgr_spiders.storage import communities, export_log, forgetting, personal, schema
from sgr_spiders.storage.communities import CommunityRun
from sgr_spiders.storage.figures.cells import Cell
from sgr_spiders.storage.ledger import runs
from sgr_spiders.storage.ledger.source import Source
from sgr_spiders.storage.personal import Content
from sgr_spiders.storage.store import Store
from tests.databases import copy_database, url_of
from tests.exports.conftest import run
from tests.exports.ledgers import add_run, add_walk, request
from tests.relationships.worlds import NOW, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.storage.store import Connection

USER, TRACK, PLAYLIST, COMMENT = 3_100_000_000, 8_200_000_000, 6_300_000_000, 9_400_000_000
SEED, PRIVATE, GONE_USER, FORGOTTEN = TRACK + 1, TRACK + 40, USER + 28, USER + 29
MARK = "zq-"
"""The beginning of every text of the world, which no text of this program contains."""
KEY = "5e" * 32
NAMED = (Content.ACCOUNT, Content.TRACK, Content.PLAYLIST, Content.COMMENT, Content.RECORD, Content.DERIVED)
LISTED = ("runs", "walks", "caps", "rejected")
FINE_TIME = re.compile(r"\d{4}-\d\d-\d\dT|\d{4}-\d\d-\d\d \d\d:")


@pytest.fixture(scope="module")
def harvest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a harvest in which every text begins with ``MARK`` and every ID is large; tests only read it."""
    path = tmp_path_factory.mktemp("study") / "harvest.db"
    world = World({(USER + user, SEED, "like") for user in range(30)})
    for user in range(30):
        world.engagements |= {(USER + user, TRACK + 2 + (user * step) % 41, "like") for step in range(1, 15)}
    world.artists = {TRACK + track: USER + 100 + track % 12 for track in range(1, 45)}
    world.playlists = {PLAYLIST + user: {TRACK + user + step for step in range(1, 12)} for user in range(8)}
    world.owners = {PLAYLIST + user: USER + user for user in range(8)}
    world.looks = {USER + user: "newest" if user % 7 == 0 else "whole" for user in range(27)}
    with closing(Store.open(url_of(path))) as store:
        world.spill(store)
        with store.write() as connection:
            fill(connection)
            run = add_run(connection, [SEED])
            asked = {
                "track_id": str(SEED),
                "track_url": f"https://soundcloud.com/{MARK}a/{MARK}b",
                "layers": "x",
            }
            runs.note_asked(connection, run, json.dumps(asked), "0.1.0")
            reason = f"seed {SEED} ({MARK}a) is late"
            connection.execute(sa.update(schema.runs).values(reason=reason))
            walk = add_walk(connection, "track_favoriters", str(SEED), "done", kept=30, expected=1234)
            request(connection, walk, SEED, "listeners", 100)
        relate(store, HarvestConfig(), seeds=[SEED])
        with store.write() as connection:
            group(connection)
            remove(connection)
            forgetting.forget(connection, [("user", FORGOTTEN)])
    return path


def fill(connection: Connection) -> None:
    comments = [
        {"comment_id": COMMENT + user, "track_id": SEED, "user_id": USER + user, "fetched_at": NOW}
        for user in range(9)
    ]
    connection.execute(sa.insert(schema.comments), comments)
    mention = {"track_id": SEED, "kind": "featuring", "name": f"{MARK}guest", "user_id": USER + 3}
    connection.execute(sa.insert(schema.track_mentions).values(mention))
    rows = [
        {"seed_id": SEED, "layer": "user_depth", "kind": kind, "record_id": record}
        for kind, record in (
            *(("track", TRACK + track) for track in range(1, 45)),
            *(("user", USER + user) for user in range(30)),
            *(("playlist", PLAYLIST + user) for user in range(8)),
        )
    ]
    connection.execute(sa.insert(schema.selections), rows)
    for kind, table in schema.RECORD_TABLES.items():
        key = table.c[f"{kind}_id"]
        texts = [column for column in table.columns if is_text(table, column)]
        marked = {column: sa.literal(f"{MARK}{column.name} ") + sa.cast(key, sa.Text) for column in texts}
        connection.execute(sa.update(table).values(marked))
    known = {"country": "Peru", "followers_count": 1834, "created_at": "2014-05-06T07:08:09Z"}
    connection.execute(sa.update(schema.users).values(known))
    for country, users in (("Malta", range(4)), ("Chile", range(100, 112))):
        there = schema.users.c.user_id.in_([USER + user for user in users])
        connection.execute(sa.update(schema.users).where(there).values(country=country))
    connection.execute(
        sa.update(schema.tracks).values(
            genre="Ambient", duration_ms=213_456, created_at="2016-03-04T05:06:07Z", isrc=f"{MARK}isrc"
        )
    )
    for genre, tracks in ((f"{MARK}anna's sounds", range(4)), ("Drone", range(31, 45))):
        such = schema.tracks.c.track_id.in_([TRACK + track for track in tracks])
        connection.execute(sa.update(schema.tracks).where(such).values(genre=genre))

    values = [
        {"kind": kind, "record_id": record, "counter": "reposts_count", "observed_at": at, "value": value}
        for kind, record in (("track", SEED), ("user", GONE_USER), ("playlist", PLAYLIST))
        for at, value in (("2016-03-04T05:06:07.000000Z", 1833), (NOW, 1834))
    ]
    connection.execute(sa.insert(schema.counter_history), values)


def group(connection: Connection) -> None:
    """Add communities, and significance to one half of the pairs."""
    for kind, record in (("artist", USER + 100), ("track", TRACK + 10)):
        nodes = [
            {"kind": kind, "node_id": record + node, "community": node % 2, "stability": 1}
            for node in range(6)
        ]
        connection.execute(sa.insert(schema.communities), nodes)
    made = CommunityRun(
        kind="user",
        method="leiden",
        graph="user_similarities",
        validated=True,
        parameters={"random_seeds": [1, 2]},
        inputs={},
        related_at=NOW,
        communities=2,
        rows=2,
        modularity=0.5,
        stability=0.75,
        seconds=1.0,
    )
    communities.replace(
        connection, made, communities.Communities(*map(np.array, ([USER + 1, USER + 2], [0, 1], [1.0, 0.5])))
    )
    pairs = sa.table("user_similarities", sa.column("user_id_a"), sa.column("q"))
    connection.execute(sa.update(pairs).values(q=sa.case((pairs.c.user_id_a < USER + 3, 0.01), else_=0.5)))


def is_text(table: sa.Table, column: sa.Column[Any]) -> bool:
    content = personal.content_of(table, column)
    return content in {Content.TEXT, Content.PLACE} and isinstance(column.type, sa.Text)


def remove(connection: Connection) -> None:
    """Make a track private and an account gone, while lists still name them."""
    for kind, record, reason in (("track", PRIVATE, "private"), ("user", GONE_USER, "gone")):
        table = schema.RECORD_TABLES[kind]
        values = {"removed_at": NOW, "removed_reason": reason}
        connection.execute(sa.update(table).where(table.c[f"{kind}_id"] == record).values(values))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "study.key"
    path.write_text(KEY)
    return path


@pytest.fixture(scope="module", params=["parquet", "csv"])
def study(
    request: pytest.FixtureRequest, harvest: Path, key: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the directory of a study with pseudonyms, which tests only read."""
    directory = tmp_path_factory.mktemp("out") / "study"
    build_study(Store(url_of(harvest)), directory, StudyOptions(key, request.param))
    return directory


@pytest.fixture(scope="module")
def full(harvest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("out") / "full"
    build_study(Store(url_of(harvest)), directory, StudyOptions(None))
    return directory


def read(directory: Path, table: str) -> pl.DataFrame:
    (path,) = directory.glob(f"{table}.*")
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)


def files_in(directory: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in directory.iterdir() if path.name != ".lock"}
    assert {"manifest.json", "METHODS.md", "README.md", "CITATION.cff", "SHA256SUMS"} <= found.keys()
    return found


def texts_in(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield (file, text) of every text, and of every cell of every table."""
    for name, content in files_in(directory).items():
        if name.endswith(".parquet"):
            frame = pl.read_parquet(directory / name)
            assert not any(kind == pl.Binary for kind in frame.dtypes)
            for column in frame.columns:
                yield from ((name, str(value)) for value in frame[column].unique().to_list())
        else:
            yield name, content.decode()


def ids_in(harvest: Path) -> set[str]:
    """Return all IDs of records, and the hashes of them, in all tables."""
    found: set[str] = set()
    with Store(url_of(harvest)).read() as connection:
        for table in personal.list_tables():
            for column in table.columns:
                if personal.content_of(table, column) in NAMED and not isinstance(column.type, sa.Text):
                    query = sa.select(column).where(column.is_not(None)).distinct()
                    found |= {str(value) for value in connection.scalars(query)}
    assert {str(SEED), str(USER + 3), str(COMMENT + 1), str(PLAYLIST + 1)} <= found
    return {value for value in found if len(value) > 6}


# ---- nothing identifies anybody


def test_no_file_contains_an_id_or_a_text(harvest: Path, study: Path) -> None:
    ids = ids_in(harvest) | {str(PRIVATE), str(FORGOTTEN), str(GONE_USER)}
    for name, text in texts_in(study):
        assert MARK not in text, (name, text[:200])
        numbers = set(re.findall(r"(?<![0-9a-z])[0-9]{7,}(?![0-9a-z])", text))
        assert not numbers & ids, (name, numbers & ids)


def test_times_counters_and_rare_values_are_coarse(study: Path) -> None:
    for name, text in texts_in(study):
        if name not in {"README.md", "datapackage.json"}:
            assert not FINE_TIME.search(text), (name, text[:200])
    users, tracks = read(study, "users"), read(study, "tracks")
    assert set(users["followers_count"]) == {2000}
    assert set(map(str, users["created_year"])) == {"2014"}
    assert set(users["country"]) == {"Peru", None}
    assert set(tracks["duration_ms"]) == {210_000}
    assert set(tracks["created_month"]) == {"2016-03"}
    assert set(tracks["genre"]) == {"Ambient", None}
    manifest = json.loads((study / "manifest.json").read_text())
    assert "counter_history" in manifest["left_out"]
    assert not list(study.glob("counter_history.*"))
    (fans,) = (row for row in manifest["walks"] if row["endpoint"] == "track_favoriters")
    assert fans["expected"] == 1000  # of one track


def test_the_order_of_rows_and_pairs_does_not_tell_the_order_of_ids(harvest: Path, study: Path) -> None:
    names = Pseudonyms(bytes.fromhex(KEY))
    tracks = list(read(study, "tracks")["track_id"])
    assert tracks == sorted(tracks)
    pairs = read(study, "user_similarities")
    assert pairs.height > 50
    assert (pairs["user_id_a"] < pairs["user_id_b"]).all()
    with Store(url_of(harvest)).read() as connection:
        table = sa.table("user_similarities", *map(sa.column, pairs.columns))
        rows = connection.execute(sa.select(table.c.user_id_a, table.c.user_id_b, table.c.tracks_a)).all()
    sizes = {
        (one, other): int(size)
        for one, other, size in pairs.select("user_id_a", "user_id_b", "tracks_a").rows()
    }
    turned = 0
    for one, other, size in rows:
        pair = names.of("user", one), names.of("user", other)
        if pair in sizes:
            assert sizes[pair] == size
        elif pair[::-1] in sizes:
            turned += 1
    assert turned > 10


def test_tables_still_fit_together(harvest: Path, study: Path) -> None:
    users, tracks = set(read(study, "users")["user_id"]), set(read(study, "tracks")["track_id"])
    likes = read(study, "engagements")
    assert (set(likes["user_id"]), set(likes["track_id"])) == (
        set(likes["user_id"]) & users,
        set(likes["track_id"]) & tracks,
    )
    assert set(read(study, "tracks")["artist_id"]) <= users | {None}
    manifest = json.loads((study / "manifest.json").read_text())
    (seed,) = manifest["seeds"]
    assert seed == {"track_id": Pseudonyms(bytes.fromhex(KEY)).of("track", SEED), "status": "done"}
    assert seed["track_id"] in tracks
    assert [run["arguments"] for run in manifest["runs"]] == [{"layers": "x"}]
    assert manifest["relationships"]["user_similarities"]["parameters"]["seeds"] == [seed["track_id"]]
    algorithm = manifest["relationships"]["user_similarities"]["algorithm"]
    assert algorithm.endswith(f"_seeds_{seed['track_id']}")
    fans = likes.filter(pl.col("track_id") == seed["track_id"])
    with Store(url_of(harvest)).read() as connection:
        fine = sa.and_(schema.engagements.c.track_id == SEED, schema.engagements.c.user_id != GONE_USER)
        assert fans.height == connection.scalar(
            sa.select(sa.func.count()).select_from(schema.engagements).where(fine)
        )


def test_communities_are_those_of_the_same_pseudonyms(study: Path) -> None:
    names = Pseudonyms(bytes.fromhex(KEY))
    found = {(kind, node): group for kind, node, group, _ in read(study, "communities").rows()}
    assert found["user", names.of("user", USER + 1)] == 0
    assert found["artist", names.of("user", USER + 101)] == 1
    assert found["track", names.of("track", TRACK + 10)] == 0
    manifest = json.loads((study / "manifest.json").read_text())
    assert manifest["communities"]["user"]["method"] == "leiden"


def test_what_is_removed_is_nowhere(study: Path, full: Path) -> None:
    names = Pseudonyms(bytes.fromhex(KEY))
    for kind, record in (("track", PRIVATE), ("user", GONE_USER), ("user", FORGOTTEN)):
        for name, text in texts_in(study):
            assert names.of(kind, record) not in text, name
        for name, text in texts_in(full):
            assert str(record) not in text, name


def test_counts_of_few_accounts_are_suppressed(study: Path) -> None:
    # Without the 12 of Chile, the others would tell that 4 live in Malta.
    assert read(study, "countries").rows() == [("Peru", 24), (None, 16)]
    assert read(study, "cities").height == 0
    assert [genre for genre, *_ in read(study, "genres").rows()] == ["Ambient", None]


def cells(*counts: int, unknown: int = 0) -> list[Cell]:
    """Return cells of so many accounts each, all of them different."""
    known = [cell(f"value {index}", count=count) for index, count in enumerate(counts)]
    return [*known, *([cell(None, count=unknown)] if unknown else [])]


def cell(*values: str | None, count: int) -> Cell:
    return Cell(values, count, frozenset(hash((values, place)) for place in range(count)))


@pytest.mark.parametrize(
    ("counted", "shown"),
    [
        (cells(9, 8, 5), 3),
        (cells(9, 8, 4), 1),  # 4 would be the difference to the total, so the 8 join them
        (cells(9, 8, 4, 1), 2),
        (cells(9, 8, unknown=3), 1),
        (cells(9, 8, 4, unknown=3), 2),
        (cells(4, 3), 0),
        (cells(9, 2), 0),
        ([], 0),
    ],
)
def test_no_difference_tells_a_small_count(counted: list[Cell], shown: int) -> None:
    chosen = choose_common(counted)
    assert len(chosen) == shown
    rest = sum(len(cell.holders) for cell in counted if cell.values not in chosen)
    assert rest == 0 or rest >= 5 or not chosen


def test_an_uploader_of_many_genres_is_one_account(store: Store, key: Path, tmp_path: Path) -> None:
    genres = [(artist, "Ambient") for artist in range(1, 16)] + [(99, f"Genre {place}") for place in range(5)]
    rows = [
        {"track_id": track, "artist_id": artist, "genre": genre}
        for track, (artist, genre) in enumerate(genres, 1)
    ]
    known = {"is_stub": False, "fullness": Fullness.OWN, "fetched_at": NOW}
    with store.write() as connection:
        accounts = [{"user_id": artist} | known for artist in {artist for artist, _ in genres}]
        connection.execute(sa.insert(schema.users), accounts)
        connection.execute(sa.insert(schema.tracks), [row | known for row in rows])
    build_study(store, tmp_path / "study", StudyOptions(key))
    # With Ambient, the others would tell what one account has uploaded.
    assert read(tmp_path / "study", "genres").rows() == [(None, 20, None)]
    assert set(read(tmp_path / "study", "tracks")["genre"]) == {None}


def test_rare_words_of_the_api_are_null(store: Store, key: Path, tmp_path: Path) -> None:
    known = {"is_stub": False, "fullness": Fullness.OWN, "fetched_at": NOW}
    words = {
        "tracks": ("policy", "monetization_model", "original_format"),
        "playlists": ("playlist_type", "set_type"),
    }
    keys = {"tracks": ("track_id", "artist_id"), "playlists": ("playlist_id", "owner_id")}
    with store.write() as connection:
        connection.execute(sa.insert(schema.users), [{"user_id": user} | known for user in range(1, 13)])
        for table, (record, owner) in keys.items():
            rows = [
                {record: user, owner: user} | dict.fromkeys(words[table], "ep" if user > 6 else "mine" * user)
                for user in range(1, 13)
            ]
            connection.execute(sa.insert(schema.metadata.tables[table]), [row | known for row in rows])
    build_study(store, tmp_path / "study", StudyOptions(key))
    for table, names in words.items():
        for name in names:
            assert set(read(tmp_path / "study", table)[name]) == {"ep", None}, name


def test_the_order_of_seeds_does_not_tell_that_of_ids(store: Store, key: Path, tmp_path: Path) -> None:
    with store.write() as connection:
        add_run(connection, range(101, 109))
        for place, kept in enumerate((90, 20, 50)):
            walk = add_walk(connection, "playlist_tracks", str(place), "done", kept=kept)
            row = {"run_id": 1, "given": f"soundcloud:playlists:{place}#tracks", "walk_id": walk}
            connection.execute(sa.insert(schema.run_seeds).values(row | {"max_tracks": 30}))
    build_study(store, tmp_path / "study", StudyOptions(key))
    manifest = json.loads((tmp_path / "study" / "manifest.json").read_text())
    names = [seed["track_id"] for seed in manifest["seeds"]]
    assert len(names) == 8
    assert names == sorted(names)
    assert [seed_list["tracks"] for seed_list in manifest["seed_lists"]] == [20, 50, 90]


def test_cities_are_counted_within_published_countries() -> None:
    counted = [
        cell("A", "x", count=9),
        cell("A", "y", count=6),
        cell("A", None, count=3),
        cell("B", "z", count=7),
    ]
    assert choose_common_within(counted, {("A",)}) == {("A", "x")}
    assert (round_few(1234, 4), round_few(1234, 5), round_few(None, 1)) == (1000, 1234, None)


def test_the_manifest_keeps_only_what_is_named(harvest: Path) -> None:
    """A new key of the origin must be named in one of the lists, rewritten, or left out on purpose."""
    with Store(url_of(harvest)).read() as connection:
        origin = manifest.origin(connection, "x")
    origin["source"] = asdict(
        Source("https://api.soundcloud.com", is_sandbox=False, world=None, first_used_at=NOW)
    )
    hidden = hide(add_key(origin), Pseudonyms(bytes.fromhex(KEY)))
    assert "anna" not in json.dumps(hidden)
    assert origin.keys() - hidden.keys() == {"database"}
    parts = {name: zip(origin[name], hidden[name], strict=True) for name in LISTED}
    parts |= {name: zip([origin[name]], [hidden[name]], strict=True) for name in ("source", "run")}
    for name in ("relationships", "communities"):
        parts[name] = zip(origin[name].values(), hidden[name].values(), strict=True)
    lost = {
        name: {key for before, after in parts[name] for key in before.keys() - after.keys()} for name in parts
    }
    assert {name: keys for name, keys in lost.items() if keys} == {}


def add_key(origin: dict[str, Any]) -> dict[str, Any]:
    """Return an origin with a key that nobody knows, also in each of its parts."""
    new = {"new": "anna"}
    listed = {name: [part | new for part in origin[name]] for name in (*LISTED, "seeds", "seed_lists")}
    named = {
        name: {kind: part | new for kind, part in origin[name].items()}
        for name in ("relationships", "communities")
    }
    return origin | listed | named | {name: origin[name] | new for name in ("run", "source")} | new


# ---- the key


def test_pseudonyms_need_the_key() -> None:
    one, other = Pseudonyms(bytes(32)), Pseudonyms(b"1" * 32)
    name = one.of("user", 7)
    assert re.fullmatch(f"u[0-9a-f]{{{DIGITS}}}", name)
    assert name == Pseudonyms(bytes(32)).of("user", 7)
    assert len({name, other.of("user", 7), one.of("user", 8), "u" + one.of("track", 7)[1:]}) == 4
    assert (one.key_digest == Pseudonyms(bytes(32)).key_digest) > (one.key_digest == other.key_digest)


def test_the_key_is_created_apart_from_the_study(harvest: Path, tmp_path: Path) -> None:
    store, out = Store(url_of(harvest)), tmp_path / "study"
    link = tmp_path / "link"
    link.symlink_to(out, target_is_directory=True)
    for inside in (out / "my.key", out / ".." / "study" / "my.key", link / "my.key"):
        with pytest.raises(ArgumentError, match="is inside the study"):
            build_study(store, out, StudyOptions(inside))
    assert not out.exists()
    key = tmp_path / "keys" / "my.key"
    first = build_study(store, out, StudyOptions(key))
    assert key.stat().st_mode & 0o077 == 0
    assert len(key.read_text().strip()) == 64
    assert key.read_text().strip() not in "".join(text for _, text in texts_in(out))
    assert build_study(store, tmp_path / "again", StudyOptions(key)).content_hash == first.content_hash
    another = build_study(store, tmp_path / "other", StudyOptions(tmp_path / "other.key"))
    assert another.content_hash != first.content_hash
    key.write_text("not hexadecimal")
    with pytest.raises(ConfigError, match=r"my\.key: not a key; nothing was written"):
        build_study(store, out, StudyOptions(key))


# ---- in clear


def test_a_full_study_is_in_clear(harvest: Path, full: Path) -> None:
    users = read(full, "users")
    assert USER + 1 in set(users["user_id"])
    assert f"{MARK}username {USER + 1}" in set(users["username"])
    assert set(users["country"]) == {"Peru", "Chile", "Malta"}
    manifest = json.loads((full / "manifest.json").read_text())
    assert manifest["pseudonyms"] is None
    assert manifest["seeds"][0]["urn"] == f"soundcloud:tracks:{SEED}"
    assert "in clear" in (full / "README.md").read_text()
    history = read(full, "counter_history")
    assert (set(history["record_id"]), set(history["value"])) == ({SEED, PLAYLIST}, {1833, 1834})
    assert str(harvest) not in json.dumps(manifest)


def test_one_kind_of_study_never_replaces_the_other(harvest: Path, key: Path, tmp_path: Path) -> None:
    store = Store(url_of(harvest))
    build_study(store, tmp_path / "study", StudyOptions(key))
    with pytest.raises(ArgumentError, match="contains an export for study; choose another directory"):
        build_study(store, tmp_path / "study", StudyOptions(None))


# ---- the same study


BUILD = """
import sys
from pathlib import Path
from sgr_spiders.exports.study.study import StudyOptions, build_study
from sgr_spiders.storage.store import Store
study = build_study(Store(sys.argv[1]), Path(sys.argv[3]), StudyOptions(Path(sys.argv[2]), sys.argv[4]))
print(study.content_hash)
"""


def test_two_builds_are_the_same_in_any_process(
    harvest: Path, key: Path, study: Path, tmp_path: Path
) -> None:
    suffix = next(study.glob("users.*")).suffix[1:]
    hashes = set()
    for seed in ("1", "2"):
        arguments = [sys.executable, "-c", BUILD, url_of(harvest), str(key), str(tmp_path / seed), suffix]
        environment = {
            "PYTHONHASHSEED": seed,
            "COLUMNS": f"{seed}00",
            "TZ": "Asia/Tokyo" if seed == "1" else "UTC",
        }
        built = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=True)
        hashes.add(built.stdout.strip())
        assert files_in(tmp_path / seed) == files_in(study)
    assert hashes == {json.loads((study / "manifest.json").read_text())["content_sha256"]}


def test_the_hash_is_that_of_the_checksums(study: Path) -> None:
    sums = (study / "SHA256SUMS").read_bytes()
    lines = (line.split("  ") for line in sums.decode().splitlines())
    listed = {path: digest for digest, path in lines}
    contents = {name: hashlib.sha256(content).hexdigest() for name, content in files_in(study).items()}
    descriptions = {"manifest.json", "datapackage.json", "SHA256SUMS"}
    assert listed == {name: digest for name, digest in contents.items() if name not in descriptions}
    assert list(listed) == sorted(listed)
    manifest = json.loads((study / "manifest.json").read_text())
    assert manifest["content_sha256"] == hashlib.sha256(sums).hexdigest()


# ---- the papers


def test_the_methods_name_what_was_done_and_cut(study: Path) -> None:
    text = " ".join((study / "METHODS.md").read_text().split())
    assert "(UTC), in 1 run." in text  # how many requests is not known
    assert "starts from 1 seed track" in text
    assert "the Jaccard index of their liked tracks (Jaccard 1901)" in text
    assert "P. Jaccard: Étude comparative" in text
    assert "Benjamini and Hochberg 1995" in text
    assert "by Leiden (Traag et al. 2019): the consensus of 2 random seeds" in text
    assert "From Louvain to Leiden" in text
    limitations = text.split("## Limitations")[1]
    found = re.search(r"Of ([0-9]+) pairs kept, ([0-9.]+)% share more", limitations)
    assert found is not None
    assert int(found[1]) > 50
    assert 0 < float(found[2]) < 50
    assert "one seed cannot tell scenes apart" in limitations
    assert "4 walks capped" in limitations  # the libraries that were looked at in part
    assert "Pseudonymous is not anonymous" in limitations
    assert "newest first" in limitations
    assert "hidden. A missing like is not a dislike." in limitations
    assert "`user_similarities` was built again since then" in text


def test_the_methods_say_how_tracks_got_their_communities(harvest: Path, tmp_path: Path) -> None:
    by = {"by": "listeners", "resolution": 1.5, "min_share": 0.5, "limit": 0.05}
    with closing(Store(url_of(copy_database(harvest, tmp_path / "copy.db")))) as store:
        with store.write() as connection:
            runs_of = schema.community_runs
            connection.execute(sa.update(runs_of).values(kind="track", parameters=json.dumps(by)))
            connection.execute(
                sa.update(schema.relationship_runs)
                .where(schema.relationship_runs.c.type == "user_similarity")
                .values(parameters=json.dumps({"validated": 0.01}))
            )
            connection.execute(sa.delete(schema.walk_requests))
            connection.execute(sa.update(schema.walks).values(status="done"))
        build_study(store, tmp_path / "full", StudyOptions(None))
    text = " ".join((tmp_path / "full" / "METHODS.md").read_text().split())
    assert "2 tracks: each has the community of users that stands out most among its listeners" in text
    assert "if that is significant (q of at most 0.05)" in text
    assert "Parameters: `resolution` = 1.5, `min_share` = 0.5" in text
    assert "Of `user_similarities`, only pairs with q of at most 0.01 were kept." in text
    assert "newest first" not in text


def test_the_citation_and_the_dictionary(study: Path, harvest: Path, key: Path, tmp_path: Path) -> None:
    options = StudyOptions(key, title="Around: a track", authors=("Ann O'Neil",))
    build_study(Store(url_of(harvest)), tmp_path / "named", options)
    citation = yaml.safe_load((tmp_path / "named" / "CITATION.cff").read_text())
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "dataset")
    assert "date-released" not in citation
    assert re.fullmatch(r"Data up to \d{4}-\d\d-\d\d\.", citation["abstract"])
    assert (citation["title"], citation["authors"]) == ("Around: a track", [{"name": "Ann O'Neil"}])
    readme = (study / "README.md").read_text()
    package = json.loads((study / "datapackage.json").read_text())
    for resource in package["resources"]:
        for field in resource.get("schema", {"fields": []})["fields"]:
            assert f"| `{field['name']}` |" in readme
    assert "created" not in package


@pytest.mark.usefixtures("signals")
def test_the_command_warns_and_prints_the_hash(
    harvest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    out = tmp_path / "study"
    assert run(Command, harvest, str(out), "--title", "Ambient", "--author", "Ann", "--author", "Bo") == 0
    captured = capsys.readouterr()
    manifest = json.loads((out / "manifest.json").read_text())
    assert f"Content hash: {manifest['content_sha256']}" in captured.out
    assert f"Key of the pseudonyms: {tmp_path}/data/soundgraph/study.key" in captured.out
    assert "remains personal data" in captured.err
    assert "Ann" in (out / "CITATION.cff").read_text()
    assert run(Command, harvest, str(tmp_path / "full"), "--full") == 0
    assert capsys.readouterr().err.startswith("WARNING: this study contains names")
    for wrong, problem in (
        ([], "name one directory"),
        ([str(out), "--full", "--key", "k"], "cannot be combined with `--full`"),
        ([str(out), "--format", "xls"], "option `--format`: must be parquet or csv"),
        ([str(out), "--key", str(out / "k")], "is inside the study"),
    ):
        assert run(Command, harvest, *wrong) == 2
        assert problem in capsys.readouterr().err


def test_a_study_is_noted_for_those_who_ask_to_be_forgotten(harvest: Path, key: Path, tmp_path: Path) -> None:
    store = Store(url_of(copy_database(harvest, tmp_path / "copy.db")))
    build_study(store, tmp_path / "study", StudyOptions(key))
    with store.read() as connection:
        (made,) = (made for made in export_log.read(connection) if made.directory == str(tmp_path / "study"))
    assert made.purpose == "study"


def test_the_left_out_tables_exist() -> None:
    assert (LEFT_OUT | ONLY_IN_CLEAR) - schema.metadata.tables.keys() == set()
