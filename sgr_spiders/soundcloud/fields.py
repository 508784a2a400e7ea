"""Read the declared fields of a record from a document of the API."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.model.fields import fields_of
from sgr_spiders.soundcloud.dates import join_day, to_day, to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sgr_spiders.model.fields import Field
    from sgr_spiders.soundcloud.raw import Document, Json

    Member = tuple[int, str, Callable[[Json], Json]]
    """A field that a nested object may contain: its place, its key there, and its conversion."""


def _as_it_is(value: Json) -> Json:
    return value


def _non_empty(value: Json) -> Json:
    return value or None


def _milliseconds(value: Json) -> Json:
    """Return *value* as an integer, or unchanged if it is not a number."""
    if isinstance(value, str) and len(value) <= 20:
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    return value


def _page_url(url: Json) -> Json:
    """Return *url* without query and fragment, which only track the source of the link."""
    if isinstance(url, str):
        return url.partition("?")[0].partition("#")[0]
    return url


def _names_of_true(flags: Json) -> Json:
    """Return the names of the true values of an object of booleans and nulls, or something else unchanged."""
    if isinstance(flags, dict) and all(value is None or isinstance(value, bool) for value in flags.values()):
        return ",".join(sorted(name for name, value in flags.items() if value))
    return flags


READERS: Final[dict[str, Callable[[Json], Json]]] = {
    "date": to_iso,
    "day": to_day,
    "milliseconds": _milliseconds,
    "names_of_true": _names_of_true,
    "non_empty": _non_empty,
    "page_url": _page_url,
}
"""The functions that convert the API's values, by the field's ``reading``."""


class FieldReader:
    """Reads all fields of one record type at once.

    ``known`` contains the API's keys that become columns, and ``body`` those without which a document is a
    stub.
    """

    __slots__ = ("_converted", "_days", "_fallbacks", "_nested", "_sources", "body", "known")

    def __init__(self, record: type) -> None:
        fields = fields_of(record)
        self._sources = tuple(field.source for field in fields)
        self._converted = [
            (place, READERS[field.reading]) for place, field in enumerate(fields) if field.reading in READERS
        ]
        places = {field.name: place for place, field in enumerate(fields)}
        self._days = [
            tuple(places[name] for name in (field.name, *field.parts)) for field in fields if field.parts
        ]
        members = list(_members(fields))
        self._fallbacks = [member for outer, member in members if not outer]
        self._nested = [
            (outer, [member for other, member in members if other == outer])
            for outer in dict.fromkeys(outer for outer, _ in members if outer)
        ]
        body = [field for field in fields if field.reading != "placed"]
        self.known = frozenset(field.source for field in body)
        self.body = frozenset(field.source for field in body if not field.of_stub)

    def read(self, document: Document, unknown: dict[str, Json]) -> list[Any]:
        """Return the values in the order of the fields; remove the fallbacks used from *unknown*.

        The values of ``placed`` fields are unconverted; the parser replaces them.
        """
        values = [*map(document.get, self._sources)]
        for place, convert in self._converted:
            if (value := values[place]) is not None:
                values[place] = convert(value)
        self._read_others(document, unknown, values)
        return values

    def _read_others(self, document: Document, unknown: dict[str, Json], values: list[Any]) -> None:
        """Read the values that come from several keys, or from another one."""
        for place, year, month, day in self._days:
            if values[year] is not None:
                values[place] = join_day(values[year], values[month], values[day]) or values[place]
        for place, key, convert in self._fallbacks:
            if not values[place] and key in document and _has_none(values[place]):
                values[place] = convert(document[key])
                unknown.pop(key, None)
        for outer, members in self._nested:
            if (inner := document.get(outer)) is not None:
                _read_members(outer, inner, members, unknown, values)


def _members(fields: Iterable[Field]) -> Iterable[tuple[str, Member]]:
    """Yield the fallbacks of *fields*, each with the key of its nested object, or an empty one."""
    for place, field in enumerate(fields):
        if field.fallback is not None:
            outer, _, key = field.fallback.rpartition(".")
            yield outer, (place, key, READERS.get(field.reading, _as_it_is))


def _read_members(
    outer: str, inner: Json, members: Iterable[Member], unknown: dict[str, Json], values: list[Any]
) -> None:
    """Set the missing *values* of *members* from a nested object; leave the rest of it in *unknown*."""
    if not isinstance(inner, dict):
        return
    used = set()
    for place, key, convert in members:
        if _has_none(values[place]) and (value := inner.get(key)) is not None:
            values[place] = convert(value)
            used.add(key)
    if used and outer in unknown:
        _put(unknown, outer, _without(inner, used))


def _has_none(value: Json) -> bool:
    return not value and (value is None or value == "")


def find_value(field: Field, stored: Document, unknown: Document) -> tuple[Json, str | None]:
    """Return the value of a field from the columns and unknown fields of a *stored* record, and its path.

    The path is ``None`` if the value comes from columns, or if there is none. An empty text counts only if
    there is no other value.
    """
    if field.parts and (day := join_day(*map(stored.get, field.parts))) is not None:
        return day, None
    convert = READERS.get(field.reading, _as_it_is)
    found: tuple[Json, str | None] = None, None
    for path in (field.source, field.fallback):
        if path is None:
            continue
        outer, _, key = path.rpartition(".")
        inner = unknown.get(outer) if outer else unknown
        if isinstance(inner, dict) and (value := inner.get(key)) is not None:
            found = convert(value), path
            if not _has_none(found[0]):
                break
    return found


def remove_path(unknown: dict[str, Json], path: str) -> None:
    """Remove the value at a *path* of ``find_value``, and the nested object if it becomes empty."""
    outer, _, key = path.rpartition(".")
    if not outer:
        unknown.pop(key, None)
    elif outer in unknown:
        _put(unknown, outer, _without(unknown[outer], {key}))


def _without(inner: Document, keys: Collection[str]) -> Document:
    return {key: value for key, value in inner.items() if key not in keys and value is not None}


def _put(unknown: dict[str, Json], outer: str, inner: Document) -> None:
    """Replace a nested object, or remove it if nothing is left of it."""
    if inner:
        unknown[outer] = inner
    else:
        del unknown[outer]
