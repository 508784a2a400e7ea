"""Words for "label" in many languages, and phrases for "released on" in languages other than English."""

# ruff: noqa: RUF001 - phrases in many languages
from __future__ import annotations

from typing import Final

WORDS_FOR_LABEL: Final = (
    r"labels?|record\s(?:label|company)|label\sname|netlabel|imprint|plattenfirma|plattenlabel|"
    r"maison\sde\sdisques|"
    r"sello(?:\s(?:discogr[aá]fico|editor))?|disquera|discogr[aá]fica|gravadora|selo|"
    r"etichetta(?:\sdiscografica)?|casa\sdiscogr[aá]fica|platenlabel|platenmaatschappij|"
    r"wytw[oó]rnia|wydawca|wydawnictwo|edita|skivbolag|pladeselskab|plateselskap|julkaisija|"
    r"levy-?(?:merkki|yhtiö)|kiadó|vydavatel(?:ství|stvo)?|izdavač|yapım(?:cı)?|plak(?:\sşirketi)?|plaadifirma|"
    r"δισκογραφική(?:\sεταιρ[ίε]ία)?|лейбл|издатель|レーベル|発売元?|厂牌|廠牌|"
    r"唱片公司|레이블사?|기획사|소속사"
)
RELEASED_ABROAD: Final = (
    r"(?:erschienen|veröffentlicht|rausgekommen)\s(?:bei|auf|über|von)|"
    r"herausge(?:geben|bracht)\svon(?=\s(?-i:[A-Z]))|erhältlich\sbei|"
    r"(?:sortie?s?|parue?s?|publiée?s?|éditée?s?|disponible)\s(?:chez|sur|par)|"
    r"(?:publicad|editad|lanzad)[oa]s?\s(?:por|en|bajo)|(?:lançad|editad)[oa]s?\s(?:por|pela|pelo)|"
    r"(?:pubblicat|edit|uscit)[oaie]\s(?:da|su|per)|"
    r"(?:uitgebracht|verschenen)\s(?:op|door|bij)|wydan[eyai]\s(?:przez|nakładem)|"
    r"(?:utgiven|utgivet|utgitt|udgivet|släppt)\s(?:av|af|på)|dirilis\s(?:oleh|melalui)|"
    r"(?:выш(?:ел|ла|ло|ли)|издан[оаы]?|выпущен[оаы]?|изданн\w{2,3})\s(?:на\s)?(?:лейбл(?:е|ом)|на)"
)
"""Phrases that a label follows."""
RELEASED_ABROAD_HAS: Final = (
    "erschien|veröff|raus|erhält|sorti|paru|publi|édit|dispon|edit|lanzad|lançad|pubblic|uscit|uitge|versch|wydan|"
    "utgi|udgi|släppt|diril|выш|изда|выпу"
)
"""Texts of which each of these phrases contains one, as in `Cue.among`."""
RELEASED_ABROAD_IN_TIME: Final = "|".join(
    rf"(?:{verbs})(?:\s[\w.:,'’/]{{1,14}}){{0,7}}?\s(?:{prepositions})"
    for verbs, prepositions in (
        ("erscheint|erschienen|veröffentlicht|kommt|jetzt|raus|vö", "bei|auf|über"),
        ("album|ep|lp|single|platte", "bei|auf"),
        (r"sort(?:ie?|ira)?|parue?|para[iî]tra?|para[iî]tre|disponible|dispo|extrait", "chez|sur"),
        ("signée?s?|album|ep|lp|single|vinyle", "chez"),
        (
            r"publicad[oa]|editad[oa]|lanzad[oa]|sale|saldrá|disponible|fuera",
            r"por|con|bajo|vía|a\stravés\sde",
        ),
        ("lançad[oa]|editad[oa]|saiu|sair?|sairá|disponível", "por|pela|pelo"),
        (r"pubblicat[oa]|uscit[oa]|uscita|uscirà|esce|fuori", "da|su|per"),
        (r"uitgebracht|verschenen|verschijnt|(?:nu|komt|is)\suit", "op|door|bij"),
        (r"wydan[eya]|ukaż[ea]\ssię|ukazał[aoy]?\ssię|wyszł[aoy]|wyszedł|premiera", "przez|nakładem"),
        (r"utgive[nt]|släpp[st]|ute|ude|udgivet|udkommer|utgitt|kommer\sut", "av|på|af|via|hos"),
        (r"vydán[oay]?|vydané|vyšl[oa]|vyšel|vychází", "u|pod\\sznačkou"),
        ("выш(?:ел|ла|ло)|издано?|выпущено?|выходит|выйдет|релиз", r"на\sлейбле|на"),
    )
) + (
    r"|(?:κυκλοφορεί|κυκλοφόρησε)(?:\s\w{1,12}){0,4}?\sαπό(?:\sτ(?:ην|η|ο|ον|ις))?(?=\s(?-i:[A-Z0-9]))"
    r"|(?:megjelent|megjelenik)\saz?(?=\s[^.,]{2,40}\skiadó)"
)
"""The same phrases with up to seven words in between."""
RELEASED_ABROAD_IN_TIME_HAS: Final = (
    " bei | auf | über | chez | sur | por | con | bajo | vía | través | pela | pelo | da | su | per | op |"
    " door | bij | przez | nakładem | av | på | af | via | hos | u | značkou | на | από |kiadó"
)
A_LABEL_ABROAD: Final = (
    r"(?:^\W{0,5}|(?<=[.!?]\s)|(?<![^\W_])(?=(?-i:[a-zл])))"
    r"(?:sello|disquera|discogr[aá]fica|gravadora|selo|etichetta|wytw[oó]rni\w{0,2}|wydawnictw\w{1,2}|"
    r"лейбл\w{0,3}|skivbolaget|pladeselskabet|plateselskapet|platenlabel|levy-?yhtiö\w{0,3}|"
    r"vydavatelstv\w{1,2}|plaadifirma\w{0,2}|wyd\.|(?:le|du|del|dem|pelo)\slabel)\s(?:(?:de|do|da|del|della|(?-i:[a-zà-ÿ]{4,14}))\s)?"
    r"(?=[\"“«„]?(?-i:[A-Z0-9А-ЯŁŚŻÕÄÖÜ]))"
)
"""A word for "label" before a name, without a colon; inside a sentence in lower case ("лейбл Снегири")."""
A_LABEL_ABROAD_HAS: Final = (
    "sello|dis|gravad|selo|etich|wytw|wyd|лейбл|skivbol|platesel|pladesel|platenl|levy|vydavat|plaadi| label"
)
