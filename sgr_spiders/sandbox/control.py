"""The control endpoints under /_sandbox/: faults, the request log and changes to the world."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypedDict

import orjson

from sgr_spiders.sandbox import days, generations
from sgr_spiders.sandbox.answers import Answer, json_answer
from sgr_spiders.sandbox.faults import FaultError, FaultRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from sgr_spiders.sandbox.model import Model
    from sgr_spiders.sandbox.server import Sandbox

PREFIX = "/_sandbox/"
_LOG_LENGTH = 200_000
_CHANGES: dict[str, Callable[[Model, Any], None]] = {
    "delete_tracks": generations.delete_tracks,
    "private_tracks": generations.hide_tracks,
    "public_tracks": generations.show_tracks,
    "delete_users": generations.delete_users,
    "unlike": generations.unlike,
    "like": generations.like,
    "comment": generations.comment,
    "delete_comments": generations.delete_comments,
    "reverse_playlists": generations.reverse_playlists,
}
"""Changes by name. ``rounds`` and ``days``, which age the world, come before them."""


class LogEntry(TypedDict):
    """One request; ``time`` is seconds since the start, ``status`` 0 means no response.

    ``client`` is the client ID of its token, or of a token request; empty if unknown.
    """

    path: str
    query: str
    method: str
    status: int
    time: float
    token_ok: bool
    had_authorization: bool
    host: str
    client: str


class RequestLog(deque[LogEntry]):
    """The latest requests, oldest first, without control requests."""

    def __init__(self) -> None:
        super().__init__(maxlen=_LOG_LENGTH)


def answer(sandbox: Sandbox, method: str, path: str, body: bytes) -> Answer:
    """Return the response to a control request; bad input gives 400 with the reason."""
    handler = _HANDLERS.get(path.removeprefix(PREFIX))
    if handler is None:
        return json_answer(404, {"error": f"no control endpoint {path}"})
    try:
        return handler(sandbox, method, body)
    except (FaultError, KeyError, TypeError, ValueError) as error:
        return json_answer(400, {"error": str(error)})


def _not_allowed(method: str) -> Answer:
    return json_answer(405, {"error": f"method {method} is not allowed here"})


def _faults(sandbox: Sandbox, method: str, body: bytes) -> Answer:
    if method == "POST":
        sandbox.set_faults([_rule(item) for item in orjson.loads(body)])
    elif method == "DELETE":
        sandbox.set_faults([])
    elif method != "GET":
        return _not_allowed(method)
    return json_answer(200, [rule.name for rule in sandbox.board.rules])


def _rule(item: str | dict[str, object]) -> FaultRule:
    """Read a rule from an object with ``name``, or from a string in the form of ``--fault``."""
    return FaultRule.from_text(item) if isinstance(item, str) else FaultRule.from_fields(item)


def _log(sandbox: Sandbox, method: str, _body: bytes) -> Answer:
    if method == "DELETE":
        sandbox.log.clear()
    elif method != "GET":
        return _not_allowed(method)
    return json_answer(200, list(sandbox.log))


def _mutate(sandbox: Sandbox, method: str, body: bytes) -> Answer:
    if method == "DELETE":
        sandbox.renew_world()
        return json_answer(200, {"generation": sandbox.world.generation})
    if method != "POST":
        return _not_allowed(method)
    changes: dict[str, Any] = orjson.loads(body) if body else {"rounds": 1}
    rounds, passed = int(changes.pop("rounds", 0)), int(changes.pop("days", 0))
    unknown = sorted(changes.keys() - _CHANGES.keys())
    if unknown:
        raise ValueError(f"unknown change {unknown[0]!r}")
    world = sandbox.world
    for _ in range(rounds):
        generations.age(world)
    for _ in range(passed):
        days.pass_day(world)
    for name, change in _CHANGES.items():
        if name in changes:
            change(world, changes[name])
    sandbox.api.refresh()
    return json_answer(200, {"generation": world.generation})


def _times(sandbox: Sandbox, method: str, _body: bytes) -> Answer:
    if method != "GET":
        return _not_allowed(method)
    times = {kind: sandbox.world.engagement_times(kind) for kind in ("like", "repost")}
    return json_answer(
        200, {kind: [[*pair, at] for pair, at in found.items()] for kind, found in times.items()}
    )


def _world(sandbox: Sandbox, method: str, _body: bytes) -> Answer:
    if method != "GET":
        return _not_allowed(method)
    world = sandbox.world
    return json_answer(
        200,
        {
            "world": sandbox.options.world.name,
            "seed_track_id": world.seed_track_id,
            "seed_artist_id": world.seed_artist_id,
            "generation": world.generation,
            "users": len(world.people),
            "tracks": len(world.catalogue),
            "playlists": len(world.playlists),
            "likes": len(world.likes),
        },
    )


_HANDLERS = {"faults": _faults, "log": _log, "mutate": _mutate, "times": _times, "world": _world}
