"""What every page must look like, whoever wrote it: call `inspect()` with addresses and people.

    inspect(live_server.url, new_context, [("/fees/", None), ("/home/", freelancer)])

Each page is opened light and dark, on a desktop and on a phone. It has to pass axe, keep to the
byte budgets, stay inside the screen, and carry no inline style or script. The fixture
`new_context` itself fails the test on console errors and on requests to strangers.
"""

import contextvars
import gzip
import os
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import html5lib
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, Request, Route

HERE = "http://localhost"
WIDTHS = ((1280, 860), (390, 844))
ALL_RULES = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# The markup is the same by night; only colours are others.
COLOUR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
HTML_BUDGET = 30_000
REQUESTS_BUDGET = 12
NODES_BUDGET = 1500
SMALLEST_TARGET = 24

STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll('body *')]
    .filter((e) => e.getBoundingClientRect().right > width + 1)
    .map((e) => `${e.tagName}.${e.className.baseVal ?? e.className}`).slice(0, 5);
}"""
# WCAG 2.5.8: links inside sentences and native ticks with a large label are exempt.
TOO_SMALL = """(least) => [
    ...document.querySelectorAll('a, button, input, select, textarea, summary'),
  ]
  .filter((e) => {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height || e.closest('.vh, .skip')) return false;
    if (getComputedStyle(e).display === 'inline') return false;
    const target = e.matches('[type=checkbox], [type=radio]') && e.closest('label') || e;
    const { width, height } = target.getBoundingClientRect();
    return width < least || height < least;
  }).map((e) => e.outerHTML.slice(0, 80))"""

COLOURS_HAVE_CHANGED = """() => new Promise(requestAnimationFrame).then(() => Promise.all(
  document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished)))"""


def inspect(
    origin: str,
    new_context: Callable[..., BrowserContext],
    pages: Iterable[tuple[str, Any]],
    *,
    stock: bool = False,
) -> None:
    """Fail with everything that is wrong on these pages of a live server; `(path, user or None)`.

    `stock` pages are Django's own admin: we answer for their colours, not for their markup.
    """
    pages = list(pages)
    wrong: list[str] = []
    if not stock:
        for path, user in pages:
            wrong += [f"{path}: {text}" for text in markup_faults(fetch(path, user))]
    for user in dict.fromkeys(user for _path, user in pages):
        context = new_context(service_workers="block")
        sign_in(context, origin, user)
        for path in [path for path, who in pages if who == user]:
            page = context.new_page()
            wrong += [f"{path} {text}" for text in page_faults(page, origin + path, stock)]
            page.close()
        context.close()
    assert not wrong, "\n".join(wrong)


class Looker:
    """One browser tab that shows page after page, answered by this very thread.

    So the pages show rows of the test's own transaction, and axe is compiled once, not once a page.
    """

    def __init__(self, page: Page, complaints: Callable[[], list[str]]) -> None:
        """`complaints` tells, once each, what went wrong in the browser that nobody would see."""
        self.page = page
        self.complaints = complaints
        self.client = Client()
        self.ours = contextvars.copy_context()
        page.route(lambda url: url.startswith(HERE), self._answer)

    def inspect(self, pages: Iterable[tuple[str, Any]]) -> None:
        """Fail with everything that is wrong on these pages; `(path, user or None)`."""
        # Playwright calls back from a context of its own, where Django would open another
        # connection. The one of this moment knows ours.
        self.ours = contextvars.copy_context()
        wrong: list[str] = []
        for path, user in pages:
            self.client = _client_of(user)
            wrong += [f"{path}: {text}" for text in markup_faults(fetch(path, user))]
            wrong += [f"{path} {text}" for text in page_faults(self.page, HERE + path)]
            wrong += [f"{path} {text}" for text in self.complaints()]
        assert not wrong, "\n".join(wrong)

    def _answer(self, route: Route) -> None:
        status, headers, body = self.ours.copy().run(self._ask, route.request)
        route.fulfill(status=status, headers=headers, body=body)

    def _ask(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        path, headers = request.url.removeprefix(HERE), request.headers
        if path.startswith(settings.STATIC_URL):
            return static(path)
        return whole(
            self.client.generic(
                request.method,
                path,
                request.post_data_buffer or b"",
                headers.get("content-type", "application/octet-stream"),
                headers={name: value for name, value in headers.items() if name.startswith("hx-")},
                HTTP_HOST="localhost",
            )
        )


@cache
def static(path: str) -> tuple[int, dict[str, str], bytes]:
    """A static file, read once for all pages."""
    return whole(Client().get(path))


def whole(response: Any) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer, streamed or not."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, dict(response.headers), body


def fetch(path: str, user: Any = None) -> str:
    """The page as a browser without JavaScript gets it."""
    return _client_of(user).get(path).content.decode()


def _client_of(user: Any) -> Client:
    client = Client()
    if user:
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def sign_in(context: BrowserContext, origin: str, user: Any) -> None:
    """Give the browser the session cookie of this person."""
    if user is None:
        return
    cookie = _client_of(user).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": origin}])


def page_faults(page: Page, url: str, stock: bool = False) -> list[str]:
    """What is wrong with this page, on a desktop and on a phone, by day and by night."""
    requests: list[str] = []

    def note(request: Request) -> None:
        requests.append(request.url)

    page.on("request", note)
    page.goto(url, wait_until="load")
    page.remove_listener("request", note)
    found = []
    if len(requests) > REQUESTS_BUDGET and not stock:
        found.append(f"{len(requests)} requests, {REQUESTS_BUDGET} allowed: {requests}")
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width} {text}" for text in _faults_at_this_width(page, url, stock)]
    return found


def _faults_at_this_width(page: Page, url: str, stock: bool) -> list[str]:
    found = []
    for theme, rules in (("light", ALL_RULES), ("dark", COLOUR_RULES)):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.evaluate(COLOURS_HAVE_CHANGED)
        found += [f"{theme}: {text}" for text in axe_faults(page, rules)]
        keep_picture(page, url, theme)
    return found if stock else found + _shape_faults(page)


def _shape_faults(page: Page) -> list[str]:
    found = [f"sticks out of the screen: {part}" for part in page.evaluate(STICKING_OUT)]
    found += [f"too small to hit: {part}" for part in page.evaluate(TOO_SMALL, SMALLEST_TARGET)]
    nodes = page.evaluate("document.querySelectorAll('*').length")
    if nodes > NODES_BUDGET:
        found.append(f"{nodes} nodes, {NODES_BUDGET} allowed")
    return found


def axe_faults(page: Page, rules: dict[str, Any] = ALL_RULES) -> list[str]:
    """What axe finds on the page as it is now; call it again after opening a dialog."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # Without the details of what passes it takes a third of the time.
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    violations = page.evaluate(
        "(options) => axe.run(document, options).then((answer) => answer.violations)", options
    )
    return [
        f"axe {violation['id']}: {node['html'][:120]} ({_reason(node)})"
        for violation in violations
        for node in violation["nodes"][:3]
    ]


