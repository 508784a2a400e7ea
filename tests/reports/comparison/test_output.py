"""The text and the page of a comparison: what it says of A and B, and foreign text made safe."""

from __future__ import annotations

import json
from dataclasses import replace

from sgr_spiders.reports.comparison import document, page, text
from sgr_spiders.reports.comparison.agreement import Agreement
from sgr_spiders.reports.comparison.comparison import Compared, Comparison, Density, HeldOut
from sgr_spiders.reports.comparison.differences import find_differences
from sgr_spiders.reports.comparison.held_out import Recall
from sgr_spiders.reports.comparison.sides import About
from sgr_spiders.storage.figures.contents import COLLECTED, AskedRun
from sgr_spiders.storage.ledger.source import Source

TIME = "2026-01-02T03:04:05.000000Z"
LIVE = Source("https://api.soundcloud.com", is_sandbox=False, world=None, first_used_at=TIME)
SANDBOX = Source("http://127.0.0.1:1", is_sandbox=True, world="seed=1", first_used_at=TIME)
RUN = AskedRun(1, TIME, TIME, "complete", ("user_depth",), (7,), "multi_layer", "aaaaaaaaaa", 10)
A = About("A", "a.db", None, LIVE, [RUN], dict.fromkeys(COLLECTED, 1000))
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


def make_comparison(a: About, b: About) -> Comparison:
    nothing = Density(0, 0, limited=False, with_neighbours=0)
    some = Density(1000, 2_000_000, limited=True, with_neighbours=900)
    recall = Recall(0, 0, None, None)
    compared = Compared("user_similarity", "user", (nothing, some), Agreement(0, 0, 0, 0, None, None), None)
    return Comparison((a, b), [compared], HeldOut("A", 0, 0, (recall, recall), None))


def test_sides_alike_have_no_differences() -> None:
    assert find_differences((A, replace(A, name="B", database="b.db"))) == []
    moved = replace(SANDBOX, api_origin="http://127.0.0.1:2")
    assert find_differences((replace(A, source=SANDBOX), replace(A, name="B", source=moved))) == []


def test_configurations_are_named_without_directory_and_content() -> None:
    runs = [replace(RUN, config="/home/me/own.yaml"), replace(RUN, config="{a: b/c}", config_hash="b")]
    found = make_comparison(A, replace(A, name="B", runs=runs))
    written = page.render(found, "x"), json.dumps(document.as_json(found, "x")), *text.as_text(found, "x")
    assert any("configuration own.yaml, a mapping" in line for line in written)
    assert not [line for line in written if "/home" in line or "b/c" in line]


def test_differences_are_named() -> None:
    killed = replace(
        RUN,
        outcome=None,
        requests=None,
        layers=("label_layer",),
        seeds=tuple(range(1, 6)),
        config_hash="bbbbbbbbbb",
    )
    b = replace(A, name="B", source=SANDBOX, runs=[killed])
    assert b.requests is None
    assert find_differences((A, b)) == [
        "Sources differ: https://api.soundcloud.com (A), the sandbox (seed=1) (B)",
        "Seeds differ: 7 (A), 1, 2, 3 and 2 more seeds (B)",
        "Configurations differ: multi_layer aaaaaa (A), multi_layer bbbbbb (B)",
        "Layers only of A: user_depth",
        "Layers only of B: label_layer",
        "The last run of B has not ended",
    ]
    empty = replace(A, name="B", runs=[])
    assert "B contains no run" in find_differences((A, empty))


def test_what_is_unknown_is_a_dash() -> None:
    found = make_comparison(A, replace(A, name="B", moment=TIME))
    lines = text.as_text(found, "deep_harvest")
    assert lines[2].startswith("B  a.db before 2026-01-02 03:04 (UTC): ")
    (pairs,) = (line.split() for line in lines if line.startswith("  pairs per user"))
    assert pairs == ["pairs", "per", "user", "-", "2,000.000"]
    assert any(line.endswith("2,000,000 (limited)") for line in lines)
    assert (
        json.loads(json.dumps(document.as_json(found, "x")))["neighbours"]["user_similarity"]["recovery"]
        is None
    )


def test_foreign_text_is_safe() -> None:
    run = replace(RUN, config=HOSTILE)
    source = replace(SANDBOX, world=HOSTILE)
    hostile = replace(A, name="B", database=HOSTILE, source=source, runs=[run])
    found = make_comparison(A, hostile)
    rendered = page.render(found, HOSTILE)
    printed = "\n".join(text.as_text(found, HOSTILE))
    assert "<script>alert" not in rendered
    for unsafe in ("\x1b", "\u202e"):
        assert unsafe not in rendered
        assert unsafe not in printed
