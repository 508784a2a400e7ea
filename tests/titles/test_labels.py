# ruff: noqa: RUF001 - names and phrases in many scripts
"""Labels in fields and descriptions, and spellings of one label."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgr_spiders.sandbox.world import World
from sgr_spiders.titles.label_keys import label_key
from sgr_spiders.titles.labels import (
    METHODS,
    DetectedLabel,
    is_of_label,
    labels,
)
from tests.benchmarks.labels import CASES, PARTS, made, score, score_made, tracks_of

DESCRIPTIONS: list[tuple[str, list[str]]] = [
    ("Released by Chillhop Records", ["Chillhop Records"]),
    ("Released on Nightlight", ["Nightlight"]),
    ("RELEASED VIA Kilometre Tapes!!", ["Kilometre Tapes"]),
    ("released on opal records and available everywhere", ["opal records"]),
    ("Release: Opal Records", ["Opal Records"]),
    ("Released May 5th 2020 on Fernway Music.", ["Fernway Music"]),
    ("Released in 2020 by Fernway", ["Fernway"]),
    (
        "The LP Forever Becoming, available on October 15th through Southern Lord Recordings.",
        ["Southern Lord Recordings"],
    ),
    ("From 'Hold My Home,' available 10/21 on Downtown Records.\nPre-order", ["Downtown Records"]),
    ("New album coming soon on DCD2/Island Records!", ["DCD2", "Island Records"]),
    ("© 2021 Glasshouse Music", ["Glasshouse Music"]),
    ("℗ 2020 Redbrick", ["Redbrick"]),
    ("(C) 2019 Sundial Ltd.", ["Sundial Ltd."]),
    ("(P) & (C) 2019 Sundial Ltd", ["Sundial Ltd"]),
    ("℗ & © 2022 Opal Records GmbH, Berlin", ["Opal Records GmbH"]),
    ("Copyright © 2021 Jane Doe. All rights reserved.", ["Jane Doe"]),
    ("Copyright 2018 Harbourline LLC", ["Harbourline LLC"]),
    (
        "℗ 2020 Basement Music under exclusive license to Copper Wire Records",
        ["Basement Music", "Copper Wire Records"],
    ),
    ("℗ 2020 Basement Music, under exclusive licence from Copper Wire", ["Basement Music", "Copper Wire"]),
    ("out now on Northbound", ["Northbound"]),
    ("OUT NOW VIA NORTHBOUND", ["NORTHBOUND"]),
    ("Out now on Northbound: https://nb.example/1", ["Northbound"]),
    ("Out now on Northbound https://x.y", ["Northbound"]),
    ("Out now on Northbound 🔥 link in bio", ["Northbound"]),
    ("Out 12 May on Northbound Recordings", ["Northbound Recordings"]),
    ("Out this Friday via @northbound", ["northbound"]),
    ("Label: Paper Moon", ["Paper Moon"]),
    ("LABEL: PAPER MOON | CAT: PM001", ["PAPER MOON"]),
    ("label - paper moon rec.", ["paper moon rec."]),
    ("Record Label: Paper Moon - PM001", ["Paper Moon"]),
    ("Labels: Paper Moon / Low Tide", ["Paper Moon", "Low Tide"]),
    ("Released by Tomas Novak on Nightlight Records", ["Nightlight Records"]),
    ("Released by Nightlight Records on 5 May", ["Nightlight Records"]),
    ("Released by Nightlight Records last week", ["Nightlight Records"]),
    ("Released by the Leaf Label", ["the Leaf Label"]),
    ("Released on !K7 Records", ["!K7 Records"]),
    ("Released on 4AD.", ["4AD"]),
    ("Released by 88rising", ["88rising"]),
    ("Released by A&M Records", ["A&M Records"]),
    ("Released on R&S Records", ["R&S Records"]),
    ("Released on Big Scary Monsters", ["Big Scary Monsters"]),
    ("Released by St. Ives Records.", ["St. Ives Records"]),
    ("Erschienen bei Kompakt", ["Kompakt"]),
    ("Sorti chez Ed Banger Records", ["Ed Banger Records"]),
    ("Publicado por Sello Azul", ["Sello Azul"]),
    ("Sello: Ruido Blanco", ["Ruido Blanco"]),
    ("Вышло на лейбле Снегири", ["Снегири"]),
    ("Лейбл: Снегири Рекордс", ["Снегири Рекордс"]),
    ("レーベル：夜光レコード", ["夜光レコード"]),
    ("厂牌：赤瞳音乐", ["赤瞳音乐"]),
    ("Selo: Discos do Mar", ["Discos do Mar"]),
    ("Lançado por Som Livre", ["Som Livre"]),
    ("© 2020 Ninja Tune\nBuy it", ["Ninja Tune"]),
    ("© Ninja Tune 2020", ["Ninja Tune"]),
    ("© 2019-2021 Ninja Tune", ["Ninja Tune"]),
    ("© 2020 by Ninja Tune", ["Ninja Tune"]),
    ("℗ 2020 The copyright in this sound recording is owned by Opal Records", ["Opal Records"]),
    ("Courtesy of Fernway Music", ["Fernway Music"]),
    ('out now on "Opal Records"', ["Opal Records"]),
    ("out now on our friends at Opal Records", ["Opal Records"]),
    ("Released on my own label Opal Sound", ["Opal Sound"]),
    ("Released through Mom + Pop", ["Mom + Pop"]),
    ("Released by Chillhop (NL)", ["Chillhop"]),
    ("Released 2020 under Opal Records", ["Opal Records"]),
    ("© 2021 Opal Records\n℗ 2021 Opal Records", ["Opal Records"]),
    ("Released on opal tonight", ["opal"]),
    ("℗© 2021 Opal", ["Opal"]),
    ("Copyright: Opal Records", ["Opal Records"]),
    ("℗ 2021 Opal Records, a division of Big Co", ["Opal Records"]),
    ("Out now on Opal Records.Get it here", ["Opal Records"]),
    ("Released by: Opal", ["Opal"]),
    ("Released by Opal, mixed by Jonas", ["Opal"]),
    ("Released by Opal mixed by Jonas", ["Opal"]),
    ("Out now on Opal, Fernway Music", ["Opal"]),
    ("Out Now On Right Now Records", ["Right Now Records"]),
    ("Pubblicato da Musica Nova Srl", ["Musica Nova Srl"]),
    ("Wydane przez Asfalt Records", ["Asfalt Records"]),
    ("Released on Opal Records as OPL001", ["Opal Records"]),
    ("Released worldwide on Opal", ["Opal"]),
    ("Released exclusively via Opal", ["Opal"]),
    ("Todos los derechos reservados © 2020 Opal Música", ["Opal Música"]),
    ("(c)2019 Opal", ["Opal"]),
    ("©2019 Opal®", ["Opal"]),
    ("released by Opal x Fernway", ["Opal", "Fernway"]),
    ("My debut EP is out now on Shall Not Fade! Grab it here: https://x.y", ["Shall Not Fade"]),
    ("OUT NOW on @monstercat", ["monstercat"]),
    ("Release by Anjunadeep, 2019", ["Anjunadeep"]),
    ("Follow Spinnin' Records: http://x\nOut now on Spinnin' Records", ["Spinnin' Records"]),
    ("Artist: Jonas\nLabel: Drumcode\nCat. No: DC200\nRelease Date: 2019-05-01", ["Drumcode"]),
    ("Released 12th March 2021 via Ghostly International on vinyl", ["Ghostly International"]),
    ("Released June 5 on Mad Decent", ["Mad Decent"]),
    ("(P) 2012 Sony Music Entertainment Germany GmbH", ["Sony Music Entertainment Germany GmbH"]),
    ("℗ 2018 XL Recordings Ltd", ["XL Recordings Ltd"]),
    ("Written and produced by Mira. © & ℗ 2019 Mira Okafor Music", ["Mira Okafor Music"]),
    ("Stream/Download: https://a.b\n© 2020 Because Music, All Rights Reserved", ["Because Music"]),
    ("Track 3 from 'Blue' released by Houndstooth in 2016.", ["Houndstooth"]),
    ("Buy: Beatport. Label: Toolroom Records (UK)", ["Toolroom Records"]),
    ("Copyright (C) 2015 Foo Bar Records.", ["Foo Bar Records"]),
    ("Veröffentlicht auf Stil vor Talent", ["Stil vor Talent"]),
    ("Déjà disponible chez Roche Musique", ["Roche Musique"]),
    ("Out 05.11.2021 on Permanent Vacation", ["Permanent Vacation"]),
    ("Now available on Ninja Tune Records - order here", ["Ninja Tune Records"]),
    ("Mastered by Tom. Released on Lobster Theremin w/ remix by Ines", ["Lobster Theremin"]),
    ("Released by Axtone & Refune", ["Axtone & Refune"]),
    ("Track taken from Late Night Tales, released on LateNightTales", ["LateNightTales"]),
    ("OUT NOW ON ALL GOOD PLATFORMS VIA DIRTYBIRD", ["DIRTYBIRD"]),
    ("Out now on iTunes via Defected Records", ["Defected Records"]),
]

IN_MIXED_CASE: list[tuple[str, list[str]]] = [
    ("Out on Tin Owl tomorrow", ["Tin Owl"]),
    ("Release: Tin Owl Records TIN 12", ["Tin Owl Records"]),
    ("Thanks to everyone at Tin Owl Records", ["Tin Owl Records"]),
    ("a new one from the Tin Owl camp", ["Tin Owl"]),
    ("[Label] Tin Owl", ["Tin Owl"]),
    ("Out 4th April - Tin Owl Records", ["Tin Owl Records"]),
    ("his debut on Tin Owl with a new EP", ["Tin Owl"]),
    ('Taken from the EP "Dusk" on Tin Owl', ["Tin Owl"]),
    ("The LP “Dusk” (Tin Owl, 2011)", ["Tin Owl"]),
    ("off the album “Dusk”, Tin Owl, Feb 2022", ["Tin Owl"]),
    ("Ilse - Dusk EP (Tin Owl)", ["Tin Owl"]),
    ("Next up on Tin Owl: Ilse Quandt", ["Tin Owl"]),
    ("I've signed to Tin Owl!", ["Tin Owl"]),
    ("out on the mighty Tin Owl", ["Tin Owl"]),
    ("out via Rue's own Tin Owl label", ["Tin Owl"]),
    ("The Leeds-based imprint Tin Owl returns with TIN012", ["Tin Owl"]),
    ("On our label Tin Owl", ["Tin Owl"]),
    ("PREMIERE: Ilse Quandt - Dusk [Tin Owl]", ["Tin Owl"]),
    ("we are on Tin Owl Records now", ["Tin Owl Records"]),
    ("Tin Owl Records", ["Tin Owl Records"]),
    ("Tin Owl Records is proud to present Ilse", ["Tin Owl Records"]),
    ("2014 Tin Owl Records", ["Tin Owl Records"]),
    ("A Tin Owl release", ["Tin Owl"]),
    ("Tin Owl 013", ["Tin Owl"]),
    ("Tin Owl #4", ["Tin Owl"]),
    ("Ilse - Dusk [Tin Owl 12]", ["Tin Owl"]),
    ("Ilse Quandt - Dusk – Tin Owl Records – June 8, 2018", ["Tin Owl Records"]),
    ("I run a small label called Tin Owl", ["Tin Owl"]),
    ("Her debut LP for Tin Owl", ["Tin Owl"]),
    ("available from Tin Owl", ["Tin Owl"]),
    ("Bald auf Tin Owl Records", ["Tin Owl Records"]),
    ("Nuestro disco sale en marzo con Búho Azul", ["Búho Azul"]),
    ("(Label: Tin Owl / Vertrieb: Redbrick)", ["Tin Owl"]),
    ("Dusk\nTin Owl OWL012", ["Owl"]),
    ("Tinowl TIN012", ["Tinowl"]),
    ("out on Tin Owl TIN012", ["Tin Owl"]),
    ("out on Tin Owl May 5th", ["Tin Owl"]),
    (
        "out through Tin Owl (AU/NZ), Redbrick (UK/EU) and Low + Tide (US)",
        ["Tin Owl", "Redbrick", "Low + Tide"],
    ),
    ("Released by Tin Owl Records and Redbrick Records", ["Tin Owl Records", "Redbrick Records"]),
    ("Label: Tin Owl Cat: TIN1 Artist: Ilse", ["Tin Owl"]),
    ("Follow us\nLabel\nTin Owl\n", ["Tin Owl"]),
    ("Label // Tin Owl", ["Tin Owl"]),
    ("Re-issued by Tin Owl", ["Tin Owl"]),
    ("(C) Tin Owl 2014", ["Tin Owl"]),
    ("Sale el 3 de junio por Búho Azul", ["Búho Azul"]),
    ("Släpps 3 mars på Blå Uggla", ["Blå Uggla"]),
    ("Erscheint am 3. Mai bei Blaueule", ["Blaueule"]),
    ("Wydawca: Niebieska Sowa", ["Niebieska Sowa"]),
    ("「ブルーオウル」よりリリース", ["ブルーオウル"]),
    ("Herausgegeben von Blaueule", ["Blaueule"]),
    ("Die neue EP bei Blaueule", ["Blaueule"]),
    ("Premier EP chez Chouette", ["Chouette"]),
    ("Disponible a través de Búho Azul", ["Búho Azul"]),
    ("Vai sair pela Coruja em março", ["Coruja"]),
    ("Uscirà il 5 maggio per Gufo Blu", ["Gufo Blu"]),
    ("Komt 5 mei uit, nu uit bij Blauwe Uil", ["Blauwe Uil"]),
    ("Ukazał się nakładem Niebieska Sowa", ["Niebieska Sowa"]),
    ("Vyšlo u Modrá Sova", ["Modrá Sova"]),
    ("Κυκλοφορεί από την Tin Owl", ["Tin Owl"]),
    ("Megjelent a Kék Bagoly kiadónál", ["Kék Bagoly"]),
    ("Трек с альбома, изданного на Синяя Сова", ["Синяя Сова"]),
    ("Новый релиз лейбла Синяя Сова", ["Синяя Сова"]),
    ("w wytwórni Niebieska Sowa", ["Niebieska Sowa"]),
    ("O disco sai com o selo da Coruja", ["Coruja"]),
    ("Label -> Tin Owl", ["Tin Owl"]),
    ("out 12.10. via Tin Owl", ["Tin Owl"]),
    ("Released under Tin Owl", ["Tin Owl"]),
    ("By arrangement with Tin Owl Company", ["Tin Owl Company"]),
    ("Licensed exclusively to Tin Owl Records", ["Tin Owl Records"]),
    ("lovingly restored by Tin Owl Records", ["Tin Owl Records"]),
    ("Published in Tinowl netlabel, 2005", ["Tinowl"]),
    ("Third album for Tin Owl", ["Tin Owl"]),
    ("from our “Dusk” compilation (Tin Owl Records)", ["Tin Owl Records"]),
    ("Nouvel album disponible chez Tôt ou Tard", ["Tôt ou Tard"]),
    ("© 2019 Owl Label Group, LLC", ["Owl Label Group, LLC"]),
    ("Tin Owl is proud to present the debut EP by Ilse Quandt", ["Tin Owl"]),
    ("Leeds's Tin Owl welcomes Ilse back for the “Dusk” EP", ["Tin Owl"]),
    ("Tin Owl returns with its first record of the year, three tracks by young Ilse", ["Tin Owl"]),
    ("After releases on Redbrick she signed to Tin Owl", ["Tin Owl"]),
    ("Ilse joins the Tin Owl family", ["Tin Owl"]),
    ("She returns to the Tin Owl stable for a third EP", ["Tin Owl"]),
    ("just signed this one to Tin Owl", ["Tin Owl"]),
    ("Signed to: Tin Owl", ["Tin Owl"]),
    ("All rights reserved by Tin Owl", ["Tin Owl"]),
    ("Master owned by Tin Owl", ["Tin Owl"]),
    ("Property of Tin Owl Records", ["Tin Owl Records"]),
    ("Brought to you by Tin Owl Records", ["Tin Owl Records"]),
    ("Cassette by Tin Owl Tapes", ["Tin Owl Tapes"]),
    ("℗ Redbrick, under licence to Tin Owl", ["Redbrick", "Tin Owl"]),
    ("released through our own label, Tin Owl", ["Tin Owl"]),
    ("out on Tin Owl Friday", ["Tin Owl"]),
    ("Music Company: Tin Owl", ["Tin Owl"]),
    ("out on Tin Owl in Europe and Redbrick in the US", ["Tin Owl", "Redbrick"]),
    (
        "Licensed to Tin Owl Records for the UK & Europe, Redbrick Records for Japan",
        ["Tin Owl Records", "Redbrick Records"],
    ),
    ("Released by Tin Owl in the US last week", ["Tin Owl"]),
    ("Hyperdub presents: Ilse", ["Hyperdub"]),
    ("Blaueule Records präsentiert: Ilse", ["Blaueule Records"]),
    ("Neu auf Blaueule: Ilse", ["Blaueule"]),
    ("Édité en vinyle par Chouette", ["Chouette"]),
    ("album już 5 maja nakładem Niebieska Sowa", ["Niebieska Sowa"]),
    ("Релиз: Сова Рекордс, 2016", ["Сова Рекордс"]),
    ("Das Album ist im Mai auf Blaueule erschienen", ["Blaueule"]),
    ("das im Herbst bei Blaueule erscheint", ["Blaueule"]),
    ("Mein Album erschien 2015 bei Blaueule", ["Blaueule"]),
    ("Lançamento pela Coruja", ["Coruja"]),
    ("ukazała się nakładem wytwórni Niebieska Sowa", ["Niebieska Sowa"]),
    ("Stones Throw 2011", ["Stones Throw"]),
    *((f"{line}.", [line.split(" ")[0]]) for line in ("ECM 2548", "ECM 481 5534", "ECM")),
    ("Вышло на Синяя Сова 12 марта", ["Синяя Сова"]),
    ("Out on Tin Owl 9 Feb", ["Tin Owl"]),
    ("albumu wydanego nakładem Niebieska Sowa", ["Niebieska Sowa"]),
    ("From the album Dusk. 4AD. 2014.", ["4AD"]),
    ("Ilse Quandt\n(Jagjaguwar)\nStreet Date: May 27", ["Jagjaguwar"]),
    ("Vinyl 12 – Giegling – GIEGLING LP 05", ["Giegling"]),
    ("Courtesy of Analog Africa.", ["Analog Africa"]),
    ("From “Dusk”. WaterTower Music.", ["WaterTower Music"]),
    ("Esce venerdì il nuovo disco di Ilse, su Gufo Blu", ["Gufo Blu"]),
    ("publicado por el sello madrileño Búho", ["Búho"]),
    ("Sur le label parisien Chouette", ["Chouette"]),
    ("Neue Single von Ilse auf Blaueule", ["Blaueule"]),
    ("Produit par Ilse pour Chouette Records", ["Chouette Records"]),
    ("Extrait du EP « Dusk » (Chouette Records #12)", ["Chouette Records"]),
    ("7 inch repress on Tin Owl", ["Tin Owl"]),
]
"""Labels that capitals or a number tell from the words around them."""

NO_LABELS_IN_MIXED_CASE = [
    "label: contact me", "Labels: please get in touch", "Support your local record label: Buy!",
    "Mastered at Owl Recordings", "Recorded at Owl Records", "Buy at Owl Records", "Buy it at Owl Records",
    "Remix contest for Owl Records", "Artwork for Owl Records",
    "out on parole in the city", "Disponible sur toutes les plateformes",
    "Original released by Tin Owl Records",
    "I don't own this. © 2017 Tin Owl Records", "01. Ilse - Dusk - Tin Owl Records", "Juno 106",
    "Groovecast 012",
    "OWL 036", "Sketch 003",
    "Ilse - Dusk [Berlin 2014]", "available from May", "All rights to the respective label (Sony)",
    "out on the old Myspace page", "He returns to Berlin", "She's back on Earth", "available on Vimeo",
    "Next up on Rinse FM",
    "New single on Friday", "my album on God", "New record on Side A", "out on PS4, Xbox and Switch",
    "Ilse - Dusk EP (Remixes)", "Ilse - Dusk EP (Part 1)",
    "Some Old Records", "Vinyl from our shop", "PREMIERE: Ilse - Dusk (Rue Remix)",
    "Premiere at a theatre - directed by Ilse (Berlin)", "Inspired by early Tin Owl Records",
    "with releases on Tin Owl and Redbrick", "For labels & promoters: ilse@example.com",
    "Label: looking for one, write to me", "Published by Tin Owl Publishing", "℗ 1234567 Records DK",
    "Friday Mix FRI012", "Roland TR808", "Label showcase on 5 May",
    "Previously released on Tin Owl", "Released under the name Ilse", "Released under his Ilse alias",
    "El sello personal", "Label Group meeting", "An homage to Tin Owl Records", "Licensed by Ilse",
    "We are proud to present Ilse", 'out now on 12" & digital',
    "Tin Owl presents a night with Ilse", "I wrote this album for Ilse", "available on Stitcher",
    "Κυκλοφορεί από Παρασκευή", "Herausgegeben von den Freunden",
    "Bootleg. All rights to Ilse / Def Jam.", "Ninja Tune / Warp / Hyperdub / Planet Mu", "Ilse 2014",
    "1. Ilse - Dusk - Ninja Tune", "permanent vacation", "Das Stück erscheint auf Deutsch",
    "auf Vinyl erschienen",
    "Die Single ist auf Platz 1", "Listen back on NTS", "EP available on Gumroad",
    "She came to the Addams house", "we joined the Army", "Back on Broadway",
    "Next release on the label will be by Ilse", "Disponible sur demande",
    "Kommt zur Party am Freitag bei Anna", "Sale el sol por Antequera", "Вышел на балкон", "uscito per caso",
]  # fmt: skip

NO_LABELS = [
    "Release: 12.05.2021",
    "Release: Midnight Sun EP",
    "Release date: 5 May 2021",
    "Released: 2020",
    "Released on May 5th, 2020",
    "Released on Friday",
    "Released on Spotify and Bandcamp",
    "Out now on all platforms!",
    "OUT NOW ON BEATPORT",
    "Out now on vinyl & digital",
    "Available now on Apple Music",
    "© 2021 All rights reserved",
    "All rights reserved.",
    "No copyright infringement intended",
    "Copyright Disclaimer Under Section 107 of the Copyright Act 1976, allowance is made",
    "Photo © Jane Doe",
    "Artwork (c) 2020 Jane Doe",
    "(a) kick (b) snare (c) hat",
    "Label: self-released",
    "Label: None",
    "Label: N/A",
    "Label: Independent",
    "Label: Unsigned",
    "Label: SoundCloud",
    "Self-released by the band",
    "released by me",
    "Released by popular demand",
    "released on my birthday",
    "Released with love from Berlin",
    "Released by the artist himself after two long years",
    "released on a small label from Leeds",
    "Courtesy of my mother",
    "shall be released within the silent fire of Saturn.",
    "unreleased on purpose",
    "This was never released on Opal Records",
    "Released under Creative Commons",
    "The label: we love music",
    "Warning label - explicit",
    "Tracklist on 1001: Artist - Title [Opal Records]",
    "out on tour next month",
    "Music out now on YouTube",
    "A: Jonas\nT: Dusk\nL: Opal",
    "Free download! Not on any label.",
    "Check out my other song released by accident",
    "released on the 1st of april, no joke",
    "The video is out now on my YouTube channel",
    "Out now on Bandcamp: https://a.bandcamp.com",
    "Out now via Bandcamp and all good stores",
    "Album out now on limited edition vinyl",
    "Music by Jonas. All rights belong to their respective owners. ©",
    "I do not own the copyright",
    "OUT NOW [Opal Records]",
    "Out now everywhere",
    "released on Halloween",
    "Released on Valentine's Day",
    "This was released by a friend of mine on Halloween",
    "Licensed to YouTube by Opal Records",
    "Due out February 24 on 12” vinyl and digital formats",
    "Cover © 2020 Jane Doe",
    "© 2020",
    "Released on 5",
    "",
    "   ",
]


def named(description: str) -> list[str]:
    return [label.name for label in labels(None, description, None, METHODS)]


@pytest.mark.parametrize(("description", "names"), DESCRIPTIONS)
def test_descriptions(description: str, names: list[str]) -> None:
    assert named(description) == names


@pytest.mark.parametrize("case", [str.upper, str.lower, str.swapcase])
@pytest.mark.parametrize(("description", "names"), DESCRIPTIONS)
def test_letter_case_makes_no_difference(description: str, names: list[str], case: object) -> None:
    assert callable(case)
    assert [label_key(name) for name in named(case(description))] == [label_key(name) for name in names]


@pytest.mark.parametrize(("description", "names"), IN_MIXED_CASE)
def test_capitals_and_numbers_show_a_label(description: str, names: list[str]) -> None:
    assert named(description) == names


@pytest.mark.parametrize("description", NO_LABELS_IN_MIXED_CASE)
def test_capitals_alone_show_no_label(description: str) -> None:
    assert named(description) == []


@pytest.mark.parametrize("description", NO_LABELS)
def test_no_labels(description: str) -> None:
    assert named(description) == []
    assert named(description.upper()) == []
    assert named(description.lower()) == []


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("Revealed Recordings", ["Revealed Recordings"]),
        ("  Mosy  recordings ", ["Mosy recordings"]),
        (
            "Big Scary Monsters / Burnt Toast Vinyl / XTAL",
            ["Big Scary Monsters", "Burnt Toast Vinyl", "XTAL"],
        ),
        ("DCD2/Island Records", ["DCD2", "Island Records"]),
        ("Opal | opal records", ["Opal"]),
        ("℗ 2020 Opal GmbH", ["Opal GmbH"]),
        ("Opal, under exclusive license to Fernway", ["Opal"]),
        ("Tin Owl x Redbrick", ["Tin Owl", "Redbrick"]),
        ("Planet X Records", ["Planet X Records"]),
        ("On/Off Records", ["On/Off Records"]),
        ("Tin + Can", ["Tin + Can"]),
        ("Hill & Sons", ["Hill & Sons"]),
        ("Tin Owl, Redbrick & Opal", ["Tin Owl", "Redbrick", "Opal"]),
        ("Tin Owl (UK), Redbrick (US)", ["Tin Owl", "Redbrick"]),
        ("Tin Owl (North America) & Redbrick (Europe)", ["Tin Owl", "Redbrick"]),
        ("(℗) 2015 Tin Owl", ["Tin Owl"]),
        ("P&C 2009 Tin Owl", ["Tin Owl"]),
        ("Licensed to Tin Owl", ["Tin Owl"]),
        ("Forthcoming on Tin Owl", ["Tin Owl"]),
        ("Out now: Tin Owl", ["Tin Owl"]),
        *(
            (name, [name])
            for name in ("Out of Owls", "Out Now Records", "Coming Home Records", "Available Light")
        ),
        ("Tin Owl Music Publishing", []),
        ("Tin Owl Publishing Ltd. / Opal", ["Opal"]),
        ("Courtesy of Tin Owl", ["Tin Owl"]),
        ("Released by Tin Owl in 2016", ["Tin Owl"]),
        ("Class of 2004", ["Class of 2004"]),
        ("Tin Owl Records - www.owl.example", ["Tin Owl Records"]),
        ("Dot.com Records", ["Dot.com Records"]),
        ("A Tin Owl release", ["Tin Owl"]),
        *((none, []) for none in ("none yet", "by myself", "promo only", "CC0", "Vinyl", "example.com")),
        ("Tin Owl for the United States and Redbrick for the rest of the world", ["Tin Owl", "Redbrick"]),
        *((none, []) for none in ("ilse@example.com", "Copyright 2019", "CC BY-NC 3.0", "Auto-production")),
        *((none, []) for none in ("Distributed by Tin Owl", "Manufactured and distributed by Tin Owl")),
        ("This compilation ℗ 2014 Tin Owl", ["Tin Owl"]),
        ("The copyright in this sound recording is owned by Tin Owl", ["Tin Owl"]),
        ("℗ 2020 The copyright in this sound recording is owned by Tin Owl", ["Tin Owl"]),
        ("Published by © 2020 Tin Owl", ["Tin Owl"]),
        *((rights, ["Tin Owl"]) for rights in ("Copyright: Tin Owl", "© Tin Owl 2020", "Tin Owl © 2020")),
        ("℗ 2014 Tin Owl © 2015 Redbrick", ["Tin Owl", "Redbrick"]),
        ("Tin Owl, a Redbrick Music Group company", ["Tin Owl"]),
        ("Tin Owl (AU/NZ)", ["Tin Owl"]),
        ("[PIAS]", ["PIAS"]),
        *((f"Tin Owl {number}", ["Tin Owl"]) for number in ("#45", "045", "cat: TIN045")),
        ("Fat Cat Records", ["Fat Cat Records"]),
        ("(c) by Tin Owl", ["Tin Owl"]),
        ("© 2014 Tin Owl, Unauthorized copying prohibited", ["Tin Owl"]),
        *((f"{cue} Tin Owl", ["Tin Owl"]) for cue in ("Published by", "Publicado por", "Erschienen bei")),
        *((none, []) for none in ("No label yet :(", "open for labels", "Unreleased dub", "Own production")),
        *((none, []) for none in ("Sem gravadora", "kein Label", "Senza etichetta")),
        ("TIN012 - Tin Owl", ["Tin Owl"]),
        *((f"Tin Owl / {by} Redbrick", ["Tin Owl"]) for by in ("Dist. by", "distribué par", "Distr.")),
        *((none, []) for none in ("Zelf uitgebracht", "Edição de autor", "Creative Commons Attribution")),
        ("88rising", ["88rising"]),
        ("!!!", ["!!!"]),
        ("夜光レコード", ["夜光レコード"]),
        ("CHILLHOP RECORDINGS LLC.", ["CHILLHOP RECORDINGS LLC."]),
        *(
            (generic, [])
            for generic in ("", " ", "-", "n/a", "N/A", "None", "Self-Released", "self released")
        ),
        *(
            (generic, [])
            for generic in ("Independent", "INDEPENDENT", "unsigned", "All rights reserved", "2021")
        ),
        *(
            (generic, [])
            for generic in ("SoundCloud", "Records", "Music", "Ltd.", "No Label", "???", "x" * 500)
        ),
    ],
)
def test_fields(field: str, names: list[str]) -> None:
    assert [label.name for label in labels(field, None, None, METHODS)] == names


@pytest.mark.parametrize(
    ("publisher", "names"),
    [
        ({"p_line": "2021 Opal Records"}, ["Opal Records"]),
        (
            {"p_line_for_display": "℗ 2021 Opal Records", "c_line_for_display": "© 2021 Opal"},
            ["Opal Records"],
        ),
        ({"c_line": "(C) 2021 Opal, a division of Fernway"}, ["Opal"]),
        ({"publisher": "Fernway Publishing", "label": "Opal"}, ["Opal"]),
        ({"label": {"username": "Opal", "id": 3}}, ["Opal"]),
        ({"p_line": None, "c_line": 7, "label": ["Opal"], "publisher": b"x", "artist": "Jane Doe"}, []),
        ({}, []),
    ],
)
def test_publisher_metadata(publisher: dict[str, object], names: list[str]) -> None:
    assert [label.name for label in labels(None, None, publisher, METHODS)] == names


def test_order_methods_and_one_of_each() -> None:
    where = (
        "Opal",
        "Out now on Fernway Music\n© 2020 OPAL RECORDS",
        {"p_line": "2020 Sundial", "c_line": "Fernway"},
    )
    assert labels(*where, METHODS) == (
        DetectedLabel("Opal", "label_field"),
        DetectedLabel("Fernway Music", "description_parsing"),
        DetectedLabel("Sundial", "publisher_metadata"),
    )
    assert labels(*where, ["description_parsing"]) == (
        DetectedLabel("Fernway Music", "description_parsing"),
        DetectedLabel("OPAL RECORDS", "description_parsing"),
    )
    assert labels(*where, []) == ()


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "Chillhop Records",
            "chillhop",
            "Chillhop Music",
            "CHILLHOP RECORDINGS LLC.",
            "Chillhop Rec.",
            "The Chillhop",
        ],
        ["Low Tide", "lowtide", "Low Tide Tapes", "@lowtiderecords", "Low-Tide Collective"],
        ["Éd Bânger", "Ed Banger Recs", "E\u0301D BANGER MUSIC GROUP"],
        ["A&M", "A & M Records", "a and m"],
        ["Снегири", "СНЕГИРИ РЕКОРДС", 'ООО "Снегири"'],
        ["夜光", "夜光レコード"],
        ["Straße", "STRASSE RECORDS"],
        ["Opal®", "𝗢𝗽𝗮𝗹 Records"],
        ["Records", "records", "The Records"],
        ["Music", "MUSIC"],
    ],
)
def test_spellings_of_one_label(spellings: list[str]) -> None:
    assert {label_key(spelling) for spelling in spellings} == {label_key(spellings[0])}
    assert len({label_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Records", "Music"),
        ("Chillhop Records", "Chillhop 2 Records"),
        ("ガ", "カ"),
        ("कि", "का"),
        ("йод", "иод"),
        ("Opal Sound", "Opal"),
    ],
)
def test_two_labels(first: str, second: str) -> None:
    assert label_key(first) != label_key(second)


def test_a_blank_name_has_no_key() -> None:
    assert label_key("") == label_key(" ") == ""


def test_a_track_of_the_label() -> None:
    assert is_of_label("chillhop", None, None, "Chillhop Records")
    assert is_of_label(None, "OUT NOW ON CHILLHOP MUSIC!", None, "Chillhop Records")
    assert is_of_label(None, None, {"p_line": "℗ 2020 Chillhop"}, "Chillhop Records")
    assert is_of_label("Opal / Chillhop", None, None, "Chillhop Records")
    assert not is_of_label("Opal", "I love Chillhop Records", None, "Chillhop Records")
    assert not is_of_label(None, None, None, "Chillhop Records")
    assert not is_of_label("", "", {}, "")


TEXT = st.text() | st.text("©℗(c)pP released by on out now label: 2020,./-\n\x00\x1b[", max_size=300)


@given(TEXT, TEXT, st.dictionaries(st.sampled_from(["p_line", "label", "publisher", "x"]), TEXT))
def test_any_text_is_safe(field: str, description: str, publisher: dict[str, object]) -> None:
    found = labels(field, description, publisher, METHODS)
    keys = [label_key(label.name) for label in found]
    assert len(set(keys)) == len(keys)
    assert all(keys)
    for label in found:
        assert 0 < len(label.name) <= 100
        assert "\n" not in label.name
        assert label.name == label.name.strip()
        assert is_of_label(field, description, publisher, label.name)


@given(st.text(max_size=60))
def test_a_key_is_its_own_key_in_any_case(name: str) -> None:
    assert label_key(name) == label_key(f"  {name} ")
    if name.isascii():
        assert label_key(name) == label_key(name.upper()) == label_key(name.lower())


@pytest.mark.parametrize(
    "text",
    [
        "released ",
        "out now ",
        "(c)",
        "© ",
        "released by" + " " * 50,
        "out may may ",
        "a.",
        "/ ",
        "a-",
        "© MMXX",
        "\x1b[",
    ],
)
def test_long_hostile_text_takes_no_time(text: str) -> None:
    long = text * (200_000 // len(text))
    start = time.perf_counter()
    labels(long, long, {"p_line": long}, METHODS)
    label_key(long)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("part", PARTS)
def test_aims_on_made_texts(part: str) -> None:
    descriptions, clean = score_made(list(made(part)))
    assert clean >= 0.95
    assert descriptions.precision >= 0.95
    assert descriptions.recall >= 0.95


def test_rights_of_any_length_end_a_field() -> None:
    assert [
        label.name for label in labels("Opal, all rights reserved " + "x y " * 90, None, None, METHODS)
    ] == ["Opal"]


@pytest.mark.parametrize("hostile", [False, True])
def test_the_sandbox_world(*, hostile: bool, capsys: pytest.CaptureFixture[str]) -> None:
    tracks = tracks_of(World.build(), hostile=hostile)
    for name, case in CASES.items():
        for with_field in (True, False):
            result = score(tracks, case, with_field=with_field)
            with capsys.disabled():
                print(f"{name}, {'field and description' if with_field else 'description alone'}: {result}")  # noqa: T201
            assert result.hits > 100
            assert result.precision >= 0.95, result.examples
            assert result.recall >= 0.95, result.examples
