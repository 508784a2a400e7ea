"""Faults: their names, parameters and deterministic schedules."""

from __future__ import annotations

import re
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sgr_spiders.sandbox.limiter import Limiter, LimitPlan
from sgr_spiders.sandbox.odd_items import ODD
from sgr_spiders.sandbox.seeding import chance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class FaultError(Exception):
    """An unknown fault or a bad parameter, found when rules are read."""


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault: its stage, the requests it can strike and its own parameters.

    ``stage`` is "response" (replaces the real one), "page" (changes a page before it
    is written), "body" (damages the written body), "connection" (disturbs the
    connection), "token" (changes what the token endpoint accepts), "clock" (changes the
    server's time) or "state" (changes the server, then sends the real response).
    """

    stage: str
    meaning: str
    applies_to: str = r"^/(?!oauth/|robots\.txt)"
    parameters: Mapping[str, str] = field(default_factory=dict)
    times: int = 0


_LISTS = (
    r"^/(tracks|users|playlists)(\?|$)"
    r"|^/(tracks|users|playlists)/[^/?]+/"
)

KINDS: dict[str, FaultKind] = {
    "repeat_next_href": FaultKind(
        "page", "after the first page, next_href points to the page itself", _LISTS
    ),
    "foreign_next_href": FaultKind("page", "next_href has SoundCloud's internal host", _LISTS),
    "evil_next_href": FaultKind(
        "page",
        "next_href points elsewhere; `to` is host, port, scheme, userinfo or path",
        _LISTS,
        {"to": "host"},
    ),
    "drop_access": FaultKind("page", "next_href lacks the access parameter", _LISTS),
    "endless_empty_search": FaultKind(
        "page", "searches never end: empty pages with a next_href", r"^/(tracks|users|playlists)(\?|$)"
    ),
    "array_shape": FaultKind("page", "a plain array although linked_partitioning was requested", _LISTS),
    "duplicate_items": FaultKind("page", "an item appears twice on a page and again on the next", _LISTS),
    "empty_list": FaultKind("page", "an empty list", _LISTS),
    "shifting_pages": FaultKind(
        "page",
        "pages after the first start `shift` items early (negative: late, so items are skipped)",
        _LISTS,
        {"shift": "3"},
    ),
    "endless_list": FaultKind(
        "page",
        "the last page leads to the first again, under a new cursor; each page has `new` invented items",
        _LISTS,
        {"new": "0"},
    ),
    "odd_cursors": FaultKind(
        "page",
        "cursors contain other times than those of the list; `as` is rising, future or opaque (none)",
        _LISTS,
        {"as": "rising"},
    ),
    "odd_item": FaultKind(
        "page",
        "one more item, invented, in the middle; `what` is odd about it: "
        f"{', '.join(ODD)}, or all but broken (which is retried first)",
        _LISTS,
        {"what": "all"},
    ),
    "stale_cache": FaultKind(
        "response",
        "the first response again, from a cache that ignores the query parameter `ignore`",
        _LISTS,
        {"ignore": "none"},
    ),
    "rate_limit_documented": FaultKind(
        "response", "429 with a reset_time `seconds` from now", parameters={"seconds": "60"}
    ),
    "rate_limit_gateway": FaultKind("response", "429 from the gateway, without a reset time"),
    "rate_limit_text": FaultKind("response", "429 as plain text"),
    "rate_limit_retry_after": FaultKind(
        "response", "429 with a Retry-After of `seconds`", parameters={"seconds": "1"}
    ),
    "limiter": FaultKind(
        "response",
        "refuses requests faster than one per `interval` seconds, after a `burst`. `steps` such as "
        "60/10,120/2: from second 60 on one per 10 s, from 120 on per 2 s. `drift` such as 4/600: evenly to "
        "4 s within 600 s, and back. `refusal` is gateway, text, documented, retry_after, forbidden or "
        "unavailable. `by` is all, or client: each client ID has a limit of its own",
        parameters={
            "interval": "1",
            "burst": "1",
            "steps": "",
            "drift": "",
            "refusal": "gateway",
            "by": "all",
        },
    ),
    "wrong_clock": FaultKind(
        "clock",
        "the server's clock, in `Date` and in the times that it names, is `seconds` ahead (negative: behind)",
        parameters={"seconds": "7200"},
    ),
    "token_rate_limit": FaultKind(
        "response",
        "429 from the token endpoint; `form` is short or meta",
        r"^/oauth/token",
        {"form": "short"},
    ),
    "token_body_only": FaultKind(
        "token", "client credentials are accepted only in the body", r"^/oauth/token"
    ),
    "token_refresh_refused": FaultKind(
        "token", "refresh tokens are refused as if the client were unknown", r"^/oauth/token"
    ),
    "waf_challenge": FaultKind("response", "202 without a body, with x-amzn-waf-action: challenge"),
    "html_403": FaultKind("response", "403 with the CDN's HTML page"),
    "json_401": FaultKind("response", "401 with the API's JSON error, although the token is valid"),
    "json_403": FaultKind("response", "403 with the API's JSON error"),
    "json_404": FaultKind("response", "404 with the API's JSON error, although the record exists"),
    "gateway_403": FaultKind(
        "response", "403 from the gateway, with the error `text`", parameters={"text": "Quota exceeded"}
    ),
    "gateway_404": FaultKind("response", "404 from the gateway, as short JSON"),
    "disallowed_403": FaultKind("response", "403: access to this API has been disallowed"),
    "text_404": FaultKind("response", "404 page not found, as plain text: a routing fault"),
    "refused_cursor": FaultKind("response", "400: the API no longer takes this cursor"),
    "method_405": FaultKind("response", "405: the endpoint is retired"),
    "error": FaultKind("response", "the API's JSON error with this `status`", parameters={"status": "400"}),
    "resolve_to": FaultKind(
        "response",
        "302 to something else than a track; `kind` is comment, user or station",
        r"^/resolve",
        {"kind": "comment"},
    ),
    "empty_500": FaultKind("response", "500 without a body"),
    "html_502": FaultKind("response", "502 with the CDN's HTML page"),
    "text_503": FaultKind("response", "503 with the proxy's error text"),
    "empty_504": FaultKind("response", "504 without a body"),
    "empty_200": FaultKind("response", "200 without a body"),
    "deep_json": FaultKind("response", "JSON nested `depth` levels deep", parameters={"depth": "100000"}),
    "huge_body": FaultKind("response", "a body of `mib` MiB", parameters={"mib": "64"}),
    "redirect_foreign": FaultKind("response", "302 to another host"),
    "invalid_json": FaultKind("body", "a body with text in it that is not JSON"),
    "nan_json": FaultKind("body", "NaN as a number in the body"),
    "encoding": FaultKind("body", "the body in another `encoding`", parameters={"encoding": "utf-8-sig"}),
    "bad_gzip": FaultKind("body", "a body declared as gzip that is not"),
    "truncated_body": FaultKind(
        "body",
        "half a body; `how` is length (Content-Length declares all of it) or json",
        parameters={"how": "length"},
    ),
    "reset": FaultKind("connection", "the connection closes before a response"),
    "slow": FaultKind("connection", "the response comes `seconds` late", parameters={"seconds": "1"}),
    "hang": FaultKind("connection", "no response; the connection stays open"),
    "revoke_tokens": FaultKind(
        "state", "all access tokens, or those of the `client`, become invalid at once", times=1
    ),
    "revoke_app": FaultKind(
        "state",
        "the app of the request is revoked: its tokens become invalid, and it gets no others",
        times=1,
    ),
}

_SCHEDULE = ("path", "client", "times", "per_url", "every", "after", "rate", "seed")
_TEXTS = ("ignore", "text", "steps", "drift")
_CHOICES = {
    "to": ("host", "port", "scheme", "userinfo", "path"),
    "form": ("short", "meta"),
    "as": ("rising", "future", "opaque"),
    "how": ("length", "json"),
    "kind": ("comment", "user", "station"),
    "what": ("all", *ODD),
    "encoding": ("utf-8-sig", "utf-16", "utf-32", "latin-1"),
    "by": ("all", "client"),
    "refusal": ("gateway", "text", "documented", "retry_after", "forbidden", "unavailable"),
}


@dataclass(frozen=True)
class FaultRule:
    """A fault with its schedule; it strikes if all given conditions are met.

    ``path`` is a regular expression searched in path and query, ``client`` the client ID
    whose requests it strikes (empty: those of all). ``after`` skips the
    first matching requests, and ``every`` selects each n-th. ``rate`` depends on the
    URL and its number of requests, so the order of concurrent requests does not
    matter. ``times`` and ``per_url`` limit the number of strikes (0: no limit).
    """

    name: str
    path: str = ""
    client: str = ""
    times: int = 0
    per_url: int = 0
    every: int = 1
    after: int = 0
    rate: float = 1.0
    seed: int = 0
    extra: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_text(cls, text: str) -> FaultRule:
        """Read ``NAME:key=value,key=value``; a comma inside a value is not a separator."""
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
        """Read a mapping with ``name`` and any parameters, such as parsed JSON."""
        given = dict(fields)
        name = str(given.pop("name", ""))
        kind = KINDS.get(name)
        if kind is None:
            raise FaultError(f"unknown fault {name!r}")
        unknown = sorted(set(given) - set(_SCHEDULE) - set(kind.parameters))
        if unknown:
            raise FaultError(f"fault {name} has no parameter {unknown[0]!r}")
        extra = {key: str(given.get(key, default)) for key, default in kind.parameters.items()}
        _check_extra(extra)
        rule = cls(
            name=name,
            path=_check_pattern(given.get("path", kind.applies_to)),
            client=str(given.get("client", "")),
            times=_parse_count(given, "times", kind.times),
            per_url=_parse_count(given, "per_url", 0),
            every=max(1, _parse_count(given, "every", 1)),
            after=_parse_count(given, "after", 0),
            rate=_parse_rate(given.get("rate", 1.0)),
            seed=_parse_count(given, "seed", 0),
            extra=tuple(extra.items()),
        )
        rule.limiter()
        return rule

    @property
    def stage(self) -> str:
        return KINDS[self.name].stage

    def get(self, key: str) -> str:
        """Return one of the fault's own parameters."""
        return dict(self.extra)[key]

    def limiter(self) -> Limiter | None:
        """Return a new limiter if this is that fault."""
        if self.name != "limiter":
            return None
        try:
            plan = LimitPlan.from_text(*(self.get(key) for key in ("interval", "steps", "drift")))
        except ValueError as error:
            raise FaultError(f"limiter: {error}") from None
        return Limiter(plan, float(self.get("burst")))

    def with_wait(self, seconds: float) -> FaultRule:
        """Return the rule with the time until its limiter passes a request again."""
        return replace(self, extra=(*self.extra, ("seconds", f"{seconds:.3f}")))


def _parse_count(given: Mapping[str, Any], key: str, default: int) -> int:
    try:
        value = int(given.get(key, default))
    except (TypeError, ValueError):
        raise FaultError(f"{key} is not an integer: {given[key]!r}") from None
    if value < 0:
        raise FaultError(f"{key} is negative: {value}")
    return value


def _parse_rate(value: str | float) -> float:
    try:
        share = float(value)
    except (TypeError, ValueError):
        raise FaultError(f"rate is not a number: {value!r}") from None
    if not 0 <= share <= 1:
        raise FaultError(f"rate is not between 0 and 1: {value!r}")
    return share


def _check_pattern(value: object) -> str:
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
        elif key not in _TEXTS:
            try:
                float(value)
            except ValueError:
                raise FaultError(f"{key} is not a number: {value!r}") from None


class _ArmedRule:
    """A rule with the numbers of its matches and strikes."""

    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self.limiters: dict[str, Limiter] = {}
        self.pattern = re.compile(rule.path)
        self.matched = 0
        self.struck = 0
        self.requests: Counter[str] = Counter()
        self.struck_at: Counter[str] = Counter()

    def strike(self, target: str, client: str) -> FaultRule | None:
        """Return the rule if it strikes this request of *client*."""
        if not self._is_due(target, client):
            return None
        limiter = self._limiter_of(client)
        if limiter and limiter.passes(time.monotonic()):
            return None
        self.struck += 1
        self.struck_at[target] += 1
        return self.rule.with_wait(limiter.seconds_left()) if limiter else self.rule

    def _limiter_of(self, client: str) -> Limiter | None:
        """Return the limiter of *client*, which may be that of all, if this is that fault."""
        if self.rule.name != "limiter":
            return None
        key = client if self.rule.get("by") == "client" else ""
        if key not in self.limiters:
            new = self.rule.limiter()
            assert new is not None
            self.limiters[key] = new
        return self.limiters[key]

    def _is_due(self, target: str, client: str) -> bool:
        rule = self.rule
        if not self.pattern.search(target) or rule.client not in {"", client}:
            return False
        self.matched += 1
        self.requests[target] += 1
        due = self.matched > rule.after and (self.matched - rule.after) % rule.every == 0
        due = due and not (rule.times and self.struck >= rule.times)
        due = due and not (rule.per_url and self.struck_at[target] >= rule.per_url)
        throw = chance(rule.seed, zlib.crc32(target.encode()), self.requests[target])
        return due and throw < rule.rate


class FaultBoard:
    """The active faults."""

    def __init__(self, rules: Iterable[FaultRule] = ()) -> None:
        self.set(rules)

    def set(self, rules: Iterable[FaultRule]) -> None:
        """Replace all rules and reset the counts."""
        self._armed = [_ArmedRule(rule) for rule in rules]

    @property
    def rules(self) -> list[FaultRule]:
        return [armed.rule for armed in self._armed]

    def strike(self, target: str, client: str = "") -> list[FaultRule]:
        """Return the rules that strike this request (path and query) of *client*, in their given order."""
        struck = [armed.strike(target, client) for armed in self._armed]
        return [rule for rule in struck if rule is not None]
