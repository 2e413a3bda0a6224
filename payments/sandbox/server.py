"""The sandbox as an HTTP server on loopback: Stripe's API, the pages, and the test desk."""

import json
import logging
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from payments.sandbox import contract, pages
from payments.sandbox.courier import Courier
from payments.sandbox.gate import Gate, Request, Response
from payments.sandbox.state import State
from payments.sandbox.switches import TestDesk
from payments.sandbox.world import World

logger = logging.getLogger(__name__)
HOST = "127.0.0.1"
# Names under which a browser on this machine may reach us; any other is a rebinding trick.
OWN_NAMES = {"127.0.0.1", "localhost", "[::1]"}
LARGEST_BODY = 1_000_000
DATABASE = "stripe-sandbox.sqlite3"


class NotLoopback(ValueError):
    """Webhooks carry test data and go to this machine only."""


class Sandbox:
    """One sandbox: state in a folder, an HTTP server, and couriers for webhooks."""

    def __init__(
        self,
        *,
        data: Path,
        port: int,
        webhook_secret: str,
        webhook_url: str | None = None,
        secret_key: str | None = None,
        test_switches: bool = False,
    ) -> None:
        if webhook_url and urlsplit(webhook_url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise NotLoopback(f"{webhook_url} is not on this machine")
        self._state = State(data / DATABASE)
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError:
            self._state.close()
            raise
        self.base_url = f"http://{HOST}:{self._server.server_port}"
        world = World(self._state, self.base_url, checks_answers=test_switches)
        world.switches.automatic_payouts = not test_switches
        gate = Gate(world, secret_key=secret_key)
        self._server.world = world
        self._server.gate = gate
        self._server.desk = TestDesk(world, gate, webhook_secret) if test_switches else None
        self._courier = Courier(world, webhook_url, webhook_secret)

    def start(self) -> None:
        """Answer from now on, in threads of its own."""
        contract.operations()
        self._courier.start()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Finish what is under way and give port and file free."""
        self._server.shutdown()
        self._server.server_close()
        self._courier.stop()
        self._state.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    world: World
    gate: Gate
    desk: TestDesk | None

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exception()
        # A browser that closes its connection is no error of ours.
        if not isinstance(error, ConnectionError):
            logger.error("The sandbox failed at a request", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sandbox", ""
    # Buffered, so that headers and body leave in one packet and never wait for an ACK.
    wbufsize = -1
    timeout = 60

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(413, b"Too large", "text/plain")
            return
        self._answer(self.rfile.read(int(length)))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            self._send(400, b"Not UTF-8", "text/plain")
            return
        if self.headers.get("Host", "").rsplit(":", 1)[0] not in OWN_NAMES:
            self._send(421, b"Not my name", "text/plain")
        elif parts.path.startswith(("/v1/", "/v2/")):
            self._answer_api(parts.path, parts.query if self.command == "GET" else text)
        elif parts.path.startswith("/_test/") and self.server.desk and self.command == "POST":
            self._answer_test(parts.path.removeprefix("/_test/"), text)
        elif self.command == "POST" and self.headers.get("Origin", self._origin) != self._origin:
            self._send(403, b"Another site sent this form", "text/plain")
        else:
            self._answer_page(parts.path, text)

    @property
    def _origin(self) -> str:
        return f"http://{self.headers.get('Host', '')}"

    def _answer_api(self, path: str, encoded: str) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.gate.answer(Request(self.command, path, encoded, headers))
        if response.dropped:
            self.close_connection = True
            return
        self._send_json(response)

    def _send_json(self, response: Response) -> None:
        headers = {
            "Request-Id": f"req_{secrets.token_hex(7)}",
            "Stripe-Version": settings.STRIPE_API_VERSION,
            **response.headers,
        }
        body = json.dumps(response.body, indent=2).encode()
        self._send(response.status, body, "application/json", headers)

    def _answer_page(self, path: str, encoded: str) -> None:
        page = pages.answer(
            self.server.world,
            path,
            dict(parse_qsl(encoded)),
            is_post=self.command == "POST",
            languages=self.headers.get("Accept-Language", ""),
        )
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": page.policy,
            # Not "no-referrer": it would make the Origin of our own form "null".
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if page.location:
            headers["Location"] = page.location
        self._send(page.status, page.text.encode(), page.content_type, headers)

    def _answer_test(self, action: str, text: str) -> None:
        answer = self.server.desk and self.server.desk.do(action, json.loads(text or "{}"))
        self._send(404 if answer is None else 200, json.dumps(answer).encode(), "application/json")

    def _send(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, template: str, *values: object) -> None:
        logger.debug(template, *values)
