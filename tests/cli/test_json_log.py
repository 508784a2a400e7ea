"""A log record as one line of JSON."""

from __future__ import annotations

import json
import logging

from sgr_spiders.cli.json_log import JsonFormatter


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
