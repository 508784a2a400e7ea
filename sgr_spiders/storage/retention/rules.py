"""The rules that remove what is older than a number of days, as steps on tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.model.fields import fields_of
from sgr_spiders.model.items import RECORD_TYPES, Fullness
from sgr_spiders.storage.clock import timestamp
from sgr_spiders.storage.retention.steps import Step
from sgr_spiders.storage.schema import (
    RECORD_TABLES,
    comments,
    community_runs,
    counter_history,
    engagements,
    playlist_leftovers,
    playlist_tracks,
    playlists,
    rejects,
    relationship_runs,
    run_scope,
    run_seeds,
    runs,
    seeds,
    selections,
    track_mentions,
    tracks,
    users,
    vector_runs,
    walk_pages,
    walk_records,
    walk_requests,
    walks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sgr_spiders.config.harvest import Retention

PERSONAL = (
    *("username", "permalink", "permalink_url", "full_name", "city"),
    *("country", "country_code"),
    *("website", "website_title", "avatar_url"),
)
"""The columns of ``users`` with names, places, links and avatars."""


def steps_of(retention: Retention, now: datetime | None = None) -> list[Step]:
    """Return the steps of all rules with a number of days, in their order."""
    now = now or datetime.now(UTC)
    found: list[Step] = []
    for name, build in RULES.items():
        days = getattr(retention, name)
        if days is not None:
            found += build(timestamp(now - timedelta(days=days)))
    return found


def _removed_rows(before: str) -> Iterator[Step]:
    """Yield the steps for rows that left their lists, and for records that are not public any more.

    Other rows may refer to such a record, so it becomes a stub, which has only its ID and its removal. A list
    that has not been looked at since may still contain a comment, which then loses only its text.
    """
    rule = "removed_rows"
    # First the ledger: what it lists must exist.
    for table in (walk_records, selections, engagements, playlist_tracks):
        yield Step(rule, table, table.c.removed_at < before)
    listed = sa.exists().where(
        walk_records.c.record_id == comments.c.comment_id,
        walk_records.c.kind == "comment",
        sa.or_(walk_records.c.removed_at.is_(None), walk_records.c.removed_at >= before),
    )
    old = comments.c.removed_at < before
    has_text = sa.or_(comments.c.body.is_not(None), comments.c.raw.is_not(None))
    yield Step(rule, comments, sa.and_(old, sa.not_(listed)))
    yield Step(rule, comments, sa.and_(old, listed, has_text), ("body", "raw"))
    for kind in ("track", "user", "playlist"):
        table = RECORD_TABLES[kind]
        (key,) = table.primary_key.columns
        removed = sa.select(key).where(table.c.removed_at < before)
        of_removed = sa.and_(counter_history.c.kind == kind, counter_history.c.record_id.in_(removed))
        yield Step(rule, counter_history, of_removed)
    for owner, owned in ((tracks, track_mentions), (playlists, playlist_leftovers)):
        (key,) = owner.primary_key.columns
        removed = sa.select(key).where(owner.c.removed_at < before)
        yield Step(rule, owned, owned.c[key.name].in_(removed))
    for kind in ("track", "user", "playlist"):
        table = RECORD_TABLES[kind]
        record: type = RECORD_TYPES[kind]
        values = [field.name for field in fields_of(record) if not field.is_key]
        old = sa.and_(table.c.removed_at < before, sa.not_(table.c.is_stub))
        yield Step(
            rule, table, old, (*values, "raw", "counted_at"), {"is_stub": True, "fullness": Fullness.STUB}
        )


def _raw(before: str) -> Iterator[Step]:
    for kind in RECORD_TABLES:
        yield from _clear("raw", kind, ("raw",), before)
    # An unfinished walk recognises items that it rejects again.
    ended = sa.exists().where(walks.c.walk_id == rejects.c.walk_id, walks.c.finished_at < before)
    yield Step("raw", rejects, sa.and_(rejects.c.raw.is_not(None), ended), ("raw",))


def _comment_texts(before: str) -> Iterator[Step]:
    yield from _clear("comment_texts", "comment", ("body",), before)


def _descriptions(before: str) -> Iterator[Step]:
    for kind in ("track", "playlist", "user"):
        yield from _clear("descriptions", kind, ("description",), before)


def _personal_fields(before: str) -> Iterator[Step]:
    yield from _clear("personal_fields", "user", PERSONAL, before)


def _page_ledgers(before: str) -> Iterator[Step]:
    """Yield the steps for the pages of earlier looks at a list, and what was rejected on them.

    The latest look needs its pages: they prove its counts, and that a list repeats itself.
    """
    page = sa.and_(
        walk_pages.c.walk_id == rejects.c.walk_id,
        walk_pages.c.generation == rejects.c.generation,
        walk_pages.c.page == rejects.c.page,
        walk_pages.c.fetched_at < before,
    )
    yield Step("page_ledgers", rejects, sa.and_(sa.exists().where(page), _is_superseded(rejects)))
    yield Step(
        "page_ledgers", walk_pages, sa.and_(walk_pages.c.fetched_at < before, _is_superseded(walk_pages))
    )


def _counters(before: str) -> Iterator[Step]:
    """Yield the step for values that others had replaced before that time; those of that time stay."""
    value, later = counter_history.c, counter_history.alias("later").c
    same = (later[name] == value[name] for name in ("kind", "record_id", "counter"))
    is_replaced = sa.exists().where(*same, later.observed_at > value.observed_at, later.observed_at < before)
    yield Step("counters", counter_history, is_replaced)


def _runs(before: str) -> Iterator[Step]:
    """Yield the steps for runs, and for builds of other tables, except the newest of each."""
    newest_builds = sa.select(sa.func.max(relationship_runs.c.relationship_run_id)).group_by(
        relationship_runs.c.type
    )
    old_build = sa.and_(
        relationship_runs.c.finished_at < before,
        relationship_runs.c.relationship_run_id.not_in(newest_builds),
    )
    newest_vectors = sa.select(sa.func.max(vector_runs.c.vector_run_id)).group_by(vector_runs.c.method)
    old_vectors = sa.and_(
        vector_runs.c.finished_at < before, vector_runs.c.vector_run_id.not_in(newest_vectors)
    )
    yield Step("runs", relationship_runs, old_build)
    yield Step("runs", vector_runs, old_vectors)
    newest_communities = sa.select(sa.func.max(community_runs.c.community_run_id)).group_by(
        community_runs.c.kind
    )
    old_communities = sa.and_(
        community_runs.c.finished_at < before, community_runs.c.community_run_id.not_in(newest_communities)
    )
    yield Step("runs", community_runs, old_communities)
    # A refresh continues the newest run of its scope.
    newest = sa.select(sa.func.max(runs.c.run_id)).group_by(runs.c.scope)
    referring = (
        sa.exists().where(walks.c.run_id == runs.c.run_id),
        sa.exists().where(seeds.c.last_run_id == runs.c.run_id),
        sa.exists().where(relationship_runs.c.run_id == runs.c.run_id, sa.not_(old_build)),
        sa.exists().where(vector_runs.c.run_id == runs.c.run_id, sa.not_(old_vectors)),
    )
    ended_at = sa.func.coalesce(runs.c.finished_at, runs.c.started_at)
    old = sa.and_(ended_at < before, runs.c.run_id.not_in(newest), *map(sa.not_, referring))
    for table in (run_seeds, run_scope):
        yield Step("runs", table, table.c.run_id.in_(sa.select(runs.c.run_id).where(old)))
    yield Step("runs", runs, old)


RULES: dict[str, Callable[[str], Iterator[Step]]] = {
    "removed_rows": _removed_rows,
    "raw": _raw,
    "comment_texts": _comment_texts,
    "descriptions": _descriptions,
    "personal_fields": _personal_fields,
    "page_ledgers": _page_ledgers,
    "counters": _counters,
    "runs": _runs,
}
"""The rules with a number of days, by their keys in the configuration."""


def _clear(rule: str, kind: str, columns: tuple[str, ...], before: str) -> Iterator[Step]:
    """Yield the steps that clear *columns* of records that were not fetched since.

    Layers read the seeds and their uploaders again when a harvest continues, so these are refetched then.
    """
    table = RECORD_TABLES[kind]
    (key,) = table.primary_key.columns
    has_any = sa.or_(*(table.c[name].is_not(None) for name in columns))
    old = sa.and_(table.c.fetched_at < before, has_any)
    if kind in ("track", "user"):
        seed = sa.and_(
            tracks.c.track_id.in_(sa.select(walk_requests.c.seed_id)),
            walks.c.target == sa.cast(tracks.c.track_id, sa.Text),
        )
        cleared = key == (tracks.c.track_id if kind == "track" else tracks.c.artist_id)
        source = tracks if kind == "track" else tracks.join(users, cleared)
        is_cleared = sa.exists().select_from(source).where(seed, old).correlate(walks)
        fetched = sa.and_(walks.c.endpoint == "track", sa.not_(walks.c.outdated), is_cleared)
        yield Step(rule, walks, fetched, sets={"outdated": True}, unlisted=True)
    yield Step(rule, table, old, columns)


def _is_superseded(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition that a row belongs to an earlier generation of its walk."""
    return sa.exists().where(walks.c.walk_id == table.c.walk_id, table.c.generation < walks.c.generation)
