"""A cache of compiled kernels, shared by all processes and installations of this package.

numba stores compiled code by the path of its source. But Scrapyd imports an egg from a different path for
each job, and an installation may be read-only. This cache uses the content of the source as its key, and is
stored in the user's cache directory.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import logging
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

Kernel = TypeVar("Kernel", bound="Callable[..., object]")

LOCATORS = "CACHE_LOCATOR_CLASSES"
"""The numba setting that names the cache locator classes."""


def cache_directory() -> Path:
    """Return the directory of the compiled code; numba's own ``NUMBA_CACHE_DIR`` takes precedence."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "soundgraph" / "kernels"


class ContentLocator:
    """A numba cache locator that finds the compiled code of a function by its source."""

    def __init__(self, function: Callable[..., object]) -> None:
        source = inspect.getsource(inspect.getmodule(function) or function)
        self._stamp = hashlib.sha256(source.encode()).hexdigest()
        self._function = function

    @classmethod
    def from_function(cls, function: Callable[..., object], _path: str) -> Self:
        return cls(function)

    def get_cache_path(self) -> str:
        return str(cache_directory() / self._stamp[:16])

    def ensure_cache_path(self) -> None:
        # These files are executed; only the owner may write them.
        Path(self.get_cache_path()).mkdir(mode=0o700, parents=True, exist_ok=True)

    def get_source_stamp(self) -> str:
        return self._stamp

    def get_disambiguator(self) -> str:
        return str(self._function.__code__.co_firstlineno)


def kernel(function: Kernel) -> Kernel:
    """Compile *function*, or load the result of an earlier process."""
    keep = _can_use(cache_directory())
    others = getattr(numba.config, LOCATORS)
    setattr(numba.config, LOCATORS, f"{__name__}.{ContentLocator.__name__}")
    try:
        return cast("Kernel", numba.njit(nogil=True, cache=keep)(function))
    finally:
        setattr(numba.config, LOCATORS, others)


def is_compiled() -> bool:
    """Return whether the cache contains compiled code that may be used."""
    return _problem() is None and any(cache_directory().glob("*/*.nbc"))


@functools.cache
def _can_use(directory: Path) -> bool:
    """Return whether compiled code may be loaded from *directory* and stored there; log the reason if not."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
        problem = _problem()
    except OSError as error:
        problem = error.strerror
    if problem is not None:
        logger.info(
            "Could not use kernel cache %s: %s; every process compiles the kernels", directory, problem
        )
    return problem is None


def _problem() -> str | None:
    """Return why the code in the cache must not be executed: somebody else may have written it."""
    if os.name != "posix":
        return None
    directory = cache_directory().resolve()
    for path in (*directory.rglob("*"), directory, *directory.parents):
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        if state.st_uid not in {0, os.geteuid()}:
            return f"{path} belongs to another user"
        # In a parent with the sticky bit, such as /tmp, others cannot replace what is ours.
        is_protected = path in directory.parents and state.st_mode & stat.S_ISVTX
        if state.st_mode & stat.S_IWOTH and not is_protected:
            return f"others can write to {path}"
        if state.st_mode & stat.S_IWGRP and not is_protected and not _is_own_group(state.st_gid):
            return f"the group of {path} can write to it"
    return None


def _is_own_group(group: int) -> bool:
    """Return whether nobody else is in the group: many systems give each user one, with write permission."""
    import grp  # noqa: PLC0415 - absent on Windows
    import pwd  # noqa: PLC0415

    try:
        user = pwd.getpwuid(os.geteuid())
        return group == user.pw_gid and set(grp.getgrgid(group).gr_mem) <= {user.pw_name}
    except KeyError:
        return False
