"""Games, films and series after which versions are named: "(Minecraft Remix)" is not a remix by Minecraft.

Titles that are also names of performers ("Journey", "Portishead") are missing.
"""

from __future__ import annotations

import re
from typing import Final

_GAMES: Final = """
    among us|animal crossing|apex legends|assassin's creed|baldi's basics|baldur's gate|banjo kazooie|
    battlefield|bendy|bioshock|black ops|bloodborne|borderlands|brawl stars|call of duty|castlevania|
    chrono trigger|clash of clans|clash royale|command and conquer|cookie clicker|counter strike|
    counter-strike|crash bandicoot|cs:go|csgo|cuphead|cyberpunk|dark souls|deltarune|destiny 2|deus ex|
    devil may cry|donkey kong|doom eternal|dota|dragon ball|dragon ball z|dragon quest|duke nukem|
    earthbound|elden ring|elder scrolls|f-zero|fallout|far cry|fifa|final fantasy|fire emblem|
    five nights at freddy's|fnaf|fnf|fortnite|friday night funkin|friday night funkin'|garry's mod|
    gears of war|genshin impact|geometry dash|gerudo valley|ghosts 'n goblins|god of war|gran turismo|
    grand theft auto|gta|guilty gear|guitar hero|half life|half-life|halo|hearthstone|hollow knight|
    hotline miami|just shapes and beats|katamari|kingdom hearts|league of legends|legend of zelda|
    lethal company|life is strange|mario|mario kart|mario party|mass effect|master chief|mega man|
    megaman|metal gear|metal gear solid|metroid|minecraft|mortal kombat|nier|nier automata|
    ocarina of time|octopath traveler|omori|osu|overwatch|pac-man|pacman|piggy|plants vs zombies|
    plants vs. zombies|pokemon|pokémon|pong|poppy playtime|portal 2|quake|red dead redemption|
    resident evil|roblox|rocket league|runescape|secret of mana|shadow of the colossus|shovel knight|
    silent hill|simcity|sims|skyrim|smash bros|sonic|sonic mania|sonic the hedgehog|spelunky|splatoon|
    star fox|starcraft|stardew valley|street fighter|subnautica|super mario|super mario bros|
    super meat boy|super metroid|super smash bros|team fortress|tekken|terraria|tetris|the elder scrolls|
    the last of us|the legend of zelda|the sims|the witcher|tomb raider|touhou|ultrakill|undertale|
    valorant|warcraft|warframe|wii|wii sports|witcher|wii channel|wii shop|windows 95|windows xp|
    wolfenstein|world cup|world of warcraft|xenoblade|yoshi|zelda
"""
_FILMS: Final = """
    007|adventure time|aladdin|alice in wonderland|arcane|attack on titan|austin powers|avengers|
    back to the future|barbie girl|batman|beetlejuice|bob's burgers|breaking bad|cowboy bebop|
    demon slayer|despicable me|disney|death note|doctor who|dr who|dragonball|dragonball z|family guy|
    forrest gump|futurama|game of thrones|ghostbusters|godfather|godzilla|gravity falls|harry potter|
    home alone|house of cards|inception|indiana jones|interstellar|james bond|jojo|
    jojo's bizarre adventure|jujutsu kaisen|jurassic park|jurassic world|lion king|lord of the rings|
    mad max|mission impossible|monsters inc|my hero academia|my little pony|narcos|naruto|
    naruto shippuden|neon genesis evangelion|nightmare before christmas|one piece|one punch man|
    paw patrol|peaky blinders|peppa pig|pink panther|pirates of the caribbean|pulp fiction|
    rick and morty|scooby doo|scooby-doo|sesame street|sherlock|shrek|simpsons|south park|spider-man|
    spiderman|spongebob|spongebob squarepants|squid game|star trek|star wars|steven universe|
    stranger things|studio ghibli|superman|teletubbies|terminator|the avengers|the big bang theory|
    the godfather|the lion king|the lord of the rings|the matrix|the office|the simpsons|the x-files|
    titanic|tokyo ghoul|top gear|top gun|toy story|transformers|tron|tron legacy|twilight zone|
    walking dead|westworld|willy wonka|winnie the pooh|x-files
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in text.split("|"))


_THEMES: Final = _names(_GAMES) | _names(_FILMS)
_PIECE: Final = (
    r"(?:boss|battle|level|zone|game|movie|anime|memes?|opening|ending|credits"
    r"|season \d{1,2}|episode \d{1,3})"
)
_ABOUT: Final = re.compile(
    r"(?:^|[ ])(?:themes?|ost|soundtrack|ringtones?|memes?|vines?)$|^boss (?:battle|fight)$"
    rf"|[^ ] [^ ]+ {_PIECE}$"
)
"""Last words of a phrase that names a piece of a game or a film: "Green Hill Zone", but not "Hugo Boss"."""
_LAST: Final = re.compile(rf"[ ]{_PIECE}$|[ ]?(?:\d{{1,4}}|[ivx]{{1,5}})$")


def is_theme(name: str) -> bool:
    """Return whether a name in lower case is that of a game, a film, a part of one, or a sequel."""
    return name in _THEMES or _LAST.sub("", name) in _THEMES or bool(_ABOUT.search(name))
