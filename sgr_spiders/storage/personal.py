"""The content of every column, as far as people are concerned: IDs of accounts, texts about people, others.

``docs/terms.md`` prints it, and studies decide by it what to replace, to coarsen and to drop. Columns
without a content are dropped.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from sgr_spiders.storage.credited_artists import credited_artists
from sgr_spiders.storage.extent import discoveries_history, is_pair_table
from sgr_spiders.storage.libraries import libraries
from sgr_spiders.storage.rows import discoveries, kind_of
from sgr_spiders.storage.schema import RECORD_TABLES, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.rows import WholeTable


class Content(Enum):
    """A kind of content of columns; the value describes it."""

    ACCOUNT = "ID of an account"
    TRACK = "ID of a track"
    PLAYLIST = "ID of a playlist"
    COMMENT = "ID of a comment"
    RECORD = "ID of an account or record, whose kind is in `kind`"
    DERIVED = "hash of an ID: whoever guesses the ID can check it"
    NAMING = "text that may contain IDs, names or addresses of accounts"
    TEXT = "text by or about a person"
    LEARNED = "numbers learned from what people like"
    PLACE = "place of a person"
    VALUE = "word that a person chose, shared by many"
    PERSONAL_TIME = "time of what a person did"
    ACCOUNT_TIME = "time of an account"
    COUNTER = "counter of the API about an account or record"
    MACHINE = "name or trace of the machine or key of whoever harvests"
    MEASURE = "measure of a work"
    TIME = "time of the harvest"
    CODE = "code or key that identifies a work, a file or a setting"
    PRESENCE = "end of the presence of a row"
    WORD = "word of this program or of the API"
    NUMBER = "number that this program counted or computed"
    FLAG = "yes or no"
    OWN = "number or text of the harvest itself"


PERSONAL: Final = (
    Content.ACCOUNT,
    Content.RECORD,
    Content.DERIVED,
    Content.NAMING,
    Content.TEXT,
    Content.LEARNED,
    Content.PLACE,
    Content.PERSONAL_TIME,
    Content.ACCOUNT_TIME,
    Content.MACHINE,
)
"""The contents that hold an account's ID, text about a person, or a trace of one."""

_OF_ACCOUNTS: Final = (Content.VALUE, Content.COUNTER)
"""Contents that are personal in the tables with values of accounts."""

_OF_RECORDS: Final = {
    "user": Content.ACCOUNT,
    "track": Content.TRACK,
    "playlist": Content.PLAYLIST,
    "comment": Content.COMMENT,
}

_BY_NAME: Final = {
    Content.ACCOUNT: "user_id artist_id owner_id",
    Content.TRACK: "track_id seed_id",
    Content.PLAYLIST: "playlist_id",
    Content.COMMENT: "comment_id",
    Content.RECORD: "record_id node_id",
    Content.DERIVED: "walk_id found_by cursor_hash scope stamp fingerprint forgotten_with",
    Content.NAMING: "target cursor given arguments stats reason parameters algorithm raw",
    Content.TEXT: "title username permalink permalink_url full_name description website website_title "
    "avatar_url artwork_url purchase_url purchase_title tag_list label_name metadata_artist "
    "release body name credited_artist album_title publisher writer_composer p_line c_line",
    Content.LEARNED: "vector",
    Content.PLACE: "city",
    Content.VALUE: "genre country country_code license plan playlist_type track_type key_signature badges "
    "verified policy monetization_model original_format set_type",
    Content.PERSONAL_TIME: "not_before not_after release_date published_at",
    Content.COUNTER: "playback_count favoritings_count reposts_count comment_count download_count "
    "followers_count followings_count track_count playlist_count public_favorites_count "
    "likes_count comments_count value",
    Content.MACHINE: "host process directory held_by key_fingerprint worker_id",
    Content.MEASURE: "duration_ms full_duration bpm timestamp_ms",
    Content.TIME: "fetched_at first_seen_at last_seen_at requested_at created_at started_at finished_at "
    "counted_at observed_at whole_at boundary_at fresh_after added_at last_harvest_at next_harvest_at "
    "heartbeat_at ended_at said_at used_at learned_at next_slot held_until probe_until trained_at "
    "first_used_at forgotten_at related_at",
    Content.CODE: "isrc upc_or_ean ean config_hash settings digest salt content dictionary_id run_id "
    "last_run_id plan_id relationship_run_id vector_run_id community_run_id",
    Content.PRESENCE: "removed_at removed_reason",
    Content.WORD: "access kind endpoint status layer layers step spider outcome library setting type method "
    "state looked newest_first field purpose last_outcome graph counter",
    Content.NUMBER: "position next_position release_year fullness score kept available cap widest expanded "
    "inline_cap tracks fans community stability modularity",
    Content.FLAG: "commentable streamable downloadable reveal_stats reveal_comments is_stub selective "
    "doubted without_tracks outdated refresh is_sandbox present validated explicit contains_music "
    "is_album",
    Content.OWN: "release_month release_day generation page pages empty_pages received kept_before capped_at "
    "counted setbacks page_limit neighbours known_to item exit_code requests api_origin world "
    "version packages records least_requests most_requests seconds bytes max_tracks "
    "interval_seconds priority inputs rows curve pauses_in_a_row changes taken steps dimensions "
    "expected communities",
}

