"""SoundGraph Deep Harvest: harvest everything around a SoundCloud track, then connect it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sgr_spiders.cli.runner import harvest

__version__ = "0.1.0"
__all__ = ["__version__", "harvest"]


def __getattr__(name: str) -> object:
    # Every module of the project imports this package; only who harvests from Python needs that one.
    if name == "harvest":
        return import_module("sgr_spiders.cli.runner").harvest
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
