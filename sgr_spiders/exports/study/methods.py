"""The text ``METHODS.md`` of a study: what was done, and what that does not tell, with its numbers."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sgr_spiders.exports.study.coarsening import FEWEST, round_few
from sgr_spiders.exports.study.pseudonyms import DIGITS
from sgr_spiders.reports.caps import describe_cap
from sgr_spiders.text.formatting import number, percent, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sgr_spiders.exports.provenance import Provenance
    from sgr_spiders.storage.communities import CommunityRun
    from sgr_spiders.storage.figures.cells import Significance
    from sgr_spiders.storage.ledger.source import Source

WIDTH: Final = 100
"""Columns of a line; the terminal's would give other files on another one."""

LEVEL: Final = 0.05
"""The share of false discoveries up to which pairs are counted as more than chance."""

JACCARD: Final = (
    "P. Jaccard: Étude comparative de la distribution florale dans une portion des Alpes et des Jura. "
    "Bulletin de la Société Vaudoise des Sciences Naturelles 37:547-579, 1901."
)
COSINE: Final = "G. Salton, M. McGill: Introduction to Modern Information Retrieval. McGraw-Hill, 1983."
SHRINKAGE: Final = (
    "R. Bell, Y. Koren: Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation "
    "Weights. ICDM 2007."
)
BICM: Final = (
    "F. Saracco, R. Di Clemente, A. Gabrielli, T. Squartini: Randomizing bipartite networks: the case of "
    "the World Trade Web. Scientific Reports 5:10595, 2015."
)
PROJECTION: Final = (
    "F. Saracco, M. Straka, R. Di Clemente, A. Gabrielli, G. Caldarelli, T. Squartini: Inferring "
    "monopartite projections of bipartite networks: an entropy-based approach. New Journal of Physics "
    "19:053022, 2017."
)
SOLVER: Final = (
    "N. Vallarano, M. Bruno, E. Marchese, G. Trapani, F. Saracco, G. Cimini, M. Zanon, T. Squartini: Fast "
    "and scalable likelihood maximization for exponential random graph models with local constraints. "
    "Scientific Reports 11:15227, 2021."
)
DISCOVERIES: Final = (
    "Y. Benjamini, Y. Hochberg: Controlling the false discovery rate: a practical and powerful approach to "
    "multiple testing. Journal of the Royal Statistical Society B 57(1):289-300, 1995."
)
LEIDEN: Final = (
    "V. Traag, L. Waltman, N. J. van Eck: From Louvain to Leiden: guaranteeing well-connected communities. "
    "Scientific Reports 9:5233, 2019."
)
LOUVAIN: Final = (
    "V. Blondel, J.-L. Guillaume, R. Lambiotte, E. Lefebvre: Fast unfolding of communities in large "
    "networks. Journal of Statistical Mechanics P10008, 2008."
)
CONSENSUS: Final = (
    "A. Lancichinetti, S. Fortunato: Consensus clustering in complex networks. Scientific Reports "
    "2:336, 2012."
)
HMAC: Final = (
    "H. Krawczyk, M. Bellare, R. Canetti: HMAC: Keyed-Hashing for Message Authentication. RFC 2104, 1997."
)

MEASURES: Final = {
    "jaccard": ("the Jaccard index of their liked tracks (Jaccard 1901)", (JACCARD,)),
    "cosine": ("the cosine of their liked tracks (Salton and McGill 1983)", (COSINE,)),
    "weight": ("the cosine of the playlists that contain them (Salton and McGill 1983)", (COSINE,)),
    "strength": (
        "the cosine of their fans, shrunk where the evidence is little (Bell and Koren 2007)",
        (COSINE, SHRINKAGE),
    ),
}
"""The measures of pairs in words, with their sources."""

NEWEST_FIRST: Final = frozenset({"user_likes", "track_favoriters"})
"""The endpoints whose lists begin with the newest entry."""

