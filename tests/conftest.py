"""Fixtures every test may use: a browser, a real worker, the app's own database role, the stack."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

import tests.emptying  # noqa: F401 - replaces Django's flush
from marketplace.devstack.pytest_plugin import environment_of_a_product_process, with_database
from marketplace.devstack.stack import Stack, standing_alone
from tests.stripe_sandbox import running_sandbox, stripe_sandbox  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parent.parent

# --- What a run leaves out ------------------------------------------------------------------


def pytest_addoption(parser):
    parser.addoption(
        "--look",
        action="store_true",
        help="also try single pages in Chromium: their rarer states, forms, dialogs and htmx",
    )
    parser.addoption(
        "--drill",
        action="store_true",
        help="also fund and release two hundred times while everything is killed at random",
    )


LONG = ("tests/stack/", "tests/payments/test_simulation", "tests/test_every_look")


def pytest_collection_modifyitems(config, items):
    """The long looks and the drill are asked for by name."""

    def is_left_out(item):
        if "tests/stack/test_kill" in item.nodeid:
            return not config.getoption("--drill")
        stays = item.nodeid.startswith(("tests/stack/", "tests/test_every_look"))
        is_look = item.get_closest_marker("browser") and not stays
        return is_look and not config.getoption("--look")

    left_out = [item for item in items if is_left_out(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    # What takes minutes goes first; begun last, it would keep one worker waiting for the other.
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


# --- The database ---------------------------------------------------------------------------

PREPARED = Path(os.environ["BIDWELL_PREPARED"]) if "BIDWELL_PREPARED" in os.environ else None

if PREPARED:

    @pytest.fixture(scope="session")
    def django_db_setup(django_test_environment) -> None:
        """The database of the run's own server has every table already; nothing to create."""


@pytest.fixture
def app_role(transactional_db) -> Iterator[psycopg2.extensions.connection]:
    """A connection to the test database as the role that serves the product, not as the owner."""
    from django.db import connection

    from marketplace.core.grants import grant_app_role

    if not os.environ["APP_DATABASE_URL"]:
        pytest.skip("APP_DATABASE_URL must name bidwell_app when DATABASE_URL is given")
    grant_app_role()
    name = connection.settings_dict["NAME"]
    link = psycopg2.connect(with_database(os.environ["APP_DATABASE_URL"], name))
    yield link
    link.close()


# --- Processes ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _worker_process(django_db_setup, django_db_blocker) -> Iterator[None]:
    from django.db import connection

    command = [
        *(sys.executable, "-m", "celery", "-A", "marketplace", "worker", "--pool", "solo"),
        *("-Q", "default,payments,matching", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment_of_a_product_process(connection.settings_dict["NAME"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if " ready." in line:
            break
    else:
        pytest.fail("The worker did not start:\n" + "".join(lines))
    # Its pipe must never fill up, or it would stand still.
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    reader.start()
    yield
    process.terminate()
    process.wait(120)
    reader.join(120)
    process.stdout.close()


@pytest.fixture
def celery_worker(_worker_process, transactional_db) -> Iterator[None]:
    """A real worker on the test database; tasks go to it through Valkey instead of running here."""
    from marketplace.celery import app

    app.conf.task_always_eager = False
    yield
    app.conf.task_always_eager = True


@pytest.fixture
def start_stack(tmp_path) -> Iterator[Callable[..., Stack]]:
    """Start the whole product on free ports and its own data: `start_stack(durable=True)`."""
    started = []

    def start(*, durable: bool = False, most_deaths: int = 5, **environ: str) -> Stack:
        number = len(started)
        stack = Stack(
            tmp_path / f"stack-{number}",
            durable=durable,
            most_deaths=most_deaths,
            like=PREPARED,
            environ=standing_alone(os.environ) | environ,
        )
        started.append(stack)
        stack.start()
        return stack

    yield start
    for stack in started:
        stack.stop()
        if stack.postgres:
            stack.postgres.remove()


@pytest.fixture(scope="session")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """The whole product, running, for tests that leave it usable; one for all of them."""
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, durable=False, like=PREPARED, environ=standing_alone(os.environ)) as stack:
        yield stack
    if stack.postgres:
        stack.postgres.remove()


# --- Browser --------------------------------------------------------------------------------

CHROMIUM_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]
# A slow machine must not turn a test red.
PATIENCE_MS = 120_000
expect.set_options(timeout=PATIENCE_MS)
READER = {
    "viewport": {"width": 1280, "height": 800},
    "locale": "en-GB",
    "timezone_id": "UTC",
    "reduced_motion": "reduce",
}


class Complaints:
    """What went wrong in a browser that no person would see: errors, and requests to strangers.

    A test that provokes an error on purpose names a part of its text with `expect`.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self.expected: list[str] = []

    def expect(self, text: str) -> None:
        self.expected.append(text)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script error: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.found.append(f"console: {message.text} ({message.location.get('url')})")

    def _request(self, request: Request) -> None:
        url = urlsplit(request.url)
        # Web, live and sandbox are ports of this machine; everybody else is a stranger.
        if url.scheme in {"http", "https", "ws", "wss"} and url.hostname not in {
            "127.0.0.1",
            "localhost",
        }:
            self.found.append(f"request to a stranger: {request.url}")

    def take(self) -> list[str]:
        """What was found and not expected, once."""
        found, self.found = self.found, []
        return [text for text in found if not any(part in text for part in self.expected)]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if executable is None:
        pytest.fail("Chromium is missing. ./test installs it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
        # While Playwright's loop runs, Django uses connections of its own; nobody else closes them.
        connections.close_all()


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def new_context(browser, complaints) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser for one person: `new_context(java_script_enabled=False)`.

    At the end no page may have complained, nor asked anybody but us for anything.
    """
    contexts = []

    def new(**options: Any) -> BrowserContext:
        context = browser.new_context(**(READER | options))
        context.set_default_timeout(PATIENCE_MS)
        complaints.watch(context)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        context.close()
    assert complaints.take() == []


@pytest.fixture
def page(new_context) -> Page:
    """A page of a person who has not signed in."""
    return new_context().new_page()


# --- The world ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _world_of_module(running_sandbox, django_db_setup, django_db_blocker):
    """One world for all tests of a module, undone with the module's transaction."""
    from django.db import transaction
    from django.test import override_settings

    from tests.stripe_sandbox import settings_for
    from tests.world import build_world

    running_sandbox.reset()
    with (
        django_db_blocker.unblock(),
        override_settings(**settings_for(running_sandbox)),
        transaction.atomic(),
    ):
        yield build_world(running_sandbox)
        transaction.set_rollback(True)


@pytest.fixture
def world(_world_of_module, db):
    """One of everything (see tests/world.py); what a test changes in it is undone."""
    return _world_of_module
