"""SoundGraph Deep Harvest: harvest everything around a SoundCloud track, then connect it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sgr_spiders.cli.runner import harvest
    from sgr_spiders.notebook.soundgraph import SoundGraph

__version__ = "0.2.0"
__all__ = ["SoundGraph", "__version__", "harvest"]

_MODULES = {"harvest": "sgr_spiders.cli.runner", "SoundGraph": "sgr_spiders.notebook.soundgraph"}


def __getattr__(name: str) -> object:
    # Every module of the project imports this package; only Python code that uses these needs their modules.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
