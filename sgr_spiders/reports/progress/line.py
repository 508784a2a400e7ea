"""Progress as log lines of ``key=value`` pairs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sgr_spiders.reports.progress.snapshot import Snapshot

UNKNOWN = "-"
LONGEST = 130
"""Characters of a line; time, logger and level come before it."""


def lines(snapshot: Snapshot) -> list[str]:
    """Return the lines. Their keys and the order of these are an interface, described in docs/progress.md."""
    first, *others = _pairs(snapshot)
    found = [first]
    for pair in others:
        if len(found[-1]) + len(pair) >= LONGEST:
            found.append(first)
        found[-1] += f" {pair}"
    return [f"progress {line}" for line in found]


def _pairs(snapshot: Snapshot) -> list[str]:
    values = {
        "elapsed": f"{snapshot.elapsed:.0f}",
        "walks": f"{snapshot.walks.finished}/{snapshot.walks.known}",
        **{status: str(count) for status, count in snapshot.finished.items()},
        "pages": str(snapshot.pages),
        "records": str(sum(snapshot.records.values())),
        **{f"{kind}s": str(count) for kind, count in snapshot.records.items()},
        "requests": str(snapshot.requests.sent),
        "per_minute": _number(snapshot.requests_per_minute, 0),
        "in_flight": str(snapshot.requests.in_flight),
        "delay": _number(snapshot.requests.delay, 2),
        "hold": _moment(snapshot.hold.until) if snapshot.hold is not None else UNKNOWN,
        "eta": _number(snapshot.estimate.seconds if snapshot.estimate is not None else None, 0),
        "eta_is": _estimate_kind(snapshot),
        "limited": "yes" if snapshot.requests.is_limited else "no",
        **_lanes(snapshot),
        **{layer: f"{walks.finished}/{walks.known}" for layer, walks in snapshot.layers.items()},
    }
    return [f"{key}={value}" for key, value in values.items()]


def _lanes(snapshot: Snapshot) -> dict[str, str]:
    """Return the states of the lanes, if there are several."""
    states = snapshot.requests.lanes
    return {"lanes": ",".join(f"{name}:{state}" for name, state in states.items())} if states else {}


def _number(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def _moment(time: float) -> str:
    return datetime.fromtimestamp(time).astimezone().isoformat(timespec="seconds")


def _estimate_kind(snapshot: Snapshot) -> str:
    if snapshot.estimate is None:
        return UNKNOWN
    return "known_walks" if snapshot.estimate.may_grow else "about"
