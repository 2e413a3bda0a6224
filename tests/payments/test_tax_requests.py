"""Rule DAC7: tax details are asked for, reminded of twice, and then payouts to banks wait."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse

from accounts.models import Notice, Party
from marketplace.core import clock
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from payments import gateway
from payments.models import TaxRequest
from payments.models.sellers import Details
from payments.selectors.payouts import pause_of
from payments.services import bank_payouts, due, sellers, tax_requests
from payments.tasks import ask_for_tax_details
from tests.factories import StaffFactory, UserFactory
from tests.payments.threads import together
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

BECAUSE = "Their country gives no numbers to people of their age."


@pytest.fixture
def account(market):
    """The account of a freelancer in Portugal who has €92.00 for their bank and told nothing."""
    account = market.earn()
    Party.objects.filter(pk=account.party_id).update(country="PT", address="Rua 1, Porto")
    account.party.refresh_from_db()
    return account


def days_later(days):
    return clock.moved_to(clock.now() + dt.timedelta(days=days, minutes=1))


def told(user):
    kinds = Notice.objects.filter(user=user, kind__startswith="tax_details")
    return list(kinds.order_by("pk").values_list("kind", flat=True))


def pause(market):
    """Ask, remind twice, and let the sixty days pass."""
    ask_for_tax_details()
    for days in (20, 40, 60):
        with days_later(days):
            due.run()
    return TaxRequest.objects.get()


def answer(user, **changes):
    sellers.save(
        user.party,
        by=user,
        **{
            "legal_name": "Ines Carvalho",
            "address": "Rua 1, Porto",
            "country": "PT",
            "tax_country": "PT",
            "details": Details(tax_number="123456789", birth_date="1990-04-01"),
        }
        | changes,
    )


def test_two_reminders_and_sixty_days_later_payouts_wait_and_go_on_with_the_answer(
    market, client, account
):
    user = market.freelancer
    ask_for_tax_details()
    ask_for_tax_details()
    assert told(user) == ["tax_details_wanted"]
    for day, kinds in ((19, 0), (20, 1), (39, 1), (40, 2), (59, 2)):
        with days_later(day):
            due.run()
        assert told(user)[1:] == ["tax_details_reminder"] * kinds, day
    assert pause_of(account) is None

    with days_later(60):
        due.run()
        due.run()
        market.hear(client)
        assert told(user)[3:] == ["tax_details_paused"]
        assert pause_of(account).kind == "tax"
        assert gateway.payout_schedule(account=account.stripe_id) == "manual"
        with pytest.raises(bank_payouts.PayoutsPaused, match="Tax law"):
            bank_payouts.pay_out(account, by=user, amount=eur("10.00"), key="now")

        answer(user)
        market.hear(client)
        assert pause_of(account) is None
        assert gateway.payout_schedule(account=account.stripe_id) == "daily"
        assert told(user)[4:] == ["tax_details_over"]
        # Nothing is missing, so nobody asks again.
        ask_for_tax_details()
    assert TaxRequest.objects.get().status == "answered"
    steps = AuditRow.objects.filter(action__startswith="tax_request").order_by("pk")
    assert [row.action.split(".")[1] for row in steps] == [
        *("asked", "reminded", "reminded", "paused", "answered")
    ]


def test_a_beat_that_slept_shortens_nobodys_time(market, account):
    ask_for_tax_details()
    with days_later(100):
        due.run()
    assert TaxRequest.objects.get().reminders == 1
    with days_later(119):
        due.run()
    assert TaxRequest.objects.get().reminders == 1
    with days_later(120):
        due.run()
    with days_later(139):
        due.run()
    assert TaxRequest.objects.get().status == "asked"
    with days_later(140):
        due.run()
    assert TaxRequest.objects.get().status == "paused"


def test_two_beats_at_once_ask_once_and_pause_once(market, account):
    together(lambda _number: tax_requests.ask_all(), 4)
    assert TaxRequest.objects.count() == 1

    # The clock of a test is that of its own thread.
    def beat(_number):
        with days_later(20):
            tax_requests.run_due()

    together(beat, 4)
    assert TaxRequest.objects.get().reminders == 1
    assert told(market.freelancer) == ["tax_details_wanted", "tax_details_reminder"]


def test_only_who_earned_something_lives_in_the_union_and_has_not_told_is_asked(market, account):
    party = Party.objects.filter(pk=account.party_id)
    party.update(country="US")
    assert tax_requests.ask_all() == 0
    party.update(country="PT")
    next_year = dt.datetime(clock.now().year + 1, 2, 1, 12, tzinfo=dt.UTC)
    with clock.moved_to(next_year):
        assert tax_requests.ask_all() == 0
    with clock.moved_to(next_year - dt.timedelta(days=2)), transaction.atomic():
        # Still in time for the report about the year before.
        assert tax_requests.ask_all() == 1
        assert TaxRequest.objects.get().year == next_year.year - 1
        transaction.set_rollback(True)
    answer(market.freelancer)
    assert tax_requests.ask_all() == 0
    # The report could not name the place any more.
    party.update(address="")
    assert tax_requests.ask_all() == 1


def test_an_address_that_came_by_another_page_ends_it_the_next_morning(market, account):
    answer(market.freelancer)
    Party.objects.filter(pk=account.party_id).update(address="")
    request = pause(market)
    assert request.status == "paused"
    Party.objects.filter(pk=account.party_id).update(address="Rua 2, Porto")
    ask_for_tax_details()
    request.refresh_from_db()
    assert request.status == "answered"


def test_a_person_decides_on_the_appeal(market, client, account):
    user, staff, stranger = market.freelancer, StaffFactory(), UserFactory()
    request = pause(market)
    with pytest.raises(NotAllowed):
        tax_requests.appeal(request, by=stranger, said="Let me in.")
    with pytest.raises(InvalidInput):
        tax_requests.appeal(request, by=user, said=" ")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    page, details = reverse("payments:tax-appeal"), reverse("payments:seller-details")
    assert client.post(page, {"said": ""}).status_code == 422
    assert client.post(page, {"said": "I have no number."}).status_code == 303
    assert b"You appealed" in client.get(page).content
    assert b"wait for these details" in client.get(details).content
    with pytest.raises(InvalidTransition):
        tax_requests.appeal(request, by=user, said="Once more.")
    assert Notice.objects.filter(user=staff, kind="tax_details_appealed").count() == 1
    with days_later(80):
        ask_for_tax_details()
        ask_for_tax_details()
    assert Notice.objects.filter(user=staff, kind="tax_details_review").count() == 1

    with pytest.raises(NotAllowed):
        tax_requests.lift(request, by=user, reason=BECAUSE)
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:payments_taxrequest_change", args=[request.pk])
    assert "I have no number." in client.get(url).content.decode()
    assert client.post(url, {"decision": "keep", "reason": "no"}).status_code == 422
    assert client.post(url, {"reason": BECAUSE}).status_code == 422
    assert client.post(url, {"decision": "keep", "reason": BECAUSE}).status_code == 303
    assert pause_of(account).kind == "tax"
    assert told(user)[-1] == "tax_details_kept"
    # The payee reads why, and may appeal once more.
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert BECAUSE in client.get(details).content.decode()
    assert client.post(page, {"said": "It is as I said."}).status_code == 303
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    assert client.post(url, {"decision": "lift", "reason": BECAUSE}).status_code == 303
    assert pause_of(account) is None
    # Not again for this year.
    assert tax_requests.ask_all() == 0
    row = AuditRow.objects.get(action="tax_request.lifted")
    assert row.actor == staff


def test_the_database_lets_nobody_be_paused_without_reminders_and_sixty_days(market, account):
    ask_for_tax_details()
    rows, now = TaxRequest.objects.all(), clock.now()
    early = {"status": "paused", "due_at": None, "paused_at": now, "review_due_at": now}
    with pytest.raises(IntegrityError, match="pause_has_basis"), transaction.atomic():
        rows.update(**early, reminders=2)
    late = early | {"paused_at": F("asked_at") + dt.timedelta(days=60)}
    with pytest.raises(IntegrityError, match="pause_has_basis"), transaction.atomic():
        rows.update(**late, reminders=1)
    assert rows.update(**late, reminders=2) == 1
    with pytest.raises(IntegrityError, match="lifted_by_person"), transaction.atomic():
        rows.update(status="lifted", ended_at=now)


def test_nobody_is_shown_the_appeal_while_nothing_waits(market, client, account):
    ask_for_tax_details()
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("payments:tax-appeal")).status_code == 404
    shown = client.get(reverse("payments:seller-details")).content.decode()
    assert "We asked for these details" in shown
    assert "0 reminders so far" in shown
