"""The scripts that upgrade a database, without the slow imports of what runs them."""

from __future__ import annotations

import importlib.resources

MIGRATIONS = importlib.resources.files("sgr_spiders.storage").joinpath("migrations")

HEAD = max(
    script.name[:4] for script in MIGRATIONS.joinpath("versions").iterdir() if script.name[0].isdigit()
)
"""The newest revision, from the names of the scripts."""
