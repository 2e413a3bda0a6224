"""Takes out of a text what must not move a score: who someone is, and where they live or studied.

Structured fields never reach the matcher (see `documents`); this is the second layer, for
what people write into free text. It removes words, it never guesses anything about a person.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from zoneinfo import available_timezones

from babel import Locale

_CAPITALISED = r"[^\W\d_][\w.’'-]*"
_SCHOOL = (
    r"(?:university|college|school|institute|academy|polytechnic|universit[àäé]t?|universidade?|"
    r"université|hochschule|école|escuela|politecnico)"
)
_PERSON_NOUN = (
    r"(?:artist|citizen|coder|consultant|copywriter|dad|designer|developer|editor|engineer|"
    r"expert|freelancer|guy|man|mom|mother|mum|national|native|passport|person|photographer|"
    r"professional|programmer|researcher|speaker|student|translator|woman|writer)s?"
)
_DEMONYMS = """
    afghan african albanian algerian american angolan arab argentine argentinian armenian asian
    australian austrian azerbaijani bangladeshi belarusian belgian bolivian bosnian brazilian
    british bulgarian cambodian cameroonian canadian chilean chinese colombian congolese croatian
    cuban cypriot czech danish dutch ecuadorian egyptian english estonian ethiopian european
    filipino filipina finnish french georgian german ghanaian greek guatemalan haitian hungarian
    icelandic indian indonesian iranian iraqi irish israeli italian ivorian jamaican japanese
    jordanian kazakh kenyan korean kurdish latvian lebanese libyan lithuanian malaysian maltese
    mexican moldovan mongolian moroccan nepali nepalese nigerian norwegian pakistani palestinian
    paraguayan persian peruvian polish portuguese romanian russian rwandan saudi scottish
    senegalese serbian singaporean slovak slovakian slovenian somali spanish lankan sudanese
    swedish swiss syrian taiwanese tanzanian thai tunisian turkish ugandan ukrainian uruguayan
    uzbek venezuelan vietnamese welsh yoruba zambian zimbabwean
"""
DEMONYMS = frozenset(_DEMONYMS.split())

# Contact data, handles and links carry names. Ages and schools are told in set phrases.
# A language stays where it is the work ("translate into German") and goes where it
# describes the person ("a German developer", "I am German", "native German speaker").
PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"(?:https?://|www\.)\S+",
        # Not .net, .io or .dev: ASP.NET and Socket.IO are skills.
        r"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:com|org|me|info|eu|uk|de|fr|es|pt|it|nl|pl|br)(?:/\S*)?\b",
        r"(?<!\w)@[\w.-]+",
        r"(?<![\w()./-])\+?\(?\d[\d\s()./-]{7,60}\d(?!\w)",
        r"\b(?:born|né|née|geboren)\s+(?:in|on|am|en)?\s*(?:\w+\s+){0,2}\d{4}\b",
        r"\b(?:age|aged|alter)\s*:?\s*\d{2}\b",
        r"\b\d{2}[\s-]*(?:years?|yrs?)[\s-]*old\b",
        rf"\b{_SCHOOL}\s+(?:of|für|de|di)\s+(?:the\s+)?{_CAPITALISED}(?:\s+and\s+{_CAPITALISED})?",
        rf"\bnative\s+{_CAPITALISED}\s+speaker\b",
        # Why somebody was away, as far as set phrases tell it.
        r"\b(?:maternity|paternity|parental|sick|medical|family|adoption|carer['’]?s?)\s+leave\b",
        r"\bafter\s+(?:an?\s+|my\s+)?(?:\w+\s+)?(?:illness|cancer|burn-?out|pregnancy|childbirth)\b",
        r"\b(?:military|civilian|national)\s+service\b",
        r"\b(?:served|serving)\s+in\s+the\s+(?:army|navy|air\s+force|military|marines)\b",
        r"\b(?:career|family)\s+break\b|\bstay-at-home\b",
    )
)
# "A German developer", "German-born engineer"; "I am German", "being a German".
_ORIGINS = (
    re.compile(rf"\b([^\W\d_]+)[\s-]+(?:born[\s-]+)?{_PERSON_NOUN}\b", re.IGNORECASE),
    re.compile(r"\b(?:am|['’]m|being)\s+(?:an?\s+)?([^\W\d_]+)\b", re.IGNORECASE),
)
# Read with its capitals: "Stanford University", but not "the university".
_NAMED_SCHOOL = re.compile(
    r"(?:\b[A-ZÀ-Þ][\w.’'-]*\s+){1,3}"
    r"(?:University|College|School|Institute|Academy|Polytechnic|Universität|Hochschule)\b"
)

# "Worked at Initech", "employed by Globex Systems", "ex-Hooli": for whom, not what.
_EMPLOYER = re.compile(
    r"\b(?:(?i:work(?:ed|ing)?\s+at|employ(?:ed|ee)\s+(?:at|by|of)|formerly\s+(?:at|with))\s+"
    r"(?:the\s+)?|[Ee]x-)[A-ZÀ-Þ][\w&’'-]*(?:\s+[A-ZÀ-Þ][\w&’'-]*){0,3}"
)

_PERSONAL_WORDS = """
    he him his himself she her hers herself they them their theirs themself themselves xe xem
    ze zir hij zij haar elle lui ella lei egli ele ela ona sie ihr ihre mr mrs ms mx miss madam sir
    man men woman women male female gentleman gentlemen lady ladies girl girls boy boys guy guys
    mother father mom mum dad mommy daddy wife husband daughter son grandmother grandfather married
    pregnant gay lesbian bisexual transgender queer muslim christian catholic jewish hindu buddhist
    sikh atheist
