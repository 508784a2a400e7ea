"""All metrics: names, meanings and values. Their names are a public interface; this is the only list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from sgr_spiders.model import outcome, statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sgr_spiders.reports.metrics.reading import Reading

PREFIX = "soundgraph_"

LANE_STATES = ("ok", "throttled", "refused", "revoked")

Sample = tuple[tuple[str, ...], float]
"""The values of a metric's labels, and its own value."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric; a reading without a value yields no sample."""

    name: str
    kind: Literal["gauge", "counter"]
    meaning: str
    samples: Callable[[Reading], Iterable[Sample]]
    labels: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The name with which Prometheus stores it."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"


def _one(value: float | None) -> list[Sample]:
    return [] if value is None else [((), value)]


def _each(values: Mapping[str, float]) -> list[Sample]:
    return [((name,), value) for name, value in values.items()]


def _statistic(name: str) -> Callable[[Reading], list[Sample]]:
    return lambda reading: _one(reading.stats.get(name, 0))


def _responses(reading: Reading) -> list[Sample]:
    prefix = statistics.answers("")
    found = {name.removeprefix(prefix): n for name, n in reading.stats.items() if name.startswith(prefix)}
    return _each(found)


def _age(reading: Reading) -> list[Sample]:
    since = reading.state.unfinished_since
    # Without walks, the database has not been read.
    return _one(0 if since is None else reading.now - since) if reading.state.walks else []


def _lag(reading: Reading) -> list[Sample]:
    first = reading.state.next_due_at
    return _one(0 if first is None else max(0.0, reading.now - first)) if reading.state.walks else []


def _exit_code(reading: Reading) -> list[Sample]:
    return [] if reading.last_run is None else _one(reading.last_run.exit_code)


def _outcome(reading: Reading) -> list[Sample]:
    last = reading.last_run
    return [] if last is None else [((name,), name == last.outcome) for name in get_args(outcome.Name)]


def _finished(reading: Reading) -> list[Sample]:
    return [] if reading.last_run is None else _one(reading.last_run.finished_at)


def _states(reading: Reading) -> list[Sample]:
    return [((lane.name, state), state == lane.state) for lane in reading.lanes for state in LANE_STATES]


def _intervals(reading: Reading) -> list[Sample]:
    return _each({lane.name: lane.interval for lane in reading.lanes})


def _held_until(reading: Reading) -> list[Sample]:
    return _each({lane.name: lane.held_until for lane in reading.lanes})


METRICS = (
    Metric(
        "heartbeat_timestamp_seconds",
        "gauge",
        "Time of the last update: the crawl was alive then",
        lambda reading: _one(reading.now),
    ),
    Metric(
        "run_active",
        "gauge",
        "1 while the run lasts, 0 once it has ended",
        lambda reading: _one(reading.running),
    ),
    Metric(
        "run_started_timestamp_seconds", "gauge", "Start of the run", lambda reading: _one(reading.started)
    ),
    Metric(
        "last_run_exit_code", "gauge", "Exit code of the run of this database that ended last", _exit_code
    ),
    Metric(
        "last_run_outcome", "gauge", "1 for the outcome of that run, 0 for all others", _outcome, ("outcome",)
    ),
    Metric("last_run_finished_timestamp_seconds", "gauge", "End of that run", _finished),
    Metric(
        "walks",
        "gauge",
        "Walks of this harvest, also of its earlier runs, by status as in `walks`",
        lambda reading: _each(reading.state.walks),
        ("status",),
    ),
    Metric(
        "oldest_unfinished_walk_age_seconds",
        "gauge",
        "Time since the oldest unfinished walk was begun, or requested if it was not begun yet; 0 if all are "
        "finished. A refetch counts from its beginning",
        _age,
    ),
    Metric("pages", "counter", "Pages spilled by this run", lambda reading: _one(reading.pages)),
    Metric(
        "received_records",
        "counter",
        "Records on these pages, including repeated ones",
        lambda reading: _each(reading.received),
        ("kind",),
    ),
    Metric(
        "records",
        "gauge",
        "Records in the database that are present, without stubs",
        lambda reading: _each(reading.state.records),
        ("kind",),
    ),
    Metric(
        "requests",
        "counter",
        "Requests sent by this run, including retries, probes and token requests",
        _statistic(statistics.REQUESTS),
    ),
    Metric(
        "responses",
        "counter",
        "Responses of the API to this run, by kind as in `sgr/answers/<kind>`",
        _responses,
        ("kind",),
    ),
    Metric(
        "refusals",
        "counter",
        "Requests of this run that the API refused because of its rate limit (429)",
        _statistic(statistics.answers("limited")),
    ),
    Metric(
        "retries",
        "counter",
        "Requests of this run retried after a transient error",
        _statistic(statistics.RETRIES),
    ),
    Metric(
        "holds",
        "counter",
        "Pauses of all requests of this run, because of a rate limit or because the gateway refuses this "
        "client",
        _statistic(statistics.HOLDS),
    ),
    Metric("hold_seconds", "counter", "Total length of these pauses", _statistic(statistics.HOLD_SECONDS)),
    Metric(
        "lane_state",
        "gauge",
        "1 for the state of a lane, 0 for the others: `ok`, `throttled`, `refused` or `revoked`",
        _states,
        ("lane", "state"),
    ),
    Metric(
        "held_until_timestamp_seconds",
        "gauge",
        "End of the current pause of a lane; 0 without one",
        _held_until,
        ("lane",),
    ),
    Metric(
        "request_interval_seconds",
        "gauge",
        "Pace of a lane: seconds from one request to the next",
        _intervals,
        ("lane",),
    ),
    Metric("scheduled_seeds", "gauge", "Scheduled seeds", lambda reading: _one(reading.state.scheduled)),
    Metric("due_seeds", "gauge", "Scheduled seeds that are due", lambda reading: _one(reading.state.due)),
    Metric(
        "due_seed_lag_seconds",
        "gauge",
        "Time since the most overdue seed became due; 0 if none is due",
        _lag,
    ),
    Metric(
        "next_due_timestamp_seconds",
        "gauge",
        "When the first scheduled seed is due; in the past if it is due already",
        lambda reading: _one(reading.state.next_due_at),
    ),
)