_ELSEWHERE: Final = {
    ("users", "created_at"): Content.ACCOUNT_TIME,
    ("users", "last_modified"): Content.ACCOUNT_TIME,
    ("tracks", "created_at"): Content.PERSONAL_TIME,
    ("tracks", "last_modified"): Content.PERSONAL_TIME,
    ("playlists", "created_at"): Content.PERSONAL_TIME,
    ("playlists", "last_modified"): Content.PERSONAL_TIME,
    ("comments", "created_at"): Content.PERSONAL_TIME,
    ("libraries", "expected"): Content.COUNTER,
    ("walks", "expected"): Content.COUNTER,
    ("tombstones", "digest"): Content.DERIVED,
    ("tombstones", "reason"): Content.WORD,
    ("lanes", "name"): Content.MACHINE,
    ("lanes", "reason"): Content.OWN,
    ("notices", "name"): Content.WORD,
    ("credited_artists", "source"): Content.WORD,
    ("credited_artists", "credits_other"): Content.FLAG,
}
"""Columns whose name means something else in other tables."""

_NAMES: Final = {name: content for content, names in _BY_NAME.items() for name in names.split()}


def list_tables(pair_tables: Iterable[PairTable] = ()) -> list[sa.Table]:
    """Return all tables and views that are read as tables, and these pair tables."""
    pairs = [table.as_table() for table in pair_tables]
    views = [discoveries, libraries, credited_artists, discoveries_history]
    return [*metadata.tables.values(), *views, *pairs]


def content_of(table: sa.Table, column: sa.Column[Any]) -> Content | None:
    """Return the content of a column; ``None`` if nobody has said."""
    if (table.name, column.name) in _ELSEWHERE:
        return _ELSEWHERE[table.name, column.name]
    for kind, records in RECORD_TABLES.items():
        if column.references(records.c[f"{kind}_id"]):
            return _OF_RECORDS[kind]
    if is_pair_table(table):
        return {"integer": Content.NUMBER, "number": Content.NUMBER, "boolean": Content.FLAG}.get(
            kind_of(column)
        )
    return _NAMES.get(column.name)


def contents_of(table: WholeTable) -> dict[str, Content | None]:
    """Return the content of each column of a table as readers know it."""
    assert isinstance(table.source, sa.Table)
    return {column.name: content_of(table.source, table.source.c[column.name]) for column in table.columns}


def list_personal(pair_tables: Iterable[PairTable] = ()) -> Iterator[tuple[str, str, Content]]:
    """Yield (table, column, content) of the columns that hold something personal."""
    for table in list_tables(pair_tables):
        for column in table.columns:
            content = content_of(table, column)
            if content in PERSONAL or (
                table.name in ("users", "counter_history") and content in _OF_ACCOUNTS
            ):
                assert content is not None
                yield table.name, column.name, content
