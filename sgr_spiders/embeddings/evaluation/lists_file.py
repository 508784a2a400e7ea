"""The recommended lists, the held-out tracks and the figures of each user, as files that LensKit reads.

``ItemListCollection.load_parquet(path)`` of LensKit (2025.1 and later) reads its native layout: one row per
list, with the columns of its key and a column ``items`` of its tracks, best first. In CSV, there is one row
per track (``ItemListCollection.from_df``), so empty lists are missing. Ekstrand, LensKit for Python (CIKM
2020).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from sgr_spiders.model.exceptions import ArgumentError, StorageError
from sgr_spiders.storage import private_files
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sgr_spiders.embeddings.base import Numbers
    from sgr_spiders.embeddings.evaluation.trial import Tested, Trial

PARQUET, CSV = ".parquet", ".csv"
FIGURES = ("recall", "ndcg", "tail_recall", "novelty")


class Writer(Protocol):
    """A writer of pyarrow."""

    def write_table(self, table: pa.Table) -> None: ...


class ListFiles:
    """The open files of lists, of held-out tracks and of figures per user."""

    def __init__(self, writers: Mapping[str, Writer], *, is_flat: bool) -> None:
        self._writers = writers
        self._is_flat = is_flat
        self._last: Trial | None = None

    def add(self, trial: Trial, tested: Tested) -> None:
        """Add the lists and figures of a method; the first of a trial also adds the held-out tracks."""
        users, tracks = _ids_of(trial)
        key = {"split": trial.random_seed, "method": tested.method}
        given = tested.lists >= 0
        self._write_lists("", key, users[tested.rows], tracks[tested.lists[given]], given.sum(axis=1))
        held_out = np.diff(trial.test.indptr)[tested.rows]
        if trial is not self._last:
            self._last = trial
            split = {"split": trial.random_seed}
            self._write_lists(".test", split, users[tested.rows], tracks[trial.test.indices], held_out)
        figures = {name: pa.array(tested.per_user[name], from_pandas=True) for name in FIGURES}
        own = {"user_id": users[tested.rows], "held_out": held_out.astype(np.int64)}
        self._writers[".users"].write_table(_table(key, own | figures))

    def _write_lists(
        self, file: str, key: Mapping[str, object], users: Numbers, tracks: Numbers, sizes: Numbers
    ) -> None:
        ends = np.cumsum(sizes)
        rank = np.arange(len(tracks)) - np.repeat(ends - sizes, sizes) + 1
        columns = {"item_id": tracks} | ({} if file else {"rank": rank.astype(np.int32)})
        if self._is_flat:
            table = _table(key, {"user_id": np.repeat(users, sizes)} | columns)
        else:
            starts = np.concatenate([[0], ends]).astype(np.int32)
            items = pa.StructArray.from_arrays(list(map(pa.array, columns.values())), list(columns))
            table = _table(
                key, {"user_id": users, "items": pa.ListArray.from_arrays(pa.array(starts), items)}
            )
        self._writers[file].write_table(table)


def _ids_of(trial: Trial) -> tuple[Numbers, Numbers]:
    users, tracks = trial.users, trial.tracks
    rows, columns = trial.train.shape
    return (
        np.arange(rows) if users is None else users,
        np.arange(columns) if tracks is None else tracks,
    )


def _table(key: Mapping[str, object], columns: Mapping[str, Any]) -> pa.Table:
    arrays = {name: pa.array(values) for name, values in columns.items()}
    count = len(next(iter(arrays.values())))
    return pa.table({name: pa.repeat(value, count) for name, value in key.items()} | arrays)


class _LateWriter:
    """A writer that opens its file with the schema of the first table."""

    def __init__(self, path: Path, stack: contextlib.ExitStack, *, is_csv: bool) -> None:
        self._path = path
        self._stack = stack
        self._make: Any = pyarrow.csv.CSVWriter if is_csv else pyarrow.parquet.ParquetWriter
        self._writer: Any = None

    def write_table(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = self._stack.enter_context(self._make(str(self._path), table.schema))
        self._writer.write_table(table)


def paths_of(path: Path) -> dict[str, Path]:
    """Return the path of each file.

    Raises:
        ArgumentError: the name has another ending.
    """
    if path.suffix not in {PARQUET, CSV}:
        raise ArgumentError(
            f"option `--output`: must name a .parquet or .csv file, not {quote_value(str(path))}"
        )
    return {part: path.with_name(f"{path.stem}{part}{path.suffix}") for part in ("", ".test", ".users")}


@contextlib.contextmanager
def open_files(path: Path) -> Iterator[ListFiles]:
    """Open the three files, which replace older ones at the end.

    Raises:
        StorageError: a file cannot be written.
    """
    try:
        private_files.make_directory(path.parent)
        with contextlib.ExitStack() as replacing, contextlib.ExitStack() as writing:
            writers = {
                part: _LateWriter(
                    replacing.enter_context(private_files.replacing(final)),
                    writing,
                    is_csv=path.suffix == CSV,
                )
                for part, final in paths_of(path).items()
            }
            yield ListFiles(writers, is_flat=path.suffix == CSV)
    except OSError as error:
        raise StorageError(f"file {for_message(str(path))}: {error.strerror or error}") from None
