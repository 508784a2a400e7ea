"""The section with the tracks, artists and users nearest to each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.embeddings.blend_search import BLEND
from sgr_spiders.embeddings.similar import NPMI, WALK
from sgr_spiders.reports.neighbours import describe_evidence
from sgr_spiders.reports.page.html import Html, join, link, shown, tag
from sgr_spiders.reports.page.sections import named_track, section
from sgr_spiders.reports.page.tables import Cell, Column, count, score, table, words
from sgr_spiders.text.formatting import format_lift, format_q
from sgr_spiders.text.invocation import program_name

if TYPE_CHECKING:
    from sgr_spiders.embeddings.similar import SimilarNodes
    from sgr_spiders.reports.page.content import Nearest, Report


def nearest(report: Report) -> Html:
    """Return the nearest tracks, artists and users of each seed."""
    if not report.nearest:
        nothing = tag("p", "No seed is in the database yet.", class_="empty")
        return section("nearest", "Nearest to the seed", nothing)
    if len(report.nearest) == 1:
        return section("nearest", "Nearest to the seed", _tables(report.nearest[0]))
    parts = [
        tag(
            "details",
            tag("summary", named_track(near.seed)),
            _tables(near),
            open="" if place == 0 else None,
        )
        for place, near in enumerate(report.nearest)
    ]
    more = report.seeds_found - len(report.nearest)
    rest = f"{more:,} more not listed; {program_name()} report --seed ID shows them." if more > 0 else None
    return section(
        "nearest",
        "Nearest to each seed",
        *parts,
        None if rest is None else tag("p", rest, class_="about"),
    )


def _tables(near: Nearest) -> Html:
    return join(_tracks(near), _artists(near), _users(near))


def _tracks(near: Nearest) -> Html:
    if not near.tracks:
        return _nothing("Tracks", "No other track shares more fans with the seed than by chance.")
    rows = [
        [
            words(link(shown(track.title), track.url)),
            words(link(shown(track.artist, "-"), track.artist_url)),
            words(tag("bdi", shown(track.genre, "-"))),
            score(one.score, is_weak=one.weak_evidence),
            count(one.shared[0]),
            count(one.shared[1]),
            count(track.plays),
        ]
        for track, one in near.tracks
    ]
    columns = [
        Column("Track"),
        Column("Artist"),
        Column("Genre"),
        Column("Score", is_number=True),
        Column("Shared fans", is_number=True, explanation="Users who like both"),
        Column("Shared playlists", is_number=True, explanation="Playlists that contain both"),
        Column("Plays", is_number=True, explanation="By the API's counter"),
    ]
    about = " ".join([_SCORES[near.by_tracks.by], *_limits(near.by_tracks)])
    return join(
        tag("h3", "Tracks"), tag("p", about, class_="about"), table("Nearest tracks", columns, rows, "wide")
    )


_SCORES = {
    BLEND: "Score: how many fans the track shares with the seed, beside how well it fits their taste as a "
    "whole, each at most 1 times its weight (blend). It needs libraries that were looked at, and names no "
    "seeds.",
    NPMI: "Score: how many more fans the track shares with the seed than by chance, up to 1 (shrunk NPMI). "
    "It needs libraries that were looked at.",
    WALK: "Score: the probability that a walk from the seed to one of its fans, and on to a track that this "
    "fan likes, ends at the track. It needs libraries that were looked at, and prefers popular tracks.",
}
"""The meaning of the scores, by the sources that are chosen by default."""


def _limits(near: SimilarNodes) -> list[str]:
    """Return sentences about what limits the neighbours."""
    limits = [f"{line[:1].upper()}{line[1:]}." for line in describe_evidence(near.evidence, near.found)]
    if near.by_everyone:
        limits.insert(0, "Everyone who was looked at likes the seed, so shared fans say nothing about it.")
    return limits


def _artists(near: Nearest) -> Html:
    name = shown(near.seed.artist, "the artist")
    if not near.artists:
        return _nothing("Artists", "No other artist shares a fan with the artist of the seed.")
    rows = [
        [
            words(link(shown(artist.name, "(no name known)"), artist.url)),
            score(one.score, is_weak=one.weak_evidence),
            count(one.shared[0]),
            count(one.shared[1]),
            *_significance(*near.significance.get(artist.user_id, (None, None))),
            count(artist.followers),
        ]
        for artist, one in near.artists
    ]
    columns = [
        Column("Artist"),
        Column("Score", is_number=True),
        Column("Shared fans", is_number=True, explanation="Users who like tracks by both"),
        Column("Shared playlists", is_number=True, explanation="Playlists with tracks by both"),
        Column("Lift", is_number=True, explanation="Shared fans, as a multiple of what chance gives"),
        Column("q", is_number=True, explanation="Up to 0.05: more than chance"),
        Column("Followers", is_number=True, explanation="By the API's counter"),
    ]
    about = tag("p", "By a walk from ", tag("bdi", name), " over fans to other artists.", class_="about")
    return join(tag("h3", "Artists"), about, table("Nearest artists", columns, rows))


def _significance(lift: float | None, q: float | None) -> tuple[Cell, Cell]:
    # Unknown values are sorted after the others.
    return (
        Cell(format_lift(lift), -1 if lift is None else lift, is_number=True),
        Cell(format_q(q), 2 if q is None else q, is_number=True),
    )


def _users(near: Nearest) -> Html:
    if not near.users:
        return _nothing("Users", "No user whose library was looked at likes the seed or a track near it.")
    rows = [
        [
            words(link(shown(one.user.name, "(no name known)"), one.user.url)),
            score(one.score),
            count(one.listener.liked),
            count(one.listener.library),
            words("whole" if one.listener.is_whole else "in part"),
            words("yes" if one.listener.likes_seed else "no"),
            count(one.user.followers),
        ]
        for one in near.users
    ]
    columns = [
        Column("User"),
        Column("Score", is_number=True),
        Column("Near tracks liked", is_number=True),
        Column("Library", is_number=True, explanation="Tracks that the user likes, as far as they are known"),
        Column("Looked at"),
        Column("Likes the seed"),
        Column("Followers", is_number=True, explanation="By the API's counter"),
    ]
    about = (
        f"Users who like most of the seed and its nearest tracks ({near.compared:,} in all). Score: the "
        "cosine of the user's library and these tracks."
    )
    return join(tag("h3", "Users"), tag("p", about, class_="about"), table("Nearest users", columns, rows))


def _nothing(heading: str, text: str) -> Html:
    return join(tag("h3", heading), tag("p", text, class_="empty"))
