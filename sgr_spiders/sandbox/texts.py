"""Descriptions, comment bodies and hostile text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sgr_spiders.sandbox import vocabulary as words
from sgr_spiders.sandbox.population import EDIT, FEATURE_IN_TEXT, FLIP, PRODUCED, REMIX
from sgr_spiders.sandbox.seeding import dice, mix
from sgr_spiders.sandbox.titles import performer

if TYPE_CHECKING:
    from sgr_spiders.sandbox.model import Model

SURROGATE_MARK = "\ue000"
"""A placeholder for a lone surrogate, which no encoder writes; `objects.encode` escapes it."""

_HOSTILE = ("\x00", "\x1b[31m", "\x07", "\x08\x0c", "\u202e", SURROGATE_MARK, "\ufeff", "\x7f")
_HOSTILE_SHARE = 12
_LABEL_PHRASES = (
    "Released by {label}",
    "© {year} {label}",
    "out now on {label}",
    "℗ {year} {label}. All rights reserved.",
    "Label: {label}",
)
_GREETINGS = ("Thanks for listening!", "New one.", "Made this on a train.", "Turn it up.", "")


def description(world: Model, track: int) -> str | None:
    """Return the description of a track; ``None`` for one in six."""
    track_id = int(world.catalogue.ids[track])
    throw = dice(world.options.seed, "description", track_id)
    lines = [throw.choice(_GREETINGS), *_credit_lines(world, track)]
    label = world.label_text(track)
    if label and (not label_in_field(track_id) or throw.random() < 0.5):
        year = 2011 + track_id % 15
        lines.append(throw.choice(_LABEL_PHRASES).format(label=label, year=year))
    if throw.random() < 0.3:
        friend = int(world.related_artist(track, throw.randrange(1 << 30)))
        lines.append(f"shout out to @{world.people.permalinks[friend]}")
    if throw.random() < 0.3:
        lines.append(f"https://soundcloud.com/{world.people.permalinks[world.catalogue.uploader[track]]}")
    text = "\r\n".join(line for line in lines if line)
    if len(lines) == 1 and throw.random() < 0.5:
        return None
    return text


def label_in_field(track_id: int) -> bool:
    """Return whether `label_name` contains the label; otherwise only the description does."""
    return mix(19, track_id) % 4 != 0


def _credit_lines(world: Model, track: int) -> list[str]:
    people, catalogue = world.people, world.catalogue
    form, guest = int(catalogue.form[track]), int(catalogue.guest[track])
    if form == FEATURE_IN_TEXT:
        return [f"featuring {people.usernames[guest]} (@{people.permalinks[guest]})"]
    if form == PRODUCED:
        return [f"Produced by @{people.permalinks[guest]}"]
    if form in (REMIX, EDIT, FLIP):
        artist = performer(int(catalogue.original[track]), people, catalogue)
        return [f"Original by @{people.permalinks[artist]}"]
    if guest >= 0:
        return [f"w/ @{people.permalinks[guest]}"]
    return []


def comment_body(world: Model, number: int) -> str:
    """Return the text of a comment; replies begin with the permalink of the person they answer."""
    comment_id = int(world.comments.ids[number])
    throw = dice(world.options.seed, "comment", comment_id)
    answered = int(world.comments.answers[number])
    if answered >= 0:
        return f"@{world.people.permalinks[answered]}: {throw.choice(words.REPLIES)}"
    community = int(world.catalogue.community[world.comments.track[number]])
    noun = throw.choice(words.SCENES[community % len(words.SCENES)].nouns)
    return throw.choice(words.COMMENTS).format(noun=noun, year=throw.randrange(2014, 2027))


def hostile(text: str, key: int) -> str:
    """Return the text, in one of twelve cases with a hostile sequence in the middle."""
    throw = mix(23, key)
    if throw % _HOSTILE_SHARE:
        return text
    middle = len(text) // 2
    return text[:middle] + _HOSTILE[(throw >> 16) % len(_HOSTILE)] + text[middle:]
