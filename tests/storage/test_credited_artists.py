"""The view of the artists that tracks credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from sgr_spiders.storage import graph_read, schema
from sgr_spiders.storage.credited_artists import credited_artists

if TYPE_CHECKING:
    from sgr_spiders.storage.store import Store

WHOLE = {"is_stub": False, "fullness": 3, "fetched_at": "2026-01-01T00:00:00.000000Z"}
CASES = [
    # title, metadata_artist, uploader, credited artist, source, whether it is another
    ("Paper Lanterns", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Paper Lanterns", "Mara Quill", "Night Label", "Mara Quill", "metadata", 1),
    ("Paper Lanterns", " ona reyes ", "Ona Reyes", "ona reyes", "metadata", 0),
    ("Mara Quill - Paper Lanterns", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill \u2013 Paper Lanterns", "", "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill \u2014 Paper Lanterns", "  ", "Night Label", "Mara Quill", "title", 1),
    ("비 오는 날 - Paper", None, "Night Label", "비 오는 날", "title", 1),
    ("ONA REYES - Paper Lanterns", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Mara Quill feat. Ilse - Paper", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill (ft. Ilse) - Paper", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill - Paper (Ona Reyes Remix)", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Mara Quill - Paper (Ona Reyes Remix)", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill - Paper (Ona Reyes' Extended Remix)", None, " ona reyes ", "ona reyes", "uploader", 0),
    ("Mara Quill - Paper [Ona Reyes & Ilse VIP]", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Mara Quill - Paper, D.J. Ona Flip", None, "D.J. Ona", "D.J. Ona", "uploader", 0),
    ("Mara Quill - Rain (Ona (UK) Edit)", None, "Ona (UK)", "Ona (UK)", "uploader", 0),
    ("Mara Quill - Rain [Night Label Release]", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill - Rain (Ilse Remix) [Night Label]", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill - Rain [Night Label] (Ilse Remix)", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill - Rain (Night Label Mixtape)", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill - Live at Home", None, "Ive", "Mara Quill", "title", 1),
    ("Mara Quill - Olive Remix", None, "Live", "Mara Quill", "title", 1),
    ("Mara Quill - Rain", None, "...", "Mara Quill", "title", 1),
    ("Mara Quill - Rain", None, " Mara Quill ", "Mara Quill", "uploader", 0),
    ("Mara Quill - Rain", None, "  ", None, "uploader", 0),
    ("Leo Feathers - Rain", None, "Night Label", "Leo Feathers", "title", 1),
    ("Mara Quill ft Ilse - Rain", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill ft Ilse feat. Leo - Rain", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill [Featuring Ilse] - Rain", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara Quill feat.Ilse - Rain", None, "Night Label", "Mara Quill", "title", 1),
    ("Mara | Quill - Rain", None, "Night Label", "Mara | Quill", "title", 1),
    ("Ft - Rain", None, "Night Label", "Ft", "title", 1),
    ("01 - Paper Lanterns", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    (" - Paper Lanterns", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Half-Light", None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Mara - Paper - Live", None, "Night Label", "Mara", "title", 1),
    (None, None, "Ona Reyes", "Ona Reyes", "uploader", 0),
    ("Mara Quill - Paper", None, None, None, "uploader", 0),
    ("Paper", "Mara Quill", None, "Mara Quill", "metadata", 0),
]


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as connection:
        for number, (title, metadata, uploader, *_) in enumerate(CASES, 1):
            connection.execute(sa.insert(schema.users).values(user_id=number, username=uploader, **WHOLE))
            values = {"track_id": number, "title": title, "metadata_artist": metadata, "artist_id": number}
            connection.execute(sa.insert(schema.tracks).values(**values, **WHOLE))
        connection.execute(sa.insert(schema.tracks).values(track_id=99, title="A - B", **WHOLE))
    return store


def test_the_rule(filled: Store) -> None:
    view = credited_artists.c
    query = sa.select(view.credited_artist, view.source, view.credits_other).order_by(view.track_id)
    with filled.read() as connection:
        found = list(map(tuple, connection.execute(query)))
    assert found == [(*case[3:],) for case in CASES] + [(None, "uploader", 0)]


def test_uploads_that_credit_others_are_counted(store: Store) -> None:
    uploads = [(1, "A - X"), (1, "B - Y"), (1, "Mine"), (2, "Mine")]
    with store.write() as connection:
        for user in (1, 2):
            connection.execute(
                sa.insert(schema.users).values(user_id=user, username=f"Label {user}", **WHOLE)
            )
        rows = [
            {"track_id": number, "title": title, "artist_id": user, **WHOLE}
            for number, (user, title) in enumerate(uploads, 1)
        ]
        connection.execute(sa.insert(schema.tracks), rows)
        gone = {"track_id": 8, "title": "C - Z", "artist_id": 1, "removed_at": "2026", **WHOLE}
        connection.execute(sa.insert(schema.tracks).values(gone))
        connection.execute(
            sa.insert(schema.tracks).values({"track_id": 9, "artist_id": 1, **WHOLE, "is_stub": True})
        )
    with store.read() as connection:
        (columns,) = graph_read.count_uploads(connection)
    assert list(map(list, columns)) == [[1, 2], [3, 1], [2, 0]]
