"""Words for "label" in many languages, and phrases for "released on" in languages other than English."""

# ruff: noqa: RUF001 - phrases in many languages
from __future__ import annotations

from typing import Final

WORDS_FOR_LABEL: Final = (
    r"labels?|(?:record|music)\s(?:label|company)|label\sname|netlabel|imprint|plattenfirma|plattenlabel|"
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
    r"(?:sortie?s?|disponible)\schez|(?:parue?s?|publiée?s?|éditée?s?)\s(?:chez|sur|par)|"
    r"(?:publicad|editad|lanzad)[oa]s?\s(?:por|bajo)|(?:lançad|editad)[oa]s?\s(?:por|pela|pelo)|"
    r"(?:pubblicat|edit)[oaie]\s(?:da|su|per)|"
    r"(?:uitgebracht|verschenen)\s(?:op|door|bij)|wydan(?:[eyai]|ego|ej)\sprzez|nakładem(?!\swytw)|"
    r"(?:utgiven|utgivet|utgitt|udgivet|släppt)\s(?:av|af|på)|dirilis\s(?:oleh|melalui)|"
    r"(?:выш(?:ел|ла|ло|ли)|издан[оаы]?|выпущен[оаы]?|изданн\w{2,3})\s(?:на\s)?лейбл(?:е|ом)|издан\w{1,4}\sна"
)
"""Phrases that a label follows."""
RELEASED_ABROAD_HAS: Final = (
    "erschien|veröff|raus|erhält|sorti|paru|publi|édit|dispon|edit|lanzad|lançad|pubblic|uscit|uitge|versch|wydan|nakładem|"
    "utgi|udgi|släppt|diril|выш|изда|выпу"
)
"""Texts of which each of these phrases contains one, as in `Cue.among`."""
MONTHS_ABROAD: Final = (
    r"(?:jan|ene|gen|feb|fév|mar|mär|apr|abr|avr|ma[igjy]|jun|juin|giu|jul|lug|aug|août|ago|sep|set|oct|okt|ott|out|"
    r"nov|dec|dez|dic|déc|янв|фев|мар|апр|ма[йя]|ию|авг|сен|окт|ноя|дек)[\w.]{0,9}"
)
_ANY_WORD: Final = r"[\w.:,'’/]{1,14}"
_DATE_WORD: Final = (
    r"(?:\S{0,8}\d\S{0,8}|[a-zà-ÿа-я]{1,2}|als|del|dem|den|der|les|und|vinyl|vinyle|digital|"
    rf"{MONTHS_ABROAD})"
)
RELEASED_ABROAD_IN_TIME: Final = "|".join(
    rf"(?:{verbs})(?:\s{between}){{0,7}}?\s(?:{prepositions})"
    for verbs, between, prepositions in (
        ("erschein[te]|erschien(?:en)?|veröffentlicht", _ANY_WORD, "bei|auf|über"),
        ("kommt|jetzt|neu|raus|vö", _DATE_WORD, "bei|auf|über"),
        ("album|ep|lp|single|platte", _ANY_WORD, "bei|auf"),
        ("sort(?:ie?|ira)?|parue?|para[iî]tra?|para[iî]tre|disponible|dispo|extrait", _ANY_WORD, "chez|sur"),
        ("publiée?s?|éditée?s?", _ANY_WORD, "chez|sur|par"),
        ("signée?s?|album|ep|lp|single|vinyle", _ANY_WORD, "chez"),
        ("(?:public|edit)ad[oa]s?", _ANY_WORD, r"por|en|con|bajo|vía|a\stravés\sde"),
        ("lanzad[oa]|sale|saldrá|disponible|fuera", _DATE_WORD, r"por|con|bajo|vía|a\stravés\sde"),
        ("(?:lanç|edit)ad[oa]s?|lançamento|disponível", _ANY_WORD, "por|pela|pelo"),
        ("saiu|sair?|sairá", _DATE_WORD, "por|pela|pelo"),
        ("pubblicat[oa]|uscit[oa]|uscirà|esce", _ANY_WORD, "da|su|per"),
        ("fuori", _DATE_WORD, "da|su|per"),
        (r"uitgebracht|verschenen|verschijnt|(?:nu|komt|is)\suit", _ANY_WORD, "op|door|bij"),
        (
            r"wydan[eya]|ukaż[ea]\ssię|ukazał[aoy]?\ssię|wyszł[aoy]|wyszedł|premiera",
            _ANY_WORD,
            "przez|nakładem",
        ),
        (r"utgive[nt]|släpp[st]|udgivet|udkommer|utgitt|kommer\sut", _ANY_WORD, "av|på|af|via|hos"),
        ("ute|ude", _DATE_WORD, "av|på|af|via|hos"),
        (r"vydán[oay]?|vydané|vyšl[oa]|vyšel|vychází", _ANY_WORD, r"u|pod\sznačkou"),
        ("выш(?:ел|ла|ло)|издано?|выпущено?|выходит|выйдет|релиз", _DATE_WORD, r"на\sлейбле|на"),
    )
) + (
    r"|(?:κυκλοφορεί|κυκλοφόρησε)(?:\s\w{1,12}){0,4}?\sαπό(?:\sτ(?:ην|η|ο|ον|ις))?(?=\s(?-i:[A-Z0-9]))"
    r"|(?:auf|bei)(?=\s(?-i:[A-Z0-9])[^.,!?()]{1,40}\s(?:erschein|erschien|veröffentlicht))"
    r"|(?:megjelent|megjelenik)\saz?(?=\s[^.,]{2,40}\skiadó)"
)
"""Such phrases with up to seven words in between, of a date if the verb means more than releases."""
RELEASED_ABROAD_IN_TIME_HAS: Final = (
    "bei |auf | über | chez | sur | por | con | bajo | vía | través | pela | pelo | da | su | per | op |"
    " par | door | bij | przez | nakładem | av | på | af | via | hos | u | značkou | на | από |kiadó"
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
