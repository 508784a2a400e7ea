"""Features of tracks and users, aligned with the rows of a matrix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sgr_spiders.storage.rows import describe_table, read_columns
from sgr_spiders.storage.schema import RECORD_TABLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sgr_spiders.storage.rows import Columns
    from sgr_spiders.storage.store import Connection

TYPES = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "text": pa.string()}

FEATURES = {
    "track": (
        "track_id",
        "artist_id",
        "title",
        "genre",
        "tag_list",
        "label_name",
        "license",
        "key_signature",
        "bpm",
        "duration_ms",
        "created_at",
        "release_year",
        "playback_count",
        "favoritings_count",
        "reposts_count",
        "comment_count",
        "download_count",
        "is_stub",
    ),
    # No names, pictures or texts: they identify a person.
    "user": (
        "user_id",
        "country",
        "plan",
        "created_at",
        "followers_count",
        "followings_count",
        "track_count",
        "playlist_count",
        "public_favorites_count",
        "reposts_count",
        "is_stub",
    ),
}
"""The columns used as features. Counts are SoundCloud's, over all its users."""

_TAG = re.compile(r'"([^"]*)"|(\S+)')


def read_features(connection: Connection, kind: str, ids: NDArray[np.int64]) -> pa.Table:
    """Return the features of the tracks or users (*kind*) with these ascending *ids*, one row each, in order.

    ``index`` numbers the rows from 0. ``tag_list`` becomes ``tags``, a list. Unknown values are null.
    """
    table = describe_table(RECORD_TABLES[kind])
    kinds = {column.name: column.kind for column in table.columns}
    names = FEATURES[kind]
    schema = pa.schema([(name, TYPES[kinds[name]]) for name in names])
    parts = [_select_rows(columns, ids, schema) for columns in read_columns(connection, table, names)]
    features = pa.concat_tables([schema.empty_table(), *parts])
    features = features.add_column(0, "index", pa.array(np.arange(len(ids)), pa.int64()))
    return _parse_tags(features) if "tag_list" in names else features


def _select_rows(columns: Columns, ids: NDArray[np.int64], schema: pa.Schema) -> pa.Table:
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    wanted = np.isin(np.array(columns[0], np.int64), ids)
    return pa.Table.from_arrays(arrays, schema=schema).filter(pa.array(wanted))


def _parse_tags(features: pa.Table) -> pa.Table:
    index = features.schema.get_field_index("tag_list")
    tags = [None if text is None else split_tags(text) for text in features["tag_list"].to_pylist()]
    return features.set_column(index, "tags", pa.array(tags, pa.list_(pa.string())))


def split_tags(text: str) -> list[str]:
    """Split a list of tags separated by spaces; double quotes enclose tags of several words.

    >>> split_tags('house "deep house" 2024')
    ['house', 'deep house', '2024']
    """
    return [tag for quoted, plain in _TAG.findall(text) if (tag := (quoted or plain).strip())]
