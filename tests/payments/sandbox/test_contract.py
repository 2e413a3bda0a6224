"""The check of our requests: it accepts all of ours and refuses every spoiled one."""

import datetime as dt
import json
import re
import urllib.parse

import pytest
import stripe

from bench import stripe_contract
from marketplace.core.money import Money
from payments import gateway
from payments.gateway import connection
from payments.sandbox import contract
from payments.sandbox.contract import ContractBroken, ContractHTTPClient, blank, misfits, operations
from payments.sandbox.contract.client import check

NOBODY_LISTENS = "http://127.0.0.1:9"


class Recorder(stripe.HTTPClient):
    """Keeps requests instead of sending them."""

    name = "recorder"

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, str | None]] = []

    def request(self, method, url, headers, post_data=None, **_):
        self.sent.append((method, url, post_data))
        raise stripe.APIConnectionError("not sent")


@pytest.fixture
def our_requests(monkeypatch) -> list[tuple[str, str, str | None]]:
    """One of each request the gateway can make."""
    recorder = Recorder()
    client = stripe.StripeClient(
        "sk_test_1", base_addresses={"api": NOBODY_LISTENS}, http_client=recorder
    )
    monkeypatch.setattr(connection, "client", lambda: client)
    money, now = Money(12_34, "EUR"), dt.datetime.now(dt.UTC)
    metadata = {"command": "command-1"}
    calls = [
        lambda: gateway.create_checkout(
            key="k",
            lines=[gateway.CheckoutLine("Work", money), gateway.CheckoutLine("Fee", money)],
            description="d",
            reference="r",
            metadata=metadata,
            transfer_group="g",
            success_url="http://127.0.0.1/s",
            cancel_url="http://127.0.0.1/c",
            expires_at=now,
            customer_email="a@example.org",
        ),
        lambda: gateway.retrieve_checkout("cs_1"),
        lambda: gateway.expire_checkout("cs_1", key="k"),
        lambda: gateway.retrieve_charge("ch_1"),
        lambda: gateway.transfer(
            key="k",
            amount=money,
            destination="acct_1",
            source_charge="ch_1",
            transfer_group="g",
            metadata=metadata,
        ),
        lambda: gateway.find_transfer(transfer_group="g", command_id="c"),
        lambda: gateway.refund(key="k", charge="ch_1", amount=money, metadata=metadata),
        lambda: gateway.retrieve_refund("re_1"),
        lambda: gateway.find_refund(charge="ch_1", command_id="c"),
        lambda: gateway.create_account(key="k", email="a@example.org", country="DE", reference="r"),
        lambda: gateway.retrieve_account("acct_1"),
        lambda: gateway.account_link(
            "acct_1", refresh_url="http://127.0.0.1/r", return_url="http://127.0.0.1/b"
        ),
        lambda: gateway.list_banks("acct_1"),
        lambda: gateway.available(account="acct_1"),
        lambda: gateway.pay_out(key="k", account="acct_1", amount=money, metadata=metadata),
        lambda: gateway.retrieve_payout("po_1", account="acct_1"),
        lambda: gateway.list_payouts(account="acct_1", since=now),
        lambda: gateway.find_payout(account="acct_1", since=now, command_id="c"),
        lambda: gateway.payout_schedule(account="acct_1"),
        lambda: gateway.set_payout_schedule("daily", account="acct_1", key="k"),
        lambda: gateway.set_payout_schedule("weekly:monday", account="acct_1", key="k"),
        lambda: gateway.set_payout_schedule("monthly:31", account="acct_1", key="k"),
        lambda: gateway.list_events(since=now),
        lambda: list(gateway.list_balance_transactions(since=now)),
        gateway.balance,
    ]
    for call in calls:
        with pytest.raises(gateway.Unavailable):
            call()
    assert len(recorder.sent) == len(calls)
    return recorder.sent


def writes(requests):
    return [
        (method, url, urllib.parse.parse_qsl(body, keep_blank_values=True))
        for method, url, body in requests
        if body
    ]


def test_every_request_of_the_gateway_is_one_stripe_knows(our_requests):
    for method, url, body in our_requests:
        check(method, url, body)


