"""Counts of countries, cities and genres for a pseudonymised study; cells of few accounts are suppressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sgr_spiders.exports.columnar import build_schema, build_table, write_parts
from sgr_spiders.exports.resource import Field, Resource
from sgr_spiders.exports.study.coarsening import FEWEST, choose_common, choose_common_within
from sgr_spiders.storage.figures.cells import count_cells, holders_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.exports.package import Package
    from sgr_spiders.storage.figures.cells import Cell
    from sgr_spiders.storage.store import Connection

Row = tuple[Any, ...]

_USERS = Field("users", "integer", "Accounts", required=True)
_COUNTRY = Field("country", "text", "Country as the accounts spell it; null: all others, and unknown ones")


def write_aggregates(connection: Connection, package: Package, suffix: str) -> dict[str, int]:
    """Write the counts as files with this *suffix*; return the numbers of rows."""
    by_country = count_cells(connection, "users", ["country"])
    by_city = count_cells(connection, "users", ["country", "city"])
    by_genre = count_cells(connection, "tracks", ["genre"])
    countries = choose_common(by_country)
    cities = choose_common_within(by_city, countries)
    genres = choose_common(by_genre)
    city = Field("city", "text", "City as the accounts spell it", required=True)
    genre = Field("genre", "text", "Genre as uploaders spell it; null: all others, and none")
    tracks = Field("tracks", "integer", "Tracks", required=True)
    artists = Field("artists", "integer", "Uploaders; null for all others, where some would count twice")
    few = f"of at least {FEWEST} accounts"
    tables: list[tuple[str, str, Sequence[Field], list[Row]]] = [
        ("countries", f"Accounts by country, {few}", (_COUNTRY, _USERS), _count_users(by_country, countries)),
        (
            "cities",
            f"Accounts by city, {few}",
            (_COUNTRY, city, _USERS),
            [(*cell.values, len(cell.holders)) for cell in _chosen(by_city, cities)],
        ),
        ("genres", f"Tracks by genre, {few}", (genre, tracks, artists), _count_tracks(by_genre, genres)),
    ]
    counts = {}
    for name, meaning, fields, rows in tables:
        path, schema = f"{name}.{suffix}", build_schema(fields)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields)
        counts[name] = write_parts(package.path(path), schema, [build_table(columns, schema)])
        package.add(Resource(path, meaning, counts[name], tuple(fields)))
    return counts


def _count_users(cells: Sequence[Cell], shown: set[Row]) -> list[Row]:
    rest = len(holders_of(cell for cell in cells if cell.values not in shown))
    others: list[Row] = [(None, rest)] if rest >= FEWEST else []
    return [*((*cell.values, len(cell.holders)) for cell in _chosen(cells, shown)), *others]


def _count_tracks(cells: Sequence[Cell], shown: set[Row]) -> list[Row]:
    rest = [cell for cell in cells if cell.values not in shown]
    tracks = sum(cell.rows for cell in rest)
    others: list[Row] = [(None, tracks, None)] if len(holders_of(rest)) >= FEWEST else []
    return [*((*cell.values, cell.rows, len(cell.holders)) for cell in _chosen(cells, shown)), *others]


def _chosen(cells: Iterable[Cell], shown: set[Row]) -> list[Cell]:
    """Return the cells that are shown, the largest first."""
    chosen = [cell for cell in cells if cell.values in shown]
    return sorted(chosen, key=lambda cell: (-len(cell.holders), cell.values))
