"""``scrapy forget``: remove records and all that derives from them, and never store them again."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import add_json_option
from sgr_spiders.model.exceptions import ArgumentError, StorageError
from sgr_spiders.text.encoding import dump_json
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.model.items import Reference
    from sgr_spiders.reports.forgotten import ForgetReport
    from sgr_spiders.storage.store import Connection, Store


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: nothing was forgotten"

    def syntax(self) -> str:
        return "[options] [RECORD…]"

    def short_desc(self) -> str:
        return "Remove records and all that derives from them, and never store them again"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--file",
            metavar="FILE",
            help="file with records, separated by spaces or lines; `#` begins a comment",
        )
        group.add_argument("--dry-run", action="store_true", help="report the rows, but change nothing")
        group.add_argument(
            "--no-vacuum",
            action="store_true",
            help="do not rewrite an SQLite file; blocks freed earlier may still contain the records",
        )
        group.add_argument(
            "--lift",
            action="store_true",
            help="allow forgotten records to be stored again; what was removed stays removed",
        )
        add_json_option(group)

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.cli.records import read_records

        named = read_records(args, opts.file, self._find)
        if opts.lift:
            if opts.dry_run or opts.json:
                raise ArgumentError("option `--lift`: not with `--dry-run` or `--json`")
            sys.stdout.write(self._lift(named))
            return
        from sgr_spiders.reports.forgotten import as_json, as_lines

        with self.writing("nothing was forgotten") as store:
            report = _forget(store, named, is_trial=opts.dry_run)
            if report.done.references and not opts.dry_run:
                report = replace(report, left_over="`--no-vacuum`" if opts.no_vacuum else _rewrite(store))
        text = dump_json(as_json(report)) if opts.json else "\n".join(as_lines(report))
        sys.stdout.write(f"{text}\n")

    def _find(self, kind: str, name: str) -> int:
        from sgr_spiders.storage.names import resolve
        from sgr_spiders.storage.store import Store

        with Store(self.database_url).read() as connection:
            return resolve(connection, kind, name)

    def _lift(self, named: list[Reference]) -> str:
        from sgr_spiders.reports.forgotten import spell
        from sgr_spiders.storage import tombstones

        with self.writing("nothing was changed") as store, store.write() as connection:
            known = tombstones.read(connection)
            for reference in named:
                if known is None or known.date_of(reference) is None:
                    raise ArgumentError(f"{spell(reference)} was not forgotten; nothing was changed")
            lifted = 0 if known is None else known.lift(named)
        return f"{pluralize(lifted, 'tombstone')} removed; the next harvest may store these records again\n"


def _forget(store: Store, named: list[Reference], *, is_trial: bool) -> ForgetReport:
    from sgr_spiders.reports.forgotten import EMBED, RELATE, ForgetReport
    from sgr_spiders.storage import export_log, forgetting

    spelt = {reference: forgetting.spellings(store, reference) for reference in named}
    with store.write() as connection:
        earlier, records = _sort_out(connection, spelt)
        run = forgetting.try_out if is_trial else forgetting.forget
        done = run(connection, records)
        derived = [
            step
            for step, built in zip((RELATE, EMBED), forgetting.built_from(connection), strict=True)
            if built and records
        ]
        return ForgetReport(done, named, earlier, export_log.read(connection), derived, is_trial)


def _rewrite(store: Store) -> str | None:
    """Rewrite an SQLite file without remains of deleted rows; return the reason if it could not be done."""
    from sgr_spiders.storage.vacuum import vacuum

    if store.file is None:
        return "deleted rows stay in the files of the server until they are vacuumed"
    try:
        vacuum(store)
    except StorageError as error:
        return str(error)
    except KeyboardInterrupt:
        return "interrupted"
    return None


def _sort_out(
    connection: Connection, spelt: dict[Reference, list[Reference]]
) -> tuple[list[Reference], list[Reference]]:
    """Return which of the records were forgotten before, and those to forget now.

    *spelt* maps each record that was named to its names in the database.
    """
    from sgr_spiders.reports.forgotten import spell
    from sgr_spiders.storage import forgetting, tombstones

    known = tombstones.read(connection)
    earlier, records = [], []
    for reference, names in spelt.items():
        found = [record for name in names for record in forgetting.find(connection, name)]
        if not found:
            if known is None or known.date_of(reference) is None:
                raise ArgumentError(f"{spell(reference)} is not in this database; nothing was forgotten")
            earlier.append(reference)
        # A named record gets a tombstone, also if only its pseudonym is stored.
        records += [*found, *(names if found else ())]
    return earlier, list(dict.fromkeys(records))
