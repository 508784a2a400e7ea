"""Tables as DataFrames of pandas or polars, through Arrow."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa

from sgr_spiders.exports.columnar import TIME
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.reports.labels import as_json
from sgr_spiders.reports.neighbours import describe_reason
from sgr_spiders.reports.origins import sentence
from sgr_spiders.reports.profile.text import section_as_json
from sgr_spiders.storage.labels import KINDS, Label
from sgr_spiders.storage.pairs.related import evidence_of
from sgr_spiders.storage.pairs.tables import SIGNIFICANCE
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.reports.communities import CommunityList
    from sgr_spiders.reports.neighbours import RecommendedTracks, RelatedRecords, SimilarRecords
    from sgr_spiders.reports.origins import Origin
    from sgr_spiders.reports.profile.profile import Profile
    from sgr_spiders.storage.figures.growth import Growth

Library = Literal["pandas", "polars", "arrow"]
LIBRARIES: tuple[str, ...] = get_args(Library)
INTEGER, NUMBER, TEXT, FLAG = pa.int64(), pa.float64(), pa.string(), pa.bool_()
_RANKED = {
    "id": INTEGER,
    "rank": INTEGER,
    "tied": INTEGER,
    "score": NUMBER,
    "by": TEXT,
    "weak_evidence": FLAG,
}


def check_library(name: str) -> None:
    """Raise ``ArgumentError`` unless *name* is a library that makes tables, and is installed."""
    if name not in LIBRARIES:
        hint = did_you_mean(name, LIBRARIES)
        raise ArgumentError(f"argument `as_`: must be pandas, polars or arrow, not {quote_value(name)}{hint}")
    if name != "arrow" and importlib.util.find_spec(name) is None:
        raise ArgumentError(f'{name} is not installed; run `pip install {name}`, or use `as_="arrow"`')


def as_frame(table: pa.Table, library: str) -> Any:  # noqa: ANN401 - each library has its own class
    """Return *table* as a table of *library*; integers with nulls stay integers."""
    check_library(library)
    # Lazy imports: both are optional, and slow to import.
    if library == "polars":
        import polars as pl  # noqa: PLC0415

        return pl.from_arrow(table)
    if library == "pandas":
        import pandas as pd  # noqa: PLC0415

        nullable = {INTEGER: pd.Int64Dtype(), FLAG: pd.BooleanDtype()}
        return table.to_pandas(types_mapper=nullable.get)
    return table


def tabulate(rows: Iterable[Sequence[Any]], columns: dict[str, pa.DataType]) -> pa.Table:
    """Return a table of *rows*; it has its columns even if there are none."""
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], pa.schema(columns))


def tabulate_similar(similar: SimilarRecords) -> pa.Table:
    """Return the similar records with their scores and evidence."""
    evidence = dict.fromkeys(similar.counts, INTEGER)
    columns = {**_RANKED, **evidence, **_label_columns(similar.kind)}
    rows = [{**row, "by": similar.by} for row in similar.rows]
    return pa.Table.from_pylist(rows, pa.schema(columns))


def tabulate_related(kind: str, related: RelatedRecords) -> pa.Table:
    """Return the related records with the measures of their pairs."""
    measures = {name: NUMBER if real else INTEGER for name, real in evidence_of(related.table).items()}
    first = {"id": INTEGER, related.table.score: measures[related.table.score]}
    significance = {column.name: NUMBER for column in SIGNIFICANCE}
    columns = first | measures | significance | {"cut": FLAG} | _label_columns(kind)
    return pa.Table.from_pylist(related.rows, pa.schema(columns))


def tabulate_profile(profile: Profile, section: str) -> pa.Table:
    """Return what listeners prefer in one section: tracks, artists, or words or places with their odds."""
    if section in profile.preferences:
        columns = {"id": INTEGER, "ratio": NUMBER, "listeners": INTEGER, "expected": NUMBER, "likes": INTEGER}
        columns |= _label_columns(section.removesuffix("s"))
    else:
        numbers = dict.fromkeys(("ratio", "lowest", "highest", "score"), NUMBER)
        columns = {"name": TEXT, **numbers, "listeners": INTEGER, "share": NUMBER, "usual": NUMBER}
    return pa.Table.from_pylist(section_as_json(profile, section)["found"], pa.schema(columns))


def tabulate_communities(found: Iterable[CommunityList]) -> pa.Table:
    """Return the communities of all kinds, the largest of each first."""
    columns = {"kind": TEXT, "community": INTEGER, "size": INTEGER, "stability": NUMBER}
    columns |= {"genres": pa.list_(TEXT), "members": pa.list_(TEXT)}
    rows = [
        (one.run.kind, group.community, group.size, group.stability, list(group.genres), list(group.members))
        for one in found
        for group in one.communities
    ]
    return tabulate(rows, columns)


def tabulate_origin(origin: Origin) -> pa.Table:
    """Return the paths by which a record was found, one row for each seed and layer."""
    columns = {
        "seed": INTEGER,
        "seed_title": TEXT,
        "layer": TEXT,
        "sentence": TEXT,
        "present": FLAG,
        "since": TIME,
        "removed_at": TIME,
        "score": NUMBER,
    }
    rows = [
        {
            "seed": discovery.seed_id,
            "seed_title": origin.labels["track", discovery.seed_id].name,
            "layer": discovery.layer,
            "sentence": sentence(origin, discovery),
            "present": discovery.is_present,
            "since": _read_time(discovery.since),
            "removed_at": _read_time(discovery.removed_at),
            "score": discovery.score,
        }
        for discovery in origin.found
    ]
    return pa.Table.from_pylist(rows, pa.schema(columns))


def tabulate_growth(growth: Growth) -> pa.Table:
    """Return the values of the counters of a record over time."""
    columns = {"counter": TEXT, "observed_at": TIME, "value": INTEGER, "change": INTEGER}
    columns |= {"per_day": NUMBER, "run_id": INTEGER}
    rows = [{**asdict(value), "observed_at": _read_time(value.observed_at)} for value in growth.values]
    return pa.Table.from_pylist(rows, pa.schema(columns))


def tabulate_recommended(recommended: RecommendedTracks) -> pa.Table:
    """Return the recommended tracks; ``because`` names the own tracks that explain each."""
    reasons = {"because": TEXT, "because_ids": pa.list_(INTEGER)}
    columns = {**_RANKED, **_label_columns("track"), **reasons}
    rows = recommended.rows
    for row, track in zip(rows, recommended.found, strict=True):
        row["by"] = recommended.by
        row["because"] = "; ".join(describe_reason(reason, recommended.labels) for reason in track.because)
        row["because_ids"] = [reason.id for reason in track.because]
    return pa.Table.from_pylist(rows, pa.schema(columns))


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _label_columns(kind: str) -> dict[str, pa.DataType]:
    record: Any = KINDS[kind]
    return {name: INTEGER if name.endswith("_id") else TEXT for name in as_json(Label(record, 0))}