def _reason(node: dict[str, Any]) -> str:
    checks = node["any"] + node["all"] + node["none"]
    return checks[0]["message"] if checks else ""


def keep_picture(page: Page, url: str, theme: str) -> None:
    """Save a picture when LOOK_PICTURES names a folder, for people who want to see."""
    folder = os.environ.get("LOOK_PICTURES")
    if not folder:
        return
    name = re.sub(r"\W+", "-", url.split("/", 3)[3]).strip("-")[:60] or "index"
    path = Path(folder) / f"{name}-{page.viewport_size['width']}-{theme}.png"
    page.screenshot(path=path, full_page=True)


def markup_faults(html: str) -> list[str]:
    """What is wrong with the bytes themselves."""
    found = []
    size = len(gzip.compress(html.encode()))
    if size > HTML_BUDGET:
        found.append(f"{size} bytes of HTML compressed, {HTML_BUDGET} allowed")
    for name, pattern in {
        "inline style": r"<[^>]+\sstyle\s*=",
        "style element": r"<style\b",
        # A block of JSON is data: browsers do not run it.
        "inline script": r"<script(?![^>]*\s(?:src=|type=\"application/json\"))[^>]*>",
        "inline handler": r"<[^>]+\son\w+\s*=\s*[\"']",
        "template leftovers": r"{%|{{|{#",
    }.items():
        match = re.search(pattern, html)
        if match:
            found.append(f"{name}: {html[match.start() : match.start() + 90]!r}")
    if (headings := len(re.findall(r"<h1\b", html))) != 1:
        found.append(f"{headings} h1 elements")
    try:
        html5lib.HTMLParser(strict=True).parse(html)
    except html5lib.html5parser.ParseError as error:
        found.append(f"not valid HTML: {error}")
    return found
