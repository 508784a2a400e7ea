"""Apply the retention rules to a database, or measure what they would remove."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sgr_spiders.storage.retention import rules, users
from sgr_spiders.storage.retention.pseudonyms import KEY_BYTES, Pseudonyms, load_pseudonyms
from sgr_spiders.storage.retention.steps import execute, measure

if TYPE_CHECKING:
    from datetime import datetime

    from sgr_spiders.config.harvest import Retention
    from sgr_spiders.storage.retention.steps import Step
    from sgr_spiders.storage.store import Connection, Store


@dataclass(slots=True)
class PrunedRule:
    """The amount that a rule removes: rows, in all and by table, and the bytes of their values."""

    rule: str
    rows: int = 0
    bytes: int = 0
    tables: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Pruned:
    """The amounts that all rules remove. ``pending`` walks keep users from being replaced."""

    rules: list[PrunedRule]
    pending: int = 0


def plan(connection: Connection, retention: Retention, now: datetime | None = None) -> Pruned:
    """Return what the rules would remove now, without changing anything."""
    return _plan(connection, retention, rules.steps_of(retention, now))


def prune(store: Store, retention: Retention, now: datetime | None = None) -> Pruned:
    """Remove what the rules say, in bounded transactions; return what it was."""
    steps = rules.steps_of(retention, now)
    with store.read() as connection:
        planned = _plan(connection, retention, steps)
    replacement = None
    if retention.users != "keep" and not planned.pending:
        # Before anything is removed: the key may be missing.
        replacement = _replacement(store, retention)
        users.hide_names(store, replacement)
    for step in steps:
        execute(store, step)
    if replacement is not None:
        users.replace_users(store, replacement)
    return planned


def _plan(connection: Connection, retention: Retention, steps: list[Step]) -> Pruned:
    planned = Pruned([])
    if retention.users != "keep":
        planned.pending = users.count_pending(connection)
        if not planned.pending:
            # Measuring needs no key.
            measured = users.Replacement(Pseudonyms(b""), drops=retention.users == "drop")
            steps = [*steps, *users.steps_of(measured)]
    by_rule: dict[str, PrunedRule] = {}
    for number, step in enumerate(steps):
        if step.unlisted:
            continue
        rule = by_rule.setdefault(step.rule, PrunedRule(step.rule))
        removed = measure(connection, step, steps[:number])
        rule.rows += removed.rows
        rule.bytes += removed.bytes
        rule.tables[step.table.name] = rule.tables.get(step.table.name, 0) + removed.rows
    planned.rules = list(by_rule.values())
    return planned


def _replacement(store: Store, retention: Retention) -> users.Replacement:
    if retention.users == "drop":
        return users.Replacement(Pseudonyms(secrets.token_bytes(KEY_BYTES)), drops=True)
    return users.Replacement(load_pseudonyms(store, unharmed="nothing was pruned"), drops=False)
