"""Read files of `user item` or `user item item …` lines, the formats of published recommender datasets."""

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


MAX_COLUMNS = 4
"""The columns of a pair with its weight and time; a line with more lists the items of a user."""


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
    """Return the pairs in two files with a user ID and an item ID per line, or with all items of a user.

    If any line has more than ``MAX_COLUMNS`` columns, both files list the items of users. Otherwise further
    columns such as weights are ignored. So are duplicate pairs, and pairs in *test* that *train* contains.
    The items of a user are taken to be in the order of time.

    Raises:
        ArgumentError: a line is not of IDs; the message names the file and line.
    """
    lines = {path: _read_lines(path) for path in (train, test)}
    has_lists = any(len(line.split()) > MAX_COLUMNS for path in lines for line in lines[path])
    parts = [_parse(path, lines[path], has_lists=has_lists) for path in (train, test)]
    users, items = (np.unique(np.concatenate([part[:, side] for part in parts])) for side in (0, 1))
    places = [(np.searchsorted(users, part[:, 0]), np.searchsorted(items, part[:, 1])) for part in parts]
    first, second = (_matrix(*place, len(users), len(items)) for place in places)
    only = sp.csr_array(second - second.multiply(first))
    only.eliminate_zeros()
    return PairsOfFiles(first, only, users, items, _find_positions(*places[0], len(items)))


def _read_lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return [line.replace(",", " ") for line in file]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ArgumentError(f"file {for_message(str(path))}: {reason}") from None


def _parse(path: Path, lines: list[str], *, has_lists: bool) -> Numbers:
    found: list[tuple[int, int]] = []
    name = for_message(str(path))
    for number, line in enumerate(lines, start=1):
        words, where = line.split(), f"file {name}, line {number}"
        if has_lists:
            found += [_pair([words[0], item], where) for item in words[1:]]
        elif words:
            found.append(_pair(words, where))
    if not found:
        raise ArgumentError(f"file {name}: contains no `user item` lines")
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
