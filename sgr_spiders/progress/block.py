"""Progress as a block of lines for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from sgr_spiders.wording import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sgr_spiders.progress.snapshot import Snapshot, WalksOf

MAX_WIDTH = 78
"""A wider block is harder to read, and one that is narrower than the terminal survives a resize."""

MIN_BAR, MAX_BAR = 6, 30
LOG_LINES = 4
"""Lines that a low terminal keeps for the log, rather than show every layer."""

HALF_A_DAY = 12 * 3600
"""Seconds; the end of a longer hold is said with its date."""

LABELS = ("together", "ended", "received", "requests", "on hold", "time")
STYLES = {"failed": "bold red", "gone": "yellow"}


@dataclass(frozen=True, slots=True)
class Space:
    """The room there is on the terminal. ``ascii_only``: it can show nothing else."""

    width: int
    height: int
    ascii_only: bool = False


def block(snapshot: Snapshot, space: Space) -> Text:
    """Draw the block: a bar for each layer, then figures. It never wraps; what is too long is cut."""
    lines = list(_Block(snapshot, space).lines())
    for line in lines:
        line.truncate(min(space.width, MAX_WIDTH), overflow="crop" if space.ascii_only else "ellipsis")
    return Text("\n", no_wrap=True, overflow="crop", end="").join(lines)


class _Block:
    def __init__(self, snapshot: Snapshot, space: Space) -> None:
        self._snapshot = snapshot
        self._space = space
        self._full, self._rest = ("=", ".") if space.ascii_only else ("━", "─")
        self._separator = ", " if space.ascii_only else " · "
        self._rows = self._rows_of_walks()
        self._label_width = max(map(len, (*self._rows, *LABELS)))
        self._ended_width = max(len(f"{walks.ended:,}") for walks in self._rows.values())
        self._known_width = max(len(f"{walks.known:,}") for walks in self._rows.values())

    def lines(self) -> Iterator[Text]:
        # An empty line parts the block from the log.
        yield Text("")
        for name, walks in self._rows.items():
            yield self._walks(name, walks)
        yield self._row("ended", self._ended())
        yield self._row("received", self._received())
        yield self._row("requests", self._requests())
        if self._snapshot.hold is not None and not self._snapshot.closing:
            yield self._row("on hold", self._hold())
        yield self._row("time", self._time())

    def _rows_of_walks(self) -> dict[str, WalksOf]:
        layers = self._snapshot.layers
        # A layer alone has all the walks there are, so one row says it.
        if len(layers) > 1 and len(layers) + len(LABELS) + 1 + LOG_LINES > self._space.height:
            layers = {}
        return dict(layers) if len(layers) == 1 else {**layers, "together": self._snapshot.walks}

    def _row(self, label: str, content: Text) -> Text:
        return Text.assemble((f"{label:<{self._label_width}}  ", "dim"), content)

    def _walks(self, name: str, walks: WalksOf) -> Text:
        counts = f"{walks.ended:>{self._ended_width},} of {walks.known:>{self._known_width},}"
        counts += "+" if walks.open else " "
        room = min(self._space.width, MAX_WIDTH) - self._label_width - len(counts) - 4
        bar = self._bar(walks, min(room, MAX_BAR)) if room >= MIN_BAR else Text("")
        return Text.assemble(f"{name:<{self._label_width}}  ", bar, "  " if bar else "", counts)

    def _bar(self, walks: WalksOf, width: int) -> Text:
        done = width * walks.ended // walks.known if walks.known else 0
        complete = done == width and not walks.open
        return Text.assemble(
            (self._full * done, "green" if complete else "cyan"), (self._rest * (width - done), "dim")
        )

    def _ended(self) -> Text:
        parts = [
            Text(f"{count:,} {status}", STYLES.get(status, ""))
            for status, count in self._snapshot.ended.items()
            if count
        ]
        return Text(self._separator).join(parts) if parts else Text("no walk yet")

    def _received(self) -> Text:
        kinds = [f"{count:,} {kind}s" for kind, count in self._snapshot.records.items() if count]
        return Text(self._separator.join([f"{self._snapshot.pages:,} pages", *kinds]))

    def _requests(self) -> Text:
        traffic, pace = self._snapshot.traffic, self._snapshot.requests_per_minute
        parts = [f"{traffic.requests:,}", f"{traffic.in_flight} in flight"]
        if pace is not None:
            parts.insert(1, f"{pace:,.0f} a minute")
        if traffic.delay:
            parts.append(f"{traffic.delay:.2f} s apart")
        return Text(self._separator.join(parts))

    def _hold(self) -> Text:
        hold = self._snapshot.hold
        assert hold is not None
        seconds = hold.until - self._snapshot.now
        until = datetime.fromtimestamp(hold.until).astimezone()
        moment = until.strftime("%H:%M:%S" if seconds < HALF_A_DAY else "%d %b %H:%M:%S")
        return Text(f"until {moment}, {clock(seconds)} to go: {plain(hold.reason)}", "bold yellow")

    def _time(self) -> Text:
        elapsed = clock(self._snapshot.elapsed)
        return Text(f"{elapsed}{self._separator}{self._to_go()}")

    def _to_go(self) -> str:
        if self._snapshot.closing:
            return f"ending, {self._snapshot.traffic.in_flight} requests are still to be answered"
        estimate = self._snapshot.estimate
        if estimate is None:
            return "no estimate yet"
        return f"{'at least' if estimate.at_least else 'about'} {in_words(estimate.seconds)} to go"


def clock(seconds: float) -> str:
    """Give ``h:mm:ss``."""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def in_words(seconds: float) -> str:
    """Give a length of time no more exactly than an estimate can be."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute" if seconds > 30 else "some seconds"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // (24 * 60)} d {minutes // 60 % 24} h"
