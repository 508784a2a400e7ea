"""``python -m tests.benchmarks.similarity``: our scorer compared with RapidFuzz's, on labelled pairs."""

from __future__ import annotations

import sys

from tests.benchmarks.similarity.measure import (
    DEFAULT_THRESHOLD,
    PARTS,
    SCORERS,
    best_threshold,
    quality,
    read_pairs,
    scores_of,
)
from tests.benchmarks.similarity.uploads import PATTERNS, make_pairs


def main() -> None:
    tuned = {name: best_threshold(scores_of(scorer, read_pairs("dev"))) for name, scorer in SCORERS.items()}
    for part in (*PARTS, *PATTERNS):
        pairs = read_pairs(part) if part in PARTS else make_pairs(part)
        similar = sum(pair.is_similar for pair in pairs)
        sys.stdout.write(f"\n{part}: {len(pairs)} pairs, {similar} of them similar\n")
        sys.stdout.write(
            f"{'scorer':<36} {'at ' + str(DEFAULT_THRESHOLD):<19} {'at the best threshold of dev':<26}\n"
            f"{'':<36} {'P':>5} {'R':>6} {'F1':>6} {'from':>6} {'P':>6} {'R':>6} {'F1':>6}\n"
        )
        for name, scorer in SCORERS.items():
            scores = scores_of(scorer, pairs)
            default, best = quality(scores, DEFAULT_THRESHOLD), quality(scores, tuned[name])
            figures = " ".join(f"{value:6.3f}" for value in (*default, tuned[name], *best))
            sys.stdout.write(f"{name:<35} {figures}\n")
        if part in PARTS:
            _write_misses(part)


def _write_misses(part: str) -> None:
    scorer = SCORERS["similarity (ours)"]
    for pair in read_pairs(part):
        score = scorer(pair.a, pair.b)
        if (score >= DEFAULT_THRESHOLD) != pair.is_similar:
            wrong = "missed" if pair.is_similar else "taken wrongly"
            sys.stdout.write(f"  {wrong}, {score:.2f}: {pair.a} | {pair.b}\n")


if __name__ == "__main__":
    main()
