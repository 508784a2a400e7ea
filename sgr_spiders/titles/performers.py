"""Well-known performers whose names read like a list of names, or like a description of a version.

Nothing in a title tells "Chase & Status" from two people, or "Daft Punk" from a punk version by somebody
called Daft. The lists need not be complete: other names are read by the rules.
"""

# This file contains characters of other scripts that look like ASCII.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIKE_LISTS: Final = """
    &ME|10,000 Maniacs|8Ball & MJG|Above & Beyond|Adam & the Ants|Alexis & Fido|Alexis y Fido|
    Althea & Donna|Aly & Fila|Amadou & Mariam|Angel & Khriz|Angus & Julia Stone|Antony and the Johnsons|
    Art vs Science|Ashford & Simpson|Balance and Composure|Belle & Sebastian|Belle and Sebastian|
    Big & Rich|Bigflo & Oli|Bill Haley & His Comets|Blank & Jones|Blood, Sweat & Tears|
    Bob Marley & The Wailers|Bob Seger & the Silver Bullet Band|Bonnie X Clyde|Booker T. & the M.G.'s|
    Brooks & Dunn|Bruce Springsteen & the E Street Band|Bruno & Marrone|C+C Music Factory|
    Cali y El Dandee|Camo & Krooked|Captain & Tennille|Chaka Demus & Pliers|Chase & Status|Chino & Nacho|
    Chitãozinho & Xororó|Chloe x Halle|Christine and the Queens|Chus & Ceballos|Coheed and Cambria|
    Crosby, Stills & Nash|Crosby, Stills, Nash & Young|César Menotti & Fabiano|D-Block & S-te-Fan|
    Dan + Shay|Daryl Hall & John Oates|Derek and the Dominos|Diego & Victor Hugo|
    Dimitri Vegas & Like Mike|DJ Jazzy Jeff & The Fresh Prince|DJ Luck & MC Neat|Dodge & Fuski|
    Does It Offend You, Yeah?|Dom & Roland|Drumsound & Bassline Smith|Eagles & Butterflies|
    Earth, Wind & Fire|Echo & the Bunnymen|Ed Rush & Optical|Edward Sharpe & the Magnetic Zeros|
    Eli & Fur|Emerson, Lake & Palmer|England Dan & John Ford Coley|Eric B. & Rakim|Fernando & Sorocaba|
    Filo & Peri|Florence + The Machine|Florence and the Machine|Fred V & Grafix|Gabriel & Dresden|
    Gent & Jawns|Gladys Knight & the Pips|Grandmaster Flash & the Furious Five|Hall & Oates|
    Henrique & Juliano|Hootie & the Blowfish|Huey Lewis & The News|Héctor & Tito|Ike & Tina Turner|
    Iron & Wine|Israel & Rodolffo|Jack & Jack|Jam & Spoon|Jesse & Joy|Joan Jett & the Blackhearts|
    Jorge & Mateus|Jowell & Randy|João Bosco & Vinícius|Katrina and the Waves|KC & The Sunshine Band|
    King Gizzard & The Lizard Wizard|Kool & the Gang|Kruder & Dorfmeister|Kyau & Albert|
    Layo & Bushwacka!|Lemon & Herb|Lexy & K-Paul|Lilly Wood & The Prick|Lisa Lisa & Cult Jam|
    Loggins & Messina|Love and Rockets|Lucas & Steve|Macklemore & Ryan Lewis|Maddie & Tae|
    Maiara & Maraisa|Marcos & Belutti|Marcus & Martinus|Maria Cecília & Rodolfo|Marina and the Diamonds|
    Martha and the Vandellas|Matheus & Kauan|Matisse & Sadko|Matrix & Futurebound|Matt & Kim|Mau & Ricky|
    McFadden & Whitehead|Medeski, Martin & Wood|Mellow & Sleazy|Merk & Kremont|Method Man & Redman|
    Mike & the Mechanics|Milk & Bone|Milk & Sugar|Mono/Poly|Mumford & Sons|Munhoz & Mariano|
    Myon & Shane 54|Nari & Milani|Nick Cave & The Bad Seeds|Nico & Vinz|nothing,nowhere.|Now, Now|
    Of Monsters and Men|Ost & Kjex|Oxide & Neutrino|Paris & Simo|Peaches & Herb|Pete & Bas|
    Pete Rock & CL Smooth|Peter Bjorn and John|Peter, Paul and Mary|Phace & Misanthrop|Pig & Dan|
    Pola & Bryson|Polo & Pan|Prince & The Revolution|Rae & Christian|Rhythm & Sound|Rodrigo y Gabriela|
    Sam & Dave|Seals and Crofts|Servando & Florentino|She & Him|Shovels & Rope|Simon & Garfunkel|
    Simone & Simaria|Siouxsie and the Banshees|Sly & Robbie|Sly & the Family Stone|Smith & Mighty|
    Smokey Robinson & the Miracles|Sonny & Cher|Spencer & Hill|Steely & Clevie|Sultan & Shepard|
    Sunnery James & Ryan Marciano|Super8 & Tab|Tank and the Bangas|Tasha & Tracie|Tegan and Sara|
    The Count & Sinden|The Geek x Vrv|Tiger & Woods|Tom & Collins|Tom Petty and the Heartbreakers|
    TOMORROW X TOGETHER|Tones and I|Toots and the Maytals|Toro y Moi|Trulz & Robin|Tube & Berger|
    Tyler, The Creator|Vargas & Lagola|Victor & Leo|Walker & Royce|Wisin & Yandel|Womack & Womack|
    Years & Years|Zezé Di Camargo & Luciano|Zion & Lennox|Zé Neto & Cristiano
