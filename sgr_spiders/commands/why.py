"""``scrapy why``: the path by which a record was found, for each seed and layer, and its history."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option, add_limit_option, read_limit, read_node
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.encoding import dump_json

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.storage.store import Connection

KINDS = ("track", "user", "playlist", "artist")


class Command(DatabaseCommand):
    """Read-only; safe during a crawl."""

    def syntax(self) -> str:
        return "[options] track|user|playlist|artist NAME"

    def short_desc(self) -> str:
        return "Explain how a record was found, and show its history"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--include-removed", action="store_true", help="include paths that do not exist any more"
        )
        add_limit_option(group, 20)
        add_json_option(group, "docs/why.md")

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        kind, name = read_node(args, KINDS, "why")
        sys.stdout.write(self._render(kind, name, opts) + "\n")

    def _render(self, kind: str, name: str, opts: argparse.Namespace) -> str:
        from sgr_spiders.reports import origins
        from sgr_spiders.storage.names import resolve
        from sgr_spiders.storage.store import Store

        limit = read_limit(opts)
        with Store(self.database_url).read() as connection:
            record_id = resolve(connection, kind, name)
            origin = origins.read_origin(
                connection, kind, record_id, limit, include_removed=opts.include_removed
            )
            if origin is None:
                raise ArgumentError(_explain_missing(connection, kind, record_id))
        return dump_json(origins.as_json(origin)) if opts.json else "\n".join(origins.as_text(origin))


def _explain_missing(connection: Connection, kind: str, record_id: int) -> str:
    """Return why a record is not in the database."""
    from sgr_spiders.storage import tombstones
    from sgr_spiders.storage.labels import KINDS as RECORDS
    from sgr_spiders.storage.origins import read_references

    record = RECORDS[kind]
    what = f"{kind} {record_id} is not in this database"
    known = tombstones.read(connection)
    if known is not None and known.date_of((record, record_id)) is not None:
        return f"{what}: it was forgotten"
    for reference in read_references(connection, record, record_id):
        if reference.relation == "left_out_of":
            return f"{what}: a cap left it out of playlist {reference.examples[0]}"
    return what
