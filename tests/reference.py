"""The reference notes: material from SoundCloud and others that is not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def notes() -> Path:
    """Return the directory of the notes: ``SOUNDGRAPH_SHARED``, else ``shared`` beside the checkout."""
    return Path(os.environ.get("SOUNDGRAPH_SHARED") or ROOT.parent / "shared")


def note(path: str) -> Path:
    """Return one of the notes; skip the test where there are none.

    A note that is missing among the others is a failure: the test would be skipped forever.
    """
    if not notes().is_dir():
        pytest.skip(f"no reference notes at {notes()} (SOUNDGRAPH_SHARED)")
    found = notes() / path
    assert found.exists(), f"no {path} among the reference notes at {notes()}"
    return found
