"""The report in a browser: it shows, selects, searches and sorts, and asks the network for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.storage.store import Store
from tests.browser.conftest import write_page
from tests.databases import url_of
from tests.reports.page import worlds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.conftest import Visit


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    return write_page(worlds.make_harvest(folder / "harvest.db"), folder / "report.html")


def test_a_node_is_selected_by_search(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    search = opened.page.locator("#search")
    search.fill("tr\u00e0ck 113")
    assert opened.page.locator("#matches li").all_inner_texts() == ["Track 113 User 502"]
    assert search.get_attribute("aria-activedescendant") == "match-0"
    search.press("Enter")
    assert opened.page.inner_text("#selection h3") == "Track 113"
    link = opened.page.locator("#selection h3 a")
    assert link.get_attribute("href") == "https://soundcloud.com/track-113"
    assert "ID 113" in opened.text("#selection")
    neighbour = opened.page.locator("#selection li button").first
    name = neighbour.inner_text().partition(" User")[0]
    neighbour.click()
    assert opened.page.inner_text("#selection h3") == name
    opened.page.locator("#search").fill("nothing like it")
    assert opened.page.inner_text("#matches") == "No match"


def test_a_node_is_selected_by_a_click(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    box = opened.show_graph()
    opened.page.locator("#graph").focus()
    opened.page.keyboard.press("n")  # the seed, in the middle
    assert opened.page.inner_text("#selection h3") == "Track 101"
    opened.page.keyboard.press("Escape")
    assert "Select one" in opened.text("#selection")
    opened.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert opened.page.inner_text("#selection h3") == "Track 101"
    opened.page.mouse.click(box["x"] + 3, box["y"] + 3)
    assert "Select one" in opened.text("#selection")


def test_the_keyboard_moves_the_graph(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    opened.page.locator("#graph").focus()
    seen = [opened.picture()]
    for key in ("ArrowLeft", "ArrowDown", "+", "+"):
        opened.page.keyboard.press(key)
        seen.append(opened.picture())
    assert len(set(seen)) == 5
    opened.page.keyboard.press("0")
    assert opened.picture() == seen[0]
    opened.page.keyboard.press("n")
    first = opened.page.inner_text("#selection h3")
    opened.page.keyboard.press("n")
    assert opened.page.inner_text("#selection h3") != first
    opened.page.keyboard.press("p")
    opened.page.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.tagName") == "BUTTON"


def test_the_mouse_moves_the_graph(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    box = opened.show_graph()
    x, y = box["x"] + 50, box["y"] + 50
    seen = [opened.picture()]
    opened.page.mouse.move(x, y)
    opened.page.mouse.down()
    opened.page.mouse.move(x + 80, y + 40, steps=4)
    opened.page.mouse.up()
    seen.append(opened.picture())
    top = opened.evaluate("scrollY")
    opened.page.mouse.wheel(0, -400)
    seen.append(opened.picture())
    opened.page.click("#closer")
    seen.append(opened.picture())
    opened.page.click("#fit")
    assert opened.picture() == seen[0]
    assert len(set(seen)) == 4
    assert opened.evaluate("scrollY") == top, "the wheel zooms instead of scrolling"


def test_the_minimum_score_hides_weak_links(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    assert opened.text("#shown") == "Shown: 49 of 49 tracks, 312 of 312 links."
    opened.page.locator("#least").fill("99")
    assert opened.text("#least-shown") == "0.99"
    shown = opened.text("#shown")
    assert shown.startswith("Shown: ")
    assert "312 of 312" not in shown


def test_other_graphs_and_colours(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    opened.page.select_option("#colour", "genre")
    assert "Ambient" in opened.text("#legend")
    pressed = opened.page.locator("#legend button").first
    pressed.click()
    assert pressed.get_attribute("aria-pressed") == "true"
    opened.page.select_option("#colour", "layer")
    assert "label layer" in opened.text("#legend")
    opened.page.select_option("#kind", label="Users")
    assert "users" in opened.text("#shown")
    assert opened.page.locator(".graph-about:visible").count() == 1
    assert opened.evaluate("[...document.getElementById('colour').options][1].disabled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_scheme_of_the_system(report: Path, visit: Callable[..., Visit], scheme: str) -> None:
    opened = visit(report, color_scheme=scheme)
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
    assert opened.evaluate(background) == (dark if scheme == "dark" else light)
    assert opened.colours() > 10
    opened.page.click("#theme")
    assert opened.evaluate(background) == (light if scheme == "dark" else dark)


def test_tables_are_sorted_and_long_ones_are_cut(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    table = opened.page.locator("table.sortable").first
    rows = table.locator("tbody tr:visible")
    assert rows.count() == 12
    heading = table.get_by_role("button", name="Plays")
    heading.click()
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    plays = [int(text.replace(",", "")) for text in rows.locator("td:last-child").all_inner_texts()]
    assert plays == sorted(plays, reverse=True)
    heading.press("Enter")
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    more = opened.page.locator(".more").first
    more.click()
    assert rows.count() > 12
    assert more.get_attribute("aria-expanded") == "true"


def test_it_fits_a_narrow_window(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report, width=360, height=740)
    assert not opened.overflows()
    box = opened.page.locator("#graph").bounding_box()
    assert box
    assert 300 < box["width"] <= 360


def test_an_empty_harvest_is_a_page_without_a_graph(tmp_path: Path, visit: Callable[..., Visit]) -> None:
    Store.open(url_of(tmp_path / "empty.db")).close()
    opened = visit(write_page(tmp_path / "empty.db", tmp_path / "empty.html"))
    assert opened.page.inner_text("h1") == "Nothing harvested yet"
    assert opened.page.locator("canvas").count() == 0


def test_hostile_names_run_nothing(tmp_path: Path, visit: Callable[..., Visit]) -> None:
    database = worlds.make_harvest(tmp_path / "hostile.db", hostile=True)
    for width in (1280, 360):
        opened = visit(write_page(database, tmp_path / "hostile.html"), width=width)
        opened.page.locator("#search").fill("script")
        opened.page.locator("#search").press("Enter")
        opened.page.locator("#selection li button").first.click()
        opened.page.select_option("#colour", "genre")
        assert opened.evaluate("window.broken") is None
        assert opened.page.locator("main img, main b, bdi script").count() == 0
        assert not opened.overflows()


def test_it_prints_in_light_colours_with_all_rows(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report, color_scheme="dark")
    opened.page.emulate_media(media="print")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    rows = opened.page.locator("table.sortable").first.locator("tbody tr")
    assert rows.locator("visible=true").count() == rows.count()
    assert opened.page.locator(".controls").is_hidden()


def test_without_a_script_all_but_the_graph_is_there(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report, java_script_enabled=False)
    assert opened.page.locator("table.sortable").first.locator("tbody tr:visible").count() > 12
    assert opened.page.inner_text("#neighbourhood noscript") == "The graph needs JavaScript."
    assert opened.page.locator(".controls, .board").locator("visible=true").count() == 0
    assert "The 25 most linked tracks" in opened.text("#neighbourhood")


def test_labels_do_not_collide(report: Path, visit: Callable[..., Visit]) -> None:
    noting = """
        window.labels = [];
        const write = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
            window.labels.push([text, x, y, this.measureText(text).width]);
            return write.call(this, text, x, y);
        };
        window.dispatchEvent(new Event("themechange"));
        window.labels
    """
    opened = visit(report)
    labels = opened.evaluate(noting)
    assert len(labels) > 8
    boxes = [(x, x + width, y - 10, y + 2) for _, x, y, width in labels]
    for place, (left, right, top, bottom) in enumerate(boxes):
        for other_left, other_right, other_top, other_bottom in boxes[:place]:
            apart = left >= other_right or other_left >= right or top >= other_bottom or other_top >= bottom
            assert apart, labels[place]


def test_links_of_the_graph_lead_to_the_stored_address(report: Path, visit: Callable[..., Visit]) -> None:
    opened = visit(report)
    for name, address in (("track 104", "track-104"), ("track 113", "track-113")):
        opened.page.fill("#search", name)
        opened.page.press("#search", "Enter")
        href = opened.page.locator("#selection h3 a").get_attribute("href")
        assert href == f"https://soundcloud.com/{address}"
