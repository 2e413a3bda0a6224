"""Changed bank details: payouts wait, everybody hears of it, and one click stops everything."""

import datetime as dt
import re

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import FormerAddress, Notice
from accounts.services import former_addresses
from marketplace.core import clock, retention
from marketplace.core.errors import InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow, OutboxMessage
from payments import gateway
from payments.models import BankDetails, Payout, PayoutAlert, PlatformPolicy, Transfer
from payments.selectors.payouts import link_token, pause_of
from payments.services import bank_details, bank_payouts, due, holds, payouts, schedules
from tests.factories import StaffFactory, UserFactory
from tests.payments.threads import together
from tests.payments.world import eur
from tests.stripe_sandbox import GOOD_BANK, MISSING_BANK, OTHER_BANK

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 24 * 3600
REASON = "They called us from the number we knew."


@pytest.fixture
def account(market):
    """The freelancer's account with €92.00 that can go to their bank."""
    return market.earn()


def change_bank(market, client, account, number=OTHER_BANK):
    market.stripe.change_bank(account.stripe_id, number)
    market.hear(client)
    return BankDetails.objects.get(replaced_at=None)


def schedule_of(account):
    return gateway.payout_schedule(account=account.stripe_id)


def days_later(days):
    return clock.moved_to(clock.now() + dt.timedelta(days=days, minutes=1))


def signed_in(client, user):
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


# --- The pause ------------------------------------------------------------------------------


def test_p4_bank_details_changed_an_hour_before_a_payout_keep_it_back_for_some_days(
    market, client, account
):
    market.stripe.switch(automatic_payouts=True)
    row = change_bank(market, client, account)
    assert (row.status, row.last4) == ("cooling", "6199")
    assert schedule_of(account) == "manual"

    # The day of the payout comes, and nothing leaves; nor when somebody asks for it.
    market.stripe.move_clock(4 * DAY)
    market.hear(client)
    with pytest.raises(bank_payouts.PayoutsPaused, match="Payouts start again"):
        bank_payouts.pay_out(account, by=market.freelancer, amount=eur("1.00"), key="k")
    assert not Payout.objects.exists()
    with days_later(2):
        due.run()
    assert schedule_of(account) == "manual"

    with days_later(3):
        due.run()
    row.refresh_from_db()
    assert row.status == "trusted"
    assert schedule_of(account) == "daily"
    market.stripe.move_clock(DAY)
    market.hear(client)
    assert Payout.objects.get().bank == row
    assert Notice.objects.filter(user=market.freelancer, kind="payouts_go_on").count() == 1


def test_the_days_come_from_the_policy(market, client, account):
    PlatformPolicy.objects.create(starts_at=clock.now(), bank_change_days=9)
    row = change_bank(market, client, account)
    assert (row.due_at - row.seen_at + dt.timedelta(minutes=1)).days == 9


def test_first_bank_details_wait_for_nobody(account):
    assert BankDetails.objects.get().status == "trusted"
    assert pause_of(account) is None


def test_o3_first_bank_details_wait_when_released_money_waits_for_them(market, client):
    holds.release(market.held("100.00"), by=market.client, basis="approval")
    account = market.connect()
    row = BankDetails.objects.get()
    assert (row.status, pause_of(account).kind) == ("cooling", "cooling")
    assert schedule_of(account) == "manual"
    told = Notice.objects.get(user=market.freelancer, kind="bank_changed")
    assert "/payouts/not-me/" in told.url
    with days_later(3):
        due.run()
    row.refresh_from_db()
    assert row.status == "trusted"


def test_money_that_went_back_is_no_reason_to_wait(market, client):
    hold = market.held("100.00")
    holds.release(hold, by=market.client, basis="approval")
    Transfer.objects.update(status="given_back")
    market.connect()
    assert BankDetails.objects.get().status == "trusted"


def test_the_same_number_given_again_is_no_change(market, client, account):
    row = change_bank(market, client, account, GOOD_BANK)
    assert row.status == "trusted"
    assert not Notice.objects.filter(kind="bank_changed").exists()


def test_back_to_the_trusted_number_ends_the_wait_and_the_other_was_never_trusted(
    market, client, account
):
    change_bank(market, client, account, OTHER_BANK)
    change_bank(market, client, account, GOOD_BANK)
    statuses = BankDetails.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["trusted", "dropped", "trusted"]
    assert schedule_of(account) == "daily"
    # Nothing is gained by having been there once.
    assert change_bank(market, client, account, OTHER_BANK).status == "cooling"


