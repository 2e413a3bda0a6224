"""How spellings of one skill are recognised as one."""

import re

from marketplace.core import text

LONGEST = 60


def fold_skill(name: str) -> str:
    """Lower case, no accents, single spaces; `_` and dashes count as spaces, `+ # . /` do not.

    >>> fold_skill("  Node.JS "), fold_skill("front-end"), fold_skill("C++")
    ('node.js', 'front end', 'c++')
    """
    return " ".join(re.sub(r"[\s_\-–—]+", " ", text.fold(name)).split())[:LONGEST].strip()
