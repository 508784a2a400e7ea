"""The spider arguments (``-a name=value``), checked before the first request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.soundcloud.addresses import SITE, is_address, mask_secret, parse_address, parse_reference
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.invocation import plain_command
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.soundcloud.addresses import PageKind

DEFAULT_MAX_SEEDS = 20
MOST_SEEDS = 10_000

KNOWN = {
    "track_id": "a track ID or URN; several separated by commas",
    "track_url": "the URL or permalink of a track, or of a playlist or user whose tracks become seeds; "
    "several separated by commas",
    "seeds": "a file with one ID, URN, URL or permalink per line; `#` begins a comment",
    "max_seeds": f"number of tracks of each playlist or user that become seeds; default: {DEFAULT_MAX_SEEDS}",
    "due": "`1`: the seeds of `scrapy seeds` that are due, the most overdue first",
    "layers": "layers to run, separated by commas; default: those enabled in the configuration",
    "config": "a YAML file, a name in `configs/`, or YAML in braces; default: the setting `HARVEST_CONFIG`",
    "refresh": "`1`: refetch everything; `delta`: refetch what changed; an unfinished refresh is resumed",
    "accept_source": "`1`: fill the database from another API than before, e.g. if the API has moved",
    "accept_gone": "`1`: believe that records are gone even if they are more than `max_gone_share`",
    "max_requests": "stop after this many requests, without token requests; rerun to resume",
    "max_minutes": "stop after this many minutes; rerun to resume",
}
"""Every spider argument with its meaning."""
SCHEDULER_PREFIX = "_"
"""The beginning of arguments that belong to the scheduler of the run, such as Scrapyd's ``_job`` and
``_version``."""

BY_DELTA = "delta"
"""The value of ``refresh`` for what scheduled runs do."""
MAX_SEEDS_BYTES = 16 * 1024 * 1024
MAX_REQUESTS = 10**12
MAX_MINUTES = 10**6


@dataclass(frozen=True, slots=True)
class GivenSeed:
    """A seed as given: one of ``track_id``, ``listed_by`` and ``url``.

    Attributes:
        text: The seed as written.
        track_id: The ID of a track.
        url: A URL that is still to be resolved; it may lead to a playlist or a user.
        listed_by: Kind and ID of a playlist or user whose tracks become seeds.
        kind: The kind of record, as far as it is known.
    """

    text: str
    track_id: int | None = None
    url: str | None = None
    listed_by: tuple[Literal["playlist", "user"], int] | None = None
    kind: PageKind | None = "track"


@dataclass(frozen=True, slots=True)
class Arguments:
    """The checked spider arguments.

    ``layers`` is ``None`` if none were named; then the spider and the configuration decide. ``seeds`` is
    empty if ``due`` is set, because those seeds are in the database. ``by_delta``: lists are looked at only
    where they may have changed.
    """

    seeds: tuple[GivenSeed, ...]
    layers: tuple[str, ...] | None = None
    config: str | None = None
    refresh: bool = False
    by_delta: bool = False
    due: bool = False
    accept_source: bool = False
    accept_gone: bool = False
    max_requests: int | None = None
    max_minutes: float | None = None
    max_seeds: int = DEFAULT_MAX_SEEDS


def parse(arguments: Mapping[str, object], *, layer_names: Sequence[str]) -> Arguments:
    """Check all arguments; raise ``ArgumentError`` for the first wrong one."""
    for name in arguments:
        if name not in KNOWN and not name.startswith(SCHEDULER_PREFIX):
            hint = did_you_mean(name, KNOWN) or f": known are {', '.join(KNOWN)}"
            raise ArgumentError(f"spider argument `{for_message(name)}`: unknown{hint}")
    given = {name: _strip(name, arguments[name]) for name in KNOWN if name in arguments}
    due = _parse_switch("due", given.get("due", "0"))
    if due:
        _refuse_beside_due(given)
    return Arguments(
        seeds=() if due else _collect_seeds(given),
        layers=_parse_layers(given["layers"], layer_names) if "layers" in given else None,
        config=given.get("config"),
        refresh=_parse_refresh(given.get("refresh", "0")),
        by_delta=due or given.get("refresh") == BY_DELTA,
        due=due,
        accept_source=_parse_switch("accept_source", given.get("accept_source", "0")),
        accept_gone=_parse_switch("accept_gone", given.get("accept_gone", "0")),
        max_requests=_parse_count("max_requests", given["max_requests"]) if "max_requests" in given else None,
        max_minutes=_parse_minutes("max_minutes", given["max_minutes"]) if "max_minutes" in given else None,
        max_seeds=_parse_count("max_seeds", given.get("max_seeds", str(DEFAULT_MAX_SEEDS)), MOST_SEEDS),
    )


def sort_seeds(texts: Iterable[str]) -> dict[str, str]:
    """Return the spider arguments for seeds (see ``read_seed``), several in one text also with commas.

    Raises:
        ArgumentError: One of them is invalid.
    """
    words = [word for text in texts for word in (text.split(",") if "/" not in text else [text])]
    ids: list[str] = []
    urls: list[str] = []
    for word in words:
        try:
            seed = read_seed(word)
        except ValueError as error:
            raise ArgumentError(f"seed: {error}") from None
        (ids if seed.url is None else urls).append(word)
    joined = {"track_id": ",".join(ids), "track_url": " ".join(urls)}
    return {name: value for name, value in joined.items() if value}


def _strip(name: str, value: object) -> str:
    text = str(value).strip()
    if not text:
        raise _wrong(name, "is empty")
    return text


def _wrong(name: str, problem: str) -> ArgumentError:
    return ArgumentError(f"spider argument `{name}`: {problem}")


# ---- plain values


def _parse_switch(name: str, text: str) -> bool:
    if text not in {"0", "1"}:
        raise _wrong(name, f"must be 0 or 1, not {quote_value(text)}")
    return text == "1"


def _parse_refresh(text: str) -> bool:
    if text not in {"0", "1", BY_DELTA}:
        raise _wrong("refresh", f"must be 0, 1 or {BY_DELTA}, not {quote_value(text)}")
    return text != "0"


def _parse_count(name: str, text: str, most: int = MAX_REQUESTS) -> int:
    # Not `int(text)` alone: it takes `1_000` and digits of every script.
    if not re.fullmatch("[0-9]{1,13}", text) or not 1 <= int(text) <= most:
        raise _wrong(name, f"must be an integer from 1 to {most}, not {quote_value(text)}")
    return int(text)


def _parse_minutes(name: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,9})?", text) or not 0 < float(text) <= MAX_MINUTES:
        raise _wrong(
            name, f"must be a number of minutes above 0, at most {MAX_MINUTES}, not {quote_value(text)}"
        )
    return float(text)


def _refuse_beside_due(given: Mapping[str, str]) -> None:
    for name in ("track_id", "track_url", "seeds"):
        if name in given:
            raise _wrong(
                "due", f"takes its seeds from the database (`{plain_command('seeds')}`); leave out `{name}`"
            )
    if "refresh" in given:
        raise _wrong("due", "refetches what is due anyway; leave out `refresh`")


def _parse_layers(text: str, layer_names: Sequence[str]) -> tuple[str, ...]:
    asked = _split_list("layers", text)
    for name in asked:
        if name not in layer_names:
            hint = did_you_mean(name, layer_names) or f": layers are {', '.join(layer_names)}"
            raise _wrong("layers", f"unknown layer {quote_value(name)}{hint}")
    return tuple(name for name in layer_names if name in asked)


def _split_list(name: str, text: str) -> list[str]:
    parts = [part for part in (part.strip() for part in text.split(",")) if part]
    if not parts:
        raise _wrong(name, f"contains no value: {quote_value(text)}")
    return parts


# ---- seeds


def _collect_seeds(given: Mapping[str, str]) -> tuple[GivenSeed, ...]:
    seeds: dict[object, GivenSeed] = {}
    for seed in _iterate_seeds(given):
        seeds.setdefault(seed.track_id or seed.url or seed.listed_by, seed)
    if not seeds:
        raise ArgumentError(
            "no seed given; add -a track_id=ID, -a track_url=URL, -a seeds=FILE (one per line) or -a due=1"
        )
    return tuple(seeds.values())


def _iterate_seeds(given: Mapping[str, str]) -> Iterator[GivenSeed]:
    if "track_id" in given:
        yield from _read_seeds("track_id", _split_list("track_id", given["track_id"]))
    if "track_url" in given:
        yield from _read_seeds("track_url", _split_urls(given["track_url"]))
    if "seeds" in given:
        yield from _read_seeds_file(given["seeds"])


def _read_seeds(name: str, texts: Iterable[str]) -> Iterator[GivenSeed]:
    for text in texts:
        try:
            yield read_seed(text)
        except ValueError as error:
            raise _wrong(name, str(error)) from error


def _split_urls(text: str) -> list[str]:
    # A comma in a query or fragment separates two URLs only if it precedes a scheme or a host of the site.
    urls: list[str] = []
    for part in re.split(r"(?i)\s+|,(?=https?://|(?:[a-z]+\.)?soundcloud\.com/)", text):
        urls += [part] if {"?", "#"} & set(part) else part.split(",")
    found = [url for url in (url.strip(",") for url in urls) if url]
    if not found:
        raise _wrong("track_url", f"contains no URL: {quote_value(text)}")
    return found


def read_seed(text: str) -> GivenSeed:
    """Parse a seed: an ID, a URN, a URL or a permalink with a slash, of a track, a playlist or a user.

    Raises:
        ValueError: The seed is invalid; the message explains why.
    """
    track_id = parse_key(text, "track")
    if track_id is not None:
        return GivenSeed(text, track_id=track_id)
    match parse_reference(text):
        case ("track", int(track_id)):
            return GivenSeed(text, track_id=track_id)
        case ("playlist" | "user" as kind, int(record_id)):
            return GivenSeed(text, listed_by=(kind, record_id), kind=kind)
    if not is_address(text) and "/" not in text:
        raise ValueError(f"not an ID, URN, URL or permalink: {quote_value(text)}")
    try:
        page = parse_address(text if is_address(text) else f"https://{SITE}/{text}")
    except ValueError as error:
        raise ValueError(f"{error}: {quote_value(mask_secret(text))}") from error
    return GivenSeed(text, url=page.url, kind=page.kind)


# ---- seeds from a file


def _read_seeds_file(path: str) -> Iterator[GivenSeed]:
    try:
        for where, text in seed_lines(path):
            try:
                yield read_seed(text)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from error
    except ValueError as error:
        raise _wrong("seeds", str(error)) from error


def seed_lines(path: str) -> Iterator[tuple[str, str]]:
    """Yield (location, text) for each seed line, without comments.

    Raises:
        ValueError: The file cannot be read or contains no seeds.
    """
    empty = True
    for where, text in read_lines(path):
        empty = False
        yield where, text
    if empty:
        raise ValueError(f"{for_message(path)}: contains no seeds")


def read_lines(path: str) -> Iterator[tuple[str, str]]:
    """Yield (location, text) for each line of a file that is not empty, without comments.

    Raises:
        ValueError: The file cannot be read.
    """
    for number, line in enumerate(_read_lines(path), start=1):
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if text:
            yield f"{for_message(path)}, line {number}", text


def _read_lines(path: str) -> Iterable[str]:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SEEDS_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ValueError(f"{quote_value(path)} cannot be read: {for_message(reason)}") from error
    if len(content) > MAX_SEEDS_BYTES:
        raise ValueError(f"{quote_value(path)} is larger than {MAX_SEEDS_BYTES} bytes")
    try:
        return content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{for_message(path)}, line {line}: not UTF-8") from error
