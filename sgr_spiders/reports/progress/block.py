"""Progress as a block of lines for a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich.text import Text

from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import OverflowMethod

    from sgr_spiders.reports.progress.holds import Hold
    from sgr_spiders.reports.progress.snapshot import Snapshot, WalkProgress

MAX_WIDTH = 78
"""A wider block is harder to read; one narrower than the terminal survives a resize."""

GAP = "  "
MIN_BAR, MAX_BAR = 6, 30
LOG_LINES = 4
"""Lines that a low terminal keeps for the log instead of showing every layer."""

HALF_A_DAY = 12 * 3600
"""Seconds; the end of a longer pause is shown with its date."""

TOTAL = "total (distinct)"
LABELS = ("walks", "finished", "received", "requests", "paused", "time")
STYLES = {"failed": "bold red", "gone": "yellow"}


@dataclass(frozen=True, slots=True)
class Space:
    """The size of the terminal, and whether it can show ASCII only."""

    width: int
    height: int
    ascii_only: bool = False


def block(snapshot: Snapshot, space: Space) -> Text:
    """Draw a bar for each layer, then figures; rows that are too wide continue on the next line."""
    lines = list(_Block(snapshot, space).lines())
    # Leave at least one line for the log. The last lines matter most.
    lines = lines[-max(1, space.height - 1) :]
    return Text("\n", no_wrap=True, overflow="crop", end="").join(lines)


class _Block:
    def __init__(self, snapshot: Snapshot, space: Space) -> None:
        self._snapshot = snapshot
        self._height = space.height
        self._width = min(space.width, MAX_WIDTH)
        self._full, self._rest = ("=", ".") if space.ascii_only else ("━", "─")
        self._separator = ", " if space.ascii_only else " · "
        self._cut: OverflowMethod = "crop" if space.ascii_only else "ellipsis"
        self._rows = self._rows_of_walks()
        self._label_width = max(map(len, (*self._rows, *LABELS)))
        self._finished_width = max(len(f"{walks.finished:,}") for walks in self._rows.values())
        self._known_width = max(len(f"{walks.known:,}") for walks in self._rows.values())

    def lines(self) -> Iterator[Text]:
        # An empty line separates the block from the log.
        yield Text("")
        yield from self._row("walks", Text("finished of known; +: more may follow", "dim"))
        for name, walks in self._rows.items():
            yield from self._row(name, self._bar_and_counts(walks))
        yield from self._row("finished", *self._finished())
        yield from self._row("received", *self._received())
        yield from self._row("requests", *self._requests())
        if self._snapshot.hold is not None and not self._snapshot.closing:
            yield from self._row("paused", *self._pause(self._snapshot.hold))
        else:
            yield from self._row("rate", *self._rate())
        yield from self._row("time", *self._time())

    def _row(self, label: str, *parts: Text) -> Iterator[Text]:
        """Yield the parts side by side, in as many lines as they need."""
        room = self._width - self._label_width - len(GAP)
        style = "" if label in self._rows else "dim"
        row = parts[0]
        for part in parts[1:]:
            wider = Text(self._separator).join([row, part])
            if wider.cell_len > room:
                yield self._line(label, style, row)
                label, wider = "", part
            row = wider
        yield self._line(label, style, row)

    def _line(self, label: str, style: str, content: Text) -> Text:
        line = Text.assemble((f"{label:<{self._label_width}}{GAP}", style), content)
        line.truncate(self._width, overflow=self._cut)
        return line

    def _rows_of_walks(self) -> dict[str, WalkProgress]:
        layers = self._snapshot.layers
        # With one layer, its row is the total.
        if len(layers) > 1 and len(layers) + 1 + len(LABELS) + LOG_LINES > self._height:
            layers = {}
        return dict(layers) if len(layers) == 1 else {**layers, TOTAL: self._snapshot.walks}

    def _bar_and_counts(self, walks: WalkProgress) -> Text:
        counts = f"{walks.finished:>{self._finished_width},} of {walks.known:>{self._known_width},}"
        # Always leave space for the sign, so that all bars have the same length.
        room = self._width - self._label_width - len(counts) - 2 * len(GAP) - 1
        counts += "+" if walks.open else ""
        if room < MIN_BAR:
            return Text(counts)
        return Text.assemble(self._bar(walks, min(room, MAX_BAR)), GAP, counts)

    def _bar(self, walks: WalkProgress, width: int) -> Text:
        done = width * walks.finished // walks.known if walks.known else 0
        complete = done == width and not walks.open
        return Text.assemble(
            (self._full * done, "green" if complete else "cyan"), (self._rest * (width - done), "dim")
        )

    def _finished(self) -> list[Text]:
        finished = self._snapshot.finished.items()
        parts = [Text(f"{count:,} {status}", STYLES.get(status, "")) for status, count in finished if count]
        return parts or [Text("none yet")]

    def _received(self) -> list[Text]:
        records = self._snapshot.records.items()
        return [Text(f"{count:,} {kind}s") for kind, count in records if count] or [Text("nothing yet")]

    def _requests(self) -> list[Text]:
        requests = self._snapshot.requests
        return [
            Text(f"{requests.sent:,} for {pluralize(self._snapshot.pages, 'page')}"),
            Text(f"{requests.in_flight} in flight"),
            *(Text(f"{name} {state}") for name, state in requests.lanes.items() if state != "ok"),
        ]

    def _rate(self) -> list[Text]:
        rate, requests = self._snapshot.requests_per_minute, self._snapshot.requests
        parts = [Text("not known yet" if rate is None else f"{rate:,.0f} per minute")]
        if requests.delay:
            reason = " (rate limit)" if requests.is_limited else ""
            parts.append(Text(f"at least {requests.delay:.2f} s apart{reason}"))
        return parts

    def _pause(self, hold: Hold) -> list[Text]:
        seconds = hold.until - self._snapshot.now
        until = datetime.fromtimestamp(hold.until).astimezone()
        moment = until.strftime("%H:%M:%S" if seconds < HALF_A_DAY else "%d %b %H:%M:%S")
        return [
            Text(f"until {moment}", "bold yellow"),
            Text(f"{format_clock(seconds)} to go"),
            Text(for_message(hold.reason)),
        ]

    def _time(self) -> list[Text]:
        return [Text(format_clock(self._snapshot.elapsed)), Text(self._to_go())]

    def _to_go(self) -> str:
        if self._snapshot.closing:
            return f"finishing: {pluralize(self._snapshot.requests.in_flight, 'request')} in flight"
        estimate = self._snapshot.estimate
        if estimate is None:
            return "no estimate yet"
        scope = "for the known walks" if estimate.may_grow else "to go"
        return f"about {approximate(estimate.seconds)} {scope}"


def format_clock(seconds: float) -> str:
    """Format seconds as ``h:mm:ss``."""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def approximate(seconds: float) -> str:
    """Format a duration, rounded to the precision of an estimate."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(10, round(seconds, -1)):.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // (24 * 60)} d {minutes // 60 % 24} h"
