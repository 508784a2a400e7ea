"""The statistics of a finished run as a table for notebooks."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from sgr_spiders.model import statistics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sgr_spiders.model.result import HarvestResult

FOUND = ("tracks", "users", "playlists", "engagements", "comments", "requests")
_LAYER = re.compile(statistics.layer("([a-z_]+)", "tracks"))


def summary_rows(result: HarvestResult) -> list[list[str]]:
    """Return what each layer found, and the contents of the database; an unknown number is a dash."""
    layers = [match[1] for name in result if (match := _LAYER.fullmatch(name))]
    found = [
        [layer, *(_number(result.get(statistics.layer(layer, what))) for what in FOUND)] for layer in layers
    ]
    totals = [_number(result.get(statistics.collected(table))) for table in FOUND[:-1]]
    return [["found", *FOUND], *found, ["in the database", *totals, _number(result.get(statistics.REQUESTS))]]


def as_html(result: HarvestResult) -> str:
    """Return the outcome and the summary as HTML."""
    head, *rows = summary_rows(result)
    reason = "" if result.reason is None else f": {result.reason}"
    body = "".join(_row("td", row) for row in rows)
    return (
        f"<p>Harvest <b>{html.escape(result.outcome)}</b>{html.escape(reason)}</p>"
        f"<table><thead>{_row('th', head)}</thead><tbody>{body}</tbody></table>"
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "-"
