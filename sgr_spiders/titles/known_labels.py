"""Well-known labels whose names can stand alone in a description: "Stones Throw 2011".

Nothing in a line tells the name of a label from that of a person, a place or a song. Names that are also
those of one of these ("Domino", "Fabric", "Warp") are missing, and so are names with a word such as
Records, which the rules read. The list need not be complete.
"""

# ruff: noqa: RUF001 - apostrophes of both kinds
from __future__ import annotations

from typing import Final

_ELECTRONIC: Final = """
    50Weapons|Anjunabeats|Anjunadeep|Aus Music|Axtone|Bar 25 Music|Bpitch Control|
    Brainfeeder|Critical Music|Crosstown Rebels|Cómeme|Deep Medi Musik|Dekmantel|Delsin|Dim Mak|
    Dirtybird|Diynamic|Drumcode|Ed Banger|Einmusika|Enchufada|Fool's Gold|Future Classic|
    Get Physical|Get Physical Music|Ghostly International|Giegling|Gost Zvuk|Hakuna Kulala|
    Hessle Audio|Hot Creations|Hotflush|Hyperdub|Ilian Tape|InFiné|Intec Digital|Katermukke|Kitsuné|
    Kitsuné Musique|Klasse Wrecks|Kompakt|L.I.E.S.|Livity Sound|Lobster Theremin|mau5trap|Metalheadz|
    Mobilee|Monaberry|Monkeytown|Monstercat|Mule Musiq|Mulemusiq|Music From Memory|Night Slugs|
    Ninja Tune|NoCopyrightSounds|Nous'klaer Audio|Objektivity|Ostgut Ton|OWSLA|PC Music|Perc Trax|
    Perlon|Permanent Vacation|Planet E|Planet Mu|PoleGroup|Príncipe|Razor-N-Tape|Rekids|Rephlex|
    Roche Musique|Running Back|Samurai Music|Shall Not Fade|Shogun Audio|Smalltown Supersound|
    Sonar Kollektiv|Spinnin'|Stil vor Talent|Stones Throw|Studio Barnhus|Timedance|Toolroom|
    Toolroom Trax|Tru Thoughts|Ultra Music|Wagon Repair
"""
_BANDS: Final = """
    4AD|Arts & Crafts|Asthmatic Kitty|Barsuk|Beggars Banquet|Bella Union|Big Scary Monsters|Bonsound|
    Born Bad|Brassland|Captured Tracks|Cooking Vinyl|Dead Oceans|Dischord|Domino Recording Co|
    Domino Recording Company|Double Double Whammy|Drag City|Erased Tapes|
    Exploding in Sound|Fat Possum|Fat Wreck Chords|FatCat|Fierce Panda|Flying Nun|Fueled by Ramen|
    Hardly Art|Jagjaguwar|Kill Rock Stars|Kranky|Light In The Attic|Luaka Bop|Marathon Artists|
    Memphis Industries|Metal Blade|Mexican Summer|Mom + Pop|Nettwerk|Nonesuch|
    Not Not Fun|Nuclear Blast|Paw Tracks|Rvng Intl.|Sacred Bones|Saddle Creek|Sargent House|
    Season of Mist|Secretly Canadian|Slumberland|Smithsonian Folkways|Southern Lord|Sub Pop|
    Suicide Squeeze|Sumerian|Tapete|Temporary Residence|Thrill Jockey|Tri Angle|Woodsist|Young Turks|
    ZZK
"""
_RAP_AND_SOUL: Final = """
    88rising|Analog Africa|Ariwa Sounds|Awesome Tapes From Africa|Bastard Jazz|Big Dada|Black Butter|
    Boy Better Know|Brownswood|Cash Money|Daptone|Def Jam|Dreamville|Duck Down|G.O.O.D. Music|
    Greensleeves|Griselda|Habibi Funk|Interscope|Jahtari|Kalawa Jazmee|KondZilla|Mavin Global|
    Mello Music Group|Mo' Wax|Mo'Wax|Mr Bongo|Mr. Bongo|Now-Again|Nuclear Blast|Numero Group|
    OVO Sound|Polydor|Pressure Sounds|Quality Control Music|Rawkus|Rhymesayers|Roc Nation|
    Roc-A-Fella|Ruff Ryders|Salsoul|Soul Jazz|Soundway|Stax|Strange Famous|Strata-East|
    Strictly Rhythm|T-Series|Taylor Gang|TDE|Top Dawg Entertainment|Truth & Soul|YBNL|YBNL Nation|
    Zee Music Company
"""
_CLASSICAL_AND_JAZZ: Final = """
    ACT Music|Alia Vox|Chandos|Clean Feed|Decca Classics|Deutsche Grammophon|ECM|ECM New Series|
    Gramavision|Harmonia Mundi|Hubro|LSO Live|Naxos|Ondine|
    Pentatone|RareNoise|Rune Grammofon|Smalltown Superjazz|Sony Classical|Tzadik|Warner Classics|
    WaterTower Music
"""
_BY_COUNTRY: Final = """
    Antinote|Asfalt|Audiolith|Avex Trax|Because Music|Bureau B|Deckdisc|Escho|
    Four Music|Gazgolder|GR6 Explode|Grand Hotel van Cleef|Grönland|HYBE|Jabalina|JYP Entertainment|
    Karlrecords|Kayax|La Tempesta|Lado ABC|Lovemonk|Lovers & Lollypops|Mystic Production|QueQuality|
    Rimas Entertainment|SBM Label|SM Entertainment|Som Livre|Sonido Muchacho|Sony Music|
    Sony Music Entertainment|Supraphon|Tambourhinoceros|Tricatel|Trovarobato|Tôt ou Tard|
    Universal Music|Warner Music|YG Entertainment|Zhara Music
"""
_KNOWN: Final = frozenset(
    " ".join(name.split()).casefold()
    for text in (_ELECTRONIC, _BANDS, _RAP_AND_SOUL, _CLASSICAL_AND_JAZZ, _BY_COUNTRY)
    for name in text.split("|")
)


def is_known_label(name: str) -> bool:
    """Return whether it is one of these labels, and begins with a capital, a digit or a sign."""
    return not name[:1].islower() and name.replace("’", "'").casefold() in _KNOWN
