"""Scheduled seeds as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sgr_spiders.reports.seed_list import as_text, describe_change, describe_import, due_as_text
from sgr_spiders.storage.ledger.seeds import ScheduledSeed
from sgr_spiders.text import invocation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seed(**more: Any) -> ScheduledSeed:
    optional = ("track_id", "last_harvest_at", "last_outcome", "last_run_id", "title", "artist")
    row: dict[str, Any] = {
        "given": "7", "interval_seconds": 86_400, "priority": 0, "added_at": "2026",
        "next_harvest_at": "2026-03-01T12:00:00.000Z",
    }  # fmt: skip
    return ScheduledSeed(**{**dict.fromkeys(optional), **row, **more})


def test_a_seed_is_due_from_its_time_on() -> None:
    later = seed(given="8", next_harvest_at="2026-03-01T12:00:01.000Z")
    rows = [line.split("  ") for line in as_text([seed(), later], NOW)]
    assert "due for 0.0 s" in rows[1]
    assert "2026-03-01 12:00" in rows[2]
    assert due_as_text([], [later], NOW) == ["No seed is due; the first will be 8 at 2026-03-01 12:00 (UTC)"]


def test_an_empty_list_shows_the_command_for_this_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocation, "_own", invocation._Invocation())
    invocation.remember(".venv/bin/scrapy", ["-s", "HARVEST_DATABASE_URL=sqlite:///my.db"])
    command = ".venv/bin/scrapy seeds add ID --every 7d -s HARVEST_DATABASE_URL=sqlite:///my.db"
    assert as_text([], NOW) == [f"No seeds yet: {command}"]


def test_changes_are_described() -> None:
    named = seed(given="https://x", track_id=7, title="T", artist="A", priority=2)
    assert describe_change("added", named) == "added: 7 (T by A), every 1d, priority 2"
    assert describe_import(["added", "unchanged", "added"]) == "3 seeds: 2 added, 1 unchanged"
