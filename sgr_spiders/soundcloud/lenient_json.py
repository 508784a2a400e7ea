"""Decode documents that the fast decoder refuses, and keep all that is good in them.

A value that cannot be stored, e.g. ``1e999``, ``NaN`` or one nested 3,000 levels deep, becomes an
``OddValue``: it costs the record that contains it, not the page. Lone surrogates, control characters in
strings and bytes that are not UTF-8 are kept for the validation, which replaces them.

The time is proportional to the length, and nothing recurses, whatever a document contains. It is read in the
thread of the reactor, so a document that would take more than a few seconds is refused: a smaller page may
be readable.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import orjson

MAX_NESTING: Final = 128
"""The deepest nesting that is decoded: more than a record may have (``raw.MAX_DEPTH``)."""

MAX_TOKENS: Final = 1_000_000
"""The most tokens that are looked at, which takes about 2 s. A playlist with 500 tracks has 150,000; an item
that the fast decoder accepts counts as one."""

_TOO_DEEP: Final = "nested too deeply"
_TOKEN: Final = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<mark>["\[\]{},:])
      | (?P<number>-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?))
      | (?P<word>true|false|null|NaN|-?Infinity)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_BOUNDARY: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?P<quote>"?)|[\[{]+|[\]}]+|,', re.DOTALL)
"""A string, whole or without its end, brackets, or a comma. Without backtracking, which takes memory."""
_read_string: Final = json.JSONDecoder(strict=False).raw_decode
"""The standard decoder, here only for strings: it accepts control characters and lone surrogates."""
_WORDS: Final = {"true": True, "false": False, "null": None}
_CLOSING: Final[dict[type, str]] = {dict: "}", list: "]"}
_MAX_DIGITS: Final = 20
"""The length of the largest integers of 64 bits; larger ones become floats, as in orjson."""


class OddValue:
    """Placeholder for a value that cannot be kept. It is not a dataclass, which orjson would write."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OddValue) and self.reason == other.reason

    def __hash__(self) -> int:
        return hash(self.reason)


class DamagedError(ValueError):
    """A document is not JSON. ``document`` contains the readable items of a list, else it is ``None``."""

    def __init__(self, reason: str, document: Any = None) -> None:  # noqa: ANN401 - any JSON value
        super().__init__(reason)
        self.document = document


