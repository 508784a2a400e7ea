"""RecBole's atomic files: tab-separated, with column types in the header row, and a configuration.

Each part of the split is a separate file (``benchmark_filename``), so RecBole tests on the held-out part.
The time of an interaction is the end of its interval (``not_after``), which is known if any time is: at that
time the user certainly liked the track. RecBole fills missing times with their mean, so there is no such
column unless all are known. The format is documented in RecBole's "Atomic Files" and "Data Settings".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from sgr_spiders.exports.edge_index import PARTS
from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from sgr_spiders.embeddings.preparation import TrainingData
    from sgr_spiders.exports.package import Package

NAME = "soundgraph"
DIRECTORY = f"recbole/{NAME}"
CONFIGURATION = f"recbole/{NAME}.yaml"
HOW_TO = f"""\
# In the directory of this file, with RecBole installed:
#   python -c "from recbole.quick_start import run_recbole
#   run_recbole(model='LightGCN', config_file_list=['{NAME}.yaml'])"
"""
INTERACTIONS = {"user_id": "token", "track_id": "token", "weight": "float"}
TIME = "not_after"
"""The column with the time of an interaction, in seconds since the epoch."""
USERS = {
    "user_id": "token",
    "country": "token",
    "followers_count": "float",
    "followings_count": "float",
    "track_count": "float",
    "public_favorites_count": "float",
}
TRACKS = {
    "track_id": "token",
    "artist_id": "token",
    "genre": "token",
    "tags": "token_seq",
    "label_name": "token",
    "key_signature": "token",
    "bpm": "float",
    "duration_ms": "float",
    "release_year": "float",
    "playback_count": "float",
    "favoritings_count": "float",
}

_SEPARATING = re.compile(r'[\t\r\n"\x85\u2028\u2029]+')
"""Characters that end a cell or line, or start a quoted cell."""

MISSING = frozenset(
    {
        *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
"""The texts that pandas, with which RecBole reads, takes for a missing value, also in quotes."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of an atomic file with their types; empty columns are omitted."""

    types: dict[str, str]

    @classmethod
    def of(cls, features: pa.Table, types: dict[str, str]) -> Columns:
        known = {name for name in types if features[name].null_count < features.num_rows}
        return cls({name: kind for name, kind in types.items() if name in known or name.endswith("_id")})

    def header(self) -> str:
        return "\t".join(f"{name}:{kind}" for name, kind in self.types.items()) + "\n"

    def lines(self, table: pa.Table) -> Iterator[str]:
        columns = [table[name].to_pylist() for name in self.types]
        kinds = list(self.types.values())
        for row in zip(*columns, strict=True):
            yield "\t".join(_cell(value, kind) for value, kind in zip(row, kinds, strict=True)) + "\n"


def write(data: TrainingData, package: Package) -> None:
    """Write the interactions of each part, users, tracks and the configuration."""
    interactions = _columns_of_interactions(data)
    for part in PARTS:
        meaning = f"Interactions for {PURPOSES[part]}"
        _write(package, f"{part}.inter", meaning, interactions, _interactions(data, part, interactions))
    users, tracks = Columns.of(data.users, USERS), Columns.of(data.tracks, TRACKS)
    _write(package, "user", "Features of the users", users, users.lines(data.users))
    _write(package, "item", "Features of the tracks", tracks, tracks.lines(data.tracks))
    text = HOW_TO + yaml.safe_dump(build_configuration(interactions, users, tracks), sort_keys=False)
    package.path(CONFIGURATION).write_text(text, encoding="utf-8")
    package.add(Resource(CONFIGURATION, "RecBole configuration for the files in recbole/"))


def _columns_of_interactions(data: TrainingData) -> Columns:
    has_times = data.times is not None and not np.isnat(data.times.not_after).any()
    return Columns(INTERACTIONS | ({TIME: "float"} if has_times else {}))


def _interactions(data: TrainingData, part: str, columns: Columns) -> Iterator[str]:
    matrix, ids = getattr(data.split, part).tocoo(), data.interactions
    cells = [ids.users[matrix.row], ids.tracks[matrix.col], matrix.data]
    if TIME in columns.types and data.times is not None:
        _, not_after = data.times.at(matrix.row, matrix.col)
        cells.append(not_after.astype(np.int64) / 1e6)
    rows = zip(*(column.tolist() for column in cells), strict=True)
    return ("\t".join(map(repr, row)) + "\n" for row in rows)


PURPOSES = {"train": "training", "validation": "validation", "test": "testing"}


def build_configuration(interactions: Columns, users: Columns, tracks: Columns) -> dict[str, Any]:
    """Return the RecBole configuration for the files."""
    time = {"TIME_FIELD": TIME} if TIME in interactions.types else {}
    return {
        "dataset": NAME,
        "data_path": ".",
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "track_id",
        **time,
        "benchmark_filename": list(PARTS),
        "load_col": {
            "inter": list(interactions.types),
            "user": list(users.types),
            "item": list(tracks.types),
        },
        "eval_args": {"order": "RO", "group_by": "user", "mode": "full"},
        "metrics": ["Recall", "NDCG"],
        "topk": [20],
        "valid_metric": "NDCG@20",
    }


def _write(package: Package, suffix: str, meaning: str, columns: Columns, lines: Iterable[str]) -> None:
    path = f"{DIRECTORY}/{NAME}.{suffix}"
    rows = 0
    with package.path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write(columns.header())
        for line in lines:
            file.write(line)
            rows += 1
    package.add(Resource(path, meaning, rows=rows))


def _cell(value: Any, kind: str) -> str:  # noqa: ANN401 - a feature of any type
    if value is None:
        return ""
    if kind == "float":
        return repr(float(value))
    if kind == "token_seq":
        return _protect(" ".join(filter(None, ("_".join(_clean(tag).split()) for tag in value))))
    return _protect(_clean(str(value)))


def _protect(text: str) -> str:
    """Add a space to a text that would be read as missing, as the genre None or the country NA."""
    return f"{text} " if text in MISSING else text


def _clean(text: str) -> str:
    return _SEPARATING.sub(" ", text).strip()