def test_unknown_parameters_are_refused_at_the_top(our_requests):
    for method, url, body in our_requests:
        spoiled = (
            (url, f"{body}&zzz=1") if body else (url + ("&" if "?" in url else "?") + "zzz=1", None)
        )
        with pytest.raises(ContractBroken, match="unknown parameter: zzz"):
            check(method, *spoiled)


def test_unknown_parameters_are_refused_at_every_depth(our_requests):
    spoiled = 0
    for method, url, pairs in writes(our_requests):
        for name, _ in pairs:
            if "[" not in name or "metadata" in name or name.endswith("[0]"):
                continue
            neighbour = name[: name.rindex("[")] + "[zzz]"
            with pytest.raises(ContractBroken, match=r"unknown parameter: .*\[zzz\]"):
                check(method, url, urllib.parse.urlencode([*pairs, (neighbour, "1")]))
            spoiled += 1
    assert spoiled >= 15


def test_fractions_and_words_are_no_amounts(our_requests):
    spoiled = 0
    for method, url, pairs in writes(our_requests):
        for place, (name, _) in enumerate(pairs):
            if not name.endswith(("amount", "amount]", "quantity]")):
                continue
            for wrong in ("12.5", "1e3", "NaN", "", "١٢"):
                other = [*pairs[:place], (name, wrong), *pairs[place + 1 :]]
                with pytest.raises(ContractBroken, match="Invalid integer"):
                    check(method, url, urllib.parse.urlencode(other))
                spoiled += 1
    assert spoiled >= 20


def test_words_outside_a_fixed_list_are_refused(our_requests):
    method, url, pairs = writes(our_requests)[0]
    for name in ("mode", "submit_type", "allowed_payment_method_types[0]"):
        other = [(key, "zzz" if key == name else value) for key, value in pairs]
        with pytest.raises(ContractBroken, match="must be one of"):
            check(method, url, urllib.parse.urlencode(other))


def test_missing_parameters_are_refused(our_requests):
    transfer = next(body for _, url, body in our_requests if url.endswith("/v1/transfers"))
    pairs = [pair for pair in urllib.parse.parse_qsl(transfer) if pair[0] != "destination"]

    with pytest.raises(ContractBroken, match="Missing required param: destination"):
        check("post", f"{NOBODY_LISTENS}/v1/transfers", urllib.parse.urlencode(pairs))


def test_wrong_paths_and_verbs_are_refused(our_requests):
    for method, url, body in our_requests:
        path, _, query = url.partition("?")
        with pytest.raises(ContractBroken, match="Stripe has no"):
            check(method, f"{path}/z/y/x?{query}", body)
        with pytest.raises(ContractBroken, match="Stripe has no"):
            check("patch", url, body)


def test_nothing_spoiled_slips_through_anywhere_in_the_api():
    """A request with every parameter, for every third operation there is, spoiled in every way.

    `bench/stripe_contract.py` counts all of them, and those Stripe wrote itself.
    """
    counts = stripe_contract.count(list(stripe_contract.every_operation())[::3])
    assert counts.slipped_through == []
    # One is a file, which is not sent as a form; one has parameters that exclude each other.
    assert len(counts.not_accepted) <= 2
    assert counts.examples > 150
    assert sum(tried for tried, _refused in counts.by_kind.values()) > 1000


def test_nothing_spoiled_of_our_own_requests_slips_through(our_requests):
    examples = []
    for method, url, data in our_requests:
        parts = urllib.parse.urlsplit(url)
        pairs = urllib.parse.parse_qsl(parts.query if data is None else data)
        examples.append(stripe_contract.Example(method.upper(), parts.path, tuple(pairs)))
    counts = stripe_contract.count(examples)
    assert (counts.not_accepted, counts.slipped_through) == ([], [])
    assert set(counts.by_kind) >= {
        "fractional number",
        "missing parameter",
        "unknown nested parameter",
        "unknown parameter",
        "word outside the list",
        "wrong path",
    }


