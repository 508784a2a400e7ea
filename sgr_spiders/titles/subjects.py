"""Plain words that subtitles consist of: instruments, places, times and subjects.

They matter only where names have no mark: "(rain + thunder)" are not producers. The lists need not be
complete, but a person with such a name is not found without a mark.
"""

# Word lists read better as text.
# ruff: noqa: SIM905

from __future__ import annotations

import re
from typing import Final

from sgr_spiders.titles.generic import OPENERS, STAGE_TITLES, is_generic
from sgr_spiders.titles.stopwords import STOP_WORDS

_THEMES: Final = {
    "played on": """accordion banjo bells brass cello chitarra choir clarinet cymbals drum fiddle flute fx
        gesang gitarre guitarra harmonica harmony harp hats horn kalimba keyboard keys kick
        klavier mandolin melody noise oboe orchestra organ pad percussion piano quartet rhodes
        samples sax sound saxophone singing snare strings sub synth tape trio trombone trumpet tuba uke
        ukulele viola violin violon vocal voce voice voix vox voz whistle woodwind words""",
    "worked on": """arrangement bpm chorus clip compressed concept cut draft filtered final hook idea improv
        improvisation improvised interlude jam key leak leaked major mashed master mastered medley
        minor mixed mono overture pitch practice prelude prod raw read recorded recording
        reference rehearsed reimagined reprise riff scrapped session sketch skit speeded stem
        stereo storyboard take tempo tuning uncut unfinished unmastered unmixed verse visual
        warped""",
    "times": """afternoon age april august autumn chapter childhood daily dawn days december dusk eight
        episode era eve evening fall february five forever four friday hour january july june
        later march may midday minute monday month never nine noon november october once past
        present saturday season second september seven six sometime soon spring ten then three
        thursday time today tomorrow tonight tuesday wednesday week year yesterday""",
    "places": """africa airport alaska america amsterdam angeles apartment argentina asia athens atlanta
        attic australia austria balcony bar barcelona basement bath bathroom beach belgium berlin
        boston brazil bridge brooklyn bus cafe california canada car castle chicago chile china
        church city coast colombia corner country croatia cuba denmark desert detroit door dublin
        earth east egypt england estonia europe finland floor florida forest france francisco
        garden georgia germany greece hall harbor harbour heaven hell hills hotel hungary iceland
        india indonesia ireland island israel italy jamaica japan kenya kitchen lagos lake london
        los madrid manchester melbourne mexico miami milan montreal moscow mountain museum
        nashville nation netherlands nevada new nigeria north norway osaka oslo outside paris park
        peru philippines poland pool porch portland portugal prague river road rome roof room
        russia san school scotland sea seattle seoul serbia shop shore singapore sky south spain
        square state station stockholm street subway sweden switzerland sydney taiwan texas
        thailand theatre tokyo toronto town train tunnel turkey ukraine upstairs usa valley venice
        vienna vietnam village wales warsaw washington west window woods world york zealand zoo""",
    "nature": """air animal bark bee bird blossom breeze brook cat cloud cold cow cricket dark dew dog dust
        embers fire fish flower fog frog frost grass ground hail heat horse ice leaf leaves light
        lightning mist moon mud ocean petal planet rain rainbow root rose sand seed shadow smoke
        snow soil space star stone storm stream sun sunlight sunshine surf thunder tide tree warm
        water waterfall wave weather wet wind wood""",
    "colours": """beige black blue bright brown color colour cyan gold golden gray green grey orange pink
        purple red silver violet white yellow""",
    "feelings": """afraid alive alone angry anxiety anxious asleep awake beautiful bitter blessed bored
        broken calm careful clean confused crazy cruel cry crying cute depression dirty dizzy
        dreamy drunk dying easy empty faith fear feeling fine found fragile free gentle gone
        grateful gratitude grief guilt happiness hate heavy high hollow honest hope hopeless hurt
        hurting insecure jealous joy kind laughter lazy lonely lost loud love loved lovely loving
        low luck lucky mad nice numb pain patience peace peaceful pleasure pretty pride proud
        quiet relax relaxed sad sadness safe scared shame shy sick silence silent simple sleepy
        smile sober soft sorrow sorry strange strong stupid sweet tears tender tired trust truth
        ugly upset weak weird worried young""",
    "people": """angel anybody baby boy brother child children dad daddy daughter dude everybody everyone
        family father friend girl god grandma grandpa guy he heart honey husband kid king ladies
        lady lover mama man men mom mother mum nobody papa people person queen she sister somebody
        someone son soulmate stranger them they we wife woman women yall you""",
    "at home": """apple arm banana bed beer blood body bone book bottle bread breakfast butter cake candle
        chair chicken chips chocolate cigarette clock clothes coffee coke cookie cream cup dinner
        dress drink drug egg eye face feet finger food fries fruit gin glass gun hair hand hat
        head home jeans juice kiss knife lamp lemon letter lime lip lunch map meat milk mind
        mirror money mouth neck paper pasta peach pen pepper phone photo picture pie pill pillow
        pizza poem poetry pot rice rum salt shirt shoe skin soup sugar table tea teeth television
        toast tobacco tongue tooth toy vanilla vodka wall weed whiskey whisky wine""",
    "speech": """answer arabic call dance danish dialogue dream dutch english finnish french german goodbye
        greek hello hey hindi history hungarian italian japanese joke journal korean language
        latin lie life mandarin memories memory monologue norwegian notes nothing oh polish
        portuguese prayer question reflection romanian russian shout spanish speech spoken story
        swedish talk thanks thing think thoughts translated ukrainian urdu warning whisper wish
        word writing yes""",
    "acts": """back begin best better big bigger break breathe breathing burn change cheap come coming
        crash deep die drive driving eat end ending escape failing falling fast fight find first
        float fly flying follow forget forgive full give go going good great growing hard healing
        help hide hold keep last late leave left listen little live living long look lose losing
        make missing more morning much need next night old one open over part play point pray
        promise rest return right rise rising run running same say see short side sing sink slow
        small start stay stop study swim swimming tell touch try turn two wait waiting wake walk
        walking want whole work worse wrong""",
}
SUBJECTS: Final = frozenset(word for words in _THEMES.values() for word in words.split())

