"""Words that appear in place of a name but are not names."""

# Word lists read better as text.
# ruff: noqa: SIM905
# This file contains characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from typing import Final

REMIX_KINDS: Final = frozenset(
    "remix remixx re-mix rmx edit re-edit reedit flip re-flip reflip bootleg bootie rework re-work "
    "refix re-fix vip mashup mash-up rerub re-rub redrum re-drum blend redux reboot re-boot retouch "
    "re-touch rethink re-think rebuild re-build reshape re-shape recut re-cut revamp re-vamp rejig "
    "re-jig remodel re-model restyle re-style retwist re-twist retweak re-tweak rewire rewired "
    "reimagining re-imagining interpretation reinterpretation re-interpretation reconstruction "
    "reswing relick re-lick refreak regroove re-groove revibe re-vibe rekick rebounce re-bounce redo "
    "re-do deconstruction reimagination re-imagination reversion re-version reanimation re-animation "
    "redesign re-design repaint resample re:work revision remixed roadmix road-mix ремикс едит эдит "
    "リミックス 리믹스".split()
)
"""Words for remixes by others. "Mix", "Version", "Cover" and "Dub" are missing: they rarely follow a name."""

TRAILING: Final = REMIX_KINDS | frozenset(
    "acapella acappella clean dirty dl download dub explicit extended free hd hq instrumental long "
    "main mix official original out now preview wip clip pt pt. part contest entry submission winner ii "
    "iii iv radio remaster remastered reverb sample short slowed snippet spedup teaser unofficial ver "
    "ver. version video audio lyrics visualizer".split()
)
"""Words that may follow a remixer's name or "Remix" but belong to neither."""

BEFORE_EDIT: Final = frozenset("album club dance dj film intro radio sad single tv ultra video".split())
"""Words that may come between a name and "Edit" or "Mix". Before "Remix" they may be part of the name."""

STYLES: Final = frozenset(
    "16-bit 2step 3-step 303 3step 4x4 8-bit 808 8bit 8d 909 acid afro afrobeat afrobeats afrohouse "
    "afrotech aleteo amapiano ambient anthem arab arabic azonto bachata baile balearic balkan ballroom "
    "baltimore banda bashment bass bassline bhangra big-room bigroom bit blues bmore bolero bollywood "
    "boogie bossa bounce brazilian breakbeat breakcore breaks brega brostep champeta chill chillhop "
    "chillout chillstep chillwave chinese chiptune club-house complextro corrido country crunk cumbia d&b "
    "d'n'b dabke dance-pop dancefloor dancehall dark darkwave deep dembow desi dirty-dutch disco "
    "discotech dnb donk doo-wop drift drill drum drum'n'bass drumandbass drumnbass drums drumstep "
    "dub-techno dubstep ebm edm electro electroclash electronic electropop electroswing emo english "
    "eurobeat eurodance fi flamenco folk footwork forro forró freestyle french french-house frenchcore "
    "funk funkot funky future g-funk g-house gabber gangsta garage german ghettotech glitch gospel gothic "
    "gqom grime groove grunge guaracha halftime happycore hard hardbass hardcore hardgroove hardhouse "
    "hardstyle hardtechno hardtek hardtekk hardwave headbanger hindi hip hiphop hop house hybrid hyper "
    "hyperpop hypertechno idm indie industrial italian italo j-pop jackin japanese jazz jazzy jersey jpop "
    "juke jump jump-up jumpstyle jumpup jungle k-pop karaoke kizomba klub kompa korean kpop kuduro latin "
    "liquid lo lo-fi lofi makina mandelao mandelão mariachi melbourne melodic merengue metal metalcore "
    "minimal moombah moombahcore moombahton motown n neuro neurofunk new-wave nightcore nrg nu nu-disco "
    "nudisco orchestral organic oriental pagode perreo philly phonk piano piseiro plugg pluggnb pop "
    "portuguese progressive psy psytrance punk r&b r'n'b raggatek raggatekk rap rave raw rawstyle reggae "
    "reggaeton riddim rnb rock rock'n'roll rockabilly rumba russian salsa samba schranz sertanejo shatta "
    "shoegaze ska slap sludge soca soul soulful spanish speed speed-garage speedcore step stutter swing "
    "synth synthpop synthwave tango tarraxo tearout tech tech-house techhouse techno tecno tecnobrega tek "
    "tekk tekno terror trance trap trapsoul tribal tribe trip trip-hop triphop tropical turkish twerk uk "
    "ukg uplifting uptempo vallenato vapor vaporwave vapourwave vinahouse vogue wave witch zouk zumba".split()
)
"""Kinds of music. They may follow a remixer's name: "Name Techno Remix"."""

STAGE_TITLES: Final = frozenset({"dj", "mc", "lil", "yung"})
"""First words of performers' names: "DJ Dubstep" is not a kind of music."""

PURPOSES: Final = frozenset(
    "acoustic after-hours afterhours afterparty afters anime anniversary arena atmos autumn basement "
    "beatless bedroom birthday bonus boosted bouncy carnival cello cheeky chicago chilled chopped "
    "christmas cinematic classic coachella cowbell detroit dolby drumless drunk easter edc emotional "
    "entrance epic exclusive festival festive filthy flute friendly full gaming goa guitar gym halloween "
    "harp heartbreak hype ibiza intro live lockdown main-stage mainstage mega miami midnight mini naughty "
    "oldschool organ outro peak-time peaktime percussion personal pitched private quarantine quick "
    "reloaded rough sax screwed secret special sped spring stadium summer sunrise sunset super throwback "
    "tiktok tomorrowland tool trailer transition tribute tulum turbo ukulele unplugged unreleased "
    "violin viral vocal vol vox warehouse winter workout xmas".split()
)
"""Purposes and properties of a version. They may follow a remixer's name: "Name Festival Remix"."""

