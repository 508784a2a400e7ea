"""Options of the sandbox, defined once for the command line, tests and documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sgr_spiders.sandbox.faults import FaultError, FaultRule

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


class OptionError(Exception):
    """An invalid option; the command line prints the message."""

    def __init__(self, flag: str, value: object, reason: str) -> None:
        super().__init__(f"option {flag}: invalid value: {str(value)!r} ({reason})")


@dataclass(frozen=True)
class WorldOptions:
    """Parameters of a world; equal options give equal worlds."""

    seed: int = 1
    generation: int = 0
    users: int = 300
    tracks: int = 1500
    playlists: int = 120
    likes_per_user: float = 60.0
    communities: int = 0
    seed_likers: int = 60
    seed_reposters: int = 15
    seed_comments: int = 40

    @property
    def name(self) -> str:
        """The world's seed and size, by which a harvest knows it again on any port and at any age.

        With a given number of communities it is another world.
        """
        size = f"seed={self.seed}, users={self.users}, tracks={self.tracks}, playlists={self.playlists}"
        return f"{size}, communities={self.communities}" if self.communities else size

    @property
    def community_count(self) -> int:
        """Number of taste communities: as given, or one per 50 users, between 3 and 60."""
        return self.communities or max(3, min(60, self.users // 50))


@dataclass(frozen=True)
class ShapeOptions:
    """Variants of the JSON, all of them seen in the real API."""

    numeric_ids: str = "on"
    uri: str = "urn"
    hostile_text: bool = False
    extra_fields: bool = False


@dataclass(frozen=True)
class ServerOptions:
    """Behaviour of the server; times in seconds. A limit of 0 means no limit."""

    port: int = 8899
    token_lifetime: int = 3599
    client_secret: str = "sandbox"  # noqa: S105
    app_exchanges: int = 50
    ip_exchanges: int = 30
    gzip: bool = False
    page_size: int = 200
    limit: float = 0.0
    burst: float = 1.0
    faults: tuple[FaultRule, ...] = ()

    def limits(self) -> list[FaultRule]:
        """Return the rule that refuses the requests above ``limit``."""
        rule = {"name": "limiter", "interval": self.limit, "burst": self.burst, "by": "client"}
        return [FaultRule.from_fields(rule)] if self.limit else []


@dataclass(frozen=True)
class Options:
    """All options, by group."""

    world: WorldOptions = field(default_factory=WorldOptions)
    shape: ShapeOptions = field(default_factory=ShapeOptions)
    server: ServerOptions = field(default_factory=ServerOptions)


class _Switch(NamedTuple):
    flag: str
    group: str
    name: str
    read: Callable[[str], Any] | None
    help: str


def _integer(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError("not an integer") from None
        if not low <= value <= high:
            raise ValueError(f"must be {low} to {high}")
        return value

    return read


def _decimal(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError("not a number") from None
        if not low <= value <= high:
            raise ValueError(f"must be {low:g} to {high:g}")
        return value

    return read


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError("must be one of " + ", ".join(choices))
        return text

    return read


_COUNT = 1_000_000_000
MIN_USERS, MIN_TRACKS = 30, 60

SWITCHES: tuple[_Switch, ...] = (
    _Switch("--port", "server", "port", _integer(0, 65535), "port on 127.0.0.1; 0 picks a free one"),
    _Switch("--world-seed", "world", "seed", _integer(0, 2**32), "random seed of the world"),
    _Switch("--generation", "world", "generation", _integer(0, 1000),
            "rounds of deletions, un-likes and visibility changes before the start"),
    _Switch("--users", "world", "users", _integer(MIN_USERS, 5_000_000), "number of users"),
    _Switch("--tracks", "world", "tracks", _integer(MIN_TRACKS, 5_000_000), "number of tracks"),
    _Switch("--playlists", "world", "playlists", _integer(20, 1_000_000), "number of playlists and albums"),
    _Switch("--likes-per-user", "world", "likes_per_user", _decimal(0, 5000),
            "mean number of liked tracks per user"),
    _Switch("--communities", "world", "communities", _integer(0, 1000),
            "number of taste communities; 0 means one per 50 users, between 3 and 60"),
    _Switch("--seed-likers", "world", "seed_likers", _integer(0, _COUNT),
            "number of users who like the seed track"),
    _Switch("--seed-reposters", "world", "seed_reposters", _integer(0, _COUNT),
            "number of users who reposted the seed track; half of them also like it"),
    _Switch("--seed-comments", "world", "seed_comments", _integer(0, _COUNT),
            "number of comments on the seed track"),
    _Switch("--numeric-ids", "shape", "numeric_ids", _one_of("on", "off", "mixed"),
            "deprecated `id` beside `urn` in objects (on, off or mixed)"),
    _Switch("--uri", "shape", "uri", _one_of("urn", "numeric", "mixed"),
            "form of IDs in `uri` (urn, numeric or mixed)"),
    _Switch("--hostile-text", "shape", "hostile_text", None,
            "NUL, control characters and lone surrogates in some titles, names and comments"),
    _Switch("--extra-fields", "shape", "extra_fields", None,
            "fields that only some versions of the API send, e.g. `policy`, `publisher_metadata`, `badges`"),
    _Switch("--token-lifetime", "server", "token_lifetime", _integer(1, _COUNT),
            "lifetime of an access token in seconds"),
    _Switch("--client-secret", "server", "client_secret", str, "accepted client secret"),
    _Switch("--app-exchanges", "server", "app_exchanges", _integer(0, _COUNT),
            "client-credentials exchanges per client ID per 12 hours; 0 means no limit"),
    _Switch("--ip-exchanges", "server", "ip_exchanges", _integer(0, _COUNT),
            "client-credentials exchanges per IP address per hour, including failed ones; 0 means no limit"),
    _Switch("--page-size", "server", "page_size", _integer(1, 200), "maximum items per page"),
    _Switch("--limit", "server", "limit", _decimal(0, 86_400),
            "seconds between two requests of one client ID; 0 means no limit"),
    _Switch("--burst", "server", "burst", _decimal(1, 1000), "requests that this limit lets pass at once"),
    _Switch("--gzip", "server", "gzip", None, "compress responses for clients that accept gzip"),
)  # fmt: skip

_DEFAULTS: dict[str, Any] = {"world": WorldOptions(), "shape": ShapeOptions(), "server": ServerOptions()}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option. Values stay strings here; `read` checks them, so that all errors look alike."""
    group = parser.add_argument_group(title="Sandbox")
    for switch in SWITCHES:
        default = getattr(_DEFAULTS[switch.group], switch.name)
        if switch.read is None:
            group.add_argument(switch.flag, action="store_true", help=switch.help)
        else:
            text = f"{switch.help} (default {default})"
            group.add_argument(switch.flag, metavar="VALUE", help=text)
    group.add_argument(
        "--fault",
        action="append",
        metavar="NAME[:KEY=VALUE,...]",
        help="fault to inject; may be given several times",
    )


