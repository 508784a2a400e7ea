"""Suites of titles with their featured artists, remixers and producers.

Each suite is scored separately, because they disagree; `scored` and `left_out` describe what counts.

Each invented batch was written before the rules were tried on it, and the rules were then improved with
its results. Its current scores therefore detect regressions; only the scores of its first run predict
those of unseen titles (F1 of featured, remixers, producers):

- second, 120 titles of many kinds: .912, .857, .764, before brackets without a mark were read;
- third, 60 titles, half of them in lower case with a misleading bracket: .929, .706, .820;
- fourth, 60 titles, more than half of them without names: .872, .800, .800.

Three expectations of these batches were corrected later: "b2b", "con" and "e" join names.

The made titles (``kinds``) have two parts. The second one was written before the rules were changed for the
first, and only its scores were looked at: .448, .569, .372 before, .99 or more after. Both parts have one
author, so titles by others score lower. CHANGELOG.md has the current figures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sgr_spiders.titles.credits import collaborators, credits  # noqa: A004 - the builtin is for interactive sessions
from tests.benchmarks.credits import kinds
from tests.reference import notes

KINDS: Final = ("featured", "remixers", "producers")
INVENTED: Final = {
    "invented": "invented.jsonl",
    "invented, second batch": "invented_2.jsonl",
    "invented, third batch": "invented_3.jsonl",
    "invented, fourth batch": "invented_4.jsonl",
}

Names = dict[str, tuple[str, ...]]

_ALIAS: Final = re.compile(r"\([^()]*\)$")
_IN_BRACKETS: Final = re.compile(r"[(\[]([^\[\]]*?)[)\]](?=\s|$)")
_SOMEBODY: Final = "(somebody)"


@dataclass(frozen=True, slots=True)
class Case:
    title: str
    expected: Names
    found: Names
    kind_of_title: str = ""


@dataclass(slots=True)
class Suite:
    name: str
    scored: str
    cases: list[Case] = field(default_factory=list)
    left_out: int = 0


def shared_titles() -> Path | None:
    """Return the suites among the reference notes; ``None`` where there are none."""
    folder = notes() / "titles"
    return folder if folder.is_dir() else None


def suites(folder: Path) -> Iterator[Suite]:
    yield beets(folder / "beets_ftintitle.jsonl")
    yield get_artist_title(folder / "get_artist_title.jsonl")
    yield from nottobi(folder / "nottobi_real.jsonl")


def beets(path: Path) -> Suite:
    """Read artist credits as such, and test titles only for any featured artist, as beets does."""
    suite = Suite("beets_ftintitle", "featured only; a bare yes or no counts as one name")
    for line in _lines(path):
        expected = line["expected"]
        if line.get("custom_words") or not expected.keys() & {
            "featured",
            "featured_marker_inserted",
            "has_featured",
        }:
            suite.left_out += 1
        elif "featured" in expected:
            found = collaborators(line["title"], line.get("albumartist"))
            suite.cases.append(
                Case(line["title"], {"featured": tuple(expected["featured"])}, {"featured": found})
            )
        elif "has_featured" in expected:
            truth = (_SOMEBODY,) if expected["has_featured"] else ()
            found = (_SOMEBODY,) if credits(line["title"]).featured else ()
            suite.cases.append(Case(line["title"], {"featured": truth}, {"featured": found}))
        else:
            # The suite inserts "ft. Bob" into a title and asserts its position.
            found = credits(line["title"]).featured
            suite.cases.append(Case(line["title"], {"featured": ("Bob",)}, {"featured": found}))
    return suite


def get_artist_title(path: Path) -> Suite:
    """Read a suite that splits artist and title and keeps "(feat. …)" and "[… Remix]" in the title."""
    suite = Suite(
        "get_artist_title", "what its titles keep as (feat. …) and [… Remix]; everywhere else, none"
    )
    for line in _lines(path):
        pieces = _IN_BRACKETS.findall(line["expected"]["title"] + " " + line["title"])
        featured = [p[6:].split(", ") for p in pieces if p.lower().startswith("feat. ")]
        remixers = [p.removesuffix(" Remix") for p in pieces if p.endswith(" Remix")]
        suite.cases.append(
            Case(
                line["title"],
                {
                    "featured": _unique(n for names in featured for n in names),
                    "remixers": _unique(remixers),
                    "producers": (),
                },
                _find_names(line),
            )
        )
    return suite


def nottobi(path: Path) -> Iterator[Suite]:
    """Yield the full suite, and one without the cases with producers in an unmarked bracket."""
    whole = Suite("nottobi_real", "all cases")
    marked = Suite(
        "nottobi_real, marked", "without the cases where a bracket with names alone means producers"
    )
    for line in _lines(path):
        if not line["asserts"]["artists"]:
            whole.left_out += 1
            marked.left_out += 1
            continue
        case = Case(line["title"], {kind: tuple(line["expected"][kind]) for kind in KINDS}, _find_names(line))
        whole.cases.append(case)
        if _unmarked_producers(case):
            marked.left_out += 1
        else:
            marked.cases.append(case)
    yield whole
    yield marked


def invented() -> Iterator[Suite]:
    """Yield our own batches, each written before the rules were tried on it."""
    for name, file in INVENTED.items():
        suite = Suite(name, "all kinds, descriptions too")
        for line in _lines(Path(__file__).with_name(file)):
            expected = {kind: tuple(line.get(kind, ())) for kind in KINDS}
            suite.cases.append(Case(line["title"], expected, _find_names(line)))
        yield suite


def made() -> Iterator[Suite]:
    """Yield titles made of templates, of which only the first part was used to improve the rules."""
    for part in kinds.PARTS:
        suite = Suite(f"made, {part}", "titles made of templates, several kinds of title")
        for line in kinds.titles(part):
            expected = {kind: line[kind] for kind in KINDS}
            suite.cases.append(Case(line["title"], expected, _find_names(line), line["kind"]))
        yield suite


def _unmarked_producers(case: Case) -> bool:
    inside = " ".join(re.findall(r"[(\[]([^()\[\]]*)[)\]]", case.title))
    return (
        bool(case.expected["producers"])
        and not re.search(r"(?i)\bp(?:rod\w*)?\b[. ]", case.title)
        and any(name in inside for name in case.expected["producers"])
    )


def _find_names(line: dict[str, Any]) -> Names:
    found = credits(line["title"], line.get("description"), line.get("username", line.get("uploader")))
    return {"featured": found.featured, "remixers": found.remixers, "producers": found.producers}


def _unique(names: Iterator[str] | list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_ALIAS.sub("", name) for name in names))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
