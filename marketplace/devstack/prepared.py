"""A database with every table in it, made once for the state of the migrations, to be copied."""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from marketplace.devstack.folder import DataFolder
from marketplace.devstack.postgres import OWNER, SUPERUSER, Postgres
from marketplace.devstack.supervisor import Program, Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent
# Beside what was installed: it is as much a product of this machine, and goes with it.
SHELF = Path(sys.prefix) / "prepared"
# Branches of one checkout may want different ones.
UNUSED_SECONDS = 2 * 24 * 3600
# What decides, beside the migrations, what tables, rows and grants look like after them.
BESIDES = (
    "requirements/dev.lock",
    "marketplace/settings/base.py",
    "marketplace/core/fields.py",
    "marketplace/core/grants.py",
    "marketplace/core/guards.py",
    "marketplace/core/ids.py",
)


def state_of_migrations() -> str:
    """A digest of everything that decides what the tables and grants look like."""
    digest = hashlib.sha256()
    migrations = [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/*/migrations/*.py")]
    shipped = [ROOT / "accounts/curated.py", *ROOT.glob("accounts/data/*")]
    for path in [*(ROOT / name for name in BESIDES), *sorted(migrations), *sorted(shipped)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def prepared_cluster() -> Path:
    """The folder with the prepared cluster, for `Postgres(like=…)`; made now if it is missing.

    Safe to ask for by several processes at once: each works in a folder of its own, and the
    first one done puts its result on the shelf.
    """
    state = state_of_migrations()
    place = SHELF / state[:20]
    if place.exists():
        os.utime(place)
    else:
        SHELF.mkdir(mode=0o700, exist_ok=True)
        for old in SHELF.iterdir():
            if old.stat().st_mtime < time.time() - UNUSED_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="half-", dir=SHELF) as half:
            _prepare(Path(half) / "ready", state)
            try:
                (Path(half) / "ready").rename(place)
            except OSError:
                if not place.exists():
                    raise
    return place


def _prepare(target: Path, state: str) -> None:
    said: list[str] = []
    folder = DataFolder(Path(tempfile.mkdtemp(prefix="bidwell-prepare-")))
    folder.lock()
    supervisor = Supervisor(lambda _name, line: said.append(line))
    postgres = Postgres(folder, durable=False)
    try:
        supervisor.start(postgres.program())
        postgres.create_roles()
        supervisor.run(
            Program(
                name="migrate",
                command=[sys.executable, "-m", "marketplace.devstack.prepare"],
                env=os.environ
                | {
                    "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
                    "DATABASE_URL": postgres.url(OWNER),
                },
                cwd=ROOT,
            )
        )
        postgres.keep_note(state)
        supervisor.stop()
        target.mkdir()
        shutil.copytree(postgres.cluster, target / "cluster")
        shutil.copy2(folder.secret_path(f"{SUPERUSER}-password"), target / "password")
    finally:
        supervisor.stop()
        postgres.remove()
        folder.unlock()
        shutil.rmtree(folder.path, ignore_errors=True)
