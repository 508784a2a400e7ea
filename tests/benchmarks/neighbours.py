"""The neighbours of the node with the most links, compared with reading the same links as Python tuples.

``python -m tests.benchmarks.neighbours [--users 42000]`` fills an SQLite file with libraries of about 70
likes and Zipf popularity, and looks for the neighbours of the track with the most fans, of its artist, and of
the user with the most likes, each in a process of its own: CPU seconds, their ratio to one query for the same
links as rows, and the peak memory with all that is imported. The aim at 2.9 million likes is 1.5 CPU seconds
and 300 MB.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from sgr_spiders.embeddings.similar import NPMI, PLAYLIST_WALK, WALK, find_similar
from sgr_spiders.storage.store import Store
from tests.benchmarks.postgres import data
from tests.benchmarks.relationships.process import measure

LIKES_PER_USER = 70
SOURCES = (NPMI, WALK, PLAYLIST_WALK)
"""Those that need no learned vectors."""
FROM = {
    "track": "track_id FROM engagements",
    "artist": "artist_id FROM engagements JOIN tracks USING (track_id)",
    "user": "user_id FROM engagements",
}
MOST = {
    kind: f"SELECT {column}, count(*) {rest} GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    for kind, source in FROM.items()
    for column, rest in [source.split(" ", 1)]
}
"""The node of each kind with the most likes."""
CONTEXTS = {
    "track": "SELECT user_id FROM engagements WHERE track_id = ?",
    "artist": "SELECT user_id FROM engagements JOIN tracks USING (track_id) WHERE artist_id = ?",
    "user": "SELECT track_id FROM engagements WHERE user_id = ?",
}
SIDES = {"track": "user_id", "artist": "user_id", "user": "track_id"}


def find(path: Path, kind: str, node: int, by: str) -> int:
    with Store(f"sqlite:///{path}").read() as connection:
        return len(find_similar(connection, kind, node, by=by, limit=10).found)


def read_tuples(path: Path, kind: str, node: int) -> int:
    links = f"SELECT user_id, track_id FROM engagements WHERE {SIDES[kind]} IN ({CONTEXTS[kind]})"  # noqa: S608
    with closing(sqlite3.connect(path)) as connection:
        return len(connection.execute(links, (node,)).fetchall())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("neighbours", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--users", type=int, default=42_000)
    users = parser.parse_args(arguments).users
    with tempfile.TemporaryDirectory(prefix="neighbours-") as folder:
        path = Path(folder) / "harvest.db"
        Store.open(f"sqlite:///{path}").close()
        likes = data.fill(f"sqlite:///{path}", users, LIKES_PER_USER)
        print(f"{likes:,} likes\n")
        print("node     likes    links   tuples, s  source      CPU s  ratio  peak MB")
        for kind, query in MOST.items():
            with closing(sqlite3.connect(path)) as connection:
                node, count = connection.execute(query).fetchone()
            tuples = measure(read_tuples, path, kind, node)
            for by in SOURCES:
                found = measure(find, path, kind, node, by)
                print(
                    f"{kind:6} {count:7,} {tuples.answer:8,}  {tuples.cpu:9.2f}  {by:9} {found.cpu:7.2f} "
                    f"{found.cpu / tuples.cpu:6.2f}  {found.peak_mb:7.0f}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
