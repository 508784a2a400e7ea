"""Which fault strikes which request: names, parameters and deterministic schedules."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sgr_spiders.sandbox.seeding import chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class FaultError(Exception):
    """A fault that does not exist or has a bad parameter; raised when rules are read."""


@dataclass(frozen=True)
class FaultKind:
    """What a fault is: when it acts, which requests it concerns, its own parameters.

    ``stage`` is "answer" (instead of the real one), "page" (changes a page before it
    is written), "body" (changes what is written), "link" (the connection) or "state"
    (something in the server, then the real answer).
    """

    stage: str
    meaning: str
    concerns: str = r"^/(?!oauth/|robots\.txt)"
    parameters: Mapping[str, str] = field(default_factory=dict)
    times: int = 0


_LISTS = (
    r"^/(tracks|users|playlists)(\?|$)"
    r"|^/(tracks|users|playlists)/[^/?]+/"
)

KINDS: dict[str, FaultKind] = {
    "repeat_next_href": FaultKind("page", "pages after the first name themselves as the next", _LISTS),
    "foreign_next_href": FaultKind("page", "next_href names SoundCloud's internal host", _LISTS),
    "evil_next_href": FaultKind(
        "page",
        "next_href leads elsewhere: `to` is host, port, scheme, userinfo or path",
        _LISTS,
        {"to": "host"},
    ),
    "drop_access": FaultKind("page", "next_href loses the access parameter", _LISTS),
    "endless_empty_search": FaultKind(
        "page", "searches never end: empty pages with a next_href", r"^/(tracks|users|playlists)(\?|$)"
    ),
    "array_shape": FaultKind("page", "a plain array although linked_partitioning was asked for", _LISTS),
    "duplicate_items": FaultKind("page", "an item twice on a page and again on the next", _LISTS),
    "empty_list": FaultKind("page", "an empty list, as if there were nothing", _LISTS),
    "shifting_pages": FaultKind(
        "page",
        "pages after the first start `shift` items early (negative: late, items are lost)",
        _LISTS,
        {"shift": "3"},
    ),
    "stale_cache": FaultKind(
        "answer",
        "the first answer again, from a cache that ignores the query parameter `ignore`",
        _LISTS,
        {"ignore": "none"},
    ),
    "rate_limit_documented": FaultKind(
        "answer", "429 with reset_time `seconds` ahead", parameters={"seconds": "60"}
    ),
    "rate_limit_gateway": FaultKind("answer", "429 of the gateway, no reset time"),
    "rate_limit_text": FaultKind("answer", "429 as plain text"),
    "rate_limit_retry_after": FaultKind(
        "answer", "429 with a Retry-After of `seconds`", parameters={"seconds": "1"}
    ),
    "token_rate_limit": FaultKind(
        "answer", "429 of the token endpoint; `form` is short or meta", r"^/oauth/token", {"form": "short"}
    ),
    "waf_challenge": FaultKind("answer", "202, empty, with x-amzn-waf-action: challenge"),
    "html_403": FaultKind("answer", "403 with the HTML of the edge"),
    "json_403": FaultKind("answer", "403 with the API's JSON"),
    "disallowed_403": FaultKind("answer", "403: access to this API has been disallowed"),
    "text_404": FaultKind("answer", "404 page not found, as plain text: a routing fault"),
    "method_405": FaultKind("answer", "405: the endpoint is retired"),
    "empty_500": FaultKind("answer", "500 without a body"),
    "html_502": FaultKind("answer", "502 with the HTML of the edge"),
    "text_503": FaultKind("answer", "503 with the proxy's text"),
    "empty_504": FaultKind("answer", "504 without a body"),
    "empty_200": FaultKind("answer", "200 without a body"),
    "deep_json": FaultKind("answer", "JSON nested `depth` levels deep", parameters={"depth": "100000"}),
    "huge_body": FaultKind("answer", "a body of `mib` MiB", parameters={"mib": "64"}),
    "redirect_foreign": FaultKind("answer", "302 to another host"),
    "invalid_json": FaultKind("body", "the body with a piece of text in it that is not JSON"),
    "nan_json": FaultKind("body", "NaN as a number in the body"),
    "bad_gzip": FaultKind("body", "declared as gzip, but is not"),
    "truncated_body": FaultKind(
        "body",
        "half a body; `how` is length (Content-Length promises all) or json",
        parameters={"how": "length"},
    ),
    "reset": FaultKind("link", "the connection is closed before an answer"),
    "slow": FaultKind("link", "the answer comes `seconds` late", parameters={"seconds": "1"}),
    "hang": FaultKind("link", "no answer at all; the connection stays open"),
    "revoke_tokens": FaultKind("state", "all access tokens become invalid at once", times=1),
}

_SCHEDULE = ("path", "times", "per_url", "every", "after", "rate", "seed")
_CHOICES = {
    "to": ("host", "port", "scheme", "userinfo", "path"),
    "form": ("short", "meta"),
    "how": ("length", "json"),
}


@dataclass(frozen=True)
class FaultRule:
    """One fault with its schedule: all given conditions must hold.

    ``path`` is searched in path and query; ``after`` spares the first matching
    requests; ``every`` takes each n-th; ``rate`` decides by URL and how often it
    was asked, so that the order of concurrent requests does not matter; ``times``
    and ``per_url`` bound how often the fault strikes (0: no bound).
    """

    name: str
    path: str = ""
    times: int = 0
    per_url: int = 0
    every: int = 1
    after: int = 0
    rate: float = 1.0
    seed: int = 0
    extra: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_text(cls, text: str) -> FaultRule:
        """Read ``NAME:key=value,key=value``; a comma inside a value is no separator."""
        name, _, rest = text.partition(":")
        fields: dict[str, Any] = {}
        for part in re.split(r",(?=[a-z_]+=)", rest) if rest else ():
            key, equals, value = part.partition("=")
            if not equals:
                raise FaultError(f"{part!r} is not KEY=VALUE")
            fields[key] = value
        return cls.from_fields({"name": name, **fields})

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> FaultRule:
        """Read a mapping with ``name`` and any parameters, as JSON gives it."""
        given = dict(fields)
        name = str(given.pop("name", ""))
        kind = KINDS.get(name)
        if kind is None:
            raise FaultError(f"unknown fault {name!r}")
        unknown = sorted(set(given) - set(_SCHEDULE) - set(kind.parameters))
        if unknown:
            raise FaultError(f"fault {name} has no parameter {unknown[0]!r}")
        extra = {key: str(given.get(key, usual)) for key, usual in kind.parameters.items()}
        _check_extra(extra)
        return cls(
            name=name,
            path=_regex(given.get("path", kind.concerns)),
            times=_whole(given, "times", kind.times),
            per_url=_whole(given, "per_url", 0),
            every=max(1, _whole(given, "every", 1)),
            after=_whole(given, "after", 0),
            rate=_share(given.get("rate", 1.0)),
            seed=_whole(given, "seed", 0),
            extra=tuple(extra.items()),
        )

    @property
    def stage(self) -> str:
        return KINDS[self.name].stage

    def get(self, key: str) -> str:
        """One of the fault's own parameters."""
        return dict(self.extra)[key]


