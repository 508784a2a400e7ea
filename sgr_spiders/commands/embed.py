"""``scrapy embed``: build vectors of tracks, users and artists from the harvest."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgr_spiders.cli.database_command import DatabaseCommand
from sgr_spiders.cli.options import (
    add_inclusion_options,
    read_inclusion_changes,
    read_integer,
    read_list,
    read_path,
    refuse_arguments,
)
from sgr_spiders.config.choices import METHODS, SOURCES
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.formatting import describe_left_out
from sgr_spiders.text.messages import quote_value

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.config.harvest import Embeddings
    from sgr_spiders.embeddings.embed import Embedded


class Command(DatabaseCommand):
    """Needs the writer lock, as a crawl does."""

    interrupted = "Interrupted: only the vectors listed above have changed"

    def short_desc(self) -> str:
        return "Build vectors of tracks, users and artists"

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        group.add_argument("--method", metavar="NAME", help=f"one of {', '.join(METHODS)} (default svd)")
        group.add_argument(
            "--dimensions",
            metavar="N",
            help="length of a vector (default 512 for blend, 256 for svd and als, else 64)",
        )
        group.add_argument(
            "--sources", metavar="LIST", help=f"what counts as liking, of {', '.join(SOURCES)} (default like)"
        )
        group.add_argument("--random-seed", metavar="N", help="random seed (default 1)")
        add_inclusion_options(group)
        group.add_argument("--output", metavar="DIRECTORY", help="directory for the vectors as .npy files")
        group.add_argument(
            "--plot", metavar="FILE", help="SVG file for a map of the tracks, coloured by community"
        )

    def work(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings is not None
        from sgr_spiders.config import harvest

        # As on Ctrl-C: incomplete vectors are discarded.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        refuse_arguments(args)
        settings = harvest.load(self.settings["HARVEST_CONFIG"]).embeddings
        output, plot = _read_directory(opts.output), _read_plot_path(opts.plot)
        embedded = self._embed(harvest.override(settings, _read_changes(opts)))
        self._write(embedded, output, plot)

    def _embed(self, settings: Embeddings) -> Embedded:
        from sgr_spiders.embeddings.embed import embed
        from sgr_spiders.embeddings.terms import terms_line
        from sgr_spiders.reports.evaluation import describe_parameters

        with self.writing("nothing was built", alone=False) as store:
            if (line := terms_line(store)) is not None:
                sys.stderr.write(f"{line}\n")
            embedded = embed(store, settings)
        for kind, count in embedded.counts.items():
            sys.stdout.write(f"{kind + '_vectors':16}{count:>10,}  {_describe_shape(embedded)}\n")
        if embedded.chosen:
            sys.stdout.write(f"chosen on held-out likes: {describe_parameters(embedded.chosen)}\n")
        if embedded.left_out:
            sys.stdout.write(f"{describe_left_out(embedded.left_out)}\n")
        return embedded

    def _write(self, embedded: Embedded, output: Path | None, plot: Path | None) -> None:
        if output is not None:
            from sgr_spiders.embeddings.files import write_vectors
            from sgr_spiders.exports import manifest
            from sgr_spiders.storage import export_log
            from sgr_spiders.storage.store import Store

            store = Store(self.database_url)
            with store.read() as connection:
                origin = manifest.origin(connection, store.describe())
            for path in write_vectors(embedded, output, origin):
                sys.stdout.write(f"{path}\n")
            export_log.note(store, output, "vectors")
        if plot is not None:
            from sgr_spiders.embeddings.picture import draw
            from sgr_spiders.storage.store import Store

            with Store(self.database_url).read() as connection:
                draw(connection, embedded.run.method, plot)
            sys.stdout.write(f"{plot}\n")


def _describe_shape(embedded: Embedded) -> str:
    return f"x {embedded.run.dimensions}  {embedded.run.method}"


def _read_changes(opts: argparse.Namespace) -> dict[str, Any]:
    """Return the changes of the options to the configuration."""
    changes: dict[str, Any] = {**read_inclusion_changes(opts)}
    if opts.method is not None:
        changes["method"] = opts.method
    if opts.dimensions is not None:
        changes["dimensions"] = read_integer("dimensions", opts.dimensions, 1, 4096)
    if opts.random_seed is not None:
        changes["random_seed"] = read_integer("random-seed", opts.random_seed, 0, 10**9)
    if opts.sources is not None:
        changes["sources"] = read_list("sources", opts.sources, SOURCES)
    return changes


def _read_directory(name: str | None) -> Path | None:
    path = read_path("output", name)
    if path is not None and path.exists() and not path.is_dir():
        raise ArgumentError(f"option `--output`: must name a directory, not a file: {quote_value(name)}")
    return path


def _read_plot_path(name: str | None) -> Path | None:
    if name is None:
        return None
    if Path(name).suffix != ".svg":
        raise ArgumentError(f"option `--plot`: must name an .svg file, not {quote_value(name)}")
    return Path(name)
