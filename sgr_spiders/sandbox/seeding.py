"""Sources of a world's numbers: named random streams, unique times, IDs.

Nothing here may depend on Python's ``hash()`` or on the time of day, so that the same
options give the same bytes in every process.
"""

from __future__ import annotations

import random
import zlib
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

EPOCH_S = int(datetime(2011, 1, 1, tzinfo=UTC).timestamp())
"""The time (seconds) before which nothing exists in any world."""

NOW_S = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""The current time (seconds) in every world."""

DAY_S = 86_400
_WORD = (1 << 64) - 1


def stream(seed: int, name: str, *numbers: int) -> np.random.Generator:
    """Return a separate random stream for each purpose, so that a new one changes no other."""
    entropy = [seed, zlib.crc32(name.encode()), *numbers]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def mix(*parts: int) -> int:
    """Mix several numbers into a 64-bit number (the splitmix64 finaliser)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state ^ (part & _WORD)) * 0xBF58476D1CE4E5B9 & _WORD
        state ^= state >> 27
        state = state * 0x94D049BB133111EB & _WORD
        state ^= state >> 31
    return state


def chance(*parts: int) -> float:
    """Return a number in [0, 1) that depends only on the parts."""
    return mix(*parts) / (_WORD + 1)


def dice(seed: int, name: str, *numbers: int) -> random.Random:
    """Return a random generator for the text of one object, seeded by its name and numbers."""
    return random.Random(mix(seed, zlib.crc32(name.encode()), *numbers))  # noqa: S311


def distinct(times: Ints) -> Ints:
    """Return the times in the same order, with later ones moved just enough to be unique."""
    order = np.argsort(times, kind="stable")
    steps = np.arange(len(times), dtype=np.int64)
    placed = np.maximum.accumulate(times[order] - steps) + steps
    result = np.empty_like(placed)
    result[order] = placed
    return result


def between(rng: np.random.Generator, start: Ints, end: int) -> Ints:
    """Draw a uniform time in [start, end) for each start."""
    span = np.maximum(end - start, 1)
    return start + (rng.random(len(start)) * span).astype(np.int64)


def ids_from_times(times_s: Ints, base: int, per_second: int, jitter: Ints) -> Ints:
    """Return sparse IDs that grow with time, as SoundCloud's do; unique if the times are.

    With a ``per_second`` of 5 or more, recent IDs exceed 2**31.
    """
    return base + (times_s - EPOCH_S) * per_second + jitter % per_second


def starts_of(sorted_keys: npt.NDArray[np.integer], count: int) -> Ints:
    """Return the start of each of ``count`` groups of ascending keys (CSR row pointers)."""
    sizes = np.bincount(sorted_keys, minlength=count)
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(sizes, out=starts[1:])
    return starts
