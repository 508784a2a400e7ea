"""Words that appear in place of a name but are not names."""

# Word lists read better as text.
# ruff: noqa: SIM905
# This file contains characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from typing import Final

REMIX_KINDS: Final = frozenset(
    "remix remixx re-mix rmx edit re-edit reedit flip re-flip reflip bootleg rework re-work refix "
    "re-fix vip mashup mash-up rerub re-rub ремикс リミックス 리믹스".split()
)
"""Words for remixes by others. "Mix", "Version", "Cover" and "Dub" are missing: they rarely follow a name."""

TRAILING: Final = REMIX_KINDS | frozenset(
    "acapella acappella dl download dub explicit extended free hd hq instrumental long main mix "
    "official original out now preview remaster remastered reverb sample short slowed snippet spedup "
    "unofficial ver ver. version".split()
)
"""Words that may follow a remixer's name or "Remix" but belong to neither."""

BEFORE_EDIT: Final = frozenset(
    "album clean club dance dirty dub festival film intro radio single tiktok tv video vocal".split()
)
"""Words that may come between a name and "Edit" or "Mix". Before "Remix" they are part of the name."""

_STYLES: Final = frozenset(
    "808 8d acid afro afrobeat afrohouse amapiano ambient anthem baile balearic bass beat bollywood "
    "boosted bounce breakbeat breakcore brostep chill chillout chillstep chiptune country dancehall "
    "dark deep disco dnb donk drift drill drum drum'n'bass drums edm electro electronic eurodance funk "
    "funky future garage glitch gospel grime hard hardcore hardstyle hardtechno hiphop hip hop house "
    "hyper hyperpop indie industrial jazz jersey jungle latin liquid lo-fi lo fi lofi mellow melodic "
    "merengue metal minimal moombahton n neuro nightcore nu orchestral organic phonk piano pop "
    "progressive psy psytrance punk r&b rap rave room reggae reggaeton retro rnb rock salsa samba slap "
    "sludge soft soul speed speedcore summer swing synthwave tech techno trance trap tribal trip "
    "tropical uk vapor vaporwave wave witch dubstep hardtek hardtekk step 8-bit bit arabic chinese "
    "english french german hindi italian japanese korean portuguese russian spanish turkish".split()
)
_QUALITIES: Final = frozenset(
    "a a.m acoustic afterparty basement bedroom rooftop terrace warehouse alternate alternative am an "
    "another audio b2b backing big bonus cd cheeky chopped christmas concert cover daft day demo dj "
    "early easter emotional epic exclusive fan fast faster final first floor full good halloween happy "
    "hit home in inch karaoke late limited little live loop lost lyric lyrics m/v megamix midnight mini "
    "more morning music mv my mystery new night nostalgic of old on one open our outro part party "
    "peak performance personal pitched private promo pt quick re redux rehearsal relaxing remixes request "
    "rough round sad screwed second secret session sessions sexy single sleep slow slower smooth "
    "special sped spring studio stripped sunday sunrise sunset super teaser test the third time tour track "
    "transition two ultra unreleased up v1 v2 v3 vibe vibes viral visualizer vol wedding weekend winter "
    "wip workout xmas yet your".split()
)
GENERIC: Final = TRAILING | BEFORE_EDIT | _STYLES | _QUALITIES | frozenset({"&", "+", "-", "/", "and", "x"})
"""Words that alone do not name a remixer: "Official Club Remix", "Late Night Edit", "Deep House Flip"."""

NOT_NAMES: Final = frozenset(
    "acapella accident acoustic artist artists audio bass beat bonus cello chords clarinet dl download "
    "drums eng english everybody everyone flute friends guitar hand harp her him his instrumental intro "
    "it keyboard keyboards love lyric lyrics many me mine more my myself n/a nobody none organ others "
    "our ourselves outro percussion piano sax saxophone strings sub subs subtitles synth synths tabs "
    "tba tbd them themselves translation trombone trumpet u unknown us various video violin visuals "
    "vocals voice you yourself".split()
) | {"a friend", "and more", "free dl", "free download", "many more", "my friend", "my friends", "no one"}
"""Credited words that name nobody in particular."""

OPENERS: Final = frozenset(
    "a all also an and another any as at but by every for from her him his how i i'll i'm if in into it "
    "it's its just lots love many me more most my new no not of on only or other our so some someone "
    "special such that their them these this those to u up us various vocals we what when where who "
    "without you your".split()
)
"""First words that mark a phrase as prose if the word before it is not a reliable credit mark."""

_YEAR: Final = re.compile(r"['’]?\d{1,4}(?:st|nd|rd|th|am|pm|bpm|k|d)?['’\"”]*", re.IGNORECASE)

_DATED: Final = re.compile(r"\d{4}|\d{1,3}(?:am|pm|bpm)")


def is_generic(word: str) -> bool:
    """Return whether a word before "Remix" names nobody, or, if hyphenated, all its pieces ("2-step")."""
    word = bare(word)
    return word in GENERIC or all(
        not piece or piece in GENERIC or bool(_YEAR.fullmatch(piece)) for piece in word.split("-")
    )


def is_trailing(word: str) -> bool:
    word = bare(word)
    return not word or word in TRAILING or bool(_DATED.fullmatch(word))


def bare(word: str) -> str:
    """Return a word in lower case without surrounding symbols."""
    return word.casefold().strip(' ,;:.!?-–—|~•·/\\"“”*')
