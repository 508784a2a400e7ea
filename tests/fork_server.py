"""The process that `tests.forks` forks: it imports what crawls, their commands and the sandbox need.

It imports nothing that reads the environment at its import, and no reactor.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from importlib import import_module
from typing import NamedTuple

from scrapy.settings import default_settings

from tests.forks import SIZE

PACKAGES = (
    "pipelines", "scrapy.commands", "sgr_spiders.commands", "sgr_spiders.crawl", "sgr_spiders.layers",
    "sgr_spiders.relationships", "sgr_spiders.reports", "sgr_spiders.sandbox", "sgr_spiders.spiders",
    "sgr_spiders.traffic",
)  # fmt: skip
LEFT_OUT = {"__main__", "compiled_search", "kernel_cache", "kernels"}
"""Programs, and modules that import numba, which reads the environment."""
COMPONENTS = (
    *default_settings.DOWNLOADER_MIDDLEWARES_BASE,
    *default_settings.EXTENSIONS_BASE,
    *default_settings.SPIDER_MIDDLEWARES_BASE,
)
OTHERS = (
    "itemadapter.adapter", "protego", "scipy.sparse", "scrapy.cmdline",
    "scrapy.core.downloader.handlers.http11", "scrapy.core.engine", "scrapy.core.scraper",
    "scrapy.linkextractors", "scrapy.logformatter", "scrapy.robotstxt", "scrapy.statscollectors",
    "sgr_spiders.storage.looked_at", "sgr_spiders.storage.lookup", "sgr_spiders.storage.views",
    "spellchecker", "sqlalchemy.dialects.sqlite", "sqlalchemy.ext.compiler", "uvloop",
)  # fmt: skip
"""Modules that these and Scrapy import only when they use them."""


def preload() -> None:
    for package in PACKAGES:
        for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] not in LEFT_OUT:
                import_module(module.name)
    for component in COMPONENTS:
        import_module(component.rpartition(".")[0])
    for name in OTHERS:
        import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy the memory of all these objects


class Program(NamedTuple):
    """A program to run, and the pipe for its process ID and its exit code."""

    command: list[str]
    cwd: str
    environment: dict[str, str]
    stdout: int
    stderr: int
    reports: int


def main() -> None:
    preload()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        program = serve(channel)
    if program is not None:
        run(program)


def serve(channel: socket.socket) -> Program | None:
    """Fork for each request; return its program in the fork that is to run it, None after the tests."""
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the programs
    while program := receive(channel):
        if os.fork() == 0 and fork_and_report(program):
            signal.signal(signal.SIGINT, on_interrupt)
            return program
        for descriptor in (program.stdout, program.stderr, program.reports):
            os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
    return None


def receive(channel: socket.socket) -> Program | None:
    """Return the next request, None if there will be no more."""
    text, descriptors, _, _ = socket.recv_fds(channel, 1 << 16, 3)
    while text and not text.endswith(b"\n"):
        text += channel.recv(1 << 16)
    return Program(*json.loads(text), *descriptors) if text else None


def fork_and_report(program: Program) -> bool:
    """Return True in a new fork; in this one, report the exit code of the other and end."""
    child = os.fork()
    if child == 0:
        return True
    os.close(program.stdout)
    os.close(program.stderr)
    report(program, child)
    _, status = os.waitpid(child, 0)
    report(program, os.waitstatus_to_exitcode(status))
    os._exit(0)


def report(program: Program, number: int) -> None:
    os.write(program.reports, number.to_bytes(SIZE, "big", signed=True))


def run(program: Program) -> None:
    """Become the program."""
    os.close(program.reports)
    for source, target in ((program.stdout, 1), (program.stderr, 2)):
        os.dup2(source, target)
        os.close(source)
    os.chdir(program.cwd)
    os.environ.clear()
    os.environ.update(program.environment)
    _, _, module, *arguments = sys.orig_argv = program.command
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
