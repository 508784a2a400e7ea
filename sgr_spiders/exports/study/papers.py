"""The papers beside the tables of a study: how to read it, and how to cite it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from sgr_spiders import __version__
from sgr_spiders.exports.datapackage import TYPES
from sgr_spiders.text.formatting import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sgr_spiders.exports.resource import Resource

DEFAULT_TITLE: Final = "A harvest around tracks on SoundCloud"
NO_AUTHOR: Final = "Authors of this study"

_PERSONAL = (
    "This study contains names, texts and IDs of people in clear. It is personal data: do not publish it, "
    "and store it so that nobody else can read it."
)
_PSEUDONYMOUS = (
    "IDs are pseudonyms, texts are left out, and times and counters are coarse; `METHODS.md` says how. "
    "This is pseudonymous, not anonymous: it remains personal data. Do not try to identify anybody."
)


def describe_study(title: str, resources: Sequence[Resource], *, is_full: bool) -> str:
    """Return ``README.md``: what the study is, how to check it, and the meaning of every column."""
    lines = [
        f"# {title}",
        "",
        _PERSONAL if is_full else _PSEUDONYMOUS,
        "",
        "- `METHODS.md`: what was done, and what it does not tell",
        "- `manifest.json`: configuration, arguments, seeds, runs, caps, coverage and versions",
        "- `datapackage.json`: the columns for programs (Frictionless Data Package)",
        "- `CITATION.cff`: how to cite the study",
        "- `SHA256SUMS`: checksums, for `sha256sum -c SHA256SUMS`; its own hash is the content hash",
        "",
        "Null means hidden, missing or unknown, never 0.",
        "",
        "## Tables",
    ]
    for resource in resources:
        lines += [
            "",
            f"### `{resource.path}`",
            "",
            f"{resource.meaning}. {pluralize(resource.rows or 0, 'row')}.",
            "",
            "| Column | Type | Meaning |",
            "|---|---|---|",
            *(
                f"| `{field.name}` | {TYPES.get(field.kind, field.kind)} | {_cell(field.meaning)} |"
                for field in resource.fields
            ),
        ]
    return "\n".join(lines) + "\n"


def cite_study(title: str, authors: Iterable[str], ended_on: str | None) -> str:
    """Return ``CITATION.cff``; *ended_on* is the day of the newest data."""
    document: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this data, please cite it as below.",
        "type": "dataset",
        "title": title,
        "authors": [{"name": name} for name in authors] or [{"name": NO_AUTHOR}],
        **({} if ended_on is None else {"abstract": f"Data up to {ended_on}."}),
        "references": [
            {
                "type": "software",
                "title": "SoundGraph Deep Harvest",
                "authors": [{"name": "SoundGraph Deep Harvest maintainers"}],
                "version": __version__,
            }
        ],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