UPLOADS: Final = frozenset(
    "album beats compilation cover covers demo demos ep episode jam jams live loop loops medley mix mixes "
    "mixtape playlist podcast radio recording recordings remixes sample samples session sessions set sets "
    "sketch sketches skit snippet snippets stem stems tape tapes tracklist vlog".split()
)
"""Kinds of upload: a bracket after a title that begins or ends with "live" or "demos" describes that."""

SMALL: Final = (
    OPENERS
    | frozenset(STOP_WORDS["en"].split())
    | frozenset(
        """one two three four five six seven eight nine ten about above after again against ago ain
        almost alone along already always anymore anyway around away aren because been before being
        below between beyond both can cannot could despite did does doing done down during each
        either else enough even ever few gonna gotta had has have having he here inside instead
        least less let maybe might mine most must near neither never nor off often once ours out
        outside per perhaps quite rather really same shall she should since still such than there
        theirs they though through thus together too toward under unless until upon very versus via
        wanna were whether which while who whom whose why will within would yet yours""".split()
    )
)
"""Function words: a phrase with one of them is hardly a name."""

_FOREIGN: Final = (
    frozenset(word for words in STOP_WORDS.values() for word in words.split() if len(word) > 1)
    - SMALL
    - SUBJECTS
)
_WORD: Final = re.compile(r"[^\W_]+")


def is_english_prose(text: str) -> bool:
    """Return whether a text contains no function word of another language."""
    return _FOREIGN.isdisjoint(_WORD.findall(text.casefold()))


def is_plain(phrase: str) -> bool:
    """Return whether all words are subjects (singular or plural), function words or generic words."""
    words = _WORD.findall(phrase.casefold())
    if len(words) > 1 and (words[0] in STAGE_TITLES or all(len(word) == 1 for word in words)):
        return False
    return all(
        len(word) == 1
        or not SUBJECTS.isdisjoint((word, word.removesuffix("s"), f"{word.removesuffix('ies')}y"))
        or word in SMALL
        or is_generic(word)
        for word in words
    )
