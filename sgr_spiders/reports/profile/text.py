"""The output of ``scrapy profile``: tables, and JSON as docs/profile.md describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sgr_spiders.reports.labels import as_json as label_json
from sgr_spiders.reports.labels import describe, render_table
from sgr_spiders.reports.profile.preferences import MIN_LISTENERS
from sgr_spiders.reports.profile.profile import PLACES
from sgr_spiders.text.escape import for_message
from sgr_spiders.text.formatting import number, percent, pluralize, table, wrap

if TYPE_CHECKING:
    from sgr_spiders.reports.profile.preferences import Typical
    from sgr_spiders.reports.profile.profile import Profile

ONE = {
    "tracks": "track",
    "artists": "artist",
    "genres": "genre",
    "tags": "tag",
    "countries": "country",
    "cities": "city",
}
"""The word for one row of each section."""
FEW = 5
"""With fewer listeners, the profile is weak evidence."""


def as_json(profile: Profile) -> dict[str, Any]:
    """Return the structure documented in docs/profile.md."""
    head = {
        "id": profile.seed.id,
        **label_json(profile.seed),
        "listeners": profile.fans,
        "looked_at": profile.looked_at,
        "likes": profile.likes,
        "left_out": {"tracks": profile.hidden, "likes": profile.hidden_likes, "seeds": profile.seeds},
    }
    return head | {section: section_as_json(profile, section) for section in profile.sections}


def section_as_json(profile: Profile, section: str) -> dict[str, Any]:
    """Return one section of that structure."""
    if section in profile.preferences:
        preferences, labels = profile.preferences[section], profile.labels[section]
        rows = [asdict(row) | label_json(labels[row.id]) for row in preferences.found]
        return {"compared": preferences.compared, "found": rows}
    words = asdict(profile.words[section])
    return asdict(profile.named[section]) | words if section in PLACES else words


def as_text(profile: Profile) -> list[str]:
    """Return the tables, and what they rest on."""
    lines = [f"Preferences of the listeners of {describe(profile.seed)}", *wrap(_describe_listeners(profile))]
    if 0 < profile.looked_at < FEW:
        lines.append(f"Weak evidence: fewer than {FEW} libraries")
    for section in profile.sections:
        lines += ["", *(_preferences if section in profile.preferences else _words)(profile, section)]
    return [*lines, "", *(line for note in _notes(profile) for line in wrap(note))]


def _describe_listeners(profile: Profile) -> str:
    verbs = "likes or reposts" if profile.fans == 1 else "like or repost"
    likes = f"{pluralize(profile.fans, 'user')} {verbs} it"
    if profile.looked_at == 0:
        return f"{likes}; none of their libraries was looked at"
    of = "library was" if profile.looked_at == 1 else "libraries were"
    return (
        f"{likes}; {number(profile.looked_at)} of their {of} looked at ({pluralize(profile.likes, 'like')})"
    )


def _preferences(profile: Profile, section: str) -> list[str]:
    found = profile.preferences[section]
    compared = pluralize(found.compared, ONE[section])
    preferred = [row for row in found.found if row.ratio > 1]
    if not preferred:
        return wrap(
            f"{section.capitalize()}: none is liked by more listeners than expected ({compared} liked)"
        )
    rows = [
        (row.id, [_ratio(row.ratio), number(row.listeners), _expected(row.expected), number(row.likes)])
        for row in preferred
    ]
    head = ["ratio", f"of {number(profile.looked_at)}", "expected", "all likes"]
    title = f"{section.capitalize()} that more of the listeners like than expected ({compared} compared):"
    return [*wrap(title), *render_table(ONE[section], head, rows, profile.labels[section])]


def _words(profile: Profile, section: str) -> list[str]:
    words = profile.words[section]
    name = section.capitalize()
    lines = []
    if section in PLACES:
        named = profile.named[section]
        lines = wrap(
            f"{number(named.listeners)} of {pluralize(profile.fans, 'listener')} and "
            f"{pluralize(named.others, 'other account')} name a {ONE[section]}"
        )
    if not words.compared and not words.rare:
        return [*wrap(f"{name}: not compared, because {_why_not(profile, section)}"), *lines]
    counts = f"{number(words.above)} of {number(words.compared)} compared"
    if words.rare:
        few = f"{number(words.rare)} with fewer than {MIN_LISTENERS} listeners"
        people = f"{few} not shown, because they could identify people"
        counts += f"; {people if section in PLACES else f'{few} or one artist not compared'}"
    if not words.above:
        return [*wrap(f"{name}: none has a larger share than expected ({counts})"), *lines]
    usual = "others" if section in PLACES else "expected"
    title = f"{name} with a larger share than {'of others' if section in PLACES else 'expected'} ({counts}):"
    head = [ONE[section], "odds ratio", "95% interval", "listeners", "share", usual]
    return [*wrap(title), *lines, *table([head, *(_row(word) for word in words.found if word.lowest > 1)])]


def _why_not(profile: Profile, section: str) -> str:
    if section not in PLACES:
        return f"the liked tracks have fewer than two {section}"
    named = profile.named[section]
    return "all accounts name the same one" if named.others else "no other account names one"


def _row(word: Typical) -> list[str]:
    interval = f"{_ratio(word.lowest)} to {_ratio(word.highest)}"
    numbers = [_ratio(word.ratio), interval, number(word.listeners), percent(word.share), percent(word.usual)]
    return [for_message(word.name), *numbers]


def _notes(profile: Profile) -> list[str]:
    notes = []
    if profile.hidden:
        notes.append(
            f"Left out: {pluralize(profile.hidden, 'track')}, removed or with a hidden or unknown number of "
            f"likes ({pluralize(profile.hidden_likes, 'like')} of the listeners)"
        )
    if profile.seeds:
        notes.append(f"Left out: {pluralize(profile.seeds, 'other seed')} of this database")
    if profile.words:
        notes.append("By chance alone, up to 1 in 20 of those compared would be listed.")
    notes.append(
        "All of this was found around the seeds of this database: tracks and accounts are compared with one "
        "another, not with all of SoundCloud."
    )
    return notes


def _ratio(value: float) -> str:
    """Return a ratio with two digits, or as an integer from 10."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def _expected(value: float) -> str:
    return f"{value:.1f}" if value < 99.5 else f"{value:,.0f}"