def test_every_further_change_starts_the_days_again(market, client, account):
    change_bank(market, client, account, OTHER_BANK)
    with days_later(2):
        second = change_bank(market, client, account, MISSING_BANK)
    with days_later(4):
        due.run()
    second.refresh_from_db()
    assert second.status == "cooling"
    assert schedule_of(account) == "manual"


def test_a_payout_asked_for_before_the_change_does_not_leave_after_it(market, client, account):
    market.stripe.fail_next("drop_before", on="POST /v1/payouts", times=2)
    asked = bank_payouts.pay_out(account, by=market.freelancer, amount=eur("92.00"), key="k")
    # Nothing reached Stripe, and nobody tried: as if the worker had been away.
    OutboxMessage.objects.filter(key=asked.command_id).update(
        payload={"do": "payout", "id": asked.pk}
    )
    change_bank(market, client, account)
    message = OutboxMessage.objects.get(key=asked.command_id)
    bank_payouts.send(message)
    asked.refresh_from_db()
    assert (asked.status, asked.failure) == ("refused", "paused")


def test_a_payout_stripe_never_heard_of_does_not_go_to_the_new_bank(market, client, account):
    market.stripe.fail_next("drop_before", on="POST /v1/payouts", times=2)
    asked = bank_payouts.pay_out(account, by=market.freelancer, amount=eur("92.00"), key="k")
    message = OutboxMessage.objects.get(key=asked.command_id)
    assert message.payload["asked"]
    change_bank(market, client, account)

    bank_payouts.send(message)

    asked.refresh_from_db()
    assert (asked.status, asked.failure) == ("refused", "paused")
    assert gateway.available(account=account.stripe_id) == {"EUR": 92_00}


def test_a_payout_stripe_did_hear_of_is_kept_although_the_bank_has_changed(market, client, account):
    market.stripe.fail_next("drop_after", on="POST /v1/payouts", times=2)
    asked = bank_payouts.pay_out(account, by=market.freelancer, amount=eur("92.00"), key="k")
    market.stripe.change_bank(account.stripe_id, OTHER_BANK)
    payouts.refresh(account)

    bank_payouts.send(OutboxMessage.objects.get(key=asked.command_id))

    asked.refresh_from_db()
    assert asked.status == "pending"


def test_a_new_choice_of_schedule_does_not_end_the_pause(market, client, account):
    change_bank(market, client, account)
    schedules.choose(account, by=market.freelancer, interval="weekly", weekday="monday")
    assert schedule_of(account) == "manual"


def test_two_sweeps_trust_once(market, client, account):
    change_bank(market, client, account)
    BankDetails.objects.filter(status="cooling").update(due_at=clock.now())
    assert set(together(lambda _number: bank_details.run_due(), 3)) == {"ok"}
    assert AuditRow.objects.filter(action="bank_details.trusted").count() == 1


# --- Who hears of it --------------------------------------------------------------------------


def test_p4_the_address_of_before_and_the_one_of_today_are_told_with_a_way_to_stop_it(
    market, client, account
):
    before = market.freelancer.email
    market.freelancer.email = "thief@example.org"
    market.freelancer.save(update_fields=["email"])
    mail.outbox.clear()
    row = change_bank(market, client, account)
    market.work()

    letters = {letter.to[0]: letter for letter in mail.outbox}
    assert set(letters) == {before, "thief@example.org"}
    for letter in letters.values():
        assert "Was it you?" in letter.subject
        assert "6199" in letter.body
        assert "<time" not in letter.body
    path = re.search(r"/payouts/not-me/[^\s]+", letters[before].body)[0]

    # Nobody is signed in.
    page = client.get(path).content.decode()
    assert "It was not me: stop all payouts" in page
    assert client.post(path).status_code == 303
    assert "Payouts are stopped" in client.get(path).content.decode()
    row.refresh_from_db()
    assert row.status == "reported"


def test_reporting_stops_payouts_until_a_person_of_ours_lets_them_go_on(market, client, account):
    staff = StaffFactory()
    row = change_bank(market, client, account)
    bank_details.report(row, by=None)
    bank_details.report(row, by=None)
    alert = PayoutAlert.objects.get()
    assert (alert.kind, alert.closed_at) == ("reported", None)
    assert Notice.objects.filter(user=staff, kind="payout_alert_reported").count() == 1

    # Time does not heal it.
    with days_later(30):
        due.run()
    assert schedule_of(account) == "manual"
    with pytest.raises(bank_payouts.PayoutsPaused, match="looked into it"):
        bank_payouts.pay_out(account, by=market.freelancer, amount=eur("1.00"), key="k")

    bank_details.lift(row, by=staff, reason=REASON)
    row.refresh_from_db()
    alert.refresh_from_db()
    assert (row.status, row.settled_by, row.settled_because) == ("trusted", staff, REASON)
    assert alert.closed_at
    assert AuditRow.objects.filter(action="bank_details.lifted", actor_id=staff.pk).exists()
    assert schedule_of(account) == "daily"


