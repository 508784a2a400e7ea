"""The estimate of ``scrapy plan`` as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sgr_spiders.reports.summary import TOTAL
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import duration, number, pluralize, size, table, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Amount:
    """The needs of a layer: requests, with the least and most that are likely, and items of lists."""

    requests: int
    least: int
    most: int
    records: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class PlannedCut:
    """A setting that will leave something out: of how many walks, and how many of how many records."""

    setting: str
    cap: int
    walks: int
    kept: int
    available: int | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimate of a harvest.

    Attributes:
        database: The database that it is about.
        layers: The amount of each layer by itself.
        together: The amount of all layers; what several of them want is counted once.
        seeds: The number of seeds given.
        known: Those whose counters are known.
        sampled: Those around which pages were fetched.
        lost: Seeds without data, and why.
        sent: The requests of the sample.
        budget: The most that it might have sent.
        seconds_per_request: The pace.
        pace: What decides the pace.
        lanes: The number of lanes.
        bytes_per_record: The bytes that an item takes in the database.
        bytes_from: The source of that figure.
        cuts: What caps will leave out.
        hidden: The number of lists whose counter the API hides.
        is_exact: Whether the sample contains everything that the harvest will fetch.
        is_at_most: Whether a refresh by delta will need less.
        stops_at: The limit of requests of the run, if it is lower.
    """

    database: str
    layers: Mapping[str, Amount]
    together: Amount
    seeds: int
    known: int
    sampled: int
    lost: Mapping[str, str]
    sent: int
    budget: int
    seconds_per_request: float
    pace: str
    lanes: int
    bytes_per_record: int
    bytes_from: str
    cuts: Sequence[PlannedCut]
    hidden: int
    is_exact: bool = False
    is_at_most: bool = False
    stops_at: int | None = None


def as_json(estimate: Estimate) -> dict[str, Any]:
    """Return the structure documented in docs/plan.md."""
    return asdict(estimate)


def as_text(estimate: Estimate) -> list[str]:
    """Return the estimate as lines, those of sentences no wider than the terminal."""
    return [
        *table(_rows(estimate)),
        "",
        *_cut_lines(estimate.cuts, is_exact=estimate.is_exact),
        *(line for text in _notes(estimate) for line in wrap(f"{text}.")),
    ]


def _rows(estimate: Estimate) -> list[list[str]]:
    head = ["layer", "requests", "likely", "records", "time", "size"]
    amounts = {**estimate.layers, TOTAL: estimate.together}
    return [head, *(_row(name, amount, is_exact=estimate.is_exact) for name, amount in amounts.items())]


def _row(name: str, amount: Amount, *, is_exact: bool) -> list[str]:
    likely = f"{amount.least:,} to {amount.most:,}" if amount.least < amount.most else "about"
    if is_exact or not amount.most:
        likely = "exactly"
    return [
        name,
        number(amount.requests),
        likely,
        number(amount.records),
        duration(amount.seconds),
        size(amount.bytes),
    ]


def _cut_lines(cuts: Sequence[PlannedCut], *, is_exact: bool) -> list[str]:
    if not cuts:
        return [f"No cap {'will' if is_exact else 'is expected to'} leave anything out.", ""]
    head = ["capped by", "", "lists", "records kept", "of about"]
    rows = [
        [cut.setting, number(cut.cap), number(cut.walks), number(cut.kept), number(cut.available)]
        for cut in cuts
    ]
    return [*table([head, *rows]), ""]


def _notes(estimate: Estimate) -> list[str]:
    amount = estimate.together
    sampled, sent = pluralize(estimate.sampled, "seed"), pluralize(estimate.sent, "request")
    interval, lanes = estimate.seconds_per_request, pluralize(estimate.lanes, "lane")
    notes = [
        f"Sampled {sampled} of {estimate.seeds:,} with {sent} (at most {estimate.budget})",
        f"Pace: a request every {interval:.2f} s on {lanes}: {estimate.pace}",
        f"Size: {estimate.bytes_per_record:,} bytes per record, measured on {estimate.bytes_from}",
    ]
    unknown = estimate.seeds - estimate.known - len(estimate.lost)
    if unknown > 0:
        notes.append(f"{pluralize(unknown, 'seed')} not looked at, taken to be like the others")
    if not amount.requests and not estimate.lost:
        notes.append("Nothing to fetch: everything is stored and fresh")
    notes += [f"Seed {for_message(seed)}: {for_message(why)}" for seed, why in estimate.lost.items()]
    if estimate.hidden:
        notes.append(f"Hidden counters: {pluralize(estimate.hidden, 'list')}, estimated by others")
    if estimate.is_at_most:
        notes.append("At most: a refresh by delta looks only at what has changed")
    if estimate.stops_at is not None and estimate.stops_at < amount.requests:
        stop = pluralize(estimate.stops_at, "request")
        notes.append(f"The run stops after {stop} (max_requests); rerun to resume")
    return notes
