"""``scrapy export``: files for other tools from the data in the database."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import read_path, read_seeds, read_time, refuse_arguments
from sgr_spiders.config.choices import SOURCES
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.formatting import number, pluralize, size, table, wrap
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from sgr_spiders.embeddings.preparation import Choice
    from sgr_spiders.exports.export import Exported, ExportOptions
    from sgr_spiders.exports.resource import Resource

    Number = TypeVar("Number", int, float)

ONLY_ML = (
    "seed",
    "sources",
    "min_per_user",
    "min_per_track",
    "test",
    "validation",
    "split_seed",
    "include_unseen",
)
"""Options that apply only to interactions."""

NUMBERS: dict[type, str] = {int: "an integer", float: "a number"}


class Command(DatabaseCommand):
    """Safe during a crawl: reads one snapshot, and then saves only where the files are."""

    interrupted = "Interrupted: the output directory is unchanged"

    def short_desc(self) -> str:
        return "Export tables, training data or graphs to files"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--for", dest="purpose", metavar="WHAT", help="purpose, tables, ml or graphs (default tables)"
        )
        group.add_argument(
            "--format",
            dest="formats",
            metavar="NAME[,NAME]",
            help=_describe_formats(),
        )
        group.add_argument(
            "--output",
            metavar="DIRECTORY",
            help="output directory (default beside the database, as data/soundgraph-export/ml)",
        )
        group.add_argument(
            "--raw", action="store_true", help="also export the fields without a column, for tables"
        )
        group.add_argument(
            "--include-removed",
            action="store_true",
            help="also export what is not present any more (see DATA_FORMAT.md)",
        )
        group.add_argument(
            "--as-of",
            metavar="TIME",
            help="export what was present at this time (UTC), a date such as 2026-11-27 or "
            "with a time, for tables and graphs",
        )
        group.add_argument(
            "--seed", metavar="TRACK[,TRACK]", help="seeds whose surroundings to export, for ml"
        )
        group.add_argument(
            "--sources",
            metavar="NAME[=WEIGHT][,…]",
            help=f"what counts as an interaction, of {', '.join(SOURCES)}, for ml (default like=1)",
        )
        group.add_argument("--min-per-user", metavar="N", help="minimum number of tracks per user, for ml")
        group.add_argument("--min-per-track", metavar="N", help="minimum number of users per track, for ml")
        group.add_argument(
            "--test", metavar="SHARE", help="share of each user's tracks to test on, for ml (default 0.2)"
        )
        group.add_argument(
            "--validation", metavar="SHARE", help="share for choosing parameters, for ml (default 0.1)"
        )
        group.add_argument("--split-seed", metavar="N", help="random seed of the split, for ml (default 1)")
        group.add_argument(
            "--include-unseen",
            action="store_true",
            default=None,
            help="include users and playlists whose library was not looked at, for ml",
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        # As on Ctrl-C: incomplete files are removed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        refuse_arguments(args)
        self._export(opts)

    def _export(self, opts: argparse.Namespace) -> None:
        from sgr_spiders.embeddings.terms import terms_line
        from sgr_spiders.exports.export import export
        from sgr_spiders.storage.store import Store

        store = Store(self.database_url)
        order = _read_order(opts, self.database_url)
        folder = read_path("output", opts.output) or store.beside("export") / order.purpose
        exported = export(store, folder, order)
        if order.purpose == "ml" and (line := terms_line(store)) is not None:
            sys.stderr.write(f"{line}\n")
        sys.stdout.write("\n".join(_render(exported, folder)) + "\n")


def _describe_formats() -> str:
    from sgr_spiders.exports.export import FORMATS, default_formats

    purposes = [
        f"{', '.join(formats)} for {purpose} (default {', '.join(default_formats(purpose))})"
        for purpose, formats in FORMATS.items()
    ]
    return f"formats, {'; '.join(purposes)}"


def _read_order(opts: argparse.Namespace, url: str) -> ExportOptions:
    from sgr_spiders.exports.export import resolve_options

    formats = [name.strip() for name in opts.formats.split(",")] if opts.formats is not None else []
    read = resolve_options(
        opts.purpose,
        formats,
        _read_choice_of_pairs(opts, url),
        with_raw=opts.raw,
        include_removed=opts.include_removed,
        as_of=_read_moment(opts.as_of),
    )
    given = [name for name in ONLY_ML if getattr(opts, name) is not None]
    if given and read.purpose != "ml":
        raise ArgumentError(f"option `--{given[0].replace('_', '-')}`: only with `--for ml`")
    if opts.raw and read.purpose != "tables":
        raise ArgumentError("option `--raw`: only with `--for tables`")
    return read


def _read_moment(text: str | None) -> str | None:
    from sgr_spiders.storage.clock import timestamp

    if text is None:
        return None
    moment = timestamp(read_time("as-of", text))
    if moment > timestamp():
        raise ArgumentError(f"option `--as-of`: {quote_value(text)} is in the future")
    return moment


def _read_choice_of_pairs(opts: argparse.Namespace, url: str) -> Choice:
    from sgr_spiders.embeddings.preparation import Choice

    values: dict[str, Any] = {
        "sources": None if opts.sources is None else _read_weights(opts.sources),
        "seeds": read_seeds(opts.seed, url),
        "min_per_user": _read_number(opts, "min_per_user", int),
        "min_per_track": _read_number(opts, "min_per_track", int),
        "test": _read_number(opts, "test", float),
        "validation": _read_number(opts, "validation", float),
        "split_seed": _read_number(opts, "split_seed", int),
        "include_unseen": opts.include_unseen,
    }
    return Choice(**{name: value for name, value in values.items() if value is not None})


def _read_number(opts: argparse.Namespace, name: str, kind: type[Number]) -> Number | None:
    text = getattr(opts, name)
    try:
        return None if text is None else kind(text)
    except ValueError:
        raise ArgumentError(
            f"option `--{name.replace('_', '-')}`: not {NUMBERS[kind]}: {quote_value(text)}"
        ) from None


def _read_weights(text: str) -> dict[str, float]:
    weights = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        try:
            weights[name.strip()] = float(weight or 1)
        except ValueError:
            raise ArgumentError(f"option `--sources`: not a weight: {quote_value(weight)}") from None
    return weights


def _render(exported: Exported, folder: Path) -> list[str]:
    lines = [*table([(name, number(count)) for name, count in exported.counts.items()]), ""]
    files = [
        (file.resource.path, _describe_extent(file.resource), size(file.bytes)) for file in exported.files
    ]
    total = size(sum(file.bytes for file in exported.files))
    lines += [*table(files), ""]
    if exported.removed:
        lines += wrap(_describe_removed(exported.removed))
    return [*lines, f"Export written to {folder} ({total})"]


def _describe_removed(removed: Sequence[Path]) -> str:
    endings = sorted({f"*{path.suffix}" for path in removed})
    what = f"{pluralize(len(removed), 'file')} ({', '.join(endings)})"
    return (
        f"Removed with the earlier export: {what}; --format takes several formats, --output another directory"
    )


def _describe_extent(resource: Resource) -> str:
    if resource.shape is not None:
        return " x ".join(map(number, resource.shape))
    return "" if resource.rows is None else pluralize(resource.rows, "row")
