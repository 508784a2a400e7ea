"""The progress of a harvest as a bar in a notebook."""

from __future__ import annotations

import html
import re
import sys
from typing import Any

from sgr_spiders.text.formatting import duration, pluralize

INTERVAL = 1
"""Seconds between two updates of the bar."""

_HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\] ([A-Z]+): ")
_PROGRESS = re.compile(_HEAD.pattern + r"progress (.*)")
_PROBLEMS = {"WARNING", "ERROR", "CRITICAL"}
_KINDS = ("tracks", "users", "playlists", "comments")


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


class ProgressBar:
    """A bar that is updated by the log lines of a crawl; it passes on warnings and errors only."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._end = ""
        self._is_problem = False
        self._handle: Any = None

    def show(self) -> None:
        """Show the bar below the present cell."""
        # Lazy import: only a notebook has it.
        from IPython.display import display  # noqa: PLC0415

        self._handle = display(self, display_id=True)  # type: ignore[no-untyped-call]

    def read(self, line: str) -> None:
        """Update the bar, or show the line if it is part of a warning or an error."""
        progress = _PROGRESS.match(line)
        if progress is not None:
            self._values |= dict(pair.split("=", 1) for pair in progress[2].split() if "=" in pair)
            self._update()
            return
        head = _HEAD.match(line)
        if head is not None:
            self._is_problem = head[1] in _PROBLEMS
        if self._is_problem and sys.stderr is not None:
            sys.stderr.write(line)

    def finish(self, end: str) -> None:
        """Show the outcome of the harvest, or how it ended."""
        self._end = end
        self._update()

    def _update(self) -> None:
        if self._handle is not None:
            self._handle.update(self)

    def __repr__(self) -> str:
        return " · ".join(self._parts())

    def _repr_html_(self) -> str:
        finished, known = self._walks
        value = f' value="{finished}" max="{known}"' if known else ' value="1"' if self._end else ""
        return (
            f'<progress style="width:20em;vertical-align:middle"{value}></progress> '
            f"<span>{html.escape(repr(self))}</span>"
        )

    @property
    def _walks(self) -> tuple[int, int]:
        found = re.fullmatch(r"(\d+)/(\d+)", self._values.get("walks", ""))
        return (0, 0) if found is None else (int(found[1]), int(found[2]))

    def _count(self, key: str) -> int:
        text = self._values.get(key, "")
        return int(text) if text.isdecimal() else 0

    def _parts(self) -> list[str]:
        finished, known = self._walks
        parts = [self._end or "Harvesting"]
        if known:
            parts.append(f"{finished:,} of {pluralize(known, 'walk')}")
            parts += [f"{self._count(kind):,} {kind}" for kind in _KINDS if self._count(kind)]
            parts.append(pluralize(self._count("requests"), "request"))
            parts.append(duration(self._count("elapsed")))
        if not self._end and self._values.get("hold", "-") != "-":
            parts.append(f"paused until {self._values['hold']}")
        elif not self._end and self._count("eta"):
            more = " for the known walks" if self._values.get("eta_is") == "known_walks" else ""
            parts.append(f"about {duration(self._count('eta'))} left{more}")
        return parts
