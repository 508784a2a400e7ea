"""``python -m tests.benchmarks.requests [options of the sandbox]``: requests of a deep harvest.

All layers harvest the seed of a new sandbox. Each collection of the ledger is then fetched again in pages
of 200 up to the cap: no harvest can fetch these collections with fewer requests. Whether a collection was
needed is not judged here but in ``tests/crawls/test_economy.py``; those that the API itself had reported as
empty are counted.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.benchmarks.requests.measure import AIM, Figures, api_requests, figures, total
from tests.crawls.crawling import Harvester
from tests.sandbox_process import SandboxProcess


def main(options: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="requests-") as folder, SandboxProcess(*options) as sandbox:
        # The developer's own token must be neither used nor replaced.
        environment = {"XDG_CACHE_HOME": f"{folder}/cache", "SOUNDCLOUD_ACCESS_TOKEN": ""}
        harvester = Harvester(sandbox, Path(folder) / "harvest.db", environment=environment)
        ended = harvester.crawl("deep_harvest")
        if ended.code != 0:
            print(f"nothing measured: the crawl ended with exit code {ended.code}\n{ended.log}")
            return 0
        harvester.requests = api_requests(sandbox)
        rows = figures(harvester)
        empty = harvester.value("SELECT count(*) FROM walks WHERE expected = 0")
    whole = total(rows)
    print(f"{'endpoint':<18} {'requests':>8} {'least':>6} {'ratio':>6}")
    for row in (*rows, whole):
        _show(row)
    verdict = "met" if whole.ratio <= AIM else "missed"
    print(f"aim: at most {AIM:.2f} of the least possible: {verdict}")
    print(f"collections looked at although the API's counter said 0: {empty}")
    return 0


def _show(row: Figures) -> None:
    print(f"{row.name:<18} {row.sent:>8} {row.least:>6} {row.ratio:>6.3f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