def test_metadata_keeps_stripes_limits():
    def with_metadata(**pairs):
        named = {f"metadata[{key}]": value for key, value in pairs.items()}
        return urllib.parse.urlencode({"charge": "ch_1", **named})

    refunds = f"{NOBODY_LISTENS}/v1/refunds"
    check("post", refunds, with_metadata(key="v" * 500))
    for wrong in (
        with_metadata(key="v" * 501),
        with_metadata(**{"k" * 41: "v"}),
        with_metadata(**{f"k{number}": "v" for number in range(51)}),
    ):
        with pytest.raises(ContractBroken, match="metadata"):
            check("post", refunds, wrong)


def test_the_check_is_on_in_tests_and_stops_the_request(settings):
    gateway.client()  # with the settings of the tests
    assert settings.STRIPE_CHECK_REQUESTS
    with pytest.raises(ContractBroken, match="zzz"):
        gateway.client().v1.refunds.create({"charge": "ch_1", "zzz": 1})


def test_the_checking_client_hands_good_requests_on():
    recorder = Recorder()

    with pytest.raises(stripe.APIConnectionError):
        ContractHTTPClient(recorder).request("get", f"{NOBODY_LISTENS}/v1/balance", {})

    assert recorder.sent == [("get", f"{NOBODY_LISTENS}/v1/balance", None)]


def test_the_package_knows_more_than_five_hundred_operations():
    assert len(operations()) > 500


@pytest.mark.parametrize(
    "kind",
    [
        "account",
        "account_link",
        "balance",
        "balance_transaction",
        "charge",
        "checkout.session",
        "dispute",
        "event",
        "payment_intent",
        "payout",
        "refund",
        "transfer",
        "transfer_reversal",
    ],
)
def test_a_blank_object_fits_its_type(kind):
    assert misfits(blank(kind)) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"livemode": "no"}, "charge.livemode"),
        ({"invented": 1}, "charge.invented: not a Stripe field"),
        ({"amount": None}, "charge.amount"),
        ({"amount": True}, "charge.amount"),
        ({"status": "great"}, "charge.status"),
        ({"balance_transaction": {"object": "balance_transaction"}}, "balance_transaction.fee"),
        ({"fraud_details": {"user_report": 7}}, "charge.fraud_details.user_report"),
    ],
)
def test_an_answer_stripe_would_not_give_is_noticed(change, complaint):
    found = misfits(blank("charge") | change)

    assert any(complaint in misfit for misfit in found), found


def test_a_missing_field_is_noticed():
    body = blank("charge")
    del body["paid"]

    assert misfits(body) == ["charge.paid: missing"]


# --- The v2 API speaks JSON -------------------------------------------------------------------

V2_ACCOUNT = {
    "contact_email": "a@example.org",
    "dashboard": "express",
    "identity": {"country": "DE"},
    "configuration": {
        "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
    },
    "defaults": {
        "responsibilities": {"fees_collector": "application", "losses_collector": "application"}
    },
}


def read_v2(body):
    operation, _ids = contract.find("POST", "/v2/core/accounts")
    return operation.read(json.dumps(body))


def test_json_of_the_v2_api_is_read_by_its_types():
    assert read_v2(V2_ACCOUNT) == V2_ACCOUNT


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"email": "a@example.org"}, "unknown parameter: email"),
        ({"identity": {"land": "DE"}}, "identity[land]"),
        ({"dashboard": "shiny"}, "must be one of express"),
        ({"defaults": {"responsibilities": {"fees_collector": "application"}}}, "losses_collector"),
        ({"contact_email": {"at": "home"}}, "must be a string"),
        ({"metadata": ["a"]}, "key-value"),
    ],
)
def test_json_that_breaks_the_types_is_refused(wrong, complaint):
    with pytest.raises(contract.Refused, match=re.escape(complaint)):
        read_v2(V2_ACCOUNT | wrong)


@pytest.mark.parametrize("text", ["[]", "{", "12"])
def test_what_is_no_json_object_is_refused(text):
    operation, _ids = contract.find("POST", "/v2/core/accounts")
    with pytest.raises(contract.Refused):
        operation.read(text)