def test_details_that_were_reported_and_replaced_are_never_trusted(market, client, account):
    stolen = change_bank(market, client, account, OTHER_BANK)
    bank_details.report(stolen, by=None)
    mine = change_bank(market, client, account, GOOD_BANK)
    assert mine.status == "trusted"
    assert schedule_of(account) == "manual"
    bank_details.lift(stolen, by=StaffFactory(), reason=REASON)
    stolen.refresh_from_db()
    assert stolen.status == "dropped"
    assert schedule_of(account) == "daily"
    assert change_bank(market, client, account, OTHER_BANK).status == "cooling"


def test_details_replaced_in_the_meantime_can_still_be_reported(market, client, account):
    first = change_bank(market, client, account, OTHER_BANK)
    change_bank(market, client, account, MISSING_BANK)
    first.refresh_from_db()
    bank_details.report(first, by=market.freelancer)
    assert pause_of(account).kind == "reported"


def test_staff_may_end_the_wait_only_with_the_right_and_a_reason(market, client, account):
    row = change_bank(market, client, account)
    clerk = UserFactory()
    clerk.is_staff = True
    for nobody in (market.freelancer, clerk):
        with pytest.raises(NotAllowed):
            bank_details.lift(row, by=nobody, reason=REASON)
    staff = StaffFactory()
    with pytest.raises(InvalidInput):
        bank_details.lift(row, by=staff, reason="ok")
    bank_details.lift(row, by=staff, reason=REASON)
    with pytest.raises(InvalidTransition):
        bank_details.lift(row, by=staff, reason=REASON)


def test_staff_do_not_let_payouts_to_themselves_go_on(market, client, account):
    row = change_bank(market, client, account)
    market.freelancer.is_staff = market.freelancer.is_superuser = True
    market.freelancer.save(update_fields=["is_staff", "is_superuser"])

    with pytest.raises(NotAllowed, match="money of your own"):
        bank_details.lift(row, by=market.freelancer, reason=REASON)


def test_staff_let_payouts_go_on_in_the_admin(market, client, account):
    row = change_bank(market, client, account)
    client = signed_in(client, StaffFactory())
    url = reverse("admin:payments_bankdetails_change", args=[row.pk])
    assert "Let payouts go on" in client.get(url).content.decode()
    assert client.post(url, {"reason": "ok"}).status_code == 422
    assert client.post(url, {"reason": REASON}).status_code == 303
    row.refresh_from_db()
    assert row.status == "trusted"


def test_o9_a_link_does_nothing_more_once_staff_have_settled_the_change(market, client, account):
    row = change_bank(market, client, account)
    url = reverse("payments:bank-report", args=[link_token(row)])
    bank_details.lift(row, by=StaffFactory(), reason=REASON)
    assert "This is settled" in client.get(url).content.decode()
    assert client.post(url).status_code == 303
    with pytest.raises(InvalidTransition, match="looked into this change already"):
        bank_details.report(row, by=None)
    row.refresh_from_db()
    assert row.status == "trusted"
    assert not PayoutAlert.objects.exists()


def test_o9_a_link_still_works_when_only_time_trusted_the_change(market, client, account):
    row = change_bank(market, client, account)
    with days_later(3):
        due.run()
    bank_details.report(row, by=None)
    assert pause_of(account).kind == "reported"


# --- What was about to leave ----------------------------------------------------------------


def asked_for(market, account):
    """A payout on demand that Stripe has not sent yet."""
    payout = bank_payouts.pay_out(account, by=market.freelancer, amount=eur("92.00"), key="k")
    payout.refresh_from_db()
    assert payout.status == "pending"
    return payout


def test_o2_what_has_not_left_is_called_off_and_its_money_is_back(market, client, account):
    payout = asked_for(market, account)
    row = change_bank(market, client, account)
    url = reverse("payments:bank-report", args=[link_token(row)])
    client.post(url)
    payout.refresh_from_db()
    assert (payout.status, payout.call_off_failure) == ("canceled", "")
    assert gateway.balance(account=account.stripe_id) == {"EUR": 92_00}
    assert AuditRow.objects.filter(action="payout.call_off_asked").count() == 1
    assert "1 payout that was about to leave is called off" in client.get(url).content.decode()


