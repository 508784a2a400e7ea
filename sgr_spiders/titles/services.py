"""Companies and phrases in place of a label that are not labels.

Names that are also those of labels ("Believe", "Symphonic") are missing.
"""

# ruff: noqa: RUF001 - phrases in many languages

from __future__ import annotations

from typing import Final

_COLLECTING_SOCIETIES: Final = """
    acum|agadu|akm|amcos|apdayc|apra|apra amcos|aprs|artisjus|ascap|austro mechana|bmi|buma|buma stemra|
    bumastemra|cmrra|ecad|gema|global music rights|gvl|harry fox agency|hfa|ifpi|imro|iprs|jasrac|komca|
    mcps|mcsc|ncb|nextone|ppl|ppl uk|prs|prs for music|riaa|sabam|sacem|sacven|sadaic|samro|sayco|scpp|
    sdrm|sesac|sgae|siae|socan|soundexchange|sppf|stemra|stim|suisa|teosto|uacrr|ubc|vcpmc|wami|zaiks
"""
_DISTRIBUTORS: Final = """
    altafonte|amazon music|amuse io|apple music|audiomack|awal|bandcamp|beatport|believe digital|
    believe music|cd baby|cdbaby|deezer|distro kid|distrokid|distrokid com|ditto|ditto music|emubands|feiyr|
    fresh tunes|freshtunes|horus music|hypeddit|imusician|imusician digital|indiefy|ingrooves|
    ingrooves music group|itunes|kontor new media|label worx|labelworx|landr|level music|mondotunes|
    multiza|musicdiffusion|octiive|onerpm|orchard enterprises|patreon|record union|recordjet|
    recordunion|reverbnation|route note|routenote|songcast|songtradr|soundcloud|soundrop|spinnup|splice|
    spotify|stem disintermedia|symphonic distribution|the orchard|the orchard enterprises|tidal|toneden|
    tune core|tunecore|united masters|unitedmasters|vydia|youtube|youtube music|zebralution|zimbalam
"""
_RIGHTS: Final = """
    all right reserved|all rights reserved|all rights reversed|alla rättigheter förbehållna|
    alle rechte vorbehalten|alle rechten voorbehouden|kaikki oikeudet pidätetään|no rights reserved|
    some rights reserved|todos los derechos reservados|todos os direitos reservados|
    tous droits de reproduction réservés|tous droits reserves|tous droits réservés|
    tutti i diritti riservati|tüm hakları saklıdır|wszelkie prawa zastrzeżone|
    wszystkie prawa zastrzeżone|все права защищены|保留所有权利|無断転載禁止|版权所有
"""
SERVICES: Final = frozenset(
    " ".join(name.split())
    for text in (_COLLECTING_SOCIETIES, _DISTRIBUTORS, _RIGHTS)
    for name in text.split("|")
)
"""Collecting societies, distributors, shops, and statements that rights are reserved, in lower case."""
