from __future__ import annotations

import os
from pathlib import Path

# Kernels are compiled once for all tests and runs: each test would have an empty cache folder else. Here, as
# the kernels ask for it when they are imported.
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[2] / ".pytest_cache" / "kernels")
