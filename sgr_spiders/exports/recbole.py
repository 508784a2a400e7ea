"""RecBole's atomic files: tab-separated, with each column's type in the head line, and a configuration.

The parts of the split are files of their own (``benchmark_filename``), so that RecBole tests on what the
split holds out. Likes carry no times: the order is random (``RO``), and sequential models do not apply.
Source of the format: RecBole's documentation, "Atomic Files" and "Data Settings".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from sgr_spiders.exports.edge_index import PARTS
from sgr_spiders.exports.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from sgr_spiders.embeddings.preparation import Prepared
    from sgr_spiders.exports.package import Package

NAME = "soundgraph"
FOLDER = f"recbole/{NAME}"
CONFIGURATION = f"recbole/{NAME}.yaml"
HOW_TO = f"""\
# In the folder of this file, with RecBole installed:
#   python -c "from recbole.quick_start import run_recbole
#   run_recbole(model='LightGCN', config_file_list=['{NAME}.yaml'])"
"""
INTERACTIONS = {"user_id": "token", "track_id": "token", "weight": "float"}
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
"""What would end a cell or a line, or begin a quoted cell."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of an atomic file with their types; those in which nothing is known are left out."""

    types: dict[str, str]

    @classmethod
    def of(cls, features: pa.Table, types: dict[str, str]) -> Columns:
        known = {name for name in types if features[name].null_count < features.num_rows}
        return cls({name: kind for name, kind in types.items() if name in known or name.endswith("_id")})

    def head(self) -> str:
        return "\t".join(f"{name}:{kind}" for name, kind in self.types.items()) + "\n"

    def lines(self, table: pa.Table) -> Iterator[str]:
        columns = [table[name].to_pylist() for name in self.types]
        kinds = list(self.types.values())
        for row in zip(*columns, strict=True):
            yield "\t".join(_cell(value, kind) for value, kind in zip(row, kinds, strict=True)) + "\n"


def write(prepared: Prepared, package: Package) -> None:
    """Write interactions in their parts, users, tracks and the configuration."""
    ids = prepared.interactions
    for part in PARTS:
        matrix = getattr(prepared.split, part).tocoo()
        entries = zip(
            ids.users[matrix.row].tolist(), ids.tracks[matrix.col].tolist(), matrix.data.tolist(), strict=True
        )
        lines = (f"{user}\t{track}\t{weight!r}\n" for user, track, weight in entries)
        _write(package, f"{part}.inter", f"Interactions to {PURPOSES[part]}", Columns(INTERACTIONS), lines)
    users, tracks = Columns.of(prepared.users, USERS), Columns.of(prepared.tracks, TRACKS)
    _write(package, "user", "Features of the users", users, users.lines(prepared.users))
    _write(package, "item", "Features of the tracks", tracks, tracks.lines(prepared.tracks))
    text = HOW_TO + yaml.safe_dump(configuration(users, tracks), sort_keys=False)
    package.path(CONFIGURATION).write_text(text, encoding="utf-8")
    package.add(Resource(CONFIGURATION, "RecBole's configuration for the files beside it"))


PURPOSES = {"train": "learn from", "validation": "choose parameters by", "test": "test on"}


def configuration(users: Columns, tracks: Columns) -> dict[str, Any]:
    """Give the configuration under which RecBole reads the files."""
    return {
        "dataset": NAME,
        "data_path": ".",
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "track_id",
        "benchmark_filename": list(PARTS),
        "load_col": {
            "inter": list(INTERACTIONS),
            "user": list(users.types),
            "item": list(tracks.types),
        },
        "eval_args": {"order": "RO", "group_by": "user", "mode": "full"},
        "metrics": ["Recall", "NDCG"],
        "topk": [20],
        "valid_metric": "NDCG@20",
    }


def _write(package: Package, suffix: str, meaning: str, columns: Columns, lines: Iterable[str]) -> None:
    path = f"{FOLDER}/{NAME}.{suffix}"
    rows = 0
    with package.path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write(columns.head())
        for line in lines:
            file.write(line)
            rows += 1
    package.add(Resource(path, meaning, rows=rows))


def _cell(value: Any, kind: str) -> str:  # noqa: ANN401 - whatever the feature is
    if value is None:
        return ""
    if kind == "token_seq":
        return " ".join(filter(None, ("_".join(_plain(tag).split()) for tag in value)))
    return repr(float(value)) if kind == "float" else _plain(str(value))


def _plain(text: str) -> str:
    return _SEPARATING.sub(" ", text).strip()
