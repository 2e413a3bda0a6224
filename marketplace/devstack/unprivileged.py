"""Running a server as nobody when we are root, in places nobody can reach."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

# Where things go that cannot stay below a closed folder such as /root.
ELSEWHERE = Path("/var/lib/bidwell")

Account = tuple[int, int]


def unprivileged_account() -> Account | None:
    """Whom PostgreSQL, which refuses root, runs as; None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def is_reachable(path: Path) -> bool:
    """Whether anybody at all can get to this path."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def is_readable(folder: Path) -> bool:
    """Whether anybody at all can read this folder."""
    return is_reachable(folder) and folder.stat().st_mode & 0o005 == 0o005


def private_home(wanted: Path, account: Account | None) -> Path:
    """A folder that only the account can enter: `wanted`, or one elsewhere that it points to."""
    if wanted.is_symlink() and not wanted.exists():
        wanted.unlink()
    if not wanted.exists():
        if account is None or is_reachable(wanted):
            wanted.mkdir(mode=0o700)
        else:
            wanted.symlink_to(tempfile.mkdtemp(prefix="data-", dir=_elsewhere()))
    home = wanted.resolve()
    home.chmod(0o700)
    if account is not None:
        os.chown(home, *account)
    return home


def readable_copy(base: Path, parts: Sequence[str], *, name: str) -> Path:
    """The base itself where anybody can read these folders in it, else a copy of them elsewhere.

    The copy keeps their places: programs look for their libraries beside themselves.
    """
    if all(is_readable(base / part) for part in parts):
        return base
    copy = _elsewhere() / name
    if not copy.exists():
        half = Path(tempfile.mkdtemp(prefix="copy-", dir=ELSEWHERE))
        for part in parts:
            shutil.copytree(base / part, half / part, symlinks=True)
        for path in [half, *half.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            half.rename(copy)
        except OSError:  # Another start was quicker.
            shutil.rmtree(half)
    return copy


def installed_package(name: str) -> Path:
    """The folder of an installed package, without running any of its code."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{name} is not installed; ./run installs it.", name=name)
    return Path(next(iter(spec.submodule_search_locations)))


def _elsewhere() -> Path:
    ELSEWHERE.mkdir(mode=0o711, exist_ok=True)
    return ELSEWHERE
