"""``python -m sgr_spiders.sandbox``: the sandbox without Scrapy."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from sgr_spiders.sandbox.options import OptionError, Options, add_options, read
from sgr_spiders.sandbox.server import HOST, Sandbox, run

BAD_OPTION = 2
DATABASE = "sqlite:///data/sandbox.db"
"""The database for harvests of the sandbox: invented data must not mix with live data."""


class _Parser(argparse.ArgumentParser):
    """A parser that reports errors in one line, like `OptionError`."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_OPTION, f"{message}\n")


def announce(sandbox: Sandbox, port: int) -> None:
    """Print the sandbox's URL, then how to use it; flush, since scripts wait for it."""
    url = f"http://{HOST}:{port}"
    secret = sandbox.options.server.client_secret
    sys.stdout.write(
        f"sandbox listening on {url}\n"
        f"  export SOUNDCLOUD_API_URL={url}\n"
        f"  export SOUNDCLOUD_TOKEN_URL={url}/oauth/token\n"
        f"  export SOUNDCLOUD_CLIENT_ID=sandbox SOUNDCLOUD_CLIENT_SECRET={secret}\n"
        f"  export HARVEST_DATABASE_URL={DATABASE}\n"
        f"  seed track: {sandbox.world.seed_track_id}\n"
    )
    sys.stdout.flush()


def start(options: Options) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    try:
        run(options, announce)
    except OptionError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_OPTION
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _Parser(prog="python -m sgr_spiders.sandbox", description=__doc__, allow_abbrev=False)
    add_options(parser)
    try:
        options = read(parser.parse_args(arguments))
    except OptionError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_OPTION
    return start(options)


if __name__ == "__main__":
    sys.exit(main())
