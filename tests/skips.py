"""Allowed skips. With ``CI=true`` every other skip is a failure, because a skipped test checks nothing.

These are hooks of pytest, which ``tests/conftest.py`` imports. They check the report of one test in the
process that runs it, so they also work under pytest-xdist.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

ALLOWED = {
    r"could not import '(implicit|gensim|torch|torch_geometric|usearch)\b": "large: `make ml` installs it",
    r"needs systemd-analyze": "a container has no systemd",
    r"no reference notes at ": "not part of the project; with them, no test is skipped",
    r"folders of Linux in which not even root can make a file": "another system has no such directory",
}
"""Patterns of allowed reasons, and why they are allowed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip that is not allowed into a failure."""
    report = yield
    return _fail_unless_allowed(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a file that is skipped during collection."""
    report = yield
    return _fail_unless_allowed(report)


def _fail_unless_allowed(report: Report) -> Report:
    if os.environ.get("CI") != "true" or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return report
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if not any(re.search(pattern, reason) for pattern in ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"{reason}: with CI=true only the skips in tests/skips.py are allowed"
    return report
