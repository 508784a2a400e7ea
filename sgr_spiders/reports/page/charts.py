"""Charts as inline SVG: bars, and distributions on logarithmic scales."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sgr_spiders.reports.page.html import Html, join, tag
from sgr_spiders.text.formatting import number, pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgr_spiders.storage.figures.degrees import Distribution

WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 40
BAR = 100


def bar(share: float, kind: str = "bar") -> Html:
    """Return a bar of a *share* of its length, from 0 to 1; the number beside it says the same."""
    width = round(BAR * min(max(share, 0.0), 1.0), 1)
    return tag(
        "svg",
        tag("rect", width=BAR, height=8, rx=2, class_="track"),
        tag("rect", width=width, height=8, rx=2, class_=kind),
        class_="bar",
        viewBox=f"0 0 {BAR} 8",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def log_log(title: str, unit: str, curves: Sequence[Distribution]) -> Html:
    """Return a chart of the number of records with at least so many links, on logarithmic scales."""
    shown = [curve for curve in curves if curve.counts]
    if not shown:
        return tag("p", f"{title}: nothing was found.", class_="empty")
    most_links = max(curve.counts[-1][0] for curve in shown)
    most_records = max(curve.records for curve in shown)
    scale = _Scale(_next_power(most_links), _next_power(most_records))
    drawn = [
        tag("path", d=_steps(curve, scale), class_=f"curve curve-{place}")
        for place, curve in enumerate(shown)
    ]
    about = "; ".join(f"{curve.name}: {_summarise(curve)}" for curve in shown)
    svg = tag(
        "svg",
        tag("title", f"{title}. {about}"),
        *_axes(scale, unit),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    return tag("figure", tag("figcaption", title), svg, _legend(shown))


def _legend(curves: Sequence[Distribution]) -> Html:
    sample = [
        tag(
            "svg",
            tag("path", d="M0 4H28", class_=f"curve curve-{place}"),
            class_="sample",
            viewBox="0 0 28 8",
            aria_hidden="true",
        )
        for place in range(len(curves))
    ]
    head = tag("tr", *(tag("th", text, scope="col") for text in ("", "records", "median", "90%", "most")))
    rows = [
        tag(
            "tr",
            tag("th", mark, curve.name, scope="row"),
            *(tag("td", number(value), class_="number") for value in _figures(curve)),
        )
        for mark, curve in zip(sample, curves, strict=True)
    ]
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="key")


def _figures(curve: Distribution) -> tuple[int, int, int, int]:
    return curve.records, _quantile(curve, 0.5), _quantile(curve, 0.9), curve.counts[-1][0]


def _summarise(curve: Distribution) -> str:
    records, median, _, most = _figures(curve)
    return f"{pluralize(records, 'record')}, median {median:,}, most {most:,}"


def _quantile(curve: Distribution, share: float) -> int:
    """Return the smallest number of links that at least this share of the records does not exceed."""
    wanted, seen = share * curve.records, 0
    for links, count in curve.counts:
        seen += count
        if seen >= wanted:
            return links
    return 0


class _Scale:
    """Logarithmic scales from 1 to powers of ten."""

    def __init__(self, x_power: int, y_power: int) -> None:
        self.x_power, self.y_power = x_power, y_power

    def x(self, value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * math.log10(value) / self.x_power, 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log10(value) / self.y_power, 1)


def _next_power(value: int) -> int:
    power = 1
    while 10**power < value:
        power += 1
    return power


def _axes(scale: _Scale, unit: str) -> list[Html]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for power in range(scale.x_power + 1):
        x = scale.x(10**power)
        parts.append(tag("path", d=f"M{x} {TOP}V{bottom}", class_="grid"))
        anchor = "end" if power == scale.x_power else "middle"
        parts.append(tag("text", number(10**power), x=x, y=bottom + 16, text_anchor=anchor))
    for power in range(scale.y_power + 1):
        y = scale.y(10**power)
        parts.append(tag("path", d=f"M{LEFT} {y}H{right}", class_="grid"))
        parts.append(tag("text", number(10**power), x=LEFT - 6, y=y + 4, text_anchor="end"))
    parts.append(tag("text", unit, x=(LEFT + right) / 2, y=HEIGHT - 6, text_anchor="middle", class_="unit"))
    return parts


def _steps(curve: Distribution, scale: _Scale) -> str:
    """Return the path of the records with at least so many links."""
    left = curve.records
    path = f"M{scale.x(1)} {scale.y(left)}"
    for links, count in curve.counts:
        path += f"H{scale.x(links)}"
        left -= count
        if left:
            path += f"V{scale.y(left)}"
    return path if not left else f"{path}V{scale.y(1)}"


def figures(*charts: Html) -> Html:
    """Return charts side by side, as far as there is room."""
    return tag("div", join(*charts), class_="charts")
