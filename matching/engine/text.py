"""From text to the terms the matcher counts. Plain Python, the same on every database."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from matching.engine import redact

# Letters and digits of any script; a tail of + or # belongs to names such as C++ and F#.
WORD = re.compile(r"[^\W_]+(?:[+#]+(?!\w))?")
# Names such as C++, .NET and node.js stay whole.
TOKEN = re.compile(r"[\w+#.]*\w[+#]*")
CONTRACTION = re.compile(r"['’](?:s|m|d|t|ll|re|ve)\b", re.IGNORECASE)
ACRONYMS = re.compile(r"[A-Z]{2,}s")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Scripts that write words without spaces are cut into overlapping pairs of characters.
UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")

# Letters before this one are Latin, once accents are taken off.
LATIN_ENDS = "\u0250"

_STOP_WORDS = """
    a about all also am an and any are as at be because been but by can could did do does for
    from had has have how i if in into is it its just me my need no not of on or our should so
    some such than that the then there these this those to very was we were what when where which
    who will with would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def fold(text: str) -> str:
    """The text without accents and without characters nobody can see; case is kept."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(
        char for char in decomposed if unicodedata.category(char) not in {"Mn", "Cf", "Co"}
    )


def is_latin(text: str) -> bool:
    """Whether at least half of the letters are Latin ones; a text without letters is."""
    letters = [char for char in text if char.isalpha()]
    return 2 * sum(char < LATIN_ENDS for char in fold("".join(letters))) >= len(letters)


def _words(text: str) -> list[str]:
    """The words of a text in their own case, acronyms in the singular: APIs, API."""
    return [word[:-1] if ACRONYMS.fullmatch(word) else word for word in WORD.findall(fold(text))]


def stem(word: str) -> str:
    """The singular of an English plural; other words as they are."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=20_000)
def skill_key(name: str) -> str:
    """The form under which two spellings of one skill meet: "REST APIs" and "rest-api"."""
    return " ".join(stem(word.casefold()) for word in _words(name))


def terms(text: str) -> list[str]:
    """The terms of a text in order: redacted, folded, without stop words, plurals cut."""
    return [stem(word) for word in surface_words(text)]


def sentence(text: str) -> str:
    """The text redacted as `terms()` redacts it, with the small words that give it meaning.

    Without stops: they would show where something was taken out.
    """
    plain = CONTRACTION.sub("", redact.without_patterns(text))
    return " ".join(redact.without_personal_words([word.casefold() for word in _words(plain)]))


def words_without_person(text: str) -> str:
    """The text as its words in their own spelling, redacted: for what learns from many texts."""
    words = TOKEN.findall(CONTRACTION.sub("", redact.without_patterns(text)))
    folded = [fold(word).casefold() for word in words]
    kept = iter(redact.without_personal_words(list(folded)))
    # What is left is in the same order, so the spelling of each word is found by walking along.
    found, wanted = [], next(kept, None)
    for word, plain in zip(words, folded, strict=True):
        if plain == wanted:
            found.append(word)
            wanted = next(kept, None)
    return " ".join(found)


def surface_words(text: str) -> list[str]:
    """The words that `terms()` counts, before their plurals are cut."""
    plain = CONTRACTION.sub("", redact.without_patterns(text))
    words = _pieces(_words(plain))
    return [word for word in redact.without_personal_words(list(words)) if word not in STOP_WORDS]


def _pieces(words: Iterable[str]) -> Iterator[str]:
    """Every word in lower case, and beside a compound its parts: readFile, read, file."""
    for word in words:
        if UNSPACED.search(word):
            yield from _pairs(word)
            continue
        yield word.casefold()
        parts = HUMP.split(word)
        if len(parts) > 1:
            yield from (part.casefold() for part in parts)


def _pairs(word: str) -> Iterator[str]:
    for run in UNSPACED.findall(word):
        yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
    yield from (rest.casefold() for rest in UNSPACED.split(word) if rest)
