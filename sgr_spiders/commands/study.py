"""``scrapy study``: a package of a harvest to publish, repeat and cite."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import read_choice, read_path
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.escape import for_cell
from sgr_spiders.text.formatting import number, size, table
from sgr_spiders.text.invocation import plain_command

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from sgr_spiders.exports.study.study import Study, StudyOptions

FULL = (
    "WARNING: this study contains names, texts and IDs of people in clear: do not publish it, and read "
    "docs/terms.md before you share it"
)
PSEUDONYMOUS = (
    "Pseudonyms with likes can identify people: this remains personal data; read docs/terms.md before "
    "you share it"
)


class Command(DatabaseCommand):
    """Safe during a crawl: reads one snapshot, and then saves only where the files are."""

    interrupted = "Interrupted: the output directory is unchanged"

    def syntax(self) -> str:
        return "[options] DIRECTORY"

    def short_desc(self) -> str:
        return "Build a study to publish: tables, methods, limitations and checksums"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--full", action="store_true", help="keep IDs, names and texts in clear, not to be published"
        )
        group.add_argument(
            "--key",
            metavar="FILE",
            help="key of the pseudonyms, outside DIRECTORY; created if missing (default study.key among the "
            "data of this user)",
        )
        group.add_argument(
            "--format", metavar="NAME", default="parquet", help="parquet or csv (default parquet)"
        )
        group.add_argument("--title", metavar="TEXT", help="title of the study")
        group.add_argument(
            "--author", metavar="NAME", action="append", default=[], help="author to cite, once for each"
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        from sgr_spiders.exports.study.study import build_study
        from sgr_spiders.storage.store import Store

        # As on Ctrl-C: incomplete files are removed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        directory, options = _read_directory(args), _read_options(opts)
        study = build_study(Store(self.database_url), directory, options)
        sys.stderr.write(f"{FULL if options.is_full else PSEUDONYMOUS}\n")
        sys.stdout.write("\n".join(_render(study, directory, options)) + "\n")


def _read_directory(args: list[str]) -> Path:
    directory = read_path("output", args[0]) if len(args) == 1 else None
    if directory is None:
        raise ArgumentError(f"name one directory, e.g. `{plain_command('study', 'study')}`")
    return directory


def _read_options(opts: argparse.Namespace) -> StudyOptions:
    from sgr_spiders.exports.study.pseudonyms import default_key
    from sgr_spiders.exports.study.study import FORMAT_NAMES, StudyOptions

    key = read_path("key", opts.key)
    if opts.full and key is not None:
        raise ArgumentError("option `--key`: cannot be combined with `--full`")
    suffix = read_choice("format", opts.format, FORMAT_NAMES)
    chosen = StudyOptions(None if opts.full else key or default_key(), suffix, authors=tuple(opts.author))
    return chosen if opts.title is None else chosen.with_title(opts.title)


def _render(study: Study, directory: Path, options: StudyOptions) -> list[str]:
    lines = [*table([(name, number(rows)) for name, rows in study.counts.items()]), ""]
    if options.key is not None:
        lines.append(f"Key of the pseudonyms: {for_cell(str(options.key))}; keep it apart from the study")
    return [
        *lines,
        f"Content hash: {study.content_hash}",
        f"Study written to {for_cell(str(directory))} ({size(study.bytes)})",
    ]
