"""The versions of the packages that a result depends on."""

from __future__ import annotations

import functools
import importlib.metadata
import platform

PACKAGES = ("scrapy", "sqlalchemy", "numpy", "scipy", "numba", "igraph", "pyarrow")


@functools.cache
def package_versions() -> dict[str, str | None]:
    """Return the versions of Python and of ``PACKAGES``; ``None`` for one that is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