def decode(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of *body*; raise ``DamagedError`` if it is not JSON."""
    reader = _Reader(_decode_text(body))
    document = reader.read_document()
    if reader.damage is not None:
        raise DamagedError(str(reader.damage), document)
    return document


def _decode_text(body: bytes) -> str:
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "strict")
    except UnicodeDecodeError:
        raise DamagedError(f"not {encoding}") from None


class _Reader:
    """A position in a text, and what was read up to it. ``damage`` is the first error inside an item."""

    __slots__ = ("_at", "_text", "_tokens", "damage")

    def __init__(self, text: str, tokens: int = 0) -> None:
        self._text = text
        self._at = 0
        self._tokens = tokens
        self.damage: DamagedError | None = None

    def read_document(self) -> Any:  # noqa: ANN401 - any JSON value
        """Read the whole text: a list, or an object with a list called ``collection``, item by item."""
        match self._peek():
            case "[":
                document: Any = self._read_items()
            case "{":
                document = self._read_envelope()
            case _:
                document = self.read_value()
        self.expect_end()
        return document

    def read_value(self) -> Any:  # noqa: ANN401 - any JSON value
        """Read one value of any kind."""
        # The open lists and objects, from the outermost, and the keys at which the objects continue.
        parents: list[Any] = []
        keys: list[str] = []
        while True:
            value = self._read_leaf_or_open(deep=len(parents) >= MAX_NESTING)
            closing = _CLOSING.get(type(value))
            if closing is not None and self._peek() != closing:
                parents.append(value)
            else:
                if closing is not None:
                    self._take()
                value = self._close(value, parents, keys)
                if not parents:
                    return value
            if type(parents[-1]) is dict:
                keys.append(self._read_key())

    def _close(self, value: Any, parents: list[Any], keys: list[str]) -> Any:  # noqa: ANN401 - any JSON value
        """Add a finished value to its parent, and parents that end with it to theirs; return the last."""
        while parents:
            parent = parents[-1]
            if type(parent) is dict:
                parent[keys.pop()] = value
            else:
                parent.append(value)
            if self._goes_on(_CLOSING[type(parent)]):
                break
            value = parents.pop()
        return value

    def expect_end(self) -> None:
        if self._peek() != "":
            raise self._error("text after the end")

    def _read_envelope(self) -> dict[str, Any]:
        self._take()
        envelope: dict[str, Any] = {}
        if self._peek() == "}":
            self._take()
            return envelope
        while True:
            key = self._read_key()
            is_list = key == "collection" and self._peek() == "["
            envelope[key] = self._read_items() if is_list else self.read_value()
            if not self._goes_on("}"):
                return envelope

    def _read_items(self) -> list[Any]:
        self._take()
        items: list[Any] = []
        if self._peek() == "]":
            self._take()
            return items
        while True:
            items.append(self._read_item())
            if not self._goes_on("]"):
                return items

    def _read_item(self) -> Any:  # noqa: ANN401 - any JSON value
        """Read one item of a list; if it is not JSON, continue behind it."""
        end = self._end_of_value()
        source, self._at = self._text[self._at : end], end
        try:
            return orjson.loads(source)
        except orjson.JSONDecodeError:
            item = _Reader(source, self._tokens)
        try:
            value = item.read_value()
            item.expect_end()
        except DamagedError as error:
            self.damage = self.damage or error
            value = OddValue("not JSON")
        self._tokens = item._tokens
        return value

    def _read_key(self) -> str:
        if self._take() != '"':
            raise self._error("a key is missing")
        key = self._read_string()
        if self._take() != ":":
            raise self._error("a colon is missing")
        return key

    def _read_leaf_or_open(self, *, deep: bool) -> Any:  # noqa: ANN401 - any JSON value
        """Read a value that contains no others, or the opening bracket of an empty list or object."""
        found = self._match()
        if found["number"]:
            self._at = found.end()
            return _number(found["number"], is_integer=not found["fraction"])
        if found["word"]:
            self._at = found.end()
            word = found["word"]
            return _WORDS[word] if word in _WORDS else OddValue(f"{word} is not a value of JSON")
        mark = found["mark"]
        if mark == '"':
            self._at = found.end()
            return self._read_string()
        if mark not in ("[", "{"):
            raise self._error("a value is missing")
        if deep:
            self._at = self._end_of_value()
            return OddValue(_TOO_DEEP)
        self._at = found.end()
        return [] if mark == "[" else {}

    def _read_string(self) -> str:
        """Read a string, whose opening quote is behind the position."""
        try:
            text, self._at = _read_string(self._text, self._at - 1)
        except ValueError:
            raise self._error("a bad string") from None
        return str(text)

    def _goes_on(self, closing: str) -> bool:
        """Take the comma between two values, or the *closing* bracket; return whether it is a comma."""
        mark = self._take()
        if mark not in (",", closing):
            raise self._error("a comma is missing")
        return mark == ","

    def _take(self) -> str:
        found = self._match()
        self._at = found.end()
        return found["mark"] or ""

    def _peek(self) -> str:
        """Return the next mark, an empty text at the end, or the beginning of a number or word."""
        return self._match()[0].lstrip()[:1]

    def _match(self) -> re.Match[str]:
        self._tokens += 1
        if self._tokens > MAX_TOKENS:
            raise DamagedError("too many tokens")
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise self._error("not a value")
        return found

    def _end_of_value(self) -> int:
        """Return the end of the value here: the next comma or closing bracket that is not part of it."""
        depth = 0
        for found in _BOUNDARY.finditer(self._text, self._at):
            start, end = found.span()
            match self._text[start]:
                case '"':
                    if not found["quote"]:
                        break
                case "[" | "{":
                    depth += end - start
                case ",":
                    if not depth:
                        return start
                case _:
                    if end - start > depth:
                        return start + depth
                    depth -= end - start
        raise self._error("the end is missing")

    def _error(self, what: str) -> DamagedError:
        # The position, but no part of the text, which may be anything.
        return DamagedError(f"{what} at {self._at}")


def _number(digits: str, *, is_integer: bool) -> float | OddValue:
    if is_integer and len(digits) <= _MAX_DIGITS:
        whole = int(digits)
        if -(2**63) <= whole < 2**64:
            return whole
    number = float(digits)
    return number if math.isfinite(number) else OddValue("a number too large")
