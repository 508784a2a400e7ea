"""Build a study: the tables of a harvest with all that is needed to repeat, to judge and to cite it.

Two studies of the same data with the same key are the same, byte for byte: nothing tells when they were
built.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.exports import datapackage, manifest, provenance
from sgr_spiders.exports.package import open_package
from sgr_spiders.exports.resource import Resource
from sgr_spiders.exports.study.aggregates import write_aggregates
from sgr_spiders.exports.study.coarsening import COARSENED, FEWEST
from sgr_spiders.exports.study.methods import LEVEL, Methods, Related
from sgr_spiders.exports.study.papers import DEFAULT_TITLE, cite_study, describe_study
from sgr_spiders.exports.study.provenance import hide
from sgr_spiders.exports.study.pseudonyms import DIGITS, load_pseudonyms
from sgr_spiders.exports.study.study_tables import StudyTables
from sgr_spiders.exports.tables import FORMATS, list_tables
from sgr_spiders.relationships import TYPES
from sgr_spiders.storage import communities, export_log
from sgr_spiders.storage.figures.cells import count_significant
from sgr_spiders.storage.ledger import source
from sgr_spiders.storage.pairs import builds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sgr_spiders.exports.package import Package
    from sgr_spiders.exports.provenance import Provenance
    from sgr_spiders.exports.study.pseudonyms import Pseudonyms
    from sgr_spiders.storage.store import Connection, Store

PURPOSE, FULL_PURPOSE = "study", "full study"
"""The purposes of a study with pseudonyms, and of one in clear: neither replaces the other."""
SUMS: Final = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """The options of a study. Without ``key``, it is in clear."""

    key: Path | None
    suffix: str = "parquet"
    title: str = DEFAULT_TITLE
    authors: Sequence[str] = field(default_factory=tuple)

    @property
    def is_full(self) -> bool:
        return self.key is None

    def with_title(self, title: str) -> StudyOptions:
        return replace(self, title=title)


@dataclass(frozen=True, slots=True)
class Study:
    """A written study: the rows of its tables, its files, and the hash of its contents."""

    counts: dict[str, int]
    bytes: int
    content_hash: str


def build_study(store: Store, directory: Path, options: StudyOptions) -> Study:
    """Write a study to *directory*, replacing an earlier one of the same kind.

    Raises:
        ArgumentError: The key is inside *directory*, or that contains something else.
        ConfigError: There is no database, or the key cannot be used.
        StorageError: *directory* cannot be written.
    """
    pseudonyms = None if options.key is None else load_pseudonyms(options.key, directory)
    purpose = FULL_PURPOSE if options.is_full else PURPOSE
    with (
        store.read() as connection,
        store.watching_wal(),
        open_package(directory, purpose) as package,
    ):
        made = provenance.collect(connection)
        tables = StudyTables(connection, pseudonyms)
        counts = tables.write(package, options.suffix)
        if not options.is_full:
            counts |= write_aggregates(connection, package, options.suffix)
        _write_papers(connection, package, made, counts, options)
        content_hash = _write_sums(package)
        packed = package.list_files()
        origin = manifest.origin(connection, store.name)
        del origin["database"]
        origin = origin if pseudonyms is None else hide(origin, pseudonyms)
        package.describe(
            datapackage.describe(PURPOSE, "present", None, origin["source"], packed),
            {
                **origin,
                "purpose": purpose,
                "title": options.title,
                "content_sha256": content_hash,
                "formats": [options.suffix],
                "rows": "present",
                "pseudonyms": None if pseudonyms is None else _rules(pseudonyms),
                "left_out": sorted(tables.left_out),
                "counts": counts,
                "files": manifest.files(packed),
            },
        )
    export_log.note(store, directory, PURPOSE)
    return Study(counts, sum(file.bytes for file in packed), content_hash)


def _write_papers(
    connection: Connection,
    package: Package,
    made: Provenance,
    counts: dict[str, int],
    options: StudyOptions,
) -> None:
    ends = [run.finished_at or run.started_at for run in made.runs]
    tables = [file.resource for file in package.list_files()]
    built = (communities.latest(connection, kind) for kind in communities.KINDS)
    methods = Methods(
        made,
        source.read(connection),
        counts,
        list(_related(connection)),
        [run for run in built if run is not None],
        is_full=options.is_full,
    )
    papers = {
        "METHODS.md": ("What was done, and what that does not tell", "\n".join(methods.lines()) + "\n"),
        "README.md": ("How to read it", describe_study(options.title, tables, is_full=options.is_full)),
        "CITATION.cff": (
            "How to cite it",
            cite_study(options.title, options.authors, max(ends)[:10] if ends else None),
        ),
    }
    for path, (meaning, text) in papers.items():
        _write_text(package, path, meaning, text)


def _related(connection: Connection) -> Iterator[Related]:
    there = {table.name: table for table in list_tables(connection)}
    for relationship in TYPES.values():
        pairs, built = relationship.table, builds.latest(connection, relationship.name)
        if built is not None and pairs.name in there:
            found = count_significant(connection, there[pairs.name], LEVEL)
            parameters = {name: value for name, value in built.parameters.items() if name != "seeds"}
            yield Related(pairs.name, pairs.comment, pairs.score, parameters, found, built.finished_at)


def _write_sums(package: Package) -> str:
    """Write the checksums of all files; return the hash of that list, which is that of the contents."""
    text = "".join(f"{file.sha256}  {file.resource.path}\n" for file in package.list_files())
    _write_text(package, SUMS, "Checksums of the other files, for `sha256sum -c`", text)
    return hashlib.sha256(text.encode()).hexdigest()


def _write_text(package: Package, path: str, meaning: str, text: str) -> None:
    package.path(path).write_text(text, encoding="utf-8", newline="\n")
    package.add(Resource(path, meaning))


def _rules(pseudonyms: Pseudonyms) -> dict[str, Any]:
    """Return how the data was made pseudonymous, as plain data."""
    return {
        "method": f"HMAC-SHA256 of the kind and the ID, the first {DIGITS} hexadecimal digits",
        "key": pseudonyms.key_digest,
        "seeds": "named by pseudonyms only: the fans of a known seed are public and would tell theirs",
        "fewest_accounts": FEWEST,
        "coarsened": {content.value: note for content, (_, _, note) in COARSENED.items() if note},
    }


FORMAT_NAMES: Final = tuple(FORMATS)
"""The formats of the tables."""
