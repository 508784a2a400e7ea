from __future__ import annotations

from tests.contract.exchanges import configure

configure()
