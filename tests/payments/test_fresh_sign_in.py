"""Where money goes is changed with a fresh sign-in only (AU-14)."""

import datetime as dt
import re

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from marketplace.core import clock
from marketplace.core.models import AuditRow
from payments.models import BankDetails, Payout, SellerDetails
from payments.services import payouts
from tests.factories import StaffFactory, UserFactory
from tests.stripe_sandbox import OTHER_BANK

pytestmark = pytest.mark.django_db(transaction=True)

BY_MAIL = "/settings/confirm/mail/"
PASSWORD = "a long sentence of words"
REASON = "They called us from the number we knew."


def sign_in(client, user):
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def minutes_later(minutes):
    return clock.moved_to(clock.now() + dt.timedelta(minutes=minutes))


def confirm(client, asked):
    """Do what a person without password, app and key does on the page they were sent to."""
    client.post(asked["Location"], {"send": "1"})
    code = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)
    return client.post(asked["Location"], {"code": code})


@pytest.mark.parametrize(
    ("method", "name", "back"),
    [
        ("post", "payout-setup", "payout-setup"),
        ("get", "payout-refresh", "payout-refresh"),
        ("post", "pay-out", "payout-setup"),
        ("get", "payout-schedule", "payout-schedule"),
        ("post", "payout-schedule", "payout-schedule"),
        ("get", "seller-details", "seller-details"),
    ],
)
def test_au_14_after_ten_minutes_money_pages_ask_again(market, client, method, name, back):
    market.connect()
    sign_in(client, market.freelancer)
    with minutes_later(11):
        answer = getattr(client, method)(reverse(f"payments:{name}"), {"country": "DE"})
    assert answer.status_code == 303
    onward = reverse(f"payments:{back}")
    assert answer["Location"].startswith(BY_MAIL)
    assert onward.replace("/", "%2F") in answer["Location"]


def test_a_fresh_sign_in_is_not_asked_again(market, client):
    market.connect()
    sign_in(client, market.freelancer)
    with minutes_later(9):
        assert client.get(reverse("payments:payout-schedule")).status_code == 200
        answer = client.post(reverse("payments:payout-setup"))
    assert answer["Location"].startswith(market.stripe.base_url)


def test_whoever_has_no_password_confirms_by_a_code_in_a_mail_and_goes_on(market, client):
    market.connect()
    sign_in(client, market.freelancer)
    url = reverse("payments:payout-schedule")
    with minutes_later(11):
        asked = client.get(url)
        page = client.get(asked["Location"]).content.decode()
        assert "Send me a code" in page
        back = confirm(client, asked)
        assert back["Location"] == url
        assert client.get(url).status_code == 200
    assert mail.outbox[-1].to == [market.freelancer.email]
    assert AuditRow.objects.filter(action="user.confirmed").count() == 1


def test_a_mailed_code_works_once_for_five_tries_and_a_quarter_of_an_hour(market, client):
    sign_in(client, market.freelancer)
    asked = {"Location": f"{BY_MAIL}?next=/payouts/setup/"}
    confirm(client, asked)
    old = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)
    assert client.post(asked["Location"], {"code": old}).status_code == 200

    client.post(asked["Location"], {"send": "1"})
    code = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)
    wrong = "111111" if code != "111111" else "222222"
    for _try in range(5):
        assert client.post(asked["Location"], {"code": wrong}).status_code == 422
    assert "Send me a code" in client.post(asked["Location"], {"code": code}).content.decode()

    client.post(asked["Location"], {"send": "1"})
    code = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)
    with minutes_later(16):
        assert "Send me a code" in client.post(asked["Location"], {"code": code}).content.decode()


def test_tries_side_by_side_are_counted_together(market, client, settings):
    cache.clear()
    settings.LIMITS = {"code_try": {"seconds": 900, "per_user": 2, "per_address": 99}}
    sign_in(client, market.freelancer)
    url = f"{BY_MAIL}?next=/payouts/setup/"
    client.post(url, {"send": "1"})
    session = client.session
    before = session["mailed_code"]
    code = re.search(r"^(\d{6})$", mail.outbox[-1].body, re.MULTILINE).group(1)
    wrong = "111111" if code != "111111" else "222222"
    for _try in range(2):
        client.post(url, {"code": wrong})
        session = client.session
        session["mailed_code"] = before
        session.save()
    # The session knows of no try, and the right code comes too late all the same.
    refused = client.post(url, {"code": code})
    assert refused.status_code == 422
    assert "You can try again at" in refused.content.decode()


def test_a_code_sends_nobody_to_another_site(market, client):
    sign_in(client, market.freelancer)
    for next_url in ("//evil.example/", "https://evil.example/", "/\\evil.example/"):
        back = confirm(client, {"Location": f"{BY_MAIL}?next={next_url}"})
        assert back["Location"] == "/home/"


def test_a_mailbox_is_no_way_around_a_password(market, client):
    market.freelancer.set_password(PASSWORD)
    market.freelancer.save()
    market.connect()
    sign_in(client, market.freelancer)
    url = reverse("payments:payout-schedule")
    with minutes_later(11):
        asked = client.get(url)
        assert asked["Location"].startswith("/settings/confirm/?next=")
        assert client.get(f"{BY_MAIL}?next={url}")["Location"] == asked["Location"]
        client.post(asked["Location"], {"password": "not this one"})
        assert client.get(url).status_code == 303
        assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == url
        assert client.get(url).status_code == 200


