"""The sections of the page, in their order."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from sgr_spiders.config.harvest import LAYER_NAMES, short_name
from sgr_spiders.model import statistics
from sgr_spiders.reports.caps import describe_cap, list_caps, render_example
from sgr_spiders.reports.harvests import describe_outcome, run_seconds
from sgr_spiders.reports.page import charts
from sgr_spiders.reports.page.charts import bar
from sgr_spiders.reports.page.html import Html, join, link, shown, tag
from sgr_spiders.reports.page.tables import Cell, Column, count, plain_table, words
from sgr_spiders.reports.summary import BASIS, TOTAL, describe_state, lost_rows, share_of_expected
from sgr_spiders.text.formatting import duration, minute, number, pluralize
from sgr_spiders.text.invocation import plain_command, program_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sgr_spiders.reports.caps import Cap
    from sgr_spiders.reports.page.content import Report
    from sgr_spiders.storage.descriptions import DescribedTrack
    from sgr_spiders.storage.figures.inventory import PastRun
    from sgr_spiders.storage.figures.layer_counts import LayerCounts
    from sgr_spiders.storage.figures.overview import Walks

KINDS = ("tracks", "users", "playlists", "engagements", "comments")
MAX_NAMED = 3
"""The seeds that the heading names."""


def section(identifier: str, heading: str, *parts: str | None) -> Html:
    """Return a section with its heading."""
    return tag(
        "section",
        tag("h2", heading, id=f"{identifier}-heading"),
        *parts,
        id=identifier,
        aria_labelledby=f"{identifier}-heading",
    )


# Heading


def title_of(report: Report) -> str:
    """Return the title of the page."""
    tracks = [near.seed for near in report.nearest]
    if len(tracks) == 1:
        return f"{shown(tracks[0].title)}: harvest report"
    return f"{pluralize(report.status.seed_count, 'seed')}: harvest report"


def heading(report: Report) -> Html:
    """Return what was harvested, from which source, when, and into which database."""
    status = report.status
    return tag(
        "header",
        tag("p", "SoundGraph harvest report", class_="kicker"),
        tag("h1", *_named_seeds(report)),
        _source(report),
        tag("p", *_interleave(_facts(report), " · "), class_="facts"),
        tag("p", *_interleave(_asked(report.status.runs), " · "), class_="facts") if status.runs else None,
    )


def _named_seeds(report: Report) -> list[str]:
    tracks = [near.seed for near in report.nearest]
    if not tracks:
        return ["Nothing harvested yet" if not report.status.seed_count else "No seed was found"]
    named: list[str] = []
    for track in tracks[:MAX_NAMED]:
        named += [*([", "] if named else []), named_track(track)]
    more = report.status.seed_count - min(len(tracks), MAX_NAMED)
    return [*named, *([f" and {pluralize(more, 'more seed', 'more seeds')}"] if more > 0 else [])]


def named_track(track: DescribedTrack) -> Html:
    """Return title and artist of a track, with links."""
    name = link(shown(track.title), track.url)
    if track.artist is None:
        return name
    return join(name, tag("span", " by ", link(shown(track.artist), track.artist_url), class_="by"))


def _source(report: Report) -> Html:
    source = report.status.source
    if source is None:
        return tag("p", "No source yet", class_="badge")
    if source.is_sandbox:
        return tag(
            "p",
            tag("strong", "Sandbox"),
            " All data is invented: names, links and figures mean nothing outside of this page.",
            class_="badge invented",
        )
    origin = source.api_origin.partition("://")[2]
    return tag("p", tag("strong", "Live data"), f" from {origin}", class_="badge live")


def _facts(report: Report) -> list[str]:
    status = report.status
    runs = status.runs
    facts = []
    if runs:
        ended = runs[0].finished_at or runs[0].started_at
        facts.append(
            f"Harvested {minute(report.first_started_at or runs[-1].started_at)} to {minute(ended)} UTC"
        )
    facts += [f"database {report.name}", f"schema {status.schema}"]
    if runs and runs[0].version:
        facts.append(f"SoundGraph {runs[0].version}")
    if report.around is not None:
        facts.append("only around the seeds that --seed named; totals are of the whole database")
    return facts


def _asked(runs: Sequence[PastRun]) -> list[str]:
    latest = runs[0]
    return [
        f"Last run: {latest.spider}, {pluralize(latest.seeds, 'seed')}",
        f"layers {', '.join(layer.replace('_', ' ') for layer in latest.layers)}",
    ]


def _interleave(parts: Sequence[str], between: str) -> list[str]:
    return [piece for part in parts for piece in (between, part)][1:]


def cards(report: Report) -> Html:
    """Return the numbers of records that are present."""
    related = sum(one.rows for one in report.status.relationships)
    shown_counts = {
        **{kind: report.totals[kind] for kind in KINDS},
        "relationships": related,
        "requests": report.requests,
    }
    return tag(
        "ul",
        *(
            tag(
                "li",
                tag("span", number(value), class_="figure"),
                tag("span", name, class_="name"),
            )
            for name, value in shown_counts.items()
        ),
        class_="cards",
        aria_label="Records in the database",
    )


# Doubts


def doubts(report: Report) -> Html:
    """Return what a reader must know before believing the figures."""
    notes = [
        *_unfinished(report),
        *_losses(report),
        *_limits(report),
        *_tables(report),
    ]
    if not notes:
        notes = [note("ok", "Every list was read to its end, and nothing was rejected.", None)]
    return section("doubts", "Before you read on", tag("ul", *notes, class_="notes"))


def note(kind: str, text: str, more: str | None, command: str | None = None) -> Html:
    """Return a note of the *kind* `stop`, `warn` or `ok`, an item of a list."""
    words_of = {"stop": "Unfinished", "warn": "Note", "ok": "Complete"}
    return tag(
        "li",
        tag("strong", f"{words_of[kind]}: ", class_="visually-hidden"),
        tag("span", text, class_="lead"),
        None if more is None else f" {more}",
        None if command is None else join(" ", tag("code", command)),
        class_=f"note {kind}",
    )


def _unfinished(report: Report) -> list[Html]:
    status = report.status
    if not status.runs:
        return [note("stop", "No crawl has run on this database.", "Start one:", status.next.commands[0])]
    pending = status.total.pending
    is_unfinished = status.next.why == "unfinished"
    if not pending and not is_unfinished:
        return []
    left = f"{pluralize(pending, 'walk')} of {number(status.total.count)} not finished. " if pending else ""
    more = f"{left}All counts are lower bounds." + (" Rerun to resume:" if is_unfinished else "")
    command = status.next.commands[0] if is_unfinished else None
    return [note("stop", "The harvest is not complete.", more, command)]


def _losses(report: Report) -> list[Html]:
    status = report.status
    notes = []
    for state, meaning in (
        ("failed", "failed; a rerun retries them."),
        ("gone", "gone: deleted, private, hidden or refused."),
    ):
        lost = sum(walks.walks for walks in status.lost if walks.status == state)
        if lost:
            reasons = [f"{row[1]}: {row[-1]}" for row in lost_rows(status.lost, state)[:3] if len(row) > 2]
            notes.append(note("warn", f"{pluralize(lost, 'walk')} {meaning}", "; ".join(reasons)))
    rejected = sum(group.count for group in status.rejected)
    if rejected:
        notes.append(
            note(
                "warn",
                f"{pluralize(rejected, 'record or value', 'records or values')} rejected.",
                "; ".join(f"{number(one.count)} {one.kind}: {one.reason}" for one in status.rejected[:3]),
            )
        )
    return notes


def _limits(report: Report) -> list[Html]:
    status = report.status
    notes = []
    caps = list_caps(status.capped)
    settings = sorted({cap.setting for cap in caps if cap.setting is not None})
    if settings:
        more = f"{pluralize(len(settings), 'setting')} cut something: {', '.join(settings)}."
        notes.append(note("warn", "The harvest is limited by its configuration.", more))
    fixed = [cap for cap in caps if cap.setting is None]
    if fixed:
        reasons = dict.fromkeys(shown(cap.reason) for cap in fixed if cap.reason is not None)
        lists = pluralize(sum(cap.count for cap in fixed), "list")
        notes.append(note("warn", f"{lists} cut at a fixed cap, or by the API.", "; ".join([*reasons][:3])))
    at_head, by_counter = status.total.at_head, status.total.by_counter
    if at_head or by_counter:
        more = f"{number(at_head)} at the head only, {number(by_counter)} only by the API's counter."
        lists = pluralize(at_head + by_counter, "list")
        notes.append(note("warn", f"{lists} not looked at whole the last time.", more))
    if status.total.compared_expected:
        notes.append(
            note(
                "warn",
                f"Coverage: {share_of_expected(status.total)}.",
                "Distinct records kept, over the walks whose number of records the API states; its counters "
                "include deleted and private ones.",
            )
        )
    removed = sum(table.removed or 0 for table in status.tables)
    if removed:
        notes.append(
            note(
                "warn", f"{pluralize(removed, 'row')} removed since.", "This page shows only what is present."
            )
        )
    return notes


def _tables(report: Report) -> list[Html]:
    relationships = report.status.relationships
    notes = []
    stale = [one.table for one in relationships if one.needs_build and one.built_at is not None]
    missing = [one.table for one in relationships if one.needs_build and one.built_at is None]
    if missing and report.status.runs:
        text = f"Relationships have not been built: {', '.join(missing)}."
        notes.append(note("warn", text, "Build them:", plain_command("relate")))
    if stale:
        text = f"Relationships are older than the data: {', '.join(stale)}."
        notes.append(note("warn", text, "Build them again:", plain_command("relate")))
    left_out = {one.table: one.left_out for one in relationships if one.left_out}
    if left_out:
        text = f"{pluralize(max(left_out.values()), 'library', 'libraries')} left out of relationships."
        more = f"Nobody looked at them, so {' and '.join(left_out)} cannot compare them."
        notes.append(note("warn", text, more))
    return notes


# Layers


def found(report: Report) -> Html:
    """Return what each layer found."""
    layers = _in_order(report.found)
    if not layers:
        return section(
            "found", "What each layer found", tag("p", "No layer has found anything.", class_="empty")
        )
    most = max(report.found[layer].tracks for layer in layers) or 1
    rows = [
        [
            words(_layer_name(layer)),
            Cell(bar(report.found[layer].tracks / most)),
            *_counts_of(report.found[layer]),
        ]
        for layer in layers
    ]
    rows.append([words(TOTAL), Cell(""), *_counts_of(report.found_together)])
    columns = [Column("Layer"), Column(""), *(Column(kind.capitalize(), is_number=True) for kind in KINDS)]
    about = (
        "Distinct records around the seeds, without stubs. Layers overlap: the total counts each record "
        "once. The database also contains records that layers only looked at to make a choice."
    )
    return section(
        "found",
        "What each layer found",
        tag("p", about, class_="about"),
        plain_table("Records found by each layer", columns, rows),
    )


def _counts_of(counts: LayerCounts) -> list[Cell]:
    return [count(getattr(counts, kind)) for kind in KINDS]


def _in_order(layers: Mapping[str, object]) -> list[str]:
    return sorted(layers, key=[*LAYER_NAMES, *sorted(layers)].index)


def _layer_name(layer: str) -> Html:
    return tag("code", layer)


def coverage(report: Report) -> Html:
    """Return how much of what the API promises was received, and on what basis."""
    status = report.status
    if not status.layers:
        return section("coverage", "Coverage", tag("p", "No list has been requested.", class_="empty"))
    capped = status.capped.layers
    rows = [
        _coverage_row(_layer_name(layer), walks, is_capped=layer in capped)
        for layer, walks in status.layers.items()
    ]
    rows.append(_coverage_row(TOTAL, status.total, is_capped=bool(capped)))
    names = ("done", "capped", "gone", "failed", "pending", "received")
    columns = [
        Column("Layer"),
        Column("State"),
        *(Column(name.capitalize(), is_number=True) for name in names),
        Column(""),
        Column("% of expected (basis)", is_number=True),
    ]
    about = f"A walk is one list, e.g. the likes of a user. {BASIS[0].upper()}{BASIS[1:]}."
    return section(
        "coverage", "Coverage", tag("p", about, class_="about"), plain_table("Walks by layer", columns, rows)
    )


def _coverage_row(name: str, walks: Walks, *, is_capped: bool) -> list[Cell]:
    by = walks.by_status.get
    share = walks.compared_received / walks.compared_expected if walks.compared_expected else None
    return [
        words(name),
        words(describe_state(walks, is_capped=is_capped)),
        *(count(by(status, 0)) for status in ("done", "capped", "gone", "failed")),
        count(walks.pending),
        count(walks.received),
        Cell("" if share is None else bar(share)),
        Cell(share_of_expected(walks), share, is_number=True),
    ]


def cuts(report: Report) -> Html:
    """Return what was cut, and by which setting."""
    caps = list_caps(report.status.capped)
    if not caps:
        nothing = tag("p", "No setting cut anything.", class_="empty")
        return section("cuts", "What was cut, and by which setting", nothing)
    rows = [_cut_row(cap) for cap in caps]
    columns = [
        Column("Setting"),
        Column("Kept", is_number=True),
        Column("List"),
        Column("Times", is_number=True),
        Column("Example or reason"),
    ]
    about = "To get more, raise the setting in its section of the configuration, and rerun."
    return section(
        "cuts",
        "What was cut, and by which setting",
        tag("p", about, class_="about"),
        plain_table("Caps that cut something", columns, rows),
    )


def _cut_row(cap: Cap) -> list[Cell]:
    available = "unknown" if cap.available is None else number(cap.available)
    return [
        words(tag("code", describe_cap(cap))),
        Cell(f"{number(cap.kept)} of {available}", cap.kept, is_number=True),
        words(cap.endpoint or "choice"),
        count(cap.count),
        words(render_example(cap.example) if cap.reason is None else shown(cap.reason)),
    ]


# Distributions


def distributions(report: Report) -> Html:
    """Return the degree distributions."""
    named = {curve.name: curve for curve in report.distributions}
    groups = (
        ("Tracks", "at least so many", ("likes per track", "playlists per track", "comments per track")),
        ("Libraries and playlists", "at least so many tracks", ("likes per library", "tracks per playlist")),
        (
            "Relationships",
            "at least so many neighbours",
            ("related tracks", "related artists", "similar users"),
        ),
    )
    drawn = [
        charts.log_log(title, unit, [named[name] for name in names if name in named])
        for title, unit, names in groups
        if any(named[name].counts for name in names if name in named)
    ]
    about = (
        "How many records (upwards) have at least so many links (to the right), both on logarithmic scales. "
        "Links that are present in the whole database; libraries are those that were looked at."
    )
    content = charts.figures(*drawn) if drawn else tag("p", "No links yet.", class_="empty")
    return section("degrees", "Degree distributions", tag("p", about, class_="about"), content)


# Runs


def runs(report: Report) -> Html:
    """Return the runs and the seeds."""
    status = report.status
    rows = [_run_row(run, is_last=place == 0) for place, run in enumerate(status.runs)]
    columns = [
        Column("Run", is_number=True),
        Column("Spider"),
        Column("Outcome"),
        Column("Started (UTC)"),
        Column("Time", is_number=True),
        Column("Requests", is_number=True),
        Column("Asked"),
    ]
    older = status.run_count - len(rows)
    parts = [plain_table("Runs, newest first", columns, rows)] if rows else []
    if older > 0:
        parts.append(tag("p", f"{pluralize(older, 'older run', 'older runs')} not listed.", class_="about"))
    fresh = status.freshness
    if fresh.oldest is not None and fresh.newest is not None:
        fetched = f"Lists were last looked at from {minute(fresh.oldest)} to {minute(fresh.newest)} UTC."
        parts.append(tag("p", fetched, class_="about"))
    more = status.seed_count - len(status.seeds)
    seeds = [
        tag("li", tag("code", shown(seed.given)), f" {shown(seed.title, '')}", f" ({seed.status})")
        for seed in status.seeds
    ]
    if seeds:
        parts += [tag("h3", "Seeds"), tag("ul", *seeds, class_="seeds")]
    if more > 0:
        parts.append(tag("p", f"{pluralize(more, 'older seed', 'older seeds')} not listed.", class_="about"))
    made = (
        f"Made by {program_name()} report. This page contains everything that it shows, and requests nothing."
    )
    return section("runs", "What was asked", *parts, tag("p", made, class_="about"))


def _run_row(run: PastRun, *, is_last: bool) -> list[Cell]:
    asked = [
        f"{name}={_without_directory(name, value)}"
        for name, value in run.arguments.items()
        if not name.startswith("_")
    ]
    requests = run.requests if run.requests is not None else run.stats.get(statistics.REQUESTS)
    outcome = describe_outcome(run, is_last=is_last)
    return [
        count(run.run_id),
        words(tag("code", run.spider)),
        words(outcome if run.reason is None else f"{outcome}: {shown(run.reason)}"),
        words(minute(run.started_at)),
        Cell(duration(run_seconds(run, None, is_last=is_last)), is_number=True),
        count(requests if isinstance(requests, int) else None),
        words(tag("code", shown(" ".join(asked), ""))),
    ]


def _without_directory(name: str, value: str) -> str:
    """Return the value of an argument of a crawl, of files only their names."""
    if name == "config":
        return short_name(value)
    return PurePath(value).name if name == "seeds" else value
