"""Read the declared fields of a record from a document of the API."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.model.fields import fields_of
from sgr_spiders.soundcloud.dates import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.soundcloud.raw import Document, Json


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


READERS: Final[dict[str, Callable[[Json], Json]]] = {
    "date": to_iso,
    "milliseconds": _milliseconds,
    "non_empty": _non_empty,
    "page_url": _page_url,
}
"""The functions that convert the API's values, by the field's ``reading``."""


class FieldReader:
    """Reads all fields of one record type at once.

    ``body`` contains the API's keys that become columns; a document without any of them is a stub.
    """

    __slots__ = ("_converted", "_fallbacks", "_sources", "body")

    def __init__(self, record: type) -> None:
        fields = fields_of(record)
        self._sources = tuple(field.source for field in fields)
        self._converted = [
            (place, READERS[field.reading]) for place, field in enumerate(fields) if field.reading in READERS
        ]
        self._fallbacks = [
            (place, field.fallback) for place, field in enumerate(fields) if field.fallback is not None
        ]
        self.body = frozenset(field.source for field in fields if field.reading != "placed")

    def read(self, document: Document, unknown: dict[str, Json]) -> list[Any]:
        """Return the values in the order of the fields; remove the fallbacks used from *unknown*.

        The values of ``placed`` fields are unconverted; the parser replaces them.
        """
        values = [*map(document.get, self._sources)]
        for place, convert in self._converted:
            if (value := values[place]) is not None:
                values[place] = convert(value)
        for place, key in self._fallbacks:
            value = values[place]
            if not value and (value is None or value == "") and key in document:
                values[place] = document[key]
                unknown.pop(key, None)
        return values
