"""Checks of what the user has set: settings, proxy, contact, configuration and optional packages."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING
from urllib.request import getproxies

from scrapy.settings import default_settings

from sgr_spiders.cli.checks.check import Check
from sgr_spiders.config import harvest
from sgr_spiders.config.databases import is_on_this_machine
from sgr_spiders.config.settings import check_proxy, find_problems
from sgr_spiders.model.exceptions import ConfigError
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.settings import BaseSettings

    from sgr_spiders.config.harvest import HarvestConfig

EXTRAS = {
    "ml": ("implicit", "gensim", "usearch", "matplotlib", "torch", "torch_geometric"),
    "communities": ("igraph",),
    "postgres": ("psycopg",),
    "dask": ("distributed",),
    "server": ("psycopg", "scrapyd"),
}
"""The optional parts, and the packages that each of them needs."""

METHOD_PACKAGES = {"als": "implicit", "item2vec": "gensim", "lightgcn": "torch"}
"""The package that an embedding method needs; ``svd`` needs none."""


def check_values(settings: BaseSettings) -> Iterator[Check]:
    """Check each setting, and the proxy of the environment."""
    problems = list(find_problems(settings, vars(default_settings)))
    try:
        check_proxy(settings, getproxies())
    except ConfigError as error:
        problems.append(str(error))
    for problem in problems:
        yield Check("settings", "error", problem)
    if not problems:
        yield Check("settings", "ok", "every value is valid")


def check_contact(settings: BaseSettings) -> Iterator[Check]:
    """Check that the operator of the live API learns whom to write to."""
    if is_on_this_machine(str(settings["SOUNDCLOUD_API_URL"])):
        return
    if "no contact given" in str(settings["USER_AGENT"]):
        advice = "set CONTACT to your email address or URL, which each request then names"
        yield Check("contact", "warning", f"nobody knows whose crawler this is: {advice}")
    else:
        yield Check("contact", "ok", str(settings["USER_AGENT"]))


def check_configuration(name: str) -> Iterator[Check]:
    """Check the configuration file, and that it leaves something to do."""
    try:
        config = harvest.load(name)
    except ConfigError as error:
        yield Check("configuration", "error", str(error))
        return
    layers = config.enabled_layers
    if layers:
        yield Check("configuration", "ok", f"{name}: {pluralize(len(layers), 'layer')} enabled")
    else:
        yield Check("configuration", "error", f"{name}: no layer is enabled; enable one in this file")
    yield from _check_method(config)


def _check_method(config: HarvestConfig) -> Iterator[Check]:
    method = config.embeddings.method
    package = METHOD_PACKAGES.get(method)
    if config.embeddings.on_close and package is not None and not _is_installed(package):
        yield Check(
            "configuration",
            "error",
            f"`embeddings.method` {method} needs the package {package}: install it with {_install('ml')}",
        )


def check_parts() -> Iterator[Check]:
    """Report the optional parts; none of them is needed unless something else names it."""
    for extra, packages in EXTRAS.items():
        missing = [package for package in packages if not _is_installed(package)]
        if not missing:
            yield Check(f"part {extra}", "ok", "installed")
        else:
            advice = f"{_install(extra)} if needed"
            yield Check(f"part {extra}", "ok", f"not installed ({', '.join(missing)}): {advice}")


def _install(extra: str) -> str:
    return f"`pip install 'soundgraph-deep-harvest[{extra}]'`"


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
