"""``scrapy recommend``: what a user may like, and which of the user's tracks speak for it."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand

from sgr_spiders.exceptions import ArgumentError, HarvestError
from sgr_spiders.figures import counted, listing
from sgr_spiders.options import add_way_options, chosen_way, limit_of
from sgr_spiders.soundcloud.urns import parse_key
from sgr_spiders.storage.reader import read
from sgr_spiders.wording import plain, shown

if TYPE_CHECKING:
    import argparse

    from sgr_spiders.embeddings.recommend import Reason, Recommendation


class Command(ScrapyCommand):
    """Only reads, also while a crawl works on the database."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[options] user ID"

    def short_desc(self) -> str:
        return "Recommend tracks to a user, and say why"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        add_way_options(parser.add_argument_group(title="Recommend"))

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        try:
            user = _asked(args)
            sys.stdout.write(self._said(user, opts))
        except HarvestError as error:
            sys.stderr.write(f"{error}\n")
            self.exitcode = error.exit_code

    def _said(self, user: int, opts: argparse.Namespace) -> str:
        # Only now, because `scrapy list` need not wait until scipy is there.
        from sgr_spiders.embeddings.recommend import recommend  # noqa: PLC0415

        assert self.settings is not None
        by, method = chosen_way(opts)
        limit = limit_of(opts)
        with read(self.settings["HARVEST_DATABASE_URL"]) as connection:
            found = recommend(connection, user, by=by, method=method, limit=limit)
        if opts.json:
            answer = {"user": user, "by": by, "recommended": [dataclasses.asdict(one) for one in found]}
            return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
        return "\n".join(_lines(found, f"user {user} by {by}")) + "\n"


def _asked(args: list[str]) -> int:
    if len(args) != 2 or args[0] != "user":
        raise ArgumentError("name a user by ID: `scrapy recommend user 123`")
    user = parse_key(args[1], "user")
    if user is None:
        raise ArgumentError(f"not the number or URN of a user: {shown(args[1])}")
    return user


def _lines(found: list[Recommendation], about: str) -> list[str]:
    if not found:
        return [f"Nothing to recommend to {about}: nothing leads further from what the user likes"]
    rows = [[str(one.id), f"{one.score:.4f}", _titled(one.title)] for one in found]
    head, *lines = listing([["id", "score", "title"], *rows])
    told = [head]
    for line, one in zip(lines, found, strict=True):
        told += [line, *(f"    because of {_reason(reason)}" for reason in one.because)]
    return [f"Recommended to {about}:", *told]


def _reason(reason: Reason) -> str:
    shared = counted(reason.shared_fans, "shared fan")
    if reason.shared_playlists:
        shared += f", {counted(reason.shared_playlists, 'shared playlist')}"
    return f"{_titled(reason.title)} ({shared})"


def _titled(title: str | None) -> str:
    return "(no title known)" if title is None else plain(title)
