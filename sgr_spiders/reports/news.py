"""The lines of ``scrapy follow``, for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import cut, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sgr_spiders.storage.figures.news import News

ABOUT_RUNS = ("run", "relationships")
"""The kinds that are never left out."""


def as_json(news: News) -> dict[str, Any]:
    """Return the structure documented in docs/operations.md."""
    return {
        "at": news.at,
        "run": news.run,
        "kind": news.kind,
        "change": news.change,
        **news.ids,
        "title": news.title,
        **news.facts,
    }


def as_text(found: Sequence[News], limit: int) -> Iterator[str]:
    """Yield a line for each of *found*, at most *limit* of each kind and change; count the others."""
    shown: Counter[tuple[str, str]] = Counter()
    for news in found:
        group = (news.kind, news.change)
        shown[group] += 1
        if news.kind in ABOUT_RUNS or shown[group] <= limit:
            yield cut(_line(news))
    for (kind, change), count in shown.items():
        if kind not in ABOUT_RUNS and count > limit:
            yield f"{'':19}  {kind.replace('_', ' ')} {change.replace('_', ' ')}: {count - limit:,} more"


def _line(news: News) -> str:
    return f"{news.at[:19].replace('T', ' ')}  {_describe(news)}"


def _describe(news: News) -> str:
    facts = news.facts
    match news.kind:
        case "run":
            told = facts["spider"] if news.change == "started" else facts["outcome"] or "killed"
            return f"run {news.run} {news.change}: {told}"
        case "relationships":
            before = "" if facts["pairs_before"] is None else f", {facts['pairs_before']:,} before"
            return f"{facts['type']}: {pluralize(facts['pairs'], 'pair')}{before}"
    kind, change = news.kind.replace("_", " "), news.change.replace("_", " ")
    ids = " ".join(map(str, news.ids.values()))
    return f"{kind:14}  {change:13}  {ids}  {for_message(news.title or '')}"
