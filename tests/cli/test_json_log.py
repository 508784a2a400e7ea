"""A log record as one line of JSON."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from sgr_spiders.cli.json_log import JsonFormatter, install

if TYPE_CHECKING:
    from pathlib import Path


def test_a_record_is_one_line_whatever_it_contains() -> None:
    error = ValueError("a\nb")
    failure = (ValueError, error, None)
    record = logging.LogRecord("sgr", logging.ERROR, __file__, 1, "%s\n\x1b[2J “%d”", ("x", 5), failure)
    record.created = 1_700_000_000.25
    (line,) = JsonFormatter().format(record).splitlines()
    assert line.isprintable()
    entry = json.loads(line)
    assert entry.pop("exception") == "ValueError: a\nb"
    assert entry == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "ERROR",
        "logger": "sgr",
        "message": "x\n\x1b[2J “5”",
    }


@pytest.mark.parametrize(("append", "levels"), [(True, ["WARNING", "WARNING"]), (False, ["WARNING"])])
def test_a_file_is_continued_or_replaced(tmp_path: Path, *, append: bool, levels: list[str]) -> None:
    path, before = tmp_path / "crawl.log", list(logging.root.handlers)
    level = logging.root.level
    try:
        for _ in range(2):
            install("WARNING", str(path), append=append)
            logging.root.handle(logging.makeLogRecord({"levelno": logging.INFO, "levelname": "INFO"}))
            logging.root.handle(logging.makeLogRecord({"levelno": logging.WARNING, "levelname": "WARNING"}))
            handler = logging.root.handlers.pop()
            handler.close()
    finally:
        logging.root.handlers[:] = before
        logging.root.setLevel(level)
    assert [json.loads(line)["level"] for line in path.read_text().splitlines()] == levels
