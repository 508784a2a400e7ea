"""Vectors as `.npy` files for numpy, torch and others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.model.exceptions import StorageError
from sgr_spiders.storage import private_files
from sgr_spiders.text.escape import for_message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any, BinaryIO

    from sgr_spiders.embeddings.embed import Embedded


def write_vectors(embedded: Embedded, directory: Path, origin: Mapping[str, Any]) -> list[Path]:
    """Write the vectors and IDs of tracks, users and artists, and the run; return the paths.

    Each file is replaced atomically. *origin* says where the data comes from.

    Raises:
        StorageError: a file cannot be written.
    """
    run = embedded.run
    written = []
    try:
        private_files.make_directory(directory)
        for kind, placed in embedded.placed.items():
            for name, array in ((f"{kind}_vectors", placed.vectors), (f"{kind}_ids", placed.ids)):
                path = directory / f"{run.method}_{name}.npy"
                _write(path, lambda file, array=array: np.save(file, array))  # type: ignore[misc]
                written.append(path)
        metadata = {name: getattr(run, name) for name in run.__dataclass_fields__} | {"origin": dict(origin)}
        path = directory / f"{run.method}.json"
        _write(path, lambda file: file.write(json.dumps(metadata, indent=2, sort_keys=True).encode() + b"\n"))
        written.append(path)
    except OSError as error:
        raise StorageError(f"directory {for_message(str(directory))}: {error.strerror or error}") from None
    return written


def _write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    with private_files.replacing(path) as partial, partial.open("wb") as file:
        fill(file)