def test_another_session_does_not_become_fresh_by_this_one(market, client):
    market.connect()
    old = sign_in(Client(), market.freelancer)
    with minutes_later(11):
        sign_in(client, market.freelancer)
        assert client.get(reverse("payments:payout-schedule")).status_code == 200
        assert old.get(reverse("payments:payout-schedule")).status_code == 303


def test_a_tax_form_open_for_too_long_comes_back_as_typed_and_saves_nothing(client):
    user = UserFactory()
    sign_in(client, user)
    url = reverse("payments:seller-details")
    told = {
        "legal_name": "Ines Carvalho",
        "address": "Rua do Sol 7",
        "country": "PT",
        "tax_country": "PT",
        "tax_number": "123 456 789",
        "birth_date": "1990-04-01",
    }
    with minutes_later(11):
        answer = client.post(url, told)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert "Your sign-in is older than 10 minutes." in page
        assert "Rua do Sol 7" in page
        assert not SellerDetails.objects.exists()
        assert "123 456 789" not in str(dict(client.session))
        confirm(client, {"Location": f"{BY_MAIL}?next={url}"})
        client.post(url, told)
    assert SellerDetails.objects.get().details.tax_number == "123 456 789"


def test_the_api_refuses_an_old_session_and_takes_the_same_key_after_confirming(market, client):
    payouts.look(market.earn())
    sign_in(client, market.freelancer)

    def pay_out():
        return client.post(
            "/api/v1/payouts/",
            {"amount": "92.00", "currency": "EUR"},
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )

    with minutes_later(11):
        refused = pay_out()
        assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_too_old")
        assert BY_MAIL in refused.json()["title"]
        assert not Payout.objects.exists()
        confirm(client, {"Location": f"{BY_MAIL}?next=/home/"})
        assert pay_out().status_code == 201


def test_staff_confirm_before_they_let_money_go_and_keep_what_they_typed(market, client):
    account = market.earn()
    market.stripe.change_bank(account.stripe_id, OTHER_BANK)
    market.hear(client)
    row = BankDetails.objects.get(status="cooling")
    sign_in(client, StaffFactory())
    url = reverse("admin:payments_bankdetails_change", args=[row.pk])
    with minutes_later(11):
        answer = client.post(url, {"reason": REASON})
        assert answer.status_code == 422
        assert REASON in answer.content.decode()
        assert BY_MAIL in answer.content.decode()
        row.refresh_from_db()
        assert row.status == "cooling"
        confirm(client, {"Location": f"{BY_MAIL}?next={url}"})
        client.post(url, {"reason": REASON})
    row.refresh_from_db()
    assert row.status == "trusted"


def test_tax_reports_of_everybody_need_a_fresh_sign_in(client):
    sign_in(client, StaffFactory())
    url = reverse("admin:payments_sellerdetails_reports")
    told = {"kind": "dac7", "year": "2026", "csv": "1"}
    with minutes_later(11):
        assert client.post(url, told)["Location"].startswith(BY_MAIL)
    assert client.post(url, told)["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize(
    "url", ["/password/set/", "/settings/security/app/", "/settings/security/keys/add/"]
)
def test_who_has_neither_password_nor_app_is_asked_too_before_adding_one(client, url):
    sign_in(client, UserFactory())
    with minutes_later(11):
        assert client.get(url)["Location"].startswith(BY_MAIL)
    assert client.get(url).status_code == 200


def test_a_new_address_needs_a_fresh_sign_in(client):
    user = UserFactory()
    sign_in(client, user)
    with minutes_later(11):
        assert client.get("/settings/email/").status_code == 200
        answer = client.post("/settings/email/", {"email": "n@example.test", "action_add": ""})
    assert answer["Location"].startswith(BY_MAIL)


# --- Staff ----------------------------------------------------------------------------------


def test_au_12_staff_without_a_second_factor_see_no_page_of_the_console(client, settings):
    settings.REQUIRE_STAFF_MFA = True
    staff = StaffFactory()
    sign_in(client, staff)
    for url in ("/admin/", "/admin/payments/payout/", "/admin/payments/sellerdetails/reports/"):
        answer = client.get(url, follow=True)
        assert answer.redirect_chain == [("/settings/security/", 303)]
        assert "Staff pages need a second factor." in answer.content.decode()

    codes = Authenticator.objects.create(user=staff, type="recovery_codes", data={})
    assert client.get("/admin/").status_code == 303
    codes.delete()
    Authenticator.objects.create(user=staff, type="totp", data={"secret": "x"})
    assert client.get("/admin/").status_code == 200


def test_everybody_else_never_hears_of_the_second_factor(client, settings):
    settings.REQUIRE_STAFF_MFA = True
    sign_in(client, UserFactory())
    assert client.get("/admin/").status_code in {302, 403}
    assert client.get("/home/").status_code == 200
