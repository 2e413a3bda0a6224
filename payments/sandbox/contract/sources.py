"""Source files of the SDK as syntax trees."""

import ast
import threading
from pathlib import Path

# Python 3.11 counts the depth of trees in one place for all threads: two that parse at once make
# each other fail with "AST constructor recursion depth mismatch".
ONE_AT_A_TIME = threading.Lock()


def tree_of(source: Path) -> ast.Module:
    """What the file says; safe in threads."""
    text = source.read_text()
    with ONE_AT_A_TIME:
        return ast.parse(text)
