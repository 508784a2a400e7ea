"""The words of a recorded command of ``scrapy`` as ``soundgraph`` takes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SWITCHES: Final = {
    "due": ("due", "1"),
    "refresh": ("refresh", "1"),
    "delta": ("refresh", "delta"),
    "accept-source": ("accept_source", "1"),
    "accept-gone": ("accept_gone", "1"),
}
"""The options of ``harvest`` without a value, with the spider argument that each of them sets."""

VALUES: Final = ("seeds", "layers", "max_requests", "max_minutes", "max_seeds")
"""The spider arguments that are options of ``harvest`` with the same value."""

SEEDS: Final = ("track_id", "track_url")
"""The spider arguments whose values are arguments of ``harvest``."""

SETTINGS: Final = {"HARVEST_DATABASE_URL": "--database", "HARVEST_CONFIG": "--config"}


def translate(words: Sequence[str]) -> list[str]:
    """Return *words*, with the options of ``soundgraph`` for settings and spider arguments that have one."""
    is_harvest = list(words[:2]) == ["crawl", "deep_harvest"]
    rest = list(words[2:] if is_harvest else words)
    return [*(["harvest"] if is_harvest else []), *_translate_pairs(rest, is_harvest=is_harvest)]


def _translate_pairs(words: list[str], *, is_harvest: bool) -> Iterator[str]:
    while words:
        word = words.pop(0)
        if word not in {"-a", "-s"} or not words:
            yield word
            continue
        given = words.pop(0)
        name, _, value = given.partition("=")
        short = _setting(name, value) if word == "-s" else _argument(name, value) if is_harvest else None
        yield from short or (word, given)


def _setting(name: str, value: str) -> list[str] | None:
    if name not in SETTINGS:
        return None
    path = value.removeprefix("sqlite:///")
    return _option(SETTINGS[name], value if re.search(r"^$|^~|[?]|:", path) else path)


def _argument(name: str, value: str) -> list[str] | None:
    """Return the words for a spider argument; ``None`` if only ``-a`` can say it."""
    if name in SEEDS and not re.search(r"[\s]|,(?=https?:)|^-", value):
        return value.split(",") if name == "track_id" else [value]
    if name in VALUES and value:
        return _option(f"--{name.replace('_', '-')}", value)
    if name == "config":
        return _option("--config", value)
    return next(([f"--{option}"] for option, set_ in SWITCHES.items() if set_ == (name, value)), None)


def _option(option: str, value: str) -> list[str]:
    return [f"{option}={value}"] if value.startswith("-") else [option, value]
