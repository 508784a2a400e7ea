"""Words that do not distinguish one title from another.

There are three kinds. *Stop words* connect other words; the lists contain only the most frequent ones
of each language, because longer lists would remove words that titles consist of ("night", "love").
*Fluff* describes the kind of upload or version. *Generic* words name a kind of music and are less
distinctive than others. All are compared after ``words.normalise()``, so accents and letter case do
not matter.
"""

# ruff: noqa: RUF001 - words of many scripts

from __future__ import annotations

from typing import Final

STOP_WORDS: Final[dict[str, str]] = {
    "en": """a aint an and are as at be but by cant d didnt dont for from i if im in into is it its ll m
        me my n o of off on or our over re s so t that the their them then these this to up us ve was we
        were whats whos with wont you your youre""",
    "de": """am an auf aus bei das dem den der des die du ein eine einem einen einer es fur ich im in ist mein
        mit nach nicht sie so uber um und vom von was wie wir zu zum zur""",
    "fr": """a au aux avec c ce ces d dans de des du elle en est et il j je l la le les ma mes mon n ne ou
        par pas pour qu que qui s sa se ses sous t te tu un une""",
    "es": """al con de del el en es la las lo los me mi mis no para por que se si su sus tu un una y yo""",
    "pt": """ao aos as com da das de do dos e em eu na nas no nos o os para pelo por que se seu um uma""",
    "it": """al alla che con da dal de dei del della di e gli i il in io la le lo mi nel nella per si su tu
        un una""",
    "nl": "de een en het ik in is je met mijn naar niet op te van voor",
    "pl": "a do i ja jest na nie o od po sie ta to w we z za ze",
    "sv": "att av den det en ett for fran i jag med och pa som till",
    "tr": "bir bu da de icin ile ne o ve",
    "ru": """а без в во да для до же за и из или к как ко мне мой моя мы на не но о об от по под с со ты у
        что это я""",
    "uk": "а в від для до з за i й на не по про та ти у це що я",
    "el": "ο η το οι τα τη την τησ τον του των και με για σε στη στην στο στον στα στισ απο να",
    "ar": "في من على عن الى و يا مع لا ما ان",
    "fa": "از به با در را که و",
    "he": "של את על עם אל לא אני אתה הוא היא זה",
    "hi": "का की के को में से है हैं और पर ने ये वो तो",
    "th": "ที่ และ ของ ใน",
    "zh": "的 了 是 在 和 与 我 你 他 她 也 都 着 吗",
    "ja": "の は が を に へ と で も や から まで より",
    "ko": "의 를 을 는 은 이 가 와 과 에 에서",
    "id": "dan dari di ini itu ke untuk yang",
    "vi": "cua la nhung trong va voi",
}

FLUFF: Final[dict[str, str]] = {
    "en": """acoustic album audio bonus clip cover demo dj download edit ep episode explicit extended feat
        featuring flip free ft full hd hq instrumental karaoke live lp lyric lyrics master mix mixed mp3 music
        mp4 mv new now official original out part premiere prod produced pt radio reedit release remaster
        remastered remix remixed rework single snippet song soundtrack teaser track ver version video vip vol
        volume 4k 8d""",
    "de": "akustik akustikversion musik neu offiziell offizielle offizielles offizieller lied",
    "fr": "acoustique chanson clip gratuit musique officiel officielle remasterise version",
    "es": "acustica acustico cancion directo gratis letra musica nuevo oficial vivo",
    "pt": "acustico ao clipe letra musica oficial versao vivo",
    "it": "acustica canzone dal testo ufficiale versione vivo",
    "pl": "akustycznie muzyka oficjalna oficjalny piosenka teledysk",
    "tr": "akustik klip muzik resmi sarki sozleri",
    "ru": """акустика аудио версия видео кавер клип клипа музыка новая новый официальное официальный песня
        премьера ремикс""",
    "el": "επισημο τραγουδι μουσικη",
    "ar": "اغنية الرسمي ريمكس فيديو كليب كلمات موسيقى حصريا",
    "he": "אקוסטית גרסה קליפ קאבר רמיקס רשמי שיר",
    "hi": "गाना गीत वीडियो",
    "th": "เพลง",
    "zh": "原版 官方 现场 现场版 歌词 翻唱 音乐",
    "ja": "公式 歌詞 音楽 カバー ライブ リミックス",
    "ko": "공식 가사 음악 노래 커버 라이브 리믹스",
}

UPLOAD: Final = """acapella acappella acoustic audio boosted bootleg bpm chopped clip cover
    covers demo dl download edit flip hd hq instrumental karaoke live loop lyric lyrics mashup
    master mastered mix mp3 mv nightcore official orchestral premiere preview prod radio reedit
    remake remaster remastered remix remixed rendition repost reprise reupload reverb rework
    ringtone screwed session sessions sheet slowed snippet sped teaser tiktok tutorial unplugged
    unreleased version versions video vip visualiser visualizer wav wip 4k 8d akustik acoustique
    acustico acustica ao vivo directo letra paroles testo кавер ремикс клип"""
"""Words that describe an upload at the beginning or end of a part of a title."""

BESIDE_UPLOAD: Final = """a afro amapiano ambient an and at ballad bass best by chill club concert
    country deep disco dnb down drill drum drums dub dubstep edm electro euro extra flute folk for
    from full funk funky garage guitar hard hardcore hardstyle harp high hip home hop hour hours
    house how in jazz jersey jungle lesson link lo lofi long melodic metal minimal n new old on only
    orchestra original phonk piano play pop progressive punk quality quartet quick reggae rock rough
    sax school short slow soft solo song soul string studio swing synthwave take tape tech techno
    the tik to tok track trance trap tropical ukulele up vaporwave vinyl violin vocal vocals with"""
"""Words that do so only beside one of those ("guitar cover", "live at home")."""

AMBIGUOUS: Final = "free full live new now original out part single"
"""Fluff that titles also use as words: kept beside a single distinctive word ("Inside Out", "New Rules")."""

GENERIC: Final = """bass beat beats instrumentals jam loop playlist sample session sessions set sound sounds
    style tape theme tune type vibe vibes"""

VERSION_WORDS: Final = """bootleg cover edit flip instrumental mashup mix refix reedit remix rework
    ver version vip версия кавер ремикс"""
"""Last words of a part that names a version ("Title - Somebody's Remix")."""

ROMAN: Final = "ii iii iv vi vii viii ix xi xii"
