"""The records near another one, with evidence, names and addresses, as rows for tables and programs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.relationships import TYPES
from sgr_spiders.reports.labels import as_json, describe, render_rows
from sgr_spiders.storage.labels import read_labels
from sgr_spiders.storage.libraries import USUAL
from sgr_spiders.storage.names import resolve
from sgr_spiders.storage.pairs.builds import latest
from sgr_spiders.storage.pairs.related import nearest
from sgr_spiders.text.formatting import describe_left_out, pluralize, significant
from sgr_spiders.text.invocation import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.embeddings.recommend import Reason, Recommendation
    from sgr_spiders.embeddings.reranking import Reranking
    from sgr_spiders.embeddings.similar import Evidence, Similar
    from sgr_spiders.storage.labels import Label
    from sgr_spiders.storage.libraries import Inclusion
    from sgr_spiders.storage.pairs.tables import PairTable
    from sgr_spiders.storage.store import Connection

NEAREST = {"track": "track_cooccurrence", "user": "user_similarity", "artist": "artist_relation"}
"""The relationship type that contains the neighbours of each kind."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The source of neighbours and their number, as ``find_similar`` and ``recommend`` describe them.

    *diversity* and *novelty* are those of ``Reranking``.
    """

    by: str | None = None
    method: str = "svd"
    limit: int = 10
    include: Inclusion = USUAL
    diversity: float = 0.0
    novelty: float = 0.0


@dataclass(frozen=True, slots=True)
class SimilarRecords:
    """The records most similar to ``id`` by the source ``by``.

    ``by_everyone`` and ``fallback``: as in ``SimilarNodes``.
    """

    kind: str
    id: int
    by: str
    evidence: Evidence
    found: list[Similar]
    by_everyone: bool
    labels: Mapping[int, Label]
    fallback: str | None = None

    @property
    def counts(self) -> tuple[str, str]:
        """The names of the shared counts."""
        from sgr_spiders.embeddings.similar import EVIDENCE  # noqa: PLC0415 - `related` needs no numpy

        return EVIDENCE[self.kind]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of JSON."""
        return [self._as_row(neighbour) for neighbour in self.found]

    def _as_row(self, neighbour: Similar) -> dict[str, Any]:
        values = dataclasses.asdict(neighbour)
        shared = values.pop("shared")
        return values | as_json(self.labels[neighbour.id]) | dict(zip(self.counts, shared, strict=True))


@dataclass(frozen=True, slots=True)
class RelatedRecords:
    """The records nearest to ``id`` in a relationship table; ``found`` has its measures.

    ``algorithm`` is the name of what made the table; ``None`` if an earlier version did.
    """

    id: int
    table: PairTable
    found: list[dict[str, Any]]
    labels: Mapping[int, Label]
    algorithm: str | None

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of JSON."""
        return [row | as_json(self.labels[row["id"]]) for row in self.found]


@dataclass(frozen=True, slots=True)
class RecommendedTracks:
    """Tracks for a user or playlist by the source ``by``, best first.

    ``labels`` also has those that explain them. ``missing``: tracks of the playlist that are not known,
    because it was not looked at to its end.
    """

    kind: str
    id: int
    about: Label
    missing: int
    by: str
    reranking: Reranking
    evidence: Evidence
    found: list[Recommendation]
    labels: Mapping[int, Label]
    fallback: str | None = None
    """The reason why ``by`` is not the default source."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of JSON."""
        return [self._as_row(track) for track in self.found]

    def _as_row(self, track: Recommendation) -> dict[str, Any]:
        because = [dataclasses.asdict(reason) | as_json(self.labels[reason.id]) for reason in track.because]
        return dataclasses.asdict(track) | as_json(self.labels[track.id]) | {"because": because}


def read_similar(connection: Connection, kind: str, name: str, options: SearchOptions) -> SimilarRecords:
    """Find the records most similar to the one that *name* names.

    Raises:
        ArgumentError: Nothing is called *name*, or it has no vector.
    """
    from sgr_spiders.embeddings.similar import find_similar  # noqa: PLC0415 - the same

    node = resolve(connection, kind, name)
    by, method, include = options.by, options.method, options.include
    near = find_similar(connection, kind, node, by=by, method=method, limit=options.limit, include=include)
    labels = read_labels(connection, kind, [node, *(neighbour.id for neighbour in near.found)])
    return SimilarRecords(
        kind, node, near.by, near.evidence, near.found, near.by_everyone, labels, near.fallback
    )


