"""The log as JSON, one object a line, for programs that gather logs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """Writes ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, and ``exception`` if there is one.

    A message of several lines, as the summary, stays one object.
    """

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def install(level: str, file: str | None, *, append: bool) -> None:
    """Write what is logged at *level* and above to *file*, else to standard error."""
    handler = logging.FileHandler(file, "a" if append else "w", "utf-8") if file else logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    handler.setLevel(level)
    logging.root.setLevel(logging.NOTSET)
    logging.root.addHandler(handler)