"""
_LIKE_VERSIONS: Final = """
    808 State|A Tribe Called Quest|A Tribe Called Red|Acid Arab|Acid House Kings|Addison Groove|
    Aesop Rock|Afro B|Afro Celt Sound System|Bad Company UK|Basement Jaxx|Bass Drum of Death|
    Bass Sultan Hengzt|Beach House|Beat Happening|Big Bang|Big Country|Big Freedia|Big L|Big Sean|
    Big Time Rush|Bombay Bicycle Club|Born Dirty|Buena Vista Social Club|Chill Bump|clipping.|Club 69|
    Club 8|Collective Soul|Cosmo's Midnight|Country Joe|Crowded House|Culture Club|Daft Punk|
    Dance Gavin Dance|Dance System|Dance With The Dead|David Soul|Day Wave|DC Breaks|De La Soul|
    Death From Above 1979|Deep Dish|Deep Purple|Destiny's Child|Disco Biscuits|Disco Boys|Disco Fries|
    Disco Lines|DJ Hype|DJ Trance|Donna Summer|Dub FX|Dub Phizix|Dub Pistols|Dub Syndicate|
    Electric Light Orchestra|Extreme Noise Terror|Fred again..|Free Nationals|French 79|
    French Kiwi Juice|French Montana|fun.|Funk D'Void|Funk Tribu|Future Brown|Future Islands|
    Future Sound of London|gnash|Grand Funk|Hard Rock Sofa|Hard-Fi|Horse Meat Disco|Horsemeat Disco|
    Hot Club de Paris|House of Love|House of Pain|Icona Pop|Iggy Pop|Indie Cindy|Industrial Strength|
    Jacob's Ladder|Japanese Breakfast|Japanese House|Jay Rock|Jazz Cartier|Jungle Brothers|Keith Urban|
    Kid Rock|Kim English|L-Vis 1990|Late Night Alumni|Late Night Tales|Le Knight Club|Little Big|
    Little Boots|Little Dragon|Little Mix|Live Element|Metal Church|Miami Nights 1984|Midnight Magic|
    Midnight Oil|Mobb Deep|Moody Blues|Motor City Drum Ensemble|My Bloody Valentine|My Chemical Romance|
    My Morning Jacket|My Nu Leng|Neck Deep|New Edition|New Order|New Radicals|Night Club|Nu Shooz|
    Our Lady Peace|Our Last Night|Panic! At The Disco|Part Time|Party Favor|Pete Rock|Plastic Funk|
    Pop Evil|Pop Smoke|Pop Will Eat Itself|Psychic TV|Radio Citizen|Radio Moscow|Radio Slave|
    Rage Against the Machine|RL Grime|Rock Mafia|Roll Deep|Rough Trade|Roxy Music|Royal House|Sad Boys|
    Skull Disco|Sleepy Tom|Slow Club|Smash TV|Soul Asylum|Soul Clap|Soul Coughing|Soul II Soul|
    Soul Rebels|Special Request|Sub Urban|Summer Salt|Summer Walker|Sunset Rubdown|Sunset Sons|
    Swedish House Mafia|Swing Out Sister|Swing Republic|Techno Animal|The Funk Ark|The Japanese House|
    The Latin Project|The Midnight|The Moody Blues|Third Party|This Mortal Coil|Today's Children|
    Tom Tom Club|Tortured Soul|Trance Wax|Trap Nation|Turbo Turbo|TV on the Radio|Two Door Cinema Club|
    Two Feet|UK Subs|Ultra Naté|Vampire Weekend|Vigro Deep|Washed Out|Weekend Players
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()).casefold() for name in text.split("|"))


def _pattern(name: str) -> str:
    """Return a pattern of a name in which "&", "+", "x", "y" and "and" are the same."""
    return re.sub(r"\\ (?:\\&|\\\+|x|y|and)\\ ", r" (?:&|\+|x|y|and) ", re.escape(name))


_KNOWN: Final = _names(_LIKE_LISTS) | _names(_LIKE_VERSIONS)
_MAX_WORDS: Final = max(len(name.split()) for name in _KNOWN)
_LISTED: Final = re.compile(
    rf"(?<!\w)(?:{'|'.join(map(_pattern, sorted(_names(_LIKE_LISTS), key=len, reverse=True)))})(?!\w)",
    re.IGNORECASE,
)
_APOSTROPHES: Final = str.maketrans("’‘´`", "''''")


def is_known(name: str) -> bool:
    """Return whether it is one of these performers."""
    return name.translate(_APOSTROPHES).casefold() in _KNOWN


def ends_with_known(words: Sequence[str]) -> bool:
    """Return whether the last words are the name of one of these performers."""
    return any(is_known(" ".join(words[-count:])) for count in range(1, min(_MAX_WORDS, len(words)) + 1))


def known_lists(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each of these names in a text that reads like a list."""
    return [match.span() for match in _LISTED.finditer(text)]
