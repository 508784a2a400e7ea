"""The output of ``scrapy why``: how a record was found, in sentences and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.reports.labels import as_json as label_json
from sgr_spiders.reports.labels import describe
from sgr_spiders.soundcloud.urns import urn
from sgr_spiders.storage import origins, tombstones
from sgr_spiders.storage.labels import KINDS, Label, read_labels
from sgr_spiders.storage.names import resolve
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import minute, number, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.storage.origins import Discovery, History, Link, Node, Reference, SeedUse
    from sgr_spiders.storage.store import Connection

PHRASES = {
    "track_favoriters": ("likes", ""),
    "track_reposters": ("reposted", ""),
    "track_comments": ("commented on", "a comment on"),
    "track_page": ("commented on", "a comment on"),
    "track_related": ("", "related by SoundCloud to"),
    "user_tracks": ("", "uploaded by"),
    "user_likes": ("", "liked by"),
    "user_reposts": ("", "reposted by"),
    "user_playlists": ("", "a playlist of"),
    "playlist_tracks": ("", "in"),
    "contains": ("", "in"),
    "uploads": ("uploaded", ""),
    "owns": ("made", ""),
    "search_tracks": ("", "found by a search for"),
    "search_users": ("was found by a search for", ""),
    "search_playlists": ("", "found by a search for"),
    "resolve": ("was found at", "found at"),
}
"""The words for each relation: of a user, and of another record."""

REFERENCES = {
    "in_playlist": "in",
    "liked_by": "liked by",
    "reposted_by": "reposted by",
    "commented_on_by": "commented on by",
    "left_out_of": "left out by a cap of",
    "artist_of": "artist of",
    "owner_of": "owner of",
    "likes": "likes",
    "reposted": "reposted",
    "commented_on": "commented on",
    "contains": "contains",
}
"""The words for the references of a record."""

REASONS = {
    "left_list": "left its list",
    "owner_removed": "left the list of its owner",
    "gone": "the API does not find it",
    "private": "private",
    "blocked": "blocked for this client",
}
"""The words for ``removed_reason``."""


@dataclass(frozen=True, slots=True)
class Origin:
    """All that is known about how a record was found.

    ``count`` is the number of all discoveries, and ``left_out`` of those left out because they were removed.
    ``labels`` name the records in them.
    """

    kind: str
    label: Label
    history: History
    seeds: Sequence[SeedUse]
    found: Sequence[Discovery]
    count: int
    references: Sequence[Reference]
    labels: Mapping[Node, Label]
    left_out: int = 0


def read_named(
    connection: Connection, kind: str, name: str, limit: int, *, include_removed: bool = False
) -> Origin:
    """Return how the record that *name* names was found, with up to *limit* paths.

    Raises:
        ArgumentError: Nothing, or more than one record, is called *name*; or it is not in the database.
    """
    record_id = resolve(connection, kind, name)
    origin = read_origin(connection, kind, record_id, limit, include_removed=include_removed)
    if origin is None:
        raise ArgumentError(_explain_missing(connection, kind, record_id))
    return origin


def _explain_missing(connection: Connection, kind: str, record_id: int) -> str:
    """Return why a record is not in the database."""
    record = KINDS[kind]
    what = f"{kind} {record_id} is not in this database"
    known = tombstones.read(connection)
    if known is not None and known.date_of((record, record_id)) is not None:
        return f"{what}: it was forgotten"
    for reference in origins.read_references(connection, record, record_id):
        if reference.relation == "left_out_of":
            return f"{what}: a cap left it out of playlist {reference.examples[0]}"
    return what


def read_origin(
    connection: Connection, kind: str, record_id: int, limit: int, *, include_removed: bool
) -> Origin | None:
    """Return how a record was found; ``None`` if it is not in the database."""
    record = KINDS[kind]
    history = origins.read_history(connection, record, record_id)
    if history is None:
        return None
    found, count, left_out = origins.read_discoveries(
        connection, record, record_id, limit, include_removed=include_removed
    )
    seeds = origins.read_seed_uses(connection, record_id) if record == "track" else []
    references = origins.read_references(connection, record, record_id)
    nodes: set[Node] = {(record, record_id)}
    nodes |= {("track", discovery.seed_id) for discovery in found}
    nodes |= {link.to for discovery in found for link in discovery.path if link.to is not None}
    nodes |= {use.listed_by for use in seeds if use.listed_by is not None}
    nodes |= {(reference.kind, example) for reference in references for example in reference.examples}
    labels = _read_labels(connection, nodes)
    label = labels[record, record_id]
    return Origin(kind, label, history, seeds, found, count, references, labels, left_out)


def _read_labels(connection: Connection, nodes: Iterable[Node]) -> dict[Node, Label]:
    ids: dict[str, list[int]] = {}
    for kind, record_id in nodes:
        ids.setdefault(kind, []).append(record_id)
    return {
        (kind, record_id): label
        for kind, some in ids.items()
        for record_id, label in read_labels(connection, kind, some).items()
    }


# ---- text


def as_text(origin: Origin) -> list[str]:
    """Return the lines for people."""
    label = origin.label
    page = "" if label.permalink_url is None else f", {for_message(label.permalink_url)}"
    return [
        f"{origin.kind.capitalize()} {label.id}: {describe(label)}{page}",
        *_seed_lines(origin),
        *_found_lines(origin),
        *_reference_lines(origin),
        *_history_lines(origin),
    ]


def _seed_lines(origin: Origin) -> Iterator[str]:
    for use in origin.seeds:
        given = f"given as {for_message(use.given)}"
        if use.listed_by is not None:
            given = f"one of the tracks of {_name(origin, use.listed_by)}"
        yield f"A seed, first of run {use.run_id}: {given}"


def _found_lines(origin: Origin) -> Iterator[str]:
    if not origin.found and origin.left_out:
        yield "Found earlier; `--include-removed` shows how"
    elif not origin.found and not origin.seeds:
        yield "No layer has found it: it is known only from other records"
    seed_id = None
    for discovery in origin.found:
        if discovery.seed_id != seed_id:
            seed_id = discovery.seed_id
            yield f"Around seed {seed_id} ({_name(origin, ('track', seed_id))}):"
        removed = ""
        if not discovery.is_present:
            removed = f" (until {minute(discovery.removed_at)})" if discovery.removed_at else " (no longer)"
        yield f"  {discovery.layer}: {sentence(origin, discovery)}{removed}"
    if origin.count > len(origin.found):
        more = pluralize(origin.count - len(origin.found), "more discovery", "more discoveries")
        yield f"{more}; `--limit` shows them"


def _reference_lines(origin: Origin) -> Iterator[str]:
    for reference in origin.references:
        names = ", ".join(_name(origin, (reference.kind, example)) for example in reference.examples)
        rest = reference.count - len(reference.examples)
        more = f" and {number(rest)} more" if rest else ""
        counted = pluralize(reference.count, reference.kind)
        yield f"{REFERENCES[reference.relation].capitalize()} {counted}: {names}{more}"


def _history_lines(origin: Origin) -> Iterator[str]:
    history = origin.history
    if history.is_stub:
        yield "Only its ID is known, from a reference"
    seen = []
    if history.first_seen_at is not None:
        run = "" if history.first_run is None else f" (run {history.first_run})"
        seen.append(f"first seen {minute(history.first_seen_at)} UTC{run}")
    if history.last_seen_at is not None:
        seen.append(f"last seen {minute(history.last_seen_at)} UTC")
    if history.removed_at is not None:
        reason = REASONS.get(history.removed_reason or "", "unknown reason")
        seen.append(f"removed {minute(history.removed_at)} UTC: {reason}")
    if seen:
        line = ", ".join(seen)
        yield line[0].upper() + line[1:]


def sentence(origin: Origin, discovery: Discovery) -> str:
    """Return the path of a discovery as a sentence without an end."""
    if not discovery.path:
        is_seed = (origin.label.kind, origin.label.id) == ("track", discovery.seed_id)
        return "the seed itself" if is_seed else "found, but the walk that lists it is not stored any more"
    parts: list[str] = []
    for before, link in zip((None, *discovery.path), discovery.path, strict=False):
        parts.append(_joint(before, link) + _phrase(origin, discovery, link))
    score = "" if discovery.score is None else f", with a similarity of {discovery.score:.2f}"
    return "".join(parts) + score


def _joint(before: Link | None, link: Link) -> str:
    if before is None:
        return ""
    if link.relation == "user_playlists":
        return ""
    return ", who " if link.kind == "user" else ", which is "


def _phrase(origin: Origin, discovery: Discovery, link: Link) -> str:
    of_user, of_other = PHRASES.get(link.relation, ("", link.relation))
    words = of_user if link.kind == "user" and of_user else of_other or of_user
    if link.to is None:
        return f"{words} {for_message(repr(link.text))}"
    if link.to == ("track", discovery.seed_id):
        return f"{words} the seed"
    name = _name(origin, link.to)
    if link.relation == "user_playlists" and link is not discovery.path[0]:
        return f" of {name}"
    return f"{words} {link.to[0]} {name}" if link.to[0] != "user" else f"{words} {name}"


def _name(origin: Origin, node: Node) -> str:
    label = origin.labels.get(node)
    if label is None or label.name is None:
        return f"{node[0]} {node[1]}"
    return describe(label) if node[0] == "track" else for_message(label.name)


# ---- JSON


def as_json(origin: Origin) -> dict[str, Any]:
    """Return the structure that docs/why.md describes."""
    record = KINDS[origin.kind]
    return {
        "id": origin.label.id,
        "kind": origin.kind,
        "urn": urn(record, origin.label.id),
        **label_json(origin.label),
        "history": asdict(origin.history),
        "seed_in": [
            {"run_id": use.run_id, "given": use.given, "listed_by": _node_json(origin, use.listed_by)}
            for use in origin.seeds
        ],
        "count": origin.count,
        "found": [_discovery_json(origin, discovery) for discovery in origin.found],
        "references": [
            {
                "relation": reference.relation,
                "kind": reference.kind,
                "count": reference.count,
                "examples": [_node_json(origin, (reference.kind, one)) for one in reference.examples],
            }
            for reference in origin.references
        ],
    }


def _discovery_json(origin: Origin, discovery: Discovery) -> dict[str, Any]:
    return {
        "seed": _node_json(origin, ("track", discovery.seed_id)),
        "layer": discovery.layer,
        "present": discovery.is_present,
        "since": discovery.since,
        "removed_at": discovery.removed_at,
        "score": discovery.score,
        "sentence": sentence(origin, discovery),
        "path": [
            {
                "kind": link.kind,
                "id": link.id,
                "relation": link.relation,
                "to": _node_json(origin, link.to),
                "text": link.text,
            }
            for link in discovery.path
        ],
    }


def _node_json(origin: Origin, node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    label = origin.labels.get(node)
    return {"kind": node[0], "id": node[1], **({} if label is None else label_json(label))}
