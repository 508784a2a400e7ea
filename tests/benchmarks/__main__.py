"""``python -m tests.benchmarks [name …]``: run the benchmarks of this directory one after the other.

Each is a module or package that ``python -m tests.benchmarks.<name>`` runs. Its docstring describes the
comparison and the output. Exit code 2 means that a benchmark cannot run because its data is missing.
"""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from tests import benchmarks
from tests.crawls.crawling import ROOT

CANNOT_RUN = 2


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(found.name for found in iter_modules(benchmarks.__path__) if found.name != "__main__")


def heading(name: str) -> str:
    """Return the first paragraph of a benchmark's docstring."""
    module = import_module(f"{benchmarks.__name__}.{name}")
    if hasattr(module, "__path__"):
        module = import_module(f"{module.__name__}.__main__")
    assert module.__doc__, f"{name} has no docstring"
    return " ".join(module.__doc__.partition("\n\n")[0].split())


def run(chosen: list[str]) -> Iterator[str]:
    """Run the chosen benchmarks; yield the names of those that failed."""
    for name in chosen:
        print(f"\n== {name}: {heading(name)}\n", flush=True)
        started = time.monotonic()
        code = subprocess.run([sys.executable, "-m", f"{benchmarks.__name__}.{name}"], cwd=ROOT, check=False)
        took = f"{time.monotonic() - started:.0f} s"
        if code.returncode == CANNOT_RUN:
            print(f"-- {name} cannot run here")
        elif code.returncode:
            print(f"-- {name} failed: exit code {code.returncode}")
            yield name
        else:
            print(f"-- {name} took {took}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__.partition("\n\n")[0])
    parser.add_argument("name", nargs="*", help=", ".join(names()))
    chosen = parser.parse_args(arguments).name or names()
    for name in chosen:
        if name not in names():
            parser.error(f"no benchmark {name!r}: there are {', '.join(names())}")
    return 1 if list(run(chosen)) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
