"""The line about the terms comes once per database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from sgr_spiders.embeddings.terms import LINE, terms_line
from sgr_spiders.storage import notices, schema

if TYPE_CHECKING:
    from pathlib import Path

    from sgr_spiders.storage.store import Store


def test_it_comes_once_also_while_another_has_the_database(store: Store) -> None:
    url = str(store.engine.url)
    assert [terms_line(url), terms_line(url)] == [LINE, None]
    with store.write() as connection:
        assert connection.scalar(sa.select(schema.notices.c.name)) == "terms"
        assert not notices.mark_shown(connection, "terms")
        assert notices.mark_shown(connection, "other")


def test_where_nothing_can_be_noted_it_comes_again(store: Store, tmp_path: Path) -> None:
    store.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "harvest.db").read_bytes())
    url = f"sqlite:///file:{copy}?mode=ro&uri=true"
    assert [terms_line(url), terms_line(url)] == [LINE, LINE]


def test_it_names_the_page(root: Path) -> None:
    assert "docs/terms.md" in LINE
    assert (root / "docs" / "terms.md").exists()
    assert "\n" not in LINE
