"""A pair table written page by page equals one that SQLite writes row by row."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgr_spiders.storage.pairs.file_writer import LOCK_PAGE, NULL, PAGE, REAL, PairFile, integer_width

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.sqlite("the writer of SQLite files")

STATEMENTS = (
    "CREATE TABLE pairs (a INTEGER, b INTEGER, score FLOAT, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE INDEX by_b ON pairs (b)",
)


def write(
    path: Path,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    score: NDArray[np.float64],
    at_a_time: int,
    skip: int = 0,
) -> None:
    width = integer_width(int(max(a.max(initial=0), b.max(initial=0))))
    file = PairFile(path, STATEMENTS, (width, width, REAL))
    file._pages._next += skip
    for start in range(0, len(a), at_a_time):
        part = slice(start, start + at_a_time)
        file.rows.append((a[part], b[part], score[part]))
    order = np.lexsort((a, b))
    file.mirrored.append((b[order], a[order]))
    file.close()


def check(path: Path, a: NDArray[np.int64], b: NDArray[np.int64], score: NDArray[np.float64]) -> None:
    with closing(sqlite3.connect(path)) as connection:

        def all_of(query: str) -> list[Any]:
            return connection.execute(query).fetchall()

        assert all_of("SELECT a, b, score FROM pairs") == list(
            zip(a.tolist(), b.tolist(), score.tolist(), strict=True)
        )
        mirrored = all_of("SELECT b, a FROM pairs INDEXED BY by_b ORDER BY b, a")
        assert mirrored == sorted(zip(b.tolist(), a.tolist(), strict=True))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)), max_size=50),
    st.integers(1, 20),
)
def test_any_ids(tmp_path: Path, pairs: set[tuple[int, int]], at_a_time: int) -> None:
    columns = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    score = np.arange(len(columns)) / 7
    path = tmp_path / "pairs.db"
    write(path, columns[:, 0], columns[:, 1], score, at_a_time)
    check(path, columns[:, 0], columns[:, 1], score)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("rows", [*range(1280, 1300), 2 * 1289, 3 * 1289 + 1])
def test_more_rows_than_fit_into_one_page(tmp_path: Path, rows: int) -> None:
    a, b = np.arange(rows) // 3 + 2**30, np.arange(rows) % 3
    path = tmp_path / "pairs.db"
    write(path, a, b, a / 7.0, rows)
    check(path, a, b, a / 7.0)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_three_levels(tmp_path: Path) -> None:
    rows = 2_000_000
    a, b = np.arange(rows) + 2**40, np.full(rows, 2**41)
    path = tmp_path / "pairs.db"
    write(path, a, b, a / 7.0, 300_000)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), sum(a - 1099511627776) FROM pairs").fetchone() == (
            rows,
            rows * (rows - 1) // 2,
        )
        for row in (0, 1, rows // 2, rows - 1):
            query = "SELECT score FROM pairs WHERE a = ? AND b = ?"
            assert connection.execute(query, (2**40 + row, 2**41)).fetchall() == [((2**40 + row) / 7.0,)]


def test_the_lock_byte_page_is_skipped(tmp_path: Path) -> None:
    rows = 20_000
    a, b = np.arange(rows) + 2**30, np.arange(rows) + 2**31
    path = tmp_path / "pairs.db"
    write(path, a, b, a / 7.0, rows, skip=LOCK_PAGE - 8)
    assert path.stat().st_size > 2**30
    with path.open("rb") as file:
        file.seek((LOCK_PAGE - 1) * PAGE)
        assert not any(file.read(PAGE))
    check(path, a, b, a / 7.0)


@pytest.mark.parametrize(
    ("largest", "width"),
    [(0, 1), (127, 1), (128, 2), (2**23 - 1, 3), (2**31 - 1, 4), (2**31, 6), (2**47, 8), (2**63 - 1, 8)],
)
def test_widths(largest: int, width: int) -> None:
    assert integer_width(largest) == width


@pytest.mark.parametrize("rows", [0, 1, 5_000])
def test_a_column_of_nulls(tmp_path: Path, rows: int) -> None:
    a = np.arange(rows) + 7
    width = integer_width(rows + 7)
    file = PairFile(tmp_path / "pairs.db", STATEMENTS, (width, width, NULL))
    file.rows.append((a, a, None))
    file.mirrored.append((a, a))
    file.close()
    with closing(sqlite3.connect(tmp_path / "pairs.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = connection.execute("SELECT a, b, score FROM pairs").fetchall()
    assert stored == [(node, node, None) for node in a.tolist()]
