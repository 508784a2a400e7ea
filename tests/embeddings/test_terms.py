"""The notice about the terms is shown once per database."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.embeddings.terms import LINE, terms_line
from sgr_spiders.storage import notices, schema
from sgr_spiders.storage.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_shown_once_even_during_a_crawl(store: Store) -> None:
    beside = Store(store.url)
    assert [terms_line(beside), terms_line(beside)] == [LINE, None]
    with store.read() as connection:
        assert connection.scalar(sa.select(schema.notices.c.name)) == "terms"
    assert [notices.mark_shown(store, name) for name in ("terms", "other")] == [False, True]


@pytest.mark.sqlite("the write lock of the file")
def test_it_is_shown_again_without_waiting_for_a_locked_database(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "harvest.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert [terms_line(store), terms_line(store)] == [LINE, LINE]
        assert time.monotonic() - began < 2


def test_it_names_an_existing_page(root: Path) -> None:
    assert "docs/terms.md" in LINE
    assert (root / "docs" / "terms.md").exists()
    assert "\n" not in LINE
