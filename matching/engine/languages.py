"""Working languages as codes, from what people type: "English, Deutsch (native)"."""

import re
from functools import cache

from babel import Locale

from matching.engine.text import fold

# The languages whose own names for languages we read; English names are always known.
_NAMED_IN = ("en", "de", "es", "fr", "it", "nl", "pl", "pt")


def codes(typed: str) -> frozenset[str]:
    """The ISO codes of the languages named in a text; what is no language is left out."""
    names = _names()
    words = re.split(r"[\W\d_]+", fold(typed).casefold())
    return frozenset(names[word] for word in words if word in names)


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for tag in reversed(_NAMED_IN):
        for code, name in Locale(tag).languages.items():
            if len(code) == 2:
                names[fold(name).casefold()] = code
    for code, name in ((code, Locale(code).get_display_name(code)) for code in _NAMED_IN):
        names[fold(name or code).casefold()] = code
    return names
