"""The outcomes of runs and seeds, and the exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sgr_spiders.model.exceptions import (
    BlockedError,
    BudgetSpentError,
    StorageError,
    TokenEndedError,
    UnauthorisedError,
    UnreachableError,
)
from sgr_spiders.model.outcome import classify_run, classify_seed

if TYPE_CHECKING:
    from sgr_spiders.model.exceptions import HarvestError


@pytest.mark.parametrize(
    ("finish_reason", "error", "internal", "walks", "lost", "expected"),
    [
        ("finished", None, 0, {"done": 5, "capped": 1, "gone": 2}, [], ("complete", 0)),
        ("finished", None, 0, {}, [], ("complete", 0)),
        ("finished", None, 0, {"done": 5, "failed": 1}, [], ("partial", 3)),
        ("finished", None, 0, {"done": 5, "gone": 1}, ["seed 5 is gone"], ("partial", 3)),
        ("finished", None, 1, {"done": 5}, [], ("failed", 1)),
        ("finished", None, 0, {"done": 5, "running": 1}, [], ("failed", 1)),
        ("finished", BudgetSpentError("spent"), 0, {"planned": 5}, [], ("unfinished", 3)),
        ("budgetspent", BudgetSpentError("spent"), 0, {"planned": 5}, [], ("unfinished", 3)),
        ("blocked", BlockedError("blocked"), 0, {"planned": 5}, [], ("blocked", 4)),
        ("unauthorised", UnauthorisedError("refused"), 0, {"planned": 5}, [], ("blocked", 4)),
        ("unreachable", UnreachableError("no address"), 0, {"planned": 5}, [], ("unreachable", 3)),
        ("tokenended", TokenEndedError("ended"), 0, {"planned": 5}, [], ("interrupted", 130)),
        ("storage", StorageError("full"), 0, {"planned": 5}, [], ("failed", 1)),
        ("shutdown", None, 0, {"planned": 5}, [], ("interrupted", 130)),
        ("shutdown", None, 2, {"planned": 5}, [], ("failed", 1)),
        ("memusage_exceeded", None, 0, {"planned": 5}, [], ("unfinished", 3)),
        ("start_error", None, 0, {}, [], ("failed", 1)),
    ],
)
def test_outcomes(
    finish_reason: str,
    error: HarvestError | None,
    internal: int,
    walks: dict[str, int],
    lost: list[str],
    expected: tuple[str, int],
) -> None:
    outcome = classify_run(
        finish_reason=finish_reason, stopped_by=error, internal_errors=internal, walks=walks, lost_seeds=lost
    )
    assert (outcome.name, outcome.exit_code) == expected
    assert (outcome.reason is None) == (outcome.name == "complete")


@pytest.mark.parametrize(
    ("status", "walks", "broken", "outcome"),
    [
        ("done", {"done": 5, "capped": 1, "gone": 1}, False, "complete"),
        ("done", {"done": 5, "failed": 1}, False, "partial"),
        ("failed", {}, False, "partial"),
        ("gone", {}, False, "gone"),
        ("done", {"done": 5}, True, "failed"),
        ("done", {"done": 5, "running": 1}, False, "failed"),
        ("planned", {}, False, "failed"),
    ],
)
def test_a_seed(status: str, walks: dict[str, int], broken: bool, outcome: str) -> None:  # noqa: FBT001
    assert classify_seed(status, walks, broken=broken) == outcome
