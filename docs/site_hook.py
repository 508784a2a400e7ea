"""Puts files outside ``docs/`` on the site, and makes links to them work there as on GitHub."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

FILES_OUTSIDE = (
    "README.md",
    "DATA_FORMAT.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "Dockerfile",
    "LICENSE",
    "compose.yaml",
    "configs/deep_harvest.yaml",
    "configs/multi_layer.yaml",
    "configs/scrapyd.conf",
    "scrapy.cfg",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside ``docs/``, whose paths start at the top as those of ``docs/`` do on the site."""
    for name in FILES_OUTSIDE:
        path = Path(config.config_file_path).parent / name
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with links from the top of the site instead of into or out of ``docs/``."""
    return re.sub(r"\]\((?:docs/|\.\./)", "](", markdown)
