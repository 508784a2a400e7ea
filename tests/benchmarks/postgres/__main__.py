"""PostgreSQL: ways to write pages, and whole-table reads compared with SQLite.

``python -m tests.benchmarks.postgres [--users 30000] [--pages 100]`` uses the server that
``HARVEST_TEST_POSTGRES_URL`` names, or starts one (``tests/postgres/with_postgres``). A page is 600 likes in
one transaction, written by 1 and by 4 processes: row by row (``executemany``), as arrays (``unnest``, as the
program does), and by ``COPY`` into a temporary table. The reads are those of relationships,
vectors and exports.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from sgr_spiders.storage.store import Store
from tests.benchmarks.postgres import data, reads, writes
from tests.crawls.crawling import ROOT
from tests.databases import VARIABLE

WRITERS = (1, 4)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        "postgres", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=30_000, help="users of the harvest that is read")
    parser.add_argument("--likes", type=int, default=70, help="mean number of likes per user")
    parser.add_argument("--pages", type=int, default=100, help="pages per writer")
    asked = parser.parse_args(arguments)
    server = os.environ.get(VARIABLE)
    if server is None:
        starter = [str(ROOT / "tests" / "postgres" / "with_postgres")]
        return subprocess.call([*starter, sys.executable, "-m", "tests.benchmarks.postgres", *arguments])
    with psycopg.connect(server, autocommit=True) as administrator:
        url = data.create(administrator, server, "benchmark")
        try:
            measure_writes(url, asked.pages)
            url = data.create(administrator, server, "benchmark")
            with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
                measure_reads(url, f"sqlite:///{Path(folder, 'harvest.db')}", asked.users, asked.likes)
        finally:
            administrator.execute("DROP DATABASE IF EXISTS benchmark WITH (FORCE)")
    return 0


def measure_writes(url: str, pages: int) -> None:
    writes.prepare(url)
    print(f"{'pages of 600 likes':20} {'writers':>8} {'rows/s':>10} {'client CPU, ms/page':>20} {'ratio':>6}")
    for writers in WRITERS:
        baseline = 0.0
        for way in writes.WAYS:
            measured = writes.measure(url, way, writers, pages)
            baseline = baseline or measured.rows_per_second
            rate = measured.rows_per_second
            ratio = rate / baseline
            print(f"{way:20} {writers:>8} {rate:>10,.0f} {measured.cpu_ms:>20.2f} {ratio:>6.2f}")


def measure_reads(url: str, file: str, users: int, likes: int) -> None:
    count = 0
    for one in (url, file):
        Store.open(one).close()
        count = data.fill(one, users, likes)
    print(f"\n{f'{count:,} likes':20} {'SQLite, s':>10} {'PostgreSQL, s':>14} {'ratio':>6}")
    for name, read in reads.READS.items():
        theirs, ours = reads.seconds_of(file, read), reads.seconds_of(url, read)
        print(f"{name:20} {theirs:>10.2f} {ours:>14.2f} {ours / theirs:>6.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
