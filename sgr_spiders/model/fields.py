"""Declare a field of a record once: parser, validation, table and DATA_FORMAT.md follow from it.

A record is a dataclass whose fields are annotated with what these functions return:
``title: Annotated[str | None, text("Title")] = None``. A field without a default is required.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace
from functools import cache
from typing import Any, Final, Literal, get_type_hints

MAX_INTEGER: Final = 2**63 - 1
"""The largest integer that a database keeps."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be; ``soundcloud/rules.py`` judges by it.

    ``low`` and ``high`` bound an ``integer``; ``words`` are all that a ``word`` may be.
    """

    form: Literal["id", "comment_id", "integer", "tempo", "flag", "text", "date", "word"]
    low: int = 0
    high: int = MAX_INTEGER
    words: tuple[str, ...] = ()


Reading = Literal["plain", "non_empty", "milliseconds", "date", "page_url", "placed"]
"""How the parser reads a value: ``plain`` takes it as it is, ``placed`` is for what the parser works out from
several keys (ids, owners), and for each other ``soundcloud/fields.py`` has a function."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record and a column of its table.

    ``source`` is the API's key and ``fallback`` another one, read where the first holds nothing.
    ``references`` names the column that a foreign key points to. ``is_key``: part of the primary key.
    """

    rule: Rule
    doc: str
    reading: Reading = "plain"
    source: str = ""
    fallback: str | None = None
    references: str | None = None
    is_key: bool = False
    name: str = ""
    required: bool = False


# ---- declarations


def identity(doc: str, rule: Rule | None = None) -> Field:
    """Return the id of a record, its primary key."""
    return Field(rule or Rule("id", low=1), doc, "placed", is_key=True)


def reference(target: str, doc: str, *, is_key: bool = False) -> Field:
    """Return the id of another record; *target* is the column that it points to."""
    return Field(Rule("id", low=1), doc, "placed", references=target, is_key=is_key)


def text(doc: str, *, source: str = "", fallback: str | None = None, is_key: bool = False) -> Field:
    """Return free text."""
    return Field(Rule("text"), doc, source=source, fallback=fallback, is_key=is_key)


def page_url(doc: str, *, source: str = "") -> Field:
    """Return the address of a page, which the parser frees of query and fragment."""
    return Field(Rule("text"), doc, "page_url", source)


def word(doc: str, *words: str, source: str = "", is_key: bool = False) -> Field:
    """Return one of a few *words*."""
    return Field(Rule("word", words=words), doc, "non_empty", source, is_key=is_key)


def date(doc: str, *, source: str = "") -> Field:
    """Return a point in time, kept as ISO 8601 text in UTC."""
    return Field(Rule("date"), doc, "date", source)


def flag(doc: str, *, source: str = "") -> Field:
    """Return a boolean."""
    return Field(Rule("flag"), doc, source=source)


def count(doc: str, *, source: str = "", fallback: str | None = None) -> Field:
    """Return a counter that the API may hide."""
    return Field(
        Rule("integer"), f"{doc}; null if hidden or unknown, never 0", source=source, fallback=fallback
    )


def integer(
    doc: str, *, low: int = 0, high: int = MAX_INTEGER, source: str = "", reading: Reading = "plain"
) -> Field:
    """Return an integer from *low* to *high*."""
    return Field(Rule("integer", low, high), doc, reading, source)


def tempo(doc: str, *, source: str = "") -> Field:
    """Return beats per minute."""
    return Field(Rule("tempo"), doc, source=source)


# ---- what follows from them


@cache
def fields_of(record: type) -> tuple[Field, ...]:
    """Return the declared fields of a *record* type in order, with their names."""
    hints = get_type_hints(record, include_extras=True)
    found = [(column, _declared(hints[column.name])) for column in fields(record)]
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


def _declared(hint: Any) -> Field | None:  # noqa: ANN401 - what an annotation is
    return next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Field)), None)