def read(arguments: argparse.Namespace) -> Options:
    """Build the options from parsed arguments; raise `OptionError` for the first invalid one."""
    chosen: dict[str, dict[str, Any]] = {"world": {}, "shape": {}, "server": {}}
    for switch in SWITCHES:
        value = getattr(arguments, switch.flag[2:].replace("-", "_"))
        if value is None:
            continue
        try:
            chosen[switch.group][switch.name] = value if switch.read is None else switch.read(value)
        except ValueError as error:
            raise OptionError(switch.flag, value, str(error)) from None
    chosen["server"]["faults"] = tuple(_fault(text) for text in arguments.fault or ())
    return Options(
        world=_fit_to_users(chosen["world"]),
        shape=ShapeOptions(**chosen["shape"]),
        server=ServerOptions(**chosen["server"]),
    )


def _fault(text: str) -> FaultRule:
    try:
        return FaultRule.from_text(text)
    except FaultError as error:
        raise OptionError("--fault", text, str(error)) from None


def _fit_to_users(chosen: dict[str, Any]) -> WorldOptions:
    """Shrink defaults to fit the number of users; reject explicit values that do not fit."""
    users = chosen.get("users", WorldOptions.users)
    for name, most in (("seed_likers", users // 2), ("seed_reposters", users // 2)):
        if name not in chosen:
            chosen[name] = min(getattr(WorldOptions, name), users // 4)
        elif chosen[name] > most:
            flag = "--" + name.replace("_", "-")
            raise OptionError(flag, chosen[name], f"at most half of the {users} users")
    return WorldOptions(**chosen)