def read_related(connection: Connection, kind: str, name: str, limit: int) -> RelatedRecords:
    """Find the nearest neighbours of the record that *name* names, in its relationship table.

    Raises:
        ArgumentError: Nothing is called *name*, or the table has not been built.
    """
    table = TYPES[NEAREST[kind]].table
    node = resolve(connection, kind, name)
    if node not in read_labels(connection, kind, [node]):
        raise ArgumentError(f"{kind} {node} is not in this database")
    built = latest(connection, NEAREST[kind])
    if built is None:
        raise ArgumentError(f"{table.name} has not been built; run `{command('relate')}`")
    found = nearest(connection, table, node, limit)
    labels = read_labels(connection, kind, [node, *(row["id"] for row in found)])
    return RelatedRecords(node, table, found, labels, built.algorithm)


def read_recommended(
    connection: Connection, kind: str, name: str, options: SearchOptions
) -> RecommendedTracks:
    """Recommend tracks to the user, or to continue the playlist, that *name* names.

    Raises:
        ArgumentError: Nothing is called *name*, or it has no tracks, or there are no vectors.
    """
    from sgr_spiders.embeddings import recommend as recommending  # noqa: PLC0415 - the same
    from sgr_spiders.embeddings.reranking import Reranking  # noqa: PLC0415 - the same
    from sgr_spiders.storage.looked_at import count_missing  # noqa: PLC0415 - the same

    node = resolve(connection, kind, name)
    choose = {"user": recommending.recommend, "playlist": recommending.continue_playlist}[kind]
    reranking = Reranking(options.diversity, options.novelty)
    chosen = choose(
        connection,
        node,
        by=options.by,
        method=options.method,
        limit=options.limit,
        include=options.include,
        reranking=reranking,
    )
    found = chosen.found
    tracks = {track.id for track in found} | {reason.id for track in found for reason in track.because}
    labels = read_labels(connection, "track", tracks)
    about = read_labels(connection, kind, [node])[node]
    missing = count_missing(connection, node) if kind == "playlist" else 0
    return RecommendedTracks(
        kind=kind,
        id=node,
        about=about,
        missing=missing,
        by=chosen.by,
        reranking=reranking,
        evidence=chosen.evidence,
        found=found,
        labels=labels,
        fallback=chosen.fallback,
    )


def describe_source(by: str, evidence: Evidence) -> dict[str, Any]:
    """Return the source and its evidence, for JSON."""
    used = {"of": evidence.name, "total": evidence.total, "used": evidence.used}
    return {"by": by, "evidence": used, "left_out": evidence.left_out}


def render_ranked(
    kind: str,
    found: Sequence[Similar | Recommendation],
    counts: Mapping[str, Sequence[int]],
    labels: Mapping[int, Label],
) -> list[list[str]]:
    """Return the lines of the head and of each ranked record: ranks, scores, counts, marks of weak evidence.

    A rank that others share has ``=``, and the score of weak evidence is rounded to one digit.
    """
    has_weak = any(one.weak_evidence for one in found)
    rows = [
        (
            one.id,
            [
                f"{one.rank}{'=' if one.tied > 1 else ''}",
                f"~{significant(one.score, 1)}" if one.weak_evidence else significant(one.score, 3),
                *(str(count[place]) for count in counts.values()),
                *(["yes" if one.weak_evidence else "-"] if has_weak else []),
            ],
        )
        for place, one in enumerate(found)
    ]
    head = ["rank", "score", *counts, *(["weak_evidence"] if has_weak else [])]
    return render_rows(kind, head, rows, labels)


def describe_evidence(evidence: Evidence, found: Sequence[Similar | Recommendation]) -> list[str]:
    """Return what limits them: ties, weak evidence, a sample, libraries that were not looked at."""
    from sgr_spiders.embeddings.similar import ENOUGH  # noqa: PLC0415 - the same

    lines = []
    is_sample = evidence.used < evidence.total
    if found:
        last = found[-1]
        shown = sum(one.rank == last.rank for one in found)
        if shown < last.tied:
            tied = f"{'at least ' if is_sample else ''}{last.tied:,}"
            lines.append(f"rank {last.rank}: {shown:,} of {tied} with the same score")
    if any(one.weak_evidence for one in found):
        lines.append(f"weak evidence: rests on fewer than {ENOUGH}; one more or less could change the order")
    if is_sample:
        lines.append(f"from a sample of {evidence.used:,} of {evidence.total:,} {evidence.name}")
    if evidence.left_out:
        lines.append(describe_left_out(evidence.left_out))
    return lines


def describe_reason(reason: Reason, labels: Mapping[int, Label]) -> str:
    """Return a liked track with the fans and playlists it shares with a recommended one."""
    shared = pluralize(reason.shared_fans, "shared fan")
    if reason.shared_playlists:
        shared += f", {pluralize(reason.shared_playlists, 'shared playlist')}"
    return f"{describe(labels[reason.id])} ({shared})"
