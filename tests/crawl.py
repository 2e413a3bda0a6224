"""Walk every page a person can reach by following links, as a browser without script would."""

from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

import html5lib
from django.db import connection
from django.test import Client
from django.urls import Resolver404, resolve

XHTML = "{http://www.w3.org/1999/xhtml}"
# A new secret for an authenticator or passkey must be remembered between showing it and proving it;
# it is kept in the reader's own session and nowhere else.
KEEPS_A_CHALLENGE = {"/settings/security/app/", "/settings/security/keys/add/"}
# Django's own scripts for the admin find their buttons by class.
FOUND_BY_SCRIPT = {"theme-toggle", "toggle-nav-sidebar"}
# Followed once each: one page of a kind is enough, and filters would multiply for ever.
MOST_PER_VIEW = 3


@dataclass
class Page:
    """What came back for an address, and what it offers."""

    url: str
    status: int
    links: list[str] = field(default_factory=list)
    forms: list[tuple[str, str]] = field(default_factory=list)  # (method, action)
    idle_buttons: list[str] = field(default_factory=list)
    found_on: str = ""


def crawl(client: Client, start: list[str]) -> list[Page]:
    """Every page reachable by GET from `start`, at most a few of each view and query."""
    queue = deque((url, "") for url in start)
    seen, per_view, pages = set(start), {}, []
    while queue:
        url, parent = queue.popleft()
        page = _visit(client, url)
        page.found_on = parent
        pages.append(page)
        for link in page.links:
            view = _view(link)
            if link in seen or link in KEEPS_A_CHALLENGE or per_view.get(view, 0) >= MOST_PER_VIEW:
                continue
            seen.add(link)
            per_view[view] = per_view.get(view, 0) + 1
            queue.append((link, url))
    return pages


def _visit(client: Client, url: str) -> Page:
    response = client.get(url)
    page = Page(url, response.status_code)
    if response.status_code in {301, 302, 303}:
        page.links = _inside(url, [response["Location"]])
    elif response.get("Content-Type", "").startswith("text/html") and not response.streaming:
        _read(page, response.content)
    if response.streaming:
        list(response.streaming_content)
    return page


def _read(page: Page, content: bytes) -> None:
    tree = html5lib.parse(content)
    hrefs = [a.get("href", "") for a in tree.iter(f"{XHTML}a")]
    hrefs += [n.get("hx-get", "") for n in tree.iter() if n.get("hx-get")]
    page.links = _inside(page.url, hrefs)
    for form in tree.iter(f"{XHTML}form"):
        if form.get("method", "get").lower() != "dialog":
            page.forms.append(
                (form.get("method", "get").lower(), urljoin(page.url, form.get("action") or ""))
            )
    forms = {id(n) for form in tree.iter(f"{XHTML}form") for n in form.iter(f"{XHTML}button")}
    named = {form.get("id") for form in tree.iter(f"{XHTML}form")} - {None}
    for button in tree.iter(f"{XHTML}button"):
        does = any(
            name in button.attrib for name in ("popovertarget", "formaction", "hx-get", "hx-post")
        ) or any(name.startswith("data-") for name in button.attrib)
        does = does or not FOUND_BY_SCRIPT.isdisjoint(button.get("class", "").split())
        submits = button.get("type", "submit") == "submit" and (
            id(button) in forms or button.get("form") in named
        )
        if not (does or submits):
            page.idle_buttons.append("".join(button.itertext()).strip() or button.get("aria-label"))


def _inside(base: str, hrefs: list[str]) -> list[str]:
    found = []
    for href in hrefs:
        url = urlsplit(urldefrag(urljoin(base, href)).url)
        ours = url.netloc in {"", "testserver"} and url.scheme in {"", "http"}
        if href and ours and not url.path.startswith("/static/"):
            found.append(url.path + (f"?{url.query}" if url.query else ""))
    return found


def _view(url: str) -> str:
    path, _, query = url.partition("?")
    try:
        name = resolve(path).view_name
    except Resolver404:
        return url
    if path.startswith("/admin/"):
        return name  # its filters and orders multiply with every column
    return f"{name}?{'&'.join(sorted(part.partition('=')[0] for part in query.split('&')))}"


def table_hashes() -> dict[str, str]:
    """A digest of the content of every table: equal means nothing at all changed."""
    hashes = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            rows = "coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')"
            cursor.execute(f'SELECT md5({rows}) FROM "{table}" t')
            hashes[table] = cursor.fetchone()[0]
    return hashes
