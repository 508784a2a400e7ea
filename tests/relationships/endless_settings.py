"""The project's settings, with an endless stream of pairs, announced on standard error."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import numpy as np

from sgr_spiders.relationships.spool import Spool
from sgr_spiders.settings import *  # noqa: F403

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def _repeat_forever(_spool: Spool) -> Iterator[NDArray[np.uint64]]:
    sys.stderr.write("pairs without end\n")
    sys.stderr.flush()
    while True:
        threading.Event().wait(0.05)
        yield np.empty(0, np.uint64)


Spool.sorted = _repeat_forever  # type: ignore[method-assign, assignment]