def _whole(given: Mapping[str, Any], key: str, usual: int) -> int:
    try:
        value = int(given.get(key, usual))
    except (TypeError, ValueError):
        raise FaultError(f"{key} is not an integer: {given[key]!r}") from None
    if value < 0:
        raise FaultError(f"{key} is negative: {value}")
    return value


def _share(value: str | float) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        raise FaultError(f"rate is not a number: {value!r}") from None
    if not 0 <= share <= 1:
        raise FaultError(f"rate is not between 0 and 1: {value!r}")
    return share


def _regex(value: object) -> str:
    try:
        re.compile(str(value))
    except re.error as error:
        raise FaultError(f"path is not a regular expression: {error}") from None
    return str(value)


def _check_extra(extra: Mapping[str, str]) -> None:
    for key, value in extra.items():
        if key in _CHOICES:
            if value not in _CHOICES[key]:
                raise FaultError(f"{key} must be one of {', '.join(_CHOICES[key])}: {value!r}")
        elif key != "ignore":
            try:
                float(value)
            except ValueError:
                raise FaultError(f"{key} is not a number: {value!r}") from None


class _Armed:
    """A rule and how often it has matched and struck."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self.pattern = re.compile(rule.path)
        self.matched = 0
        self.struck = 0
        self.asked: Counter[str] = Counter()
        self.struck_at: Counter[str] = Counter()

    def strikes(self, target: str) -> bool:
        rule = self.rule
        if not self.pattern.search(target):
            return False
        self.matched += 1
        self.asked[target] += 1
        due = self.matched > rule.after and (self.matched - rule.after) % rule.every == 0
        due = due and not (rule.times and self.struck >= rule.times)
        due = due and not (rule.per_url and self.struck_at[target] >= rule.per_url)
        throw = chance(rule.seed, zlib.crc32(target.encode()), self.asked[target])
        if due and throw < rule.rate:
            self.struck += 1
            self.struck_at[target] += 1
            return True
        return False


class FaultBoard:
    """The faults that are switched on."""

    def __init__(self, rules: Iterable[FaultRule] = ()) -> None:
        self.set(rules)

    def set(self, rules: Iterable[FaultRule]) -> None:
        """Replace all rules; counts start anew."""
        self._armed = [_Armed(rule) for rule in rules]

    @property
    def rules(self) -> list[FaultRule]:
        return [armed.rule for armed in self._armed]

    def strike(self, target: str) -> list[FaultRule]:
        """The rules that hit this request (path and query), in the order they were given."""
        return [armed.rule for armed in self._armed if armed.strikes(target)]
