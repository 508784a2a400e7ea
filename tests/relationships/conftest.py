from __future__ import annotations

import os
from pathlib import Path

# Compile the kernels once for all tests, which otherwise start with an empty cache. The kernels read the
# setting on import.
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parents[2] / ".pytest_cache" / "kernels")