_LOOSE: Final = frozenset(
    "a a.m alternate alternative am an another b2b backing beat big boss cd concert cover daft day demo "
    "early eve eves fan fast faster final first floor good happy hit home in inch late level limited "
    "little loop lost lyric m/v megamix mellow more morning music mv my mystery new night nostalgic nye "
    "of old on one open our party peak performance pitched promo re rehearsal relaxing remixes request "
    "retro rooftop room round second session sessions sexy sleep slow slower smooth soft spooky stage "
    "strings stripped studio sunday terrace test the third time tour track two up valentine valentines "
    "quartet string vibe vibes wedding weekend wip with year years yet your".split()
)
"""Words that alone name nobody, but end names ("Vampire Weekend")."""

GENERIC: Final = (
    TRAILING
    | BEFORE_EDIT
    | STYLES
    | PURPOSES
    | _LOOSE
    | frozenset({"&", "+", "-", "/", "and", "x", "'n'", "n'", "'n"})
)
"""Words that alone do not name a remixer: "Official Club Remix", "Late Night Edit", "Deep House Flip"."""

NOT_NAMES: Final = frozenset(
    "acapella accident acoustic anonymous artist artists audio autotune bass beat bonus cello choir "
    "chords chorus clarinet commentary dl download drop drums effects eng english everybody everyone "
    "flute friends fx guitar hand harp headphones her him his instrumental intro it keyboard keyboards "
    "love lyric lyrics many me mine more my myself n/a narration nobody none orchestra organ others our "
    "ourselves outro percussion piano sax saxophone strings sub subs subtitles synth synths tab tabs tba "
    "tbc tbd text them themselves tracklist tracklisting translation trombone trumpet u ukulele unknown "
    "us va various video violin visuals vocals voice you yourself".split()
) | {
    "a friend",
    "absolutely nobody",
    "and more",
    "free dl",
    "free download",
    "many more",
    "my friend",
    "my friends",
    "no one",
    "unknown artist",
    "open verse",
    "special guest",
    "special guests",
    "the band",
    "the boys",
    "the gang",
    "the homies",
    "various artists",
}
"""Credited words that name nobody in particular."""

OPENERS: Final = frozenset(
    "a all also an and another any as at but by every for from her him his how i i'll i'm if in into "
    "it it's its just lots love many me more most my new no not of on only or other our so some "
    "someone special such that their them these this those to u up us various vocals we what when "
    "where who without you your".split()
)
"""First words that mark a phrase as prose if the word before it is not a reliable credit mark."""

_UNRELEASED: Final = re.compile(r"(?:dj )?ids?[ #]{0,2}\d{0,3}|untitled id")
"""A placeholder for an artist or a title that is not announced yet."""
_MATERIAL: Final = re.compile(
    r"(?:lots|plenty|tons|loads) of .*|(?:samples?|lyrics|subtitles)(?: (?:from|in|on|by|of) .*)?"
    r"|(?:vinyls?|cassettes?|digital) only"
)
"""Things behind "with": "lots of bass", "samples from a film", "lyrics in the description"."""
_YEAR: Final = re.compile(r"['’]?\d{1,4}(?:st|nd|rd|th|am|pm|bpm|k|d|['’]?s)?['’\"”]*|2k\d\d", re.IGNORECASE)
_DATED: Final = re.compile(
    r"(?:19|20)\d\d(?:['’]?s)?|['’]\d\d|\d0['’]?s|2k\d\d|\d{1,3}(?:am|pm|bpm|kbps)|1[0-7]\d|v\d{1,2}|\d\.\d",
    re.IGNORECASE,
)
"""A year, a decade, an hour, a tempo or the number of a version."""
_RECORD: Final = re.compile(r"(?:7|10|12)(?:[\"”″]|['’]{2}|-?inch)", re.IGNORECASE)
_STYLE_ENDINGS: Final = ("core", "step", "techno", "trance", "tekk", "funk", "wave", "style")


def is_generic(word: str) -> bool:
    """Return whether a word before "Remix" names nobody, or, if hyphenated, all its pieces ("2-step")."""
    word = bare(word)
    return word in GENERIC or all(
        not piece or piece in GENERIC or bool(_YEAR.fullmatch(piece)) for piece in word.split("-")
    )


def is_date(word: str) -> bool:
    return bool(_DATED.fullmatch(bare(word)))


def describes_version(word: str) -> bool:
    """Return whether a word before or after "Remix" describes the version ("Name Trap Remix 2024")."""
    if _RECORD.fullmatch(word):
        return True
    word = bare(word)
    pieces = word.split("-")
    return (
        not word
        or is_date(word)
        or word in TRAILING
        or word in STYLES
        or word in PURPOSES
        or (len(pieces) > 1 and all(is_generic(piece) for piece in pieces))
        or (len(word) > 8 and word.endswith(_STYLE_ENDINGS))
    )


def is_nobody(name: str) -> bool:
    """Return whether a credited name in lower case names nobody in particular."""
    return name in NOT_NAMES or bool(_UNRELEASED.fullmatch(name) or _MATERIAL.fullmatch(name))


def bare(word: str) -> str:
    """Return a word in lower case without surrounding symbols."""
    return word.casefold().translate(_APOSTROPHES).strip(' ,;:.!?-–—|~•·/\\"“”*)]}')


_APOSTROPHES: Final = str.maketrans("’‘´`", "''''")
