"""``soundgraph harvest``: ``crawl deep_harvest`` with seeds as arguments and spider arguments as options."""

from __future__ import annotations

import argparse
import re

from scrapy.utils.conf import arglist_to_dict

from sgr_spiders.cli.options import refuse_unknown_options
from sgr_spiders.commands import crawl
from sgr_spiders.config.arguments import parse, sort_seeds
from sgr_spiders.model.exceptions import ArgumentError
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.soundgraph_words import SEEDS, SWITCHES, VALUES

SPIDER = "deep_harvest"

HELP = {
    "seeds": ("FILE", "file with one seed per line, by ID, URN, URL or permalink"),
    "layers": ("NAME[,NAME]", "layers to run (default those enabled in the configuration)"),
    "max_requests": ("N", "stop after this many requests; rerun to resume"),
    "max_minutes": ("N", "stop after this many minutes; rerun to resume"),
    "max_seeds": ("N", "number of tracks of each playlist or user that become seeds (default 20)"),
    "due": ("", "harvest the scheduled seeds that are due"),
    "refresh": ("", "refetch everything"),
    "delta": ("", "refetch what changed"),
    "accept-source": ("", "fill the database from another API than before, e.g. if the API has moved"),
    "accept-gone": ("", "believe that records are gone even if they are more than max_gone_share"),
}
"""The metavar and the help of each option."""


class Command(crawl.Command):
    """The same run, outcome and exit code as ``crawl``."""

    def syntax(self) -> str:
        return "[options] SEED…"

    def short_desc(self) -> str:
        return "Harvest everything around tracks, or those of playlists or users"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its options
            if action.dest in {"output", "overwrite_output"}:
                action.help = argparse.SUPPRESS  # Scrapy's feeds, which are refused.

    def add_own_options(self, group: argparse._ArgumentGroup) -> None:
        for name in VALUES:
            metavar, text = HELP[name]
            group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
        for name in SWITCHES:
            group.add_argument(f"--{name}", action="store_true", help=HELP[name][1])

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        self._log_file = crawl.find_log_file(opts)
        self.exit_if_wrong(lambda: refuse_unknown_options(args, self._parser, self.name))
        self.exit_if_wrong(lambda: _read_arguments(args, opts))
        super().process_options([SPIDER], opts)

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        super().run([SPIDER], opts)


def _read_arguments(args: list[str], opts: argparse.Namespace) -> None:
    """Add the spider arguments that the seeds and options mean to those of ``-a``.

    Raises:
        ArgumentError: One of them is wrong.
    """
    from sgr_spiders.config.harvest import LAYER_NAMES

    if opts.refresh and opts.delta:
        raise ArgumentError("option `--delta`: leave it out with `--refresh`, which refetches everything")
    given = sort_seeds(args)
    given |= {name: value for name in VALUES if (value := getattr(opts, name)) is not None}
    given |= dict(set_ for option, set_ in SWITCHES.items() if getattr(opts, option.replace("-", "_")))
    for name in (text.partition("=")[0] for text in opts.spargs):
        if name in given:
            raise ArgumentError(f"spider argument `{for_message(name)}`: given twice")
    opts.spargs += [f"{name}={value}" for name, value in given.items()]
    try:
        arguments = arglist_to_dict(opts.spargs)
    except ValueError:
        return  # Scrapy reports it.
    if not arguments.keys() & {*SEEDS, "seeds", "due"}:
        raise ArgumentError(
            "no seed given; name tracks, playlists or users by ID, URN, URL or permalink, or add "
            "--seeds FILE or --due"
        )
    try:
        parse(arguments, layer_names=LAYER_NAMES)
    except ArgumentError as error:
        raise ArgumentError(_about_options(str(error))) from None


def _about_options(message: str) -> str:
    """Return the message about a spider argument as one about the option that sets it."""
    return re.sub(
        r"^spider argument `(\w+)`",
        lambda match: f"option `--{match[1].replace('_', '-')}`" if match[1] in VALUES else match[0],
        message,
    )
