"""The project's settings, where writing pairs does not end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.spool import Spool
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def _endlessly(_spool: Spool) -> Iterator[NDArray[np.uint64]]:
    while True:
        threading.Event().wait(0.05)
        yield np.empty(0, np.uint64)


Spool.sorted = _endlessly  # type: ignore[method-assign, assignment]
