"""The spider arguments (``-a name=value``), checked before the first request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, urlsplit

from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.invocation import plain_command
from sgr_spiders.text.messages import did_you_mean, quote_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

KNOWN = {
    "track_id": "a track ID or URN; several separated by commas",
    "track_url": "the URL of a track on soundcloud.com, or a share link; several separated by commas",
    "seeds": "a file with one ID, URN or URL per line; `#` begins a comment",
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
MAX_TRACK_ID = 2**63 - 1
MAX_SEEDS_BYTES = 16 * 1024 * 1024
MAX_REQUESTS = 10**12
MAX_MINUTES = 10**6

SITE = "soundcloud.com"
SHARE_HOST = "on.soundcloud.com"
SITE_HOSTS = frozenset({SITE, f"www.{SITE}", f"m.{SITE}"})
_NAME = re.compile("[A-Za-z0-9_-]+")
# The second path segment of a URL that lists items of a user, in the position of a track's name.
USER_PAGES = frozenset(
    {"albums", "comments", "followers", "following", "likes", "popular-tracks", "reposts", "tracks"}
)
# The first path segment of a URL that is not the page of a user.
SITE_PAGES = frozenset({"charts", "discover", "search", "stations", "tags", "upload", "you"})


@dataclass(frozen=True, slots=True)
class GivenSeed:
    """A seed as given: either ``track_id``, or ``url``, which is still to be resolved."""

    text: str
    track_id: int | None = None
    url: str | None = None


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
    )


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


def _parse_count(name: str, text: str) -> int:
    # Not `int(text)` alone: it takes `1_000` and digits of every script.
    if not re.fullmatch("[0-9]{1,13}", text) or not 1 <= int(text) <= MAX_REQUESTS:
        raise _wrong(name, f"must be an integer from 1 to {MAX_REQUESTS}, not {quote_value(text)}")
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
    seeds: dict[int | str | None, GivenSeed] = {}
    for seed in _iterate_seeds(given):
        seeds.setdefault(seed.track_id or seed.url, seed)
    if not seeds:
        raise ArgumentError(
            "no seed given; add -a track_id=ID, -a track_url=URL, -a seeds=FILE (one per line) or -a due=1"
        )
    return tuple(seeds.values())


def _iterate_seeds(given: Mapping[str, str]) -> Iterator[GivenSeed]:
    if "track_id" in given:
        yield from (_parse_seed_id(text, "track_id") for text in _split_list("track_id", given["track_id"]))
    if "track_url" in given:
        yield from (_parse_seed_url(text, "track_url") for text in _split_urls(given["track_url"]))
    if "seeds" in given:
        yield from _read_seeds_file(given["seeds"])


def _parse_seed_id(text: str, name: str) -> GivenSeed:
    track_id = _parse_track_id(text)
    if track_id is None:
        raise _wrong(name, f"not a track ID or URN: {quote_value(text)}")
    return GivenSeed(text, track_id=track_id)


def _parse_track_id(text: str) -> int | None:
    match = re.fullmatch("(?:soundcloud:tracks:)?([0-9]{1,19})", text)
    track_id = int(match[1]) if match else 0
    return track_id if 1 <= track_id <= MAX_TRACK_ID else None


def _split_urls(text: str) -> list[str]:
    # A comma separates two URLs only before the next one, because a URL may contain commas.
    parts = re.split(r"\s+|,(?=https?://)", text)
    urls = [part for part in (part.strip(",") for part in parts) if part]
    if not urls:
        raise _wrong("track_url", f"contains no URL: {quote_value(text)}")
    return urls


def _parse_seed_url(text: str, name: str) -> GivenSeed:
    try:
        return GivenSeed(text, url=_canonicalize_track_url(text))
    except ValueError as error:
        raise _wrong(name, f"{error}: {quote_value(_mask_secret(text))}") from error


def _mask_secret(text: str) -> str:
    return re.sub(r"(/s-|secret_token=)[\w-]+", r"\1...", text)


def _canonicalize_track_url(text: str) -> str:
    """Return the URL to resolve, without the query and fragment, so that equal tracks have equal URLs."""
    parts = _split(text)
    if parts.netloc != SHARE_HOST and parts.netloc not in SITE_HOSTS:
        raise ValueError(f"not a URL on {SITE}")
    path = [segment for segment in parts.path.split("/") if segment]
    _refuse_secret(path, parts.query)
    host = SHARE_HOST if parts.netloc == SHARE_HOST else SITE
    _refuse_other_pages(path, host)
    return f"https://{host}/{'/'.join(path)}"


def _split(text: str) -> SplitResult:
    if not text.isascii() or not text.isprintable() or "\\" in text:
        raise ValueError("not a URL")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ValueError("not a URL") from error
    if parts.scheme != "https":
        raise ValueError("must begin with https://")
    return parts._replace(netloc=parts.netloc.lower())


def _refuse_secret(path: list[str], query: str) -> None:
    by_path = any(re.fullmatch("s-[A-Za-z0-9]+", segment) for segment in path[2:])
    by_query = any(key.lower() == "secret_token" for key, _ in parse_qsl(query, keep_blank_values=True))
    if by_path or by_query:
        raise ValueError("a secret link; private tracks are never harvested")


def _refuse_other_pages(path: list[str], host: str) -> None:
    if path[1:2] == ["sets"]:
        raise ValueError("a playlist, not a track")
    if len(path) != (1 if host == SHARE_HOST else 2) or not all(_NAME.fullmatch(part) for part in path):
        raise ValueError("not the URL of a track")
    if path[0] in SITE_PAGES or path[-1] in USER_PAGES:
        raise ValueError("a page of the site, not a track")


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


def read_seed(text: str) -> GivenSeed:
    """Parse a seed: an ID, a URN or a URL.

    Raises:
        ValueError: The seed is invalid; the message explains why.
    """
    if "://" not in text:
        track_id = _parse_track_id(text)
        if track_id is None:
            raise ValueError(f"not a track ID, URN or URL: {quote_value(text)}")
        return GivenSeed(text, track_id=track_id)
    try:
        return GivenSeed(text, url=_canonicalize_track_url(text))
    except ValueError as error:
        raise ValueError(f"{error}: {quote_value(_mask_secret(text))}") from error


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
