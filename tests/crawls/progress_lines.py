"""Progress lines in the log of a crawl."""

from __future__ import annotations

import re

from sgr_spiders.layers import LAYERS

COUNT = r"\d+"
WALKS = r"\d+/\d+"
KEYS = {
    "elapsed": COUNT,
    "walks": WALKS,
    **dict.fromkeys(("done", "capped", "gone", "failed", "pages", "records"), COUNT),
    **dict.fromkeys(("tracks", "users", "playlists", "comments", "requests"), COUNT),
    "per_minute": r"\d+|-",
    "in_flight": COUNT,
    "delay": r"\d+\.\d\d",
    "hold": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d|-",
    "eta": r"\d+|-",
    "eta_is": "known_walks|about|-",
    "limited": "yes|no",
    **dict.fromkeys(LAYERS, WALKS),
}
"""The keys of a line in order, and the pattern of each value."""
GROWING = ("elapsed", "pages", "records", "tracks", "users", "playlists", "comments", "requests")
"""Counts that never decrease, even on a loaded machine."""


def lines(log: str) -> list[dict[str, str]]:
    """Return the progress in a log, which has several lines; check them, and that no count decreases."""
    layers = [name for name in LAYERS if f" {name}=" in log]
    keys = [key for key in KEYS if key not in LAYERS or key in layers]
    pattern = " ".join(f"{key}=(?P<{key}>{KEYS[key]})" for key in keys)
    found = []
    for text in _joined(log):
        match = re.fullmatch(pattern, text)
        assert match is not None, text
        found.append(match.groupdict())
    for key in GROWING:
        numbers = [int(line[key]) for line in found]
        assert numbers == sorted(numbers), f"{key} decreased: {numbers}"
    return found


def _joined(log: str) -> list[str]:
    """Return the pairs of each progress: its lines begin with the same time, and the first has the walks."""
    found: list[str] = []
    for line in log.splitlines():
        if " INFO: progress " in line:
            assert len(line) < 200
            match = re.fullmatch(
                r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[[\w.]+\] INFO: progress (elapsed=\d+)( .*)", line
            )
            assert match is not None, line
            if match[2].startswith(" walks="):
                found.append(match[1])
            assert found[-1].startswith(f"{match[1]} ") or found[-1] == match[1]
            found[-1] += match[2]
    return found


def counts(line: dict[str, str]) -> dict[str, int]:
    """Return the counts of a line."""
    return {key: int(value) for key, value in line.items() if KEYS[key] == COUNT}
