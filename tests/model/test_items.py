"""Pages and records are items for Scrapy and other users of itemadapter."""

from __future__ import annotations

from itemadapter import ItemAdapter

from sgr_spiders.model.items import FIELDS, RECORD_TYPES, Engagement, Entry, Page, Track, User, Walk
from sgr_spiders.storage.schema import RECORD_TABLES
from sgr_spiders.storage.upserts import PRESENCE

PAGE = Page(Walk(1, "user_likes", "42"), [Entry(Track(7, title="t"), [User(3)], Engagement(42, 7, "like"))])


def test_a_page_is_an_item_down_to_its_records() -> None:
    assert ItemAdapter.is_item(PAGE)
    found = ItemAdapter(PAGE).asdict()
    assert found["walk"]["endpoint"] == "user_likes"
    assert found["entries"][0]["record"]["title"] == "t"
    assert found["entries"][0]["inside"][0]["user_id"] == 3
    assert found["entries"][0]["link"] == {
        "user_id": 42, "track_id": 7, "kind": "like", "not_before": None, "not_after": None,
    }  # fmt: skip


def test_a_page_is_logged_in_one_short_line() -> None:
    assert str(PAGE) == "page 0 of user_likes '42'"


def test_the_fields_of_records_are_the_columns_of_their_tables() -> None:
    for kind in RECORD_TYPES:
        columns = [column.name for column in RECORD_TABLES[kind].columns]
        ours = {"is_stub", "fetched_at", "counted_at", *PRESENCE}
        assert list(FIELDS[kind]) == [name for name in columns if name not in ours]
