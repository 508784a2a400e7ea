"""Titles made of templates, one kind of fault each, filled with names of performers.

``dev.jsonl`` was used while the rules were improved. ``holdout.jsonl`` has other words and other names; only
its scores per kind were looked at.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PARTS: Final = ("dev", "holdout")
FILLINGS: Final = 4
"""Titles made of each template that has a place for a name or a song."""

_FOLDER: Final = Path(__file__).parent
_CASES: Final = {"lower": str.lower, "upper": str.upper}


def titles(part: str) -> Iterator[dict[str, Any]]:
    """Yield the titles of a part: ``kind``, ``title``, ``uploader`` and the expected names."""
    people, songs = _lines(f"{part}_names.txt"), _lines("songs.txt")
    for number, line in enumerate(_lines(f"{part}.jsonl")):
        template = json.loads(line)
        for filling in range(FILLINGS if "{" in template["title"] else 1):
            draw = random.Random(f"{part} {number} {filling}")  # noqa: S311 - the same titles each time
            names = dict(zip("mabc", draw.sample(people, 4), strict=True))
            yield _fill(template, names | {"t": draw.choice(songs)})


def _fill(template: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    uploader = template.get("uploader")
    filled = {
        "kind": template["kind"],
        "title": _CASES.get(template.get("case", ""), str)(template["title"].format(**values)),
        "uploader": uploader and values.get(uploader, uploader).format(**values),
    }
    for role in ("featured", "remixers", "producers"):
        filled[role] = tuple(values.get(name, name) for name in template.get(role, ()))
    return filled


def _lines(name: str) -> list[str]:
    return (_FOLDER / name).read_text(encoding="utf-8").splitlines()
