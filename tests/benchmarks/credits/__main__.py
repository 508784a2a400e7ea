"""``python -m tests.benchmarks.credits [folder] [--wrong]``: scores, and with ``--wrong`` the wrong cases."""

# Its output on the terminal is its purpose.
# ruff: noqa: T201

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.credits.scores import score
from tests.benchmarks.credits.suites import KINDS, Case, Suite, invented, made, shared_titles, suites

_HEADER = f"{'suite':<22} {'kind':<10} {'names':>5} {'right':>5} {'invented':>8} {'missed':>6}" + "".join(
    f" {name:>9}" for name in ("precision", "recall", "F1")
)


def main(arguments: list[str]) -> int:
    wrong = "--wrong" in arguments
    folders = [Path(argument) for argument in arguments if not argument.startswith("--")]
    folder = folders[0] if folders else shared_titles()
    if folder is None or not folder.is_dir():
        print(f"no folder with suites of titles: {folder or 'no shared/titles beside the checkout'}")
        return 2
    print(_HEADER)
    notes = []
    for suite in [*suites(folder), *invented(), *made()]:
        _show(suite, wrong=wrong)
        notes.append(
            f"{suite.name}: {len(suite.cases)} cases, {suite.left_out} left out; scored: {suite.scored}"
        )
    print("", *notes, sep="\n")
    for suite in made():
        print("", f"{suite.name}, by kind of title: right, invented, missed names of all roles", sep="\n")
        _show_kinds(suite.cases)
    return 0


def _show(suite: Suite, *, wrong: bool) -> None:
    for kind in KINDS:
        total = score(suite.cases, kind)
        if not any(kind in case.expected for case in suite.cases):
            continue
        shares = "".join(
            f" {'-' if share is None else format(share, '.3f'):>9}"
            for share in (total.precision(), total.recall(), total.f1())
        )
        print(
            f"{suite.name:<22} {kind:<10} {total.right + total.missed:>5} {total.right:>5}"
            f" {total.invented:>8} {total.missed:>6}{shares}"
        )
        wrong = wrong and suite.name != "made, holdout"
        for case in suite.cases if wrong else ():
            result = score([case], kind)
            if result.invented or result.missed:
                print(f"    {case.title!r}: expected {case.expected[kind]}, found {case.found[kind]}")


def _show_kinds(cases: list[Case]) -> None:
    for kind_of_title in dict.fromkeys(case.kind_of_title for case in cases):
        totals = [
            score((case for case in cases if case.kind_of_title == kind_of_title), kind) for kind in KINDS
        ]
        right, invented_, missed = (
            sum(getattr(total, name) for total in totals) for name in ("right", "invented", "missed")
        )
        print(f"{kind_of_title:<24} {right:>5} {invented_:>5} {missed:>5}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