def test_o2_stripes_own_payouts_cannot_be_called_off_and_everybody_sees_it(market, client, account):
    (stripe_id,) = market.stripe.pay_out(account.stripe_id)
    row = change_bank(market, client, account)
    bank_details.report(row, by=None)
    payout = Payout.objects.get(stripe_id=stripe_id)
    assert payout.status == "pending"
    assert payout.call_off_failure
    assert AuditRow.objects.filter(action="payout.call_off_refused").count() == 1
    page = client.get(reverse("payments:bank-report", args=[link_token(row)])).content.decode()
    assert "1 payout could not be called off any more. Call your bank" in page
    rows = signed_in(client, market.freelancer).get(reverse("payments:payouts")).content.decode()
    assert "We asked Stripe to call it off, but it had left already." in rows
    signed_in(client, StaffFactory())
    case = client.get(reverse("admin:payments_bankdetails_change", args=[row.pk]))
    assert f"Asked to call off {payout.ref}" in case.content.decode()


def test_o2_what_we_hear_of_after_the_report_is_called_off_too(market, client, account):
    row = change_bank(market, client, account)
    bank_details.lift(row, by=StaffFactory(), reason=REASON)
    market.stripe.fail_next("drop_after", on="POST /v1/payouts", times=2)
    asked = bank_payouts.pay_out(account, by=market.freelancer, amount=eur("92.00"), key="k")
    newer = change_bank(market, client, account, MISSING_BANK)
    bank_details.report(newer, by=None)
    asked.refresh_from_db()
    assert asked.status in {"pending", "canceled", "requested"}
    bank_payouts.send(OutboxMessage.objects.get(key=asked.command_id))
    market.work()
    asked.refresh_from_db()
    assert asked.status == "canceled"


def test_o2_an_answer_that_got_lost_is_looked_for_and_nothing_is_asked_twice(
    market, client, account
):
    payout = asked_for(market, account)
    row = change_bank(market, client, account)
    market.stripe.fail_next("drop_after", on=f"POST /v1/payouts/{payout.stripe_id}/cancel", times=2)
    bank_details.report(row, by=None)
    message = OutboxMessage.objects.get(key=f"payout_call_off:{payout.ref}")
    bank_payouts.call_off(message)
    payout.refresh_from_db()
    assert (payout.status, payout.call_off_failure) == ("canceled", "")
    assert gateway.balance(account=account.stripe_id) == {"EUR": 92_00}


def test_a_new_bank_alone_calls_nothing_off(market, client, account):
    payout = asked_for(market, account)
    change_bank(market, client, account)
    payout.refresh_from_db()
    assert (payout.status, payout.call_off_at) == ("pending", None)


# --- Addresses in between -------------------------------------------------------------------


def test_o11_an_address_used_between_two_banks_is_told_too(market, client, account):
    first = market.freelancer.email
    former_addresses.keep(market.freelancer, "between@example.org")
    market.freelancer.email = "thief@example.org"
    market.freelancer.save(update_fields=["email"])
    mail.outbox.clear()
    change_bank(market, client, account)
    market.work()
    assert {letter.to[0] for letter in mail.outbox} == {
        first,
        "between@example.org",
        "thief@example.org",
    }


def test_o11_an_address_of_long_ago_is_forgotten(market, client, account):
    former_addresses.keep(market.freelancer, "long-ago@example.org")
    with days_later(61):
        assert former_addresses.of([market.freelancer]) == set()
        assert retention.forget_old()["former_addresses"] == 1
    assert not FormerAddress.objects.exists()


def test_a_forged_link_leads_nowhere(market, client, account):
    token = link_token(BankDetails.objects.get())
    assert client.get(reverse("payments:bank-report", args=[token[:-2]])).status_code == 404


def test_the_payout_page_counts_down_and_offers_the_way_out(market, client, account):
    change_bank(market, client, account)
    payouts.look(account)
    page = signed_in(client, market.freelancer).get(reverse("payments:payout-setup"))
    text = page.content.decode()
    assert "Payouts start again" in text
    assert "left" in text
    assert "/payouts/not-me/" in text
    assert "Pay out €92.00 now" not in text
    assert "€92.00 waits in your Stripe account" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "cooling", "due_at": None},
        {"status": "reported", "reported_at": None},
        {"status": "odd"},
        {"settled_because": "It was them, they called us."},
    ],
)
def test_the_database_refuses_half_a_story(account, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        BankDetails.objects.update(**wrong)
