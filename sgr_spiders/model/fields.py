"""Declare the fields of records for the parser, the validation, the tables and DATA_FORMAT.md.

A record is a dataclass whose fields are annotated with the results of these functions:
``title: Annotated[str | None, text("Title")] = None``. A field without a default is required.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from typing import Any, Final, Literal, get_type_hints

MAX_INTEGER: Final = 2**63 - 1
"""The largest integer that a database stores."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on a value, which ``soundcloud/rules.py`` checks.

    ``low`` and ``high`` bound an ``integer``; ``words`` are the allowed values of a ``word``.
    """

    form: Literal[
        "id", "comment_id", "integer", "tempo", "flag", "text", "date", "day", "word", "two_letters"
    ]
    low: int = 0
    high: int = MAX_INTEGER
    words: tuple[str, ...] = ()


Reading = Literal["plain", "non_empty", "milliseconds", "date", "day", "page_url", "names_of_true", "placed"]
"""The parser's way of reading a value. ``plain`` takes the value as it is. The parser itself sets ``placed``
values (IDs, owners) from several keys. ``soundcloud/fields.py`` has a function for each of the others."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record and a column of its table.

    Attributes:
        rule: The rule for its values.
        doc: The comment of the column.
        reading: The way the parser reads its value.
        source: The API's key.
        fallback: The API's key to read if the first has no value; ``outer.inner`` is one of a nested object.
        parts: The API's keys of year, month and day, which are read first if they are a day.
        of_stub: Whether the API also sends it beside the ID of a record of which it says nothing else.
        references: The column that a foreign key points to.
        is_key: Whether it is part of the primary key.
        name: The name of the field and column.
        required: Whether a record without it is rejected.
    """

    rule: Rule
    doc: str
    reading: Reading = "plain"
    source: str = ""
    fallback: str | None = None
    parts: tuple[str, ...] = ()
    of_stub: bool = False
    references: str | None = None
    is_key: bool = False
    name: str = ""
    required: bool = False


# ---- declarations


def identity(doc: str, rule: Rule | None = None) -> Field:
    """Return a field for the ID of a record, its primary key."""
    return Field(rule or Rule("id", low=1), doc, "placed", is_key=True)


def reference(target: str, doc: str, *, is_key: bool = False) -> Field:
    """Return a field for the ID of another record; *target* is the column that it points to."""
    return Field(Rule("id", low=1), doc, "placed", references=target, is_key=is_key)


def text(
    doc: str,
    *,
    source: str = "",
    fallback: str | None = None,
    of_stub: bool = False,
    is_key: bool = False,
) -> Field:
    """Return a field for free text."""
    return Field(Rule("text"), doc, source=source, fallback=fallback, of_stub=of_stub, is_key=is_key)


def page_url(doc: str, *, source: str = "") -> Field:
    """Return a field for the URL of a page; the parser removes its query and fragment."""
    return Field(Rule("text"), doc, "page_url", source)


def word(doc: str, *words: str, source: str = "", is_key: bool = False) -> Field:
    """Return a field for one of these *words*."""
    return Field(Rule("word", words=words), doc, "non_empty", source, is_key=is_key)


def date(doc: str, *, source: str = "", fallback: str | None = None) -> Field:
    """Return a field for a time, stored as an ISO 8601 string in UTC."""
    return Field(Rule("date"), doc, "date", source, fallback)


def day(doc: str, *, year: str, month: str, day: str) -> Field:
    """Return a field for a day, ``2024-01-09``, which the API gives in three parts, or as a date."""
    return Field(Rule("day"), doc, "day", parts=(year, month, day))


def two_letters(doc: str) -> Field:
    """Return a field for a code of two letters."""
    return Field(Rule("two_letters"), doc, "non_empty")


def names_of_true(doc: str) -> Field:
    """Return a field for the names in an object of booleans that are true, separated by commas."""
    return Field(Rule("text"), doc, "names_of_true")


def flag(doc: str, *, source: str = "", fallback: str | None = None) -> Field:
    """Return a field for a boolean."""
    return Field(Rule("flag"), doc, source=source, fallback=fallback)


def count(doc: str, *, source: str = "", fallback: str | None = None) -> Field:
    """Return a field for a counter that the API may hide."""
    return Field(
        Rule("integer"), f"{doc}; null if hidden or unknown, never 0", source=source, fallback=fallback
    )


def integer(
    doc: str, *, low: int = 0, high: int = MAX_INTEGER, source: str = "", reading: Reading = "plain"
) -> Field:
    """Return a field for an integer from *low* to *high*."""
    return Field(Rule("integer", low, high), doc, reading, source)


def tempo(doc: str, *, source: str = "") -> Field:
    """Return a field for beats per minute."""
    return Field(Rule("tempo"), doc, source=source)


# ---- lookup


@cache
def fields_of(record: type) -> tuple[Field, ...]:
    """Return the declared fields of a *record* type in order, with their names."""
    hints = get_type_hints(record, include_extras=True)
    found = [(column, _find_field(hints[column.name])) for column in fields(record)]
    return tuple(
        replace(
            field,
            name=column.name,
            source=field.source or column.name,
            required=column.default is MISSING,
        )
        for column, field in found
        if field is not None
    )


def _find_field(hint: Any) -> Field | None:  # noqa: ANN401 - annotations have no common type
    return next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Field)), None)
