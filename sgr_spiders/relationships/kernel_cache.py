"""Compiles the kernels once, for all processes and all places this package may be imported from.

numba keeps compiled code by the path of its source. Scrapyd imports from an egg that has another path for
each job, and an installation may be read-only; so it is kept by the content of the source, in the user's
cache folder.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

Kernel = TypeVar("Kernel", bound="Callable[..., object]")

LOCATORS = "CACHE_LOCATOR_CLASSES"
"""numba's setting that names the classes that know where code is kept."""


def folder() -> Path:
    """Give the folder with the compiled code; numba's own ``NUMBA_CACHE_DIR`` comes first."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "soundgraph" / "kernels"


class ContentLocator:
    """Tells numba where the code of a function is kept: it asks for these methods."""

    def __init__(self, function: Callable[..., object]) -> None:
        source = inspect.getsource(inspect.getmodule(function) or function)
        self._stamp = hashlib.sha256(source.encode()).hexdigest()
        self._function = function

    @classmethod
    def from_function(cls, function: Callable[..., object], _path: str) -> Self:
        return cls(function)

    def get_cache_path(self) -> str:
        return str(folder() / self._stamp[:16])

    def ensure_cache_path(self) -> None:
        # What lies there is run as code: nobody else may write it.
        Path(self.get_cache_path()).mkdir(mode=0o700, parents=True, exist_ok=True)

    def get_source_stamp(self) -> str:
        return self._stamp

    def get_disambiguator(self) -> str:
        return str(self._function.__code__.co_firstlineno)


def kernel(function: Kernel) -> Kernel:
    """Compile *function*, or take what an earlier process compiled."""
    keep = _can_write()
    others = getattr(numba.config, LOCATORS)
    setattr(numba.config, LOCATORS, f"{__name__}.{ContentLocator.__name__}")
    try:
        return cast("Kernel", numba.njit(nogil=True, cache=keep)(function))
    finally:
        setattr(numba.config, LOCATORS, others)


def is_compiled() -> bool:
    """Tell whether there may be compiled code, so that nobody has to wait for it."""
    return any(folder().glob("*/*.nbc"))


def _can_write() -> bool:
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder()).close()
    except OSError as error:
        logger.info("Folder %s: %s; kernels are compiled anew in each process", folder(), error.strerror)
        return False
    return True
