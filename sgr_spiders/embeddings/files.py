"""Vectors as `.npy` files, which numpy, torch and others read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from sgr_spiders.embeddings.embed import Embedded


def write_vectors(embedded: Embedded, folder: Path) -> list[Path]:
    """Write the vectors of tracks, users and artists, their ids, row by row, and how they were made.

    Each file is whole under its name or not there. Raises ``StorageError`` where nothing can be written.
    """
    made = embedded.made
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, placed in embedded.placed.items():
            for what, array in ((f"{kind}_vectors", placed.vectors), (f"{kind}_ids", placed.ids)):
                path = folder / f"{made.method}_{what}.npy"
                _write(path, lambda file, array=array: np.save(file, array))  # type: ignore[misc]
                written.append(path)
        about = {name: getattr(made, name) for name in made.__dataclass_fields__}
        path = folder / f"{made.method}.json"
        _write(path, lambda file: file.write(json.dumps(about, indent=2, sort_keys=True).encode() + b"\n"))
        written.append(path)
    except OSError as error:
        raise StorageError(f"folder {for_message(str(folder))}: {error.strerror or error}") from None
    return written


def _write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            fill(file)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
