"""The Scrapy add-on that finds this project's pipelines under the name that they have in a checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sgr_spiders.config.packages import PIPELINES

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings

CLASSES: Final = ("validate.ValidatePipeline", "dedupe.DedupePipeline", "spill.SpillPipeline")


class OwnPipelines:
    """Scrapy add-on with which ``ITEM_PIPELINES`` may name ``pipelines.spill.SpillPipeline`` anywhere.

    Where this project is installed, ``pipelines`` may be the package of another project.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        """Replace these names by those under which the pipelines are imported."""
        names = {f"pipelines.{name}": f"{PIPELINES}.{name}" for name in CLASSES}
        given = settings.getdict("ITEM_PIPELINES")
        if PIPELINES != "pipelines" and names.keys() & given.keys():
            renamed = {names.get(path, path): position for path, position in given.items()}
            settings.set("ITEM_PIPELINES", renamed, settings.getpriority("ITEM_PIPELINES") or "addon")
