"""What the gateway makes of Stripe's answers, and which webhooks it believes."""

import hashlib
import hmac
import json
import time

import pytest

from marketplace.core.money import Money
from payments import gateway

SECRET = "whsec_present"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "charge.refunded",
    "created": 1_790_000_000,
    "livemode": False,
    "data": {"object": {"id": "ch_1", "object": "charge"}},
}


@pytest.fixture(autouse=True)
def _webhook_secrets(settings):
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    settings.STRIPE_LIVE = False


def signed(body: bytes, *secrets: str, at: float | None = None, scheme: str = "v1") -> str:
    sent_at = int(time.time() if at is None else at)
    digests = [
        hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
        for secret in secrets or (SECRET,)
    ]
    return ",".join([f"t={sent_at}", *(f"{scheme}={digest}" for digest in digests)])


def body_of(**changes) -> bytes:
    return json.dumps(EVENT | changes).encode()


# --- Webhooks --------------------------------------------------------------------------------


def test_a_signed_event_is_read():
    body = body_of(account="acct_1")

    event = gateway.read_event(body, signed(body))

    assert (event.id, event.type, event.account) == ("evt_1", "charge.refunded", "acct_1")
    assert (event.object_id, event.object_type) == ("ch_1", "charge")
    assert event.created.isoformat() == "2026-09-21T14:13:20+00:00"
    assert event.payload == EVENT | {"account": "acct_1"}


def test_an_object_without_an_id_is_fine():
    body = body_of(type="balance.available", data={"object": {"object": "balance"}})

    assert gateway.read_event(body, signed(body)).object_id == ""


def test_an_unknown_type_and_a_newer_version_are_read_all_the_same():
    body = body_of(type="moon.landed", api_version="2031-01-01.zinnia", news={"a": 1})

    assert gateway.read_event(body, signed(body)).type == "moon.landed"


@pytest.mark.parametrize("secret", ["whsec_old", "whsec_new"])
def test_while_a_secret_rotates_both_are_good(settings, secret):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_old", "whsec_new"]
    body = body_of()

    assert gateway.read_event(body, signed(body, secret)).id == "evt_1"


def test_a_header_may_carry_two_signatures():
    body = body_of()

    assert gateway.read_event(body, signed(body, "whsec_other", SECRET)).id == "evt_1"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        "t=,v1=",
        "t=abc,v1=def",
        "v1=abc",
        f"t={2**80},v1=abc",
        "t=1,v1=é",
    ],
)
def test_a_header_that_is_no_signature_is_refused(header):
    with pytest.raises(gateway.BadSignature):
        gateway.read_event(body_of(), header)


def test_a_signature_with_another_secret_is_refused():
    body = body_of()

    with pytest.raises(gateway.BadSignature):
        gateway.read_event(body, signed(body, "whsec_wrong"))


def test_a_signature_of_another_body_is_refused():
    with pytest.raises(gateway.BadSignature):
        gateway.read_event(body_of(), signed(body_of(id="evt_2")))


def test_the_old_scheme_alone_is_refused():
    body = body_of()

    with pytest.raises(gateway.BadSignature):
        gateway.read_event(body, signed(body, scheme="v0"))


@pytest.mark.parametrize(
    ("age", "accepted"), [(299, True), (302, False), (-58, True), (-63, False)]
)
def test_a_signature_is_good_for_five_minutes_and_hardly_ahead_of_time(age, accepted):
    body = body_of()
    header = signed(body, at=time.time() - age)

    if accepted:
        assert gateway.read_event(body, header).id == "evt_1"
    else:
        with pytest.raises(gateway.BadSignature):
            gateway.read_event(body, header)


def test_a_body_written_differently_is_another_body():
    body = body_of()

    with pytest.raises(gateway.BadSignature):
        gateway.read_event(json.dumps(EVENT, indent=1).encode(), signed(body))


@pytest.mark.parametrize(("live", "livemode"), [(True, False), (False, True)])
def test_live_and_test_do_not_mix(settings, live, livemode):
    settings.STRIPE_LIVE = live
    body = body_of(livemode=livemode)

    with pytest.raises(gateway.WrongMode):
        gateway.read_event(body, signed(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"id": "evt_1", "data": 7}',
        json.dumps(EVENT | {"data": {"object": "ch_1"}}).encode(),
        json.dumps(EVENT | {"created": "yesterday"}).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused_without_a_crash(body):
    with pytest.raises(gateway.BadSignature):
        gateway.read_event(body, signed(body))


def test_without_a_secret_nothing_is_believed(settings):
    settings.STRIPE_WEBHOOK_SECRETS = []
    body = body_of()

    with pytest.raises(gateway.BadSignature):
        gateway.read_event(body, signed(body, ""))


# --- Errors ----------------------------------------------------------------------------------


def test_nobody_answering_is_unavailable(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    with pytest.raises(gateway.Unavailable):
        gateway.retrieve_charge("ch_1")


def test_a_no_of_stripe_is_refused_with_its_code(stripe_sandbox):
    with pytest.raises(gateway.Refused) as refused:
        gateway.retrieve_refund("re_nobody")

    assert refused.value.code == "resource_missing"
    assert refused.value.message == "No such refund: 're_nobody'"


def test_a_wrong_api_key_does_not_fail_commands_for_ever(stripe_sandbox, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_of_somebody_else"

    with pytest.raises(gateway.Unavailable):
        gateway.balance()


def test_a_live_key_is_not_for_the_sandbox(stripe_sandbox, settings):
    settings.STRIPE_SECRET_KEY = "sk_live_of_somebody"

    with pytest.raises(gateway.Unavailable, match="test keys only"):
        gateway.balance()


def test_no_error_shows_the_api_key(stripe_sandbox, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_of_somebody_else"

    with pytest.raises(gateway.Unavailable) as unavailable:
        gateway.balance()

    assert "somebody_else" not in str(unavailable.value)


def test_lists_fail_like_everything_else(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    for ask in (
        lambda: gateway.find_transfer(transfer_group="g", command_id="c"),
        lambda: gateway.find_refund(charge="ch_1", command_id="c"),
    ):
        with pytest.raises(gateway.Unavailable):
            ask()


def test_there_is_one_client_as_long_as_the_settings_stay(settings):
    first = gateway.client()
    assert gateway.client() is first

    settings.STRIPE_API_BASE = "http://127.0.0.1:10"
    assert gateway.client() is not first


def test_the_balance_is_empty_before_the_first_payment(stripe_sandbox):
    assert gateway.balance() == {}


def test_balances_are_kept_by_currency(stripe_sandbox):
    stripe_sandbox.add_money(Money(5_00, "EUR"))
    stripe_sandbox.add_money(Money(700, "JPY"))

    assert gateway.balance() == {"EUR": 5_00, "JPY": 700}
