"""Disk space of a harvest: bytes per row by table, and of ``raw`` with and without a dictionary.

``python -m tests.benchmarks.space [--users 3000]`` harvests a world with all layers, then runs ``scrapy
vacuum``. "bytes a row" includes the indexes of the table. "walk_records" has a row for each record of each
list, so each like takes one there, too. "raw" is compressed twice: each record alone, and with the dictionary
of the database; the last column is the ratio. "pack" is the time to compress a record.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sgr_spiders.soundcloud import raw
from sgr_spiders.storage import dictionaries
from sgr_spiders.storage.store import Store
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess
from tests.scrapy_process import scrapy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sgr_spiders.soundcloud.raw import Document

SIZES: Final = """
SELECT sqlite_master.tbl_name, sum(dbstat.pgsize) FROM dbstat JOIN sqlite_master USING (name)
WHERE aggregate = TRUE GROUP BY sqlite_master.tbl_name
"""
TABLES: Final = (
    *("engagements", "tracks", "users", "playlists", "playlist_tracks", "comments"),
    *("walks", "walk_requests", "walk_records", "walk_pages"),
)
WORLD: Final = [
    "--tracks",
    "20000",
    "--likes-per-user",
    "100",
    "--seed-likers",
    "300",
    "--seed-comments",
    "1000",
]
RECORDS: Final = ("tracks", "users", "playlists", "comments")
ROUNDS: Final = 5


def harvest(folder: Path, options: list[str]) -> Path:
    with SandboxProcess(*options) as sandbox:
        environment = {"XDG_CACHE_HOME": str(folder / "cache"), "SOUNDCLOUD_ACCESS_TOKEN": ""}
        harvester = Harvester(sandbox, folder / "harvest.db", environment=environment)
        ended = harvester.crawl("deep_harvest")
        if ended.code:
            raise SystemExit(f"nothing measured: exit code {ended.code}\n{ended.log}")
        return harvester.database


def print_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        sizes = dict(connection.execute(SIZES).fetchall())
        print(f"{'table':16} {'rows':>10} {'bytes':>12} {'bytes a row':>12}")
        for name in TABLES:
            rows = connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - ours
            print(f"{name:16} {rows:>10,} {sizes[name]:>12,} {sizes[name] / max(rows, 1):>12.0f}")


def read_raw(path: Path) -> dict[str, list[bytes]]:
    with Store(f"sqlite:///{path}").read() as connection:
        dictionaries.load(connection)
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: [
                row[0]
                for row in connection.execute(f"SELECT raw FROM {name} WHERE raw NOT NULL")  # noqa: S608 - ours
            ]
            for name in RECORDS
        }


def seconds_of(compress: Callable[[Document], object], documents: Sequence[Document]) -> float:
    taken = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        for document in documents:
            compress(document)
        taken.append(time.thread_time() - started)
    return min(taken) / max(len(documents), 1)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "space", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", default="3000", help="users of the world")
    asked, options = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory(prefix="space-") as name:
        path = harvest(Path(name), ["--users", asked.users, *(options or WORLD)])
        size = path.stat().st_size
        print_tables(path)
        before = read_raw(path)
        os.environ["HARVEST_DATABASE_URL"] = f"sqlite:///{path}"
        ended = scrapy("vacuum")
        if ended.code:
            raise SystemExit(f"nothing measured: {ended.err}")
        after = read_raw(path)
        print(f"\n{'raw':16} {'records':>10} {'alone':>12} {'dictionary':>12} {'ratio':>6}")
        for table in RECORDS:
            alone, shared = (sum(map(len, found[table])) for found in (before, after))
            ratio = alone / max(shared, 1)
            print(f"{table:16} {len(before[table]):>10,} {alone:>12,} {shared:>12,} {ratio:>6.2f}")
        print(f"{'whole database':16} {'':10} {size:>12,} {path.stat().st_size:>12,}")
        documents = [raw.unpack(packed) for found in after.values() for packed in found]
        alone_s = seconds_of(raw.pack, documents)
        ids = {raw.dictionary_of(packed) for found in after.values() for packed in found} - {0}
        with raw.packing_with(min(ids, default=None)):
            shared_s = seconds_of(raw.pack, documents)
        print(f"pack: {alone_s * 1e6:.2f} µs a record alone, {shared_s * 1e6:.2f} µs with the dictionary")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
