"""The log as JSON, one object per line, for log collectors."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Formatter that writes ``time`` (UTC), ``level``, ``logger``, ``message`` and any ``exception``.

    A message of several lines, such as the summary, is one object.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def install(level: str, file: str | None, *, append: bool) -> None:
    """Write log records of *level* and above to *file*, or to standard error without one."""
    handler = logging.FileHandler(file, "a" if append else "w", "utf-8") if file else logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    handler.setLevel(level)
    logging.root.setLevel(logging.NOTSET)
    logging.root.addHandler(handler)
