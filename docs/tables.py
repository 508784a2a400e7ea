"""The tables of docs/reference.md, generated from the code that they describe. `make docs` checks them."""

from __future__ import annotations

import argparse
import ast
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.settings import Settings

from sgr_spiders import commands, settings
from sgr_spiders.cli.options import add_shared_options
from sgr_spiders.config import arguments
from sgr_spiders.config.harvest import HarvestConfig, Section
from sgr_spiders.config.settings import SETTINGS
from sgr_spiders.model import outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def spider_arguments() -> str:
    return table(("argument", "meaning"), ((f"`{name}`", text) for name, text in arguments.KNOWN.items()))


def exit_codes() -> str:
    return table(("code", "meaning"), ((str(code), text) for code, text in outcome.EXIT_CODES.items()))


# ---- commands


def project_commands() -> str:
    names = sorted(module.name for module in iter_modules(commands.__path__))
    return "\n\n".join(_command(name) for name in names)


def _command(name: str) -> str:
    command = import_module(f"{commands.__name__}.{name}").Command()
    command.settings = Settings()
    head = f"### `{f'scrapy {name} {command.syntax()}'.strip()}`\n\n{command.short_desc()}."
    rows = [_option(action) for action in _own_options(command)]
    return f"{head}\n\n{table(('option', 'meaning'), rows)}" if rows else head


def _own_options(command: ScrapyCommand) -> list[argparse.Action]:
    """Return the options that not every command has."""
    common, own = (argparse.ArgumentParser(conflict_handler="resolve") for _ in range(2))
    ScrapyCommand.add_options(command, common)
    add_shared_options(common.add_argument_group())
    command.add_options(own)
    known = {option for action in common._actions for option in action.option_strings}
    return [
        action
        for action in own._actions
        if action.help != argparse.SUPPRESS and not known.intersection(action.option_strings)
    ]


def _option(action: argparse.Action) -> tuple[str, str]:
    names = ", ".join(action.option_strings) or action.dest
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    meaning = (action.help or "").replace("%(default)s", str(action.default))
    return f"`{names}{value}`", meaning


# ---- configuration


def configuration() -> str:
    return "\n\n".join(_sections(HarvestConfig()))


def _sections(section: Section, within: str = "") -> Iterator[str]:
    fields = type(section).model_fields
    rows = [
        (f"`{name}`", f"`{_yaml(value)}`", fields[name].description or "")
        for name, value in section
        if not isinstance(value, Section)
    ]
    if rows:
        yield f"### `{within}`\n\n{table(('key', 'default', 'meaning'), rows)}"
    for name, value in section:
        if isinstance(value, Section):
            yield from _sections(value, f"{within}.{name}".lstrip("."))


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return "none" if value is None else str(value)


# ---- settings


def project_settings() -> str:
    """Return every setting of settings.py, with the comment above it."""
    lines = Path(settings.__file__).read_text(encoding="utf-8").splitlines()
    assigned = {node.lineno: node for node in ast.parse("\n".join(lines)).body if _is_setting(node)}
    heads = {number: line for number, line in enumerate(lines, start=1) if line.startswith("# --- ")}
    groups: dict[str, list[tuple[str, str, str, str]]] = {}
    title = "General"
    reason = ""
    last_end = 0
    for number in sorted({*assigned, *heads}):
        if number in heads:
            title = heads[number].strip("# -").capitalize()
            continue
        node = assigned[number]
        above = _comment_above(lines, number)
        # Settings without a line between them share the reason of the first.
        reason = above if above or number != last_end + 1 else reason
        last_end = node.end_lineno or number
        name, default = _name_and_default(node)
        groups.setdefault(title, []).append((name, default, _demand(node), reason))
    return "\n\n".join(f"### {name}\n\n{table(_SETTING_HEAD, rows)}" for name, rows in groups.items())


_SETTING_HEAD = ("setting", "default", "value", "why")


def scrapy_settings() -> str:
    """Return the checked settings that settings.py leaves as Scrapy has them."""
    rows = [
        (f"`{name}`", setting.kind.demand, setting.meaning)
        for name, setting in SETTINGS.items()
        if not hasattr(settings, name)
    ]
    return table(("setting", "value", "meaning"), rows)


def _is_setting(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign)


def _demand(node: ast.stmt) -> str:
    """Return what a setting must be; nothing for those that nobody changes."""
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    name = ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
    return SETTINGS[name].kind.demand if name in SETTINGS else ""


def _comment_above(lines: Sequence[str], number: int) -> str:
    above = number - 1
    while lines[above - 1].startswith("# ") and not lines[above - 1].startswith("# ---"):
        above -= 1
    return " ".join(line[2:] for line in lines[above : number - 1])


def _name_and_default(node: ast.stmt) -> tuple[str, str]:
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    name = ast.unparse(target)
    value = getattr(settings, name)
    source = ast.unparse(node.value) if node.value else ""
    if source.startswith("_from_environment"):
        default = node.value.args[1].value if len(node.value.args) > 1 else ""  # type: ignore[union-attr]
        return f"`{name}` (also from the environment)", f"`{default}`" if default else ""
    return f"`{name}`", "(several)" if isinstance(value, dict) else f"`{source}`"
