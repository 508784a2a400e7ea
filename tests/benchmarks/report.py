"""The report with as large a graph as it gets: seconds to build it, bytes, and its speed in a browser.

``python -m tests.benchmarks.report [--tracks 6400] [--keep FILE]`` makes a database with tracks in
communities, builds the relationships, and writes the page. With a Chromium (``tests/browser/with_chromium``),
"ready" is the time until the graph is drawn, "pan" and "zoom" the time of a frame while the mouse drags or
the wheel turns, and "redraw" the time to draw all of it again.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from sgr_spiders.config.harvest import HarvestConfig
from sgr_spiders.relationships.processor import relate
from sgr_spiders.reports.page.content import collect
from sgr_spiders.reports.page.page import render
from sgr_spiders.storage import schema
from sgr_spiders.storage.store import Store
from tests.databases import url_of
from tests.relationships.worlds import World
from tests.reports.page.worlds import SEED, add_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMMUNITIES = 14
WORDS = (
    "amber", "blue", "broken", "circuit", "cloud", "concrete", "dawn", "distant", "dungeon", "electric",
    "ember", "frozen", "golden", "harbour", "hollow", "indigo", "lantern", "lunar", "marble", "midnight",
    "moraine", "paper", "puddles", "quiet", "raincoat", "restless", "saffron", "silver", "tapes", "teahouse",
    "undertow", "velvet",
)  # fmt: skip
GENRES = ("Ambient", "Deep House", "Drum & Bass", "Hip-hop & Rap", "Indie", "Lo-fi Hip Hop", "Techno", None)


def build_world(tracks: int) -> World:
    """Return a world of communities, whose playlists and users prefer the tracks of one of them."""
    random = np.random.default_rng(1)
    groups = random.choice(COMMUNITIES, tracks, p=random.dirichlet(np.full(COMMUNITIES, 2.0)))
    members = [np.flatnonzero(groups == group) for group in range(COMMUNITIES)]
    popularity = random.pareto(1.6, tracks) + 0.5
    world = World(
        artists={SEED + track: 10**6 + int(random.integers(tracks // 6)) for track in range(tracks)}
    )

    def draw(size: int) -> set[int]:
        own = members[random.integers(COMMUNITIES)]
        chances = popularity[own] / popularity[own].sum()
        inside = random.choice(own, min(size, len(own)), p=chances)
        outside = random.integers(tracks, size=size // 12)
        return {SEED + int(track) for track in (*inside, *outside)}

    for number in range(tracks // 3):
        world.playlists[number + 1] = draw(24) | ({SEED} if number % 20 == 0 else set())
    for user in range(1, tracks // 3):
        world.engagements |= {(user, track, "like") for track in draw(30)}
        if user % 10 == 0:
            world.engagements.add((user, SEED, "like"))
    world.looks = dict.fromkeys(range(1, tracks // 3), "whole")
    return world


def name_records(store: Store) -> None:
    random = np.random.default_rng(2)
    with store.write() as connection:
        add_run(connection, 1, SEED)
        for table, name in ((schema.tracks, "title"), (schema.users, "username")):
            (key,) = table.primary_key.columns
            rows = []
            for number in connection.scalars(sa.select(key).order_by(key)):
                words = [
                    WORDS[place] for place in random.integers(len(WORDS), size=int(random.integers(2, 5)))
                ]
                title = " ".join(words).title()
                row = {"number": number, "title": title, "url": f"{number % 977}/{'-'.join(words)}"}
                rows.append(row | {"genre": GENRES[number % len(GENRES)]})
            values: dict[str, Any] = {
                name: sa.bindparam("title"),
                "permalink_url": "https://soundcloud.com/artist-" + sa.bindparam("url", type_=sa.Text),
            }
            if table is schema.tracks:
                values |= {"genre": sa.bindparam("genre"), "playback_count": 12_345}
            connection.execute(sa.update(table).where(key == sa.bindparam("number")).values(values), rows)


def measure_page(file: Path, program: str) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for attempt in range(3):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(file.as_uri())
            ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
            page.locator("#graph").scroll_into_view_if_needed()
            page.wait_for_timeout(500)
            figures = {"ready": ready, **measure_frames(page)}
            print(
                f"  {attempt + 1}: " + ", ".join(f"{name} {value:,.0f} ms" for name, value in figures.items())
            )
            page.close()
        browser.close()


def measure_frames(page: Page) -> dict[str, float]:
    page.evaluate(
        """() => {
            window.frames_ = [];
            const note = (at) => { window.frames_.push(at); requestAnimationFrame(note); };
            requestAnimationFrame(note);
        }"""
    )
    box = page.locator("#graph").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def spent(*, wheel: bool) -> float:
        page.evaluate("window.frames_.length = 0")
        page.mouse.move(x, y)
        if not wheel:
            page.mouse.down()
        for step in range(60):
            if wheel:
                page.mouse.wheel(0, -20)
            else:
                page.mouse.move(x + 2 * step, y + step)
        if not wheel:
            page.mouse.up()
        frames = np.diff(page.evaluate("window.frames_"))
        return float(np.median(frames))

    pan = spent(wheel=False)
    page.wait_for_timeout(400)
    zoom = spent(wheel=True)
    page.wait_for_timeout(400)
    redraw = page.evaluate("() => { const t = performance.now(); dispatchEvent(new Event('themechange')); "
                           "return performance.now() - t; }")  # fmt: skip
    return {"pan": pan, "zoom": zoom, "redraw": redraw}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("report", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--tracks", type=int, default=6_400)
    parser.add_argument("--keep", type=Path, help="file to copy the page to")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "report.html")
        with closing(Store.open(url_of(Path(folder, "harvest.db")))) as store:
            build_world(options.tracks).spill(store)
            name_records(store)
            relate(store, HarvestConfig())
            began = time.process_time()
            report = collect(store, HarvestConfig())
            text = render(report)
        print(
            f"built in {time.process_time() - began:.1f} s of CPU time, {len(text.encode()) / 1000:,.0f} kB"
        )
        for drawn in report.graphs:
            graph = drawn.graph
            print(f"  {graph.pairs.name}: {len(graph.ids):,} nodes, {len(graph.a):,} of {drawn.rows:,} links")
        file.write_text(text, encoding="utf-8")
        if options.keep:
            shutil.copy(file, options.keep)
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        if program is None:
            print("no Chromium: tests/browser/with_chromium installs one")
        else:
            measure_page(file, program)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
