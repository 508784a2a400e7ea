"""Read files of `user item` lines, the format of published recommender datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from sgr_spiders.embeddings.pair_positions import Positions
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.embeddings.base import Numbers


@dataclass(frozen=True, slots=True)
class PairsOfFiles:
    """Two matrices (users x tracks) of the same shape, and the IDs of their rows and columns.

    *positions*: the order of the lines of each user in the training file, 0 for the last; ``None`` if
    they are sorted by item, which says nothing about time.
    """

    train: sp.csr_array
    test: sp.csr_array
    users: Numbers
    tracks: Numbers
    positions: Positions | None = None


def read_pairs(train: Path, test: Path) -> PairsOfFiles:
    """Return the pairs in two files with a user ID and an item ID per line.

    Further columns such as weights are ignored, and so are duplicate pairs and pairs in *test* that *train*
    contains. The lines of a user are taken to be in the order of time.

    Raises:
        ArgumentError: a line is not a pair; the message names the file and line.
    """
    parts = [_read(path) for path in (train, test)]
    users, items = (np.unique(np.concatenate([part[:, side] for part in parts])) for side in (0, 1))
    places = [(np.searchsorted(users, part[:, 0]), np.searchsorted(items, part[:, 1])) for part in parts]
    first, second = (_matrix(*place, len(users), len(items)) for place in places)
    only = sp.csr_array(second - second.multiply(first))
    only.eliminate_zeros()
    return PairsOfFiles(first, only, users, items, _find_positions(*places[0], len(items)))


def _read(path: Path) -> Numbers:
    found: list[tuple[int, int]] = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                words = line.replace(",", " ").split()
                if words:
                    found.append(_pair(words, f"file {for_message(str(path))}, line {number}"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ArgumentError(f"file {for_message(str(path))}: {reason}") from None
    if not found:
        raise ArgumentError(f"file {for_message(str(path))}: contains no `user item` lines")
    return np.array(found, np.int64)


def _pair(words: list[str], where: str) -> tuple[int, int]:
    try:
        user, item = (int(word) for word in words[:2])
        np.array([user, item], np.int64)
    except (ValueError, OverflowError):
        text = quote_value(" ".join(words))
        raise ArgumentError(f"{where}: must be a user ID and an item ID, not {text}") from None
    return user, item


def _matrix(rows: Numbers, columns: Numbers, users: int, items: int) -> sp.csr_array:
    matrix = sp.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(users, items))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def _find_positions(rows: Numbers, columns: Numbers, width: int) -> Positions | None:
    order = np.argsort(rows, kind="stable")
    row, column = rows[order], columns[order]
    is_same = row[1:] == row[:-1]
    if not (column[1:] < column[:-1])[is_same].any():
        return None
    ends = np.searchsorted(row, row, side="right")
    keys, last = np.unique((row * width + column)[::-1], return_index=True)
    return Positions(width, keys, (ends - 1 - np.arange(len(row)))[::-1][last])
