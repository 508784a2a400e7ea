"""The help of every command: readable at 80 columns, with its own options first."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest
from scrapy.cmdline import ScrapyArgumentParser
from scrapy.commands import ScrapyCommand, ScrapyHelpFormatter
from scrapy.utils.project import get_project_settings

from sgr_spiders import commands

NAMES = sorted(module.name for module in iter_modules(commands.__path__))
WITH_OPTIONS = [name for name in NAMES if name not in {"completion", "crawl", "harvest"}]
GROUPS = {"Usage", "Options", "Global Options", "Positional Arguments"}


def parser_of(name: str) -> ScrapyArgumentParser:
    command = import_module(f"sgr_spiders.commands.{name}").Command()
    command.settings = get_project_settings()
    parser = ScrapyArgumentParser(
        prog="scrapy",
        formatter_class=ScrapyHelpFormatter,
        usage=f"scrapy {name} {command.syntax()}",
        conflict_handler="resolve",
        description=command.long_desc(),
    )
    command.add_options(parser)
    return parser


@pytest.mark.parametrize("name", NAMES)
def test_the_headings_are_groups(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = parser_of(name).format_help()
    headings = re.findall(r"^(.+)\n[=-]{3,}$", text, re.MULTILINE)
    assert set(headings) <= GROUPS | {name.title()}
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_the_options_of_the_command_come_first(name: str) -> None:
    text = parser_of(name).format_help()
    assert 0 < text.index(f"\n{name.title()}\n") < text.index("\nGlobal Options\n")


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_no_colon_in_the_help_of_an_option(name: str) -> None:
    """Scrapy prints a line that ends with a colon as a heading, wherever the line wraps."""
    scrapys = ScrapyArgumentParser(conflict_handler="resolve")
    plain = import_module(f"sgr_spiders.commands.{name}").Command()
    plain.settings = get_project_settings()
    ScrapyCommand.add_options(plain, scrapys)
    common = {option for action in scrapys._actions for option in action.option_strings}
    own = [action for action in parser_of(name)._actions if not common.intersection(action.option_strings)]
    assert own
    for action in own:
        assert ":" not in (action.help or ""), action.option_strings
