"""The vocabulary of the world's people, tracks, labels and comments."""

from __future__ import annotations

from typing import NamedTuple


class Scene(NamedTuple):
    """The vocabulary of one taste community."""

    genre: str
    tags: tuple[str, ...]
    nouns: tuple[str, ...]
    bpm: tuple[int, int]


SCENES: tuple[Scene, ...] = (
    Scene(
        "Lo-fi Hip Hop",
        ("lofi", "chill beats", "study", "jazzhop"),
        ("Lanterns", "Raincoat", "Teahouse", "Polaroids", "Blankets", "Bookshop", "Puddles"),
        (68, 92),
    ),
    Scene(
        "Deep House",
        ("deep house", "house", "groove", "vinyl"),
        ("Rooftop", "Afterglow", "Boulevard", "Terrace", "Nightcall", "Velour", "Marble"),
        (118, 125),
    ),
    Scene(
        "Drum & Bass",
        ("dnb", "jungle", "liquid", "breaks"),
        ("Torque", "Undertow", "Skyline", "Pylon", "Circuit", "Vapour", "Monsoon"),
        (170, 176),
    ),
    Scene(
        "Ambient",
        ("ambient", "drone", "field recording", "modular"),
        ("Glacier", "Tidewater", "Lichen", "Aurora", "Stillness", "Moraine", "Harbour"),
        (50, 80),
    ),
    Scene(
        "Techno",
        ("techno", "warehouse", "acid", "hardware"),
        ("Furnace", "Voltage", "Concrete", "Strobe", "Piston", "Relay", "Basalt"),
        (128, 145),
    ),
    Scene(
        "Hip-hop & Rap",
        ("hiphop", "rap", "boom bap", "freestyle"),
        ("Corner", "Ledger", "Crown", "Bodega", "Cadence", "Payphone", "Sidewalk"),
        (78, 100),
    ),
    Scene(
        "Indie",
        ("indie", "bedroom pop", "dream pop", "guitar"),
        ("Suburbia", "Postcards", "Carousel", "Daydream", "Orchard", "Matinee", "Windows"),
        (90, 130),
    ),
    Scene(
        "Dubstep",
        ("dubstep", "bass", "140", "wonky"),
        ("Leviathan", "Catacomb", "Pressure", "Dungeon", "Mantis", "Quarry", "Gravity"),
        (138, 142),
    ),
)

ADJECTIVES: tuple[str, ...] = (
    "Paper", "Silver", "Hollow", "Golden", "Distant", "Velvet", "Midnight", "Broken",
    "Quiet", "Neon", "Crystal", "Faded", "Slow", "Electric", "Wandering", "Frozen",
    "Crimson", "Secret", "Lunar", "Restless", "Amber", "Gentle", "Violet", "Northern",
)  # fmt: skip

FIRST_NAMES: tuple[str, ...] = (
    "Mira", "Jonas", "Aiko", "Tomas", "Leila", "Owen", "Ines", "Kofi", "Dana", "Ravi",
    "Elena", "Marek", "Noor", "Silas", "Yuki", "Paloma", "Anton", "Greta", "Femi", "Luca",
)  # fmt: skip

LAST_NAMES: tuple[str, ...] = (
    "Okafor", "Lindqvist", "Tanaka", "Moreau", "Silva", "Hartmann", "Novak", "Reyes",
    "Callahan", "Aydin", "Petrov", "Bianchi", "Nakamura", "Sørensen", "Dubois", "Kaur",
)  # fmt: skip

ARTIST_WORDS: tuple[str, ...] = (
    "Kestrel", "Halcyon", "Marlow", "Tessellate", "Osprey", "Juniper", "Cobalt", "Wren",
    "Solstice", "Parallax", "Ember", "Fathom", "Ivory", "Saffron", "Drift", "Monolith",
    "Cascade", "Indigo", "Lucid", "Sable", "Rune", "Meridian", "Oblique", "Plume",
)  # fmt: skip

ARTIST_PATTERNS: tuple[str, ...] = (
    "{word}", "{word} {other}", "DJ {word}", "{first} {last}", "The {word} {other}",
    "{first} & {word}", "{lower}.wav", "{lower}_{other_lower}", "{word}beats",
)  # fmt: skip

LISTENER_PATTERNS: tuple[str, ...] = (
    "{first} {last}", "{first_lower}{number}", "{first_lower}.{last_lower}",
    "{first} from {city}", "{lower}_{number}", "xX{word}Xx",
)  # fmt: skip

ODD_NAMES: tuple[str, ...] = (
    "Алиса и Зима", "夜の散歩", "ليلى", "Zoë 🌙", "Ångström", "비 오는 날", "מיכל", "Cafe\u0301 Society",
)  # fmt: skip

ODD_TITLES: tuple[str, ...] = (
    "Снежный вечер", "雨の日のコーヒー", "مطر الليل", "Sunset 🌅 Drive", "Re\u0301sume\u0301",
    "달빛 아래서", "שיר לילה", "Z\u0308a\u0335l\u0336g\u0337o", "👩🏽‍🎤 Encore", "Тишина II",
)  # fmt: skip

LABEL_WORDS: tuple[str, ...] = (
    "Chillhop", "Nightlight", "Low Tide", "Copper Wire", "Paper Moon", "Basement", "Fernway",
    "Northbound", "Glasshouse", "Kilometre", "Sundial", "Harbourline", "Redbrick", "Opal",
)  # fmt: skip

LABEL_SUFFIXES: tuple[str, ...] = ("Records", "Music", "Recordings", "Tapes", "Collective")

CITIES: tuple[tuple[str, str], ...] = (
    ("Berlin", "Germany"), ("Lagos", "Nigeria"), ("São Paulo", "Brazil"), ("Osaka", "Japan"),
    ("Bristol", "United Kingdom"), ("Montréal", "Canada"), ("Kraków", "Poland"),
    ("Detroit", "United States"), ("Lisbon", "Portugal"), ("Seoul", "South Korea"),
)  # fmt: skip

PLAYLIST_PATTERNS: tuple[str, ...] = (
    "{genre} favourites", "{adjective} {noun} mix", "late night {tag}", "{tag} vol. {number}",
    "Best of {year}", "for the road", "{tag} / {other_tag}", "work focus", "🌊 {noun}",
)  # fmt: skip

COMMENTS: tuple[str, ...] = (
    "this drop!!", "love the {noun} vibe", "🔥🔥🔥", "who else is here in {year}?", "beautiful",
    "that bassline though", "needs more plays", "goosebumps every time", "track id please?",
    "clean mix", "<3", "on repeat since {year}", "замечательно", "最高です", "رائع", "nice one",
    "this reminds me of {noun}", "what plugin is that at the start?", "❤️‍🔥", "so good\nso so good",
)  # fmt: skip

REPLIES: tuple[str, ...] = (
    "agreed!", "thank you so much 🙏", "totally", "it is in the description", "haha yes", "same here",
)  # fmt: skip

SERVICES: tuple[tuple[str, str], ...] = (
    ("instagram", "https://instagram.com/{name}"),
    ("bandcamp", "https://{name}.bandcamp.example/"),
    ("personal", "https://{name}.example/"),
    ("youtube", "https://youtube.com/@{name}"),
)

LICENSES: tuple[str, ...] = (
    "all-rights-reserved", "all-rights-reserved", "all-rights-reserved", "cc-by", "cc-by-nc-sa",
)  # fmt: skip