"""
PERSONAL_WORDS = frozenset(_PERSONAL_WORDS.split())

# Names of places that are far more often names of tools or plain words in a project.
_NOT_PLACES = """
    cairo center centre central easter eastern melbourne midway mountain nome north oral pacific
    phoenix resolute south wake welt west world
"""
NOT_PLACES = frozenset(_NOT_PLACES.split())
# The accents of European letters; what Thai or Hindi set above a letter is part of the word.
_MARKS = "[\\u0300-\\u036f]*"
# Letters that Unicode does not take apart, with what stands for them without the stroke.
_STROKES = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i"})
_LIKE = {"l": "[lł]", "o": "[oø]", "d": "[dđ]", "i": "[iıİ]", "ß": "(?:ß|ss)"}
# Thai, Japanese and Chinese write no spaces; Korean hangs endings on a name. Hangul in pieces,
# as NFD leaves it.
_NO_SPACES = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff]")
_REGIONS = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/")
# Without the languages whose short names fold into words of work: Çad, Çin, Czad.
_PLACE_LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt")


def without_patterns(text: str) -> str:
    """The text without contact data, links, ages, schools, employers and reasons for breaks."""
    for pattern in PATTERNS:
        text = pattern.sub(" ", text)
    for pattern in _ORIGINS:
        text = pattern.sub(_without_origin, text)
    return _EMPLOYER.sub(" ", _NAMED_SCHOOL.sub(" ", text))


def _without_origin(found: re.Match[str]) -> str:
    return " " if found[1].casefold() in DEMONYMS else found[0]


def without_names(text: str, names: Iterable[str]) -> str:
    """The text without these names, whatever their case and accents; initials stay.

    A name in a script that is written without spaces goes wherever it stands.
    """
    plain = {_without_marks(name) for name in names if len(name) > 1}
    if not plain:
        return text
    found = [_anywhere(name) for name in sorted(plain, key=len, reverse=True)]
    pattern = re.compile("|".join(found), re.IGNORECASE)
    return unicodedata.normalize("NFC", pattern.sub(" ", unicodedata.normalize("NFD", text)))


def _anywhere(name: str) -> str:
    """A pattern of a name that has lost its accents, with or without them."""
    spelled = "".join(_LIKE.get(char, re.escape(char)) + _MARKS for char in name)
    return spelled if _NO_SPACES.search(name) else rf"(?<!\w){spelled}(?!\w)"


def _without_marks(name: str) -> str:
    """The name in lower case without accents, strokes through letters included."""
    plain = unicodedata.normalize("NFD", name.lower()).translate(_STROKES)
    return re.sub(_MARKS, "", plain)


def without_personal_words(words: list[str]) -> list[str]:
    """The folded lower-case words without pronouns, words of gender and family, and places."""
    kept: list[str] = []
    places = _places()
    at = 0
    while at < len(words):
        word = words[at]
        length = next(
            (n for n in places.get(word, ()) if tuple(words[at : at + n]) in _place_names()), 0
        )
        if length:
            at += length
            continue
        if word not in PERSONAL_WORDS:
            kept.append(word)
        at += 1
    return kept


@cache
def _place_names() -> frozenset[tuple[str, ...]]:
    """Countries in several languages and the big cities of the time zone table, as words."""
    names = [name for tag in _PLACE_LANGUAGES for name in Locale(tag).territories.values()]
    names += [
        zone.rsplit("/", 1)[1].replace("_", " ")
        for zone in available_timezones()
        if zone.startswith(_REGIONS)
    ]
    found = {tuple(_plain_words(name)) for name in names}
    return frozenset(
        name for name in found if len(" ".join(name)) > 3 and " ".join(name) not in NOT_PLACES
    )


@cache
def _places() -> dict[str, tuple[int, ...]]:
    """By first word, how many words the places have that begin with it, longest first."""
    lengths: dict[str, set[int]] = {}
    for name in _place_names():
        lengths.setdefault(name[0], set()).add(len(name))
    return {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()}


def _plain_words(name: str) -> list[str]:
    folded = "".join(
        char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char)
    )
    return re.findall(r"[^\W_]+", folded.casefold())
