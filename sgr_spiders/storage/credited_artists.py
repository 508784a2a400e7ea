"""The view of the artists that tracks credit, beside their uploaders: labels and channels upload for others.

A track credits ``metadata_artist``, else the artist before the dash of its title, else its uploader. A title
that names the uploader and a kind of version after the dash ("Remix") is the uploader's own. Revision 0035
has the SQL.
"""

from __future__ import annotations

import sqlalchemy as sa

from sgr_spiders.storage.schema import Id, tracks

credited_artists = sa.Table(
    "credited_artists",
    sa.MetaData(),  # separate, because a view is not created like a table
    sa.Column(
        "track_id",
        Id,
        sa.ForeignKey(tracks.c.track_id),
        primary_key=True,
        autoincrement=False,
        comment="The track",
    ),
    sa.Column("artist_id", Id, comment="Its uploader"),
    sa.Column(
        "credited_artist",
        sa.Text,
        comment="The artist that it credits: `metadata_artist`, else the name before the dash of the title, "
        "else the uploader; null if none is known",
    ),
    sa.Column(
        "source",
        sa.Text,
        nullable=False,
        comment="The origin of that name: `metadata`, `title` or `uploader`",
    ),
    sa.Column(
        "credits_other",
        sa.Integer,
        nullable=False,
        comment="1 if that is not the name of the uploader, otherwise 0",
    ),
    comment="The artist that each track credits, beside its uploader",
)
