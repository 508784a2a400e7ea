"""The tables of spellings beside this file."""

from __future__ import annotations

import csv
import importlib.resources


def read_rows(file: str) -> list[list[str]]:
    """Return the rows of a table, without its head."""
    # A zip has no paths: eggs are imported as they are.
    text = importlib.resources.files(__package__).joinpath(file).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]
