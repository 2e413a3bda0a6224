"""What an API request passes on its way in: key, contract, idempotency, and injected faults."""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from payments.sandbox import accounts, api, contract
from payments.sandbox.due import run_due
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.state import Answer, Body
from payments.sandbox.world import Call, FaultMode, World

logger = logging.getLogger(__name__)
REMEMBERED_REQUESTS = 2000
# Stripe refuses these before it looks at the request, so no key remembers them.
FAULT_ANSWERS: dict[str, tuple[int, Body]] = {
    "rate_limit": (
        429,
        {"error": {"type": "invalid_request_error", "message": "Too many requests."}},
    ),
    "lock_timeout": (
        429,
        {
            "error": {
                "type": "invalid_request_error",
                "code": "lock_timeout",
                "message": "This object cannot be accessed right now because another API request "
                "or Stripe process is currently accessing it.",
            }
        },
    ),
}
BROKEN: Body = {"error": {"type": "api_error", "message": "Something broke on Stripe's side."}}


@dataclass(frozen=True)
class Request:
    """An API request as it came in; header names in lower case."""

    method: str
    path: str
    encoded: str
    headers: Mapping[str, str]

    @property
    def key(self) -> str | None:
        """The idempotency key, which only writes have."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None


@dataclass(frozen=True)
class Response:
    """What to answer; `dropped` means the connection ends instead."""

    status: int
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False


class Gate:
    """Takes API requests and answers them."""

    def __init__(self, world: World, *, secret_key: str | None) -> None:
        self._world = world
        self._secret_key = secret_key
        self._busy: set[tuple[str, str]] = set()
        self._busy_lock = threading.Lock()
        # For tests: what was asked.
        self.requests: deque[Body] = deque(maxlen=REMEMBERED_REQUESTS)

    def answer(self, request: Request) -> Response:
        """The response to one request; never raises for what the request says."""
        params: Body = {}
        try:
            self._check_caller(request)
            operation, ids, params = _read(request)
            fault = self._world.next_fault(request.method, request.path)
            response = self._perform(request, operation, ids, params, fault)
        except StripeRefusal as refusal:
            response = Response(refusal.status, refusal.body)
        except Exception as error:
            logger.exception("The sandbox failed at %s %s", request.method, request.path)
            self._world.misfits.append(f"{request.method} {request.path}: {error!r}")
            response = Response(500, BROKEN)
        self.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "params": params,
                "key": request.key,
                "status": response.status,
            }
        )
        return response

    def _check_caller(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            raise _unauthorised("You did not provide an API key.")
        if not key.startswith(("sk_test_", "rk_test_")):
            raise _unauthorised("This is a sandbox with test money. It takes test keys only.")
        if self._secret_key and not hmac.compare_digest(key, self._secret_key):
            raise _unauthorised(f"Invalid API Key provided: {key[:8]}***")
        version = request.headers.get("stripe-version")
        if version != settings.STRIPE_API_VERSION:
            raise StripeRefusal(
                f"This sandbox speaks API version {settings.STRIPE_API_VERSION}, not {version}."
            )

    def _perform(
        self,
        request: Request,
        operation: contract.Operation,
        ids: tuple[str, ...],
        params: Body,
        fault: FaultMode | None,
    ) -> Response:
        if fault in FAULT_ANSWERS:
            status, body = FAULT_ANSWERS[fault]
            retry = "true" if fault == "lock_timeout" else "false"
            return Response(status, body, {"stripe-should-retry": retry})
        if fault == "drop_before":
            return Response(0, {}, dropped=True)
        account = accounts.owner_of_request(self._world, request.headers.get("stripe-account"))
        call = Call(self._world, params, ids, account)
        if request.key is None:
            response = self._do(call, operation, fault)
        else:
            response = self._do_once(call, operation, request.key, fault)
        if fault == "drop_after":
            return Response(response.status, response.body, dropped=True)
        return response

    def _do(self, call: Call, operation: contract.Operation, fault: FaultMode | None) -> Response:
        with self._world.state.transaction():
            run_due(self._world)
            status, body = self._work(call, operation, fault)
        return Response(status, body)

    def _do_once(
        self, call: Call, operation: contract.Operation, key: str, fault: FaultMode | None
    ) -> Response:
        """The first request with a key does the work; the others get its answer."""
        state, fingerprint = self._world.state, _fingerprint(operation, call)
        with self._alone_with(call.account, key), state.transaction():
            run_due(self._world)
            known = state.answer_to(call.account, key)
            answer = known or Answer(fingerprint, *self._work(call, operation, fault))
            if known is None:
                state.remember_answer(call.account, key, answer)
        if answer.fingerprint != fingerprint:
            raise StripeRefusal(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
            )
        headers = {"Idempotent-Replayed": "true"} if known else {}
        # After a 500 the key would only bring the same 500 again.
        advice = {"stripe-should-retry": "false"} if answer.status >= 500 else {}
        return Response(answer.status, answer.body, headers | advice)

    @contextmanager
    def _alone_with(self, account: str, key: str) -> Iterator[None]:
        """Nobody else works under this key meanwhile; raises Stripe's 409 when somebody does."""
        mark = (account, key)
        with self._busy_lock:
            if mark in self._busy:
                raise StripeRefusal(
                    "There is currently another in-progress request using this Stripe Idempotent "
                    "Key.",
                    status=409,
                    kind="idempotency_error",
                    code="idempotency_key_in_use",
                )
            self._busy.add(mark)
        try:
            time.sleep(self._world.switches.hold)
            yield
        finally:
            with self._busy_lock:
                self._busy.discard(mark)

    def _work(
        self, call: Call, operation: contract.Operation, fault: FaultMode | None
    ) -> tuple[int, Body]:
        """Do the work, or keep the world as it was and say why not."""
        if fault == "error_before":
            return 500, BROKEN
        try:
            with self._world.state.savepoint():
                body = api.perform(call, operation)
        except StripeRefusal as refusal:
            return refusal.status, refusal.body
        for item in body["data"] if body["object"] == "list" else [body]:
            self._world.check(item, f"{operation.method} {operation.template}")
        return (500, BROKEN) if fault == "error_after" else (200, body)


def _read(request: Request) -> tuple[contract.Operation, tuple[str, ...], dict[str, Any]]:
    found = contract.find(request.method, request.path)
    if found is None:
        raise StripeRefusal(
            f"Unrecognized request URL ({request.method}: {request.path}).", status=404
        )
    operation, ids = found
    try:
        return operation, ids, operation.read(request.encoded)
    except contract.Refused as refused:
        first = refused.problems[0]
        raise StripeRefusal(first.message, code=first.code, param=first.param) from refused


def _unauthorised(message: str) -> StripeRefusal:
    return StripeRefusal(message, status=401)


def _fingerprint(operation: contract.Operation, call: Call) -> str:
    asked = [operation.method, operation.template, call.ids, call.params]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
