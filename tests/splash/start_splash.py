"""Start Splash 3.5 (2020), with its options, on the Python and Qt of Debian 12.

Three things have changed since: ``json.loads`` no longer accepts ``encoding``, ``QTimer.start`` no longer
accepts fractions, and Qt's browser engine refuses to start sandboxed as root.
"""

from __future__ import annotations

import json
import os
from typing import Any

if os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

from PyQt5.QtCore import QTimer

_loads, _start = json.loads, QTimer.start


def loads(*text: Any, **options: Any) -> Any:  # noqa: ANN401 - any JSON value
    options.pop("encoding", None)
    return _loads(*text, **options)


def start(timer: QTimer, *milliseconds: float) -> None:
    _start(timer, *map(int, milliseconds))


if __name__ == "__main__":
    json.loads = loads
    QTimer.start = start
    from splash.server import main

    main()
