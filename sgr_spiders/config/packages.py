"""The names under which ``pipelines`` and ``configs`` are imported.

In a checkout and an egg they are beside this package. Installed beside other projects, which may have
packages of these names, they are in it (setup.py).
"""

from __future__ import annotations

from importlib.util import find_spec


def package_name(name: str) -> str:
    """Return the full name of the package *name*."""
    inner = f"sgr_spiders.{name}"
    return name if find_spec(inner) is None else inner


PIPELINES, CONFIGS = package_name("pipelines"), package_name("configs")
