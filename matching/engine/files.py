"""Arrays in files that several processes share, and that are trusted only as they were written.

A folder holds one folder per state and `current`, which names the one that counts. A state is
written beside it, flushed, and takes its place by one rename; whoever has the old one open goes
on reading it. No pickle anywhere: plain arrays, and a manifest with the SHA-256 of each.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matching.engine.columns import Array

CURRENT = "current"
MANIFEST = "manifest.json"
LOCK = "lock"


class FilesUnusable(Exception):
    """There are no files, or other ones than were written, or of another version."""


def write(folder: Path, arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Make these arrays, in dictionaries however deep, and facts the state that counts.

    What an earlier one left behind that never got so far is removed, too.
    """
    name = secrets.token_hex(8)
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / name
    state.mkdir(mode=0o700)
    sums = {}
    for path, values in _flat(arrays):
        with (state / f"{path}.npy").open("wb") as out:
            np.lib.format.write_array(out, np.ascontiguousarray(values), allow_pickle=False)
            out.flush()
            os.fsync(out.fileno())
        sums[path] = _sha256(state / f"{path}.npy")
    _write_text(state / MANIFEST, json.dumps({"facts": dict(facts), "sha256": sums}))
    _flush_folder(state)
    _write_text(folder / f"{CURRENT}.{name}", name)
    (folder / f"{CURRENT}.{name}").replace(folder / CURRENT)
    _flush_folder(folder)
    for other in folder.iterdir():
        if other.is_dir() and other.name != name:
            shutil.rmtree(other, ignore_errors=True)


def current(folder: Path) -> str:
    """The name of the state that counts; another one with every state. Empty without one."""
    try:
        return (folder / CURRENT).read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def facts_of(folder: Path) -> dict[str, Any]:
    """The facts of the state that counts, unchecked; empty where they cannot be read."""
    try:
        found: dict[str, Any] = json.loads(
            (folder / current(folder) / MANIFEST).read_text("utf-8")
        )["facts"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found


def discard(folder: Path) -> None:
    """Let no state count any more, so that a new one is written."""
    (folder / CURRENT).unlink(missing_ok=True)


def open_current(folder: Path, *, form: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays, left in their files, and the facts; raises FilesUnusable.

    Every byte is compared with what was written, and the form with the one we read.
    """
    name = current(folder)
    if not name.isalnum():
        raise FilesUnusable("There are no files of the matcher yet.")
    state = folder / name
    try:
        manifest = json.loads((state / MANIFEST).read_text("utf-8"))
        facts, sums = dict(manifest["facts"]), dict(manifest["sha256"])
        if facts["form"] != form:
            raise FilesUnusable(f"The files are of {facts['form']}, this is {form}.")
        arrays: dict[str, Any] = {}
        for path, sha256 in sums.items():
            file = state / f"{path}.npy"
            if _sha256(file) != sha256:
                raise FilesUnusable(f"{path} is not what was written.")
            _put(arrays, path, _opened(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FilesUnusable(f"The files cannot be read: {error}") from error
    return arrays, facts


@contextlib.contextmanager
def only_builder(folder: Path) -> Iterator[bool]:
    """True for the one process of all that may write here; the lock dies with its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _opened(file: Path) -> Array:
    found: Array = np.load(file, mmap_mode="r", allow_pickle=False)
    return found.view(np.ndarray)


def _flat(arrays: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Array]]:
    for name, values in arrays.items():
        if isinstance(values, Mapping):
            yield from _flat(values, f"{before}{name}.")
        else:
            yield f"{before}{name}", values


def _put(arrays: dict[str, Any], path: str, values: Array) -> None:
    *above, name = path.split(".")
    for part in above:
        arrays = arrays.setdefault(part, {})
    arrays[name] = values


def _sha256(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
