"""Precision and recall of label detection on made texts and on the sandbox's known world.

``python -m tests.benchmarks.labels`` prints them. A found label is correct if it is a spelling of the track's
label; a second label found is an error. The world is measured in each letter case and with hostile text.
Fields and texts are made of templates, each a kind of its own, and names of labels: ``label_kinds/dev.jsonl``
was used to improve the rules, ``holdout.jsonl`` only measures them.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sgr_spiders.sandbox.objects import ObjectWriter
from sgr_spiders.sandbox.options import ShapeOptions, WorldOptions
from sgr_spiders.sandbox.world import World
from sgr_spiders.titles.label_keys import label_key
from sgr_spiders.titles.labels import METHODS, labels

CASES: Final[dict[str, Callable[[str], str]]] = {"as written": str, "upper": str.upper, "lower": str.lower}
PARTS: Final = ("dev", "holdout")
FILLINGS: Final = 5
WORLD: Final = WorldOptions(users=3000, tracks=8000)


@dataclass
class Score:
    """Hits, false finds and misses, with examples of the last two."""

    hits: int = 0
    wrong: int = 0
    missed: int = 0
    examples: tuple[str, ...] = ()

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.wrong)

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.hits + self.missed)

    def add(self, truth: str | None, names: list[str], shown: str) -> None:
        right = sum(label_key(name) == label_key(truth) for name in names) if truth else 0
        self.hits += right > 0
        self.wrong += len(names) - right
        self.missed += truth is not None and not right
        if (len(names) > right or (truth and not right)) and len(self.examples) < 10:
            self.examples += (f"{truth!r} found as {names} in {shown!r}",)

    def __str__(self) -> str:
        figures = f"precision {self.precision:.3f}  recall {self.recall:.3f}"
        return f"{figures}  ({self.hits} hits, {self.wrong} wrong, {self.missed} missed)"


def tracks_of(world: World, *, hostile: bool = False) -> list[tuple[dict[str, Any], str | None]]:
    """Return every track as the API returns it, with its true label."""
    writer = ObjectWriter(world, ShapeOptions(hostile_text=hostile))
    ids = [int(number) for number in world.catalogue.ids]
    return [(json.loads(writer.track(index)), world.label_of(number)) for index, number in enumerate(ids)]


def score(
    tracks: list[tuple[dict[str, Any], str | None]],
    case: Callable[[str], str] = str,
    *,
    with_field: bool = True,
) -> Score:
    """Score the labels found; without the field, only for tracks whose field is empty."""
    result = Score()
    for track, label in tracks:
        field, description = track["label_name"], track["description"]
        if field and not with_field:
            continue  # the description may or may not repeat the label
        found = labels(field and case(field), description and case(description), None, METHODS)
        result.add(label, [detected.name for detected in found], f"{field} | {description}")
    return result


@dataclass(frozen=True, slots=True)
class MadeText:
    """A field or a description with its true labels."""

    kind: str
    is_field: bool
    text: str
    expected: tuple[str, ...]

    def found(self) -> tuple[str, ...]:
        field, description = (self.text, None) if self.is_field else (None, self.text)
        return tuple(label.name for label in labels(field, description, None, METHODS))


def made(part: str) -> Iterator[MadeText]:
    """Yield the texts of a part, several for each template with a place for a name."""
    folder = Path(__file__).with_name("label_kinds")
    names = (folder / f"{part}_names.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate((folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()):
        template = json.loads(line)
        text = template.get("field", template.get("text"))
        for filling in range(FILLINGS if "{" in text else 1):
            draw = random.Random(f"{part} {number} {filling}")  # noqa: S311 - the same texts each time
            values = dict(zip("abc", draw.sample(names, 3), strict=True))
            expected = tuple(values.get(label, label).format(**values) for label in template["labels"])
            yield MadeText(template["kind"], "field" in template, text.format(**values), expected)


def score_made(texts: list[MadeText]) -> tuple[Score, float]:
    """Return the score of the descriptions, and the share of fields with exactly the true labels."""
    result, clean, fields = Score(), 0, 0
    for text in texts:
        true, found = ({label_key(name) for name in names} for names in (text.expected, text.found()))
        if text.is_field:
            fields += 1
            clean += true == found
        else:
            result.hits += len(true & found)
            result.wrong += len(found - true)
            result.missed += len(true - found)
    return result, clean / max(1, fields)


def main() -> int:
    """Print a line for each condition."""
    for part in PARTS:
        texts = list(made(part))
        for kind in dict.fromkeys(text.kind for text in texts):
            result, clean = score_made([text for text in texts if text.kind == kind])
            figures = f"{clean:.3f} clean" if kind.startswith("field") else str(result)
            sys.stdout.write(f"made, {part:8} {kind:18} {figures}\n")
        result, clean = score_made(texts)
        sys.stdout.write(f"made, {part:8} all: fields {clean:.3f} clean; descriptions {result}\n")
    world = World.build(WORLD)
    for hostile in (False, True):
        tracks = tracks_of(world, hostile=hostile)
        for name, case in CASES.items():
            for with_field in (True, False):
                result = score(tracks, case, with_field=with_field)
                conditions = f"{'hostile' if hostile else 'plain':8}{name:11}"
                where = "all tracks" if with_field else "description alone"
                sys.stdout.write(f"{conditions}{where:18} {result}\n")
                sys.stdout.writelines(f"    {example}\n" for example in result.examples[:3])
    return 0


if __name__ == "__main__":
    sys.exit(main())