LIBRARIES: Final = {
    "user": "the likes of {} users",
    "track": "the fans of {} tracks",
    "playlist": "the tracks of {} playlists",
}


@dataclass(frozen=True, slots=True)
class Related:
    """A relationship table: its score, the parameters of its build, and how many pairs are significant."""

    table: str
    meaning: str
    score: str
    parameters: Mapping[str, Any]
    significance: Significance
    built_at: str

    @property
    def validated(self) -> float | None:
        """The largest ``q`` of the pairs that were kept; ``None``: all were."""
        return self.parameters.get("validated")

    @property
    def share(self) -> str:
        return f"{number(self.significance.significant)} of {number(self.significance.tested)}"


@dataclass(frozen=True, slots=True)
class Methods:
    """The facts of the text. ``counts``: the rows of the tables."""

    made: Provenance
    source: Source | None
    counts: Mapping[str, int]
    related: Sequence[Related]
    grouped: Sequence[CommunityRun]
    is_full: bool

    def lines(self) -> list[str]:
        """Return the text as lines of Markdown."""
        sections = {
            "Data": self._data(),
            "Coverage": self._coverage(),
            "Caps": self._caps(),
            "Losses": self._losses(),
            "Relationships": self._relationships(),
            "Communities": self._communities(),
            "Names": self._names(),
            "Limitations": self._limitations(),
            "References": (f"- {source}" for source in sorted(self._references())),
        }
        lines = ["# Methods"]
        for heading, paragraphs in sections.items():
            found = list(paragraphs)
            if found:
                lines += ["", f"## {heading}", "", *_set(found)]
        return lines

    # ---- what was done

    def _data(self) -> Iterator[str]:
        runs = self.made.runs
        versions = sorted({run.version for run in runs if run.version})
        program = f"SoundGraph Deep Harvest {' and '.join(versions)}".rstrip()
        yield f"The data was collected {self._origin()} with {program}{self._period()}."
        seeds, layers = len(self.made.seeds), sorted({layer for run in runs for layer in run.layers})
        yield (
            f"The harvest starts from {pluralize(seeds, 'seed track')}, which `manifest.json` lists. It "
            f"fetched what {pluralize(len(layers), 'layer')} found around {'them' if seeds != 1 else 'it'}: "
            f"{', '.join(f'`{layer}`' for layer in layers) or 'none'}. `manifest.json` contains the whole "
            "configuration with all defaults, the arguments and outcomes of all runs, and the versions of "
            "packages."
        )
        yield "The study contains:"
        yield from (f"- `{name}`: {pluralize(rows, 'row')}" for name, rows in self.counts.items())

    def _origin(self) -> str:
        if self.source is None:
            return "from an unknown source"
        if self.source.is_sandbox:
            return "from the sandbox of SoundGraph Deep Harvest, whose data is invented,"
        return f"through the official SoundCloud API ({self.source.api_origin})"

    def _period(self) -> str:
        runs = self.made.runs
        if not runs:
            return ""
        first, last = runs[0].started_at[:10], max(run.finished_at or run.started_at for run in runs)[:10]
        when = f"on {first}" if first == last else f"from {first} to {last}"
        requests = [run.requests for run in runs]
        known = [sent for sent in requests if sent is not None]
        least = "" if len(known) == len(requests) else "at least "
        sent = f" with {least}{pluralize(sum(known), 'request')}" if known else ""
        return f" {when} (UTC), in {pluralize(len(runs), 'run')}{sent}"

    def _coverage(self) -> Iterator[str]:
        for kind, states in self.made.coverage.items():
            total = sum(states.values())
            if total and kind in LIBRARIES:
                yield (
                    f"- Of {LIBRARIES[kind].format(number(total))}, {number(states['whole'])} were looked "
                    f"at whole ({percent(states['whole'] / total)}), {number(states['newest'])} in part, "
                    f"{number(states['unseen'])} not at all, and {number(states['hidden'])} are hidden."
                )

    def _caps(self) -> Iterator[str]:
        for cap in self.made.caps:
            what = pluralize(cap.walks, "walk") if cap.walks else pluralize(cap.choices or 0, "choice")
            available = cap.available if self.is_full else round_few(cap.available, cap.count)
            about = "" if available == cap.available else "about "
            of = "an unknown number" if available is None else f"{about}{number(available)}"
            where = f" of `{cap.endpoint}`" if cap.endpoint else ""
            yield f"- `{describe_cap(cap)}` cut {what}{where}: {number(cap.kept)} of {of} were kept."

    def _losses(self) -> Iterator[str]:
        if self.made.losses:
            yield from (f"- {loss}" for loss in self.made.losses)
        else:
            yield "No walk failed, is unfinished, in doubt or was refused, and no seed or record was lost."

    def _relationships(self) -> Iterator[str]:
        for related in self.related:
            measure, _ = MEASURES.get(related.score, (f"`{related.score}`", ()))
            limits = ", ".join(
                f"`{name}` = {json.dumps(value)}"
                for name, value in related.parameters.items()
                if value is not None
            )
            what = related.meaning[0].lower() + related.meaning[1:]
            yield f"- `{related.table}` ({what}): ranked by {measure}. Parameters: {limits}."
        tested = [related for related in self.related if related.significance.tested]
        if tested:
            shares = "; ".join(f"`{related.table}`: {related.share}" for related in tested)
            yield (
                "The overlap that chance gives (`expected`), its ratio (`lift`) and the chance of at least "
                "the observed overlap (`p`) follow from the bipartite configuration model (Saracco et al. "
                "2015, 2017; Vallarano et al. 2021). `q` controls the share of false discoveries over all "
                f"pairs (Benjamini and Hochberg 1995). Pairs with q of at most {LEVEL}: {shares}."
            )
        elif self.related:
            yield "Nothing tells which of these pairs are more than chance: `q` was not computed."

    def _communities(self) -> Iterator[str]:
        built = {related.table: related.built_at for related in self.related}
        for group in self.grouped:
            source = "Traag et al. 2019" if group.method == "leiden" else "Blondel et al. 2008"
            parameters, stability = group.parameters, group.stability or 0
            limit = parameters.get("limit")
            pairs = "significant pairs" if group.validated else "all pairs"
            settings = ", ".join(
                f"`{name}` = {json.dumps(parameters[name])}"
                for name in ("resolution", "min_share", "limit")
                if parameters.get(name) is not None
            )
            seeds = len(parameters.get("random_seeds", ()))
            found = (
                f"{pairs} of `{group.graph}`, by {group.method.capitalize()} ({source}): the consensus of "
                f"{pluralize(seeds, 'random seed')} (Lancichinetti and Fortunato 2012)"
            )
            several = f"{pluralize(group.communities, 'community', 'communities')} of "
            sure = f", with a mean stability of {stability:.2f}"
            ending = f" Parameters: {settings}." if settings else ""
            if built.get(group.graph, group.related_at) != group.related_at:
                ending += f" `{group.graph}` was built again since then."
            if parameters.get("by") == "listeners":
                if_sure = "" if limit is None else f", if that is significant (q of at most {limit})"
                yield (
                    f"- {several}{pluralize(group.rows, group.kind)}: each has the community of users that "
                    f"stands out most among its listeners{if_sure}{sure}. Those of the users come "
                    f"from {found}.{ending}"
                )
            else:
                yield f"- {several}{pluralize(group.rows, group.kind)}, from {found}{sure}.{ending}"

    def _names(self) -> Iterator[str]:
        if self.is_full:
            yield (
                "All IDs, names and texts are in clear. What was removed or made private before the last "
                "look is left out."
            )
            return
        yield (
            f"IDs are replaced by the first {DIGITS} hexadecimal digits of their HMAC-SHA256 (Krawczyk et "
            "al. 1997) with a key that is not published, the same in all tables. The seeds are named by "
            "pseudonyms too: whoever knows a seed can read the list of its fans on SoundCloud, and would "
            "know who the pseudonyms around it may be. Titles, names, descriptions, comments and addresses "
            "are left out. Times of people and works are given by month, those of accounts by year, "
            "counters with one significant digit, lengths and tempos with two. Countries, genres and "
            f"similar values that fewer than {FEWEST} accounts share are null, and counts of fewer than "
            f"{FEWEST} accounts are suppressed. What was removed or made private before the last look is "
            "left out."
        )

    # ---- what that does not tell

    def _limitations(self) -> Iterator[str]:
        yield " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        seeds, users = len(self.made.seeds), self.made.coverage.get("user", {})
        yield "The data is not a sample of SoundCloud: it contains what is near the seeds."
        if seeds == 1:
            yield (
                "There is one seed, and those who were found as its fans all like it: shares and "
                "similarities describe this neighbourhood only, and one seed cannot tell scenes apart."
            )
        yield from self._sentences_on_caps()
        total = sum(users.values())
        if total:
            seen = users.get("whole", 0) + users.get("newest", 0)
            hidden = pluralize(users.get("hidden", 0), "library is", "libraries are")
            yield (
                f"The likes of {percent(seen / total)} of the users were looked at ({number(seen)} of "
                f"{number(total)}); of the others, only single likes are known. {hidden} hidden."
            )
        yield "A missing like is not a dislike."
        if self.made.losses:
            yield f"The harvest is incomplete: {', '.join(self.made.losses)}."
        yield from self._sentences_on_pairs()
        yield "Counters of the API include deleted and private records. What is not public was never seen."
        if not self.is_full:
            yield (
                "Pseudonymous is not anonymous: lists of likes can identify a person, so this remains "
                "personal data, and nobody may try to identify the people in it."
            )

    def _sentences_on_caps(self) -> Iterator[str]:
        if self.made.cuts:
            cut = ", ".join(self.made.cuts)
            yield f"Caps left something out ({cut})."
        cut_lists = {cap.endpoint for cap in self.made.caps}
        cut_lists |= {row.endpoint for row in self.made.walks if row.status == "capped"}
        if cut_lists & NEWEST_FIRST:
            yield (
                "The API lists likes and fans newest first, so a cap keeps the newest, and cuts active users "
                "and popular tracks most."
            )

    def _sentences_on_pairs(self) -> Iterator[str]:
        for related in self.related:
            if related.validated is not None:
                yield f"Of `{related.table}`, only pairs with q of at most {related.validated} were kept."
        figures = [related.significance for related in self.related if related.validated is None]
        significant = sum(figure.significant for figure in figures)
        tested = sum(figure.tested for figure in figures)
        if tested:
            yield (
                f"Of {pluralize(tested, 'pair')} kept, {percent(significant / tested)} share more than "
                f"their popularity explains (q of at most {LEVEL}); the others may be chance."
            )

    def _references(self) -> set[str]:
        scores = {related.score for related in self.related}
        sources = {source for score in scores & MEASURES.keys() for source in MEASURES[score][1]}
        if any(related.significance.tested for related in self.related):
            sources |= {BICM, PROJECTION, SOLVER, DISCOVERIES}
        sources |= {LEIDEN if group.method == "leiden" else LOUVAIN for group in self.grouped}
        sources |= {CONSENSUS for _ in self.grouped}
        return sources if self.is_full else sources | {HMAC}


def _set(paragraphs: Iterable[str]) -> list[str]:
    """Return paragraphs and items of lists as lines, with blank lines between paragraphs."""
    lines: list[str] = []
    for index, text in enumerate(paragraphs):
        if index and not (text.startswith("- ") and lines[-1].startswith(("- ", "  "))):
            lines.append("")
        indent = "  " if text.startswith("- ") else ""
        lines += textwrap.wrap(
            text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    return lines
