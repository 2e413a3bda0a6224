"""Money on top of what was agreed (rule M14)."""

import datetime as dt

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, NotAllowed
from payments import ledger
from payments.models import Funding, Hold, Invoice, PlatformPolicy, Transfer
from payments.services import funding as paying
from payments.services import transfers
from projects.models import Bonus
from projects.services import bonuses
from tests.projects.proofs import nothing_is_broken
from tests.projects.test_approvals import together
from tests.projects.work import Work, eur

DAY = dt.timedelta(days=1)


def pay(work, amount="50.00", note="Thank you."):
    """Pay a bonus at Stripe and come back."""
    started = bonuses.give(work.contract, by=work.client, amount=eur(amount), note=note)
    assert paying.checkout_url(started)
    work.stripe.pay(started.session_id)
    bonuses.look_again(work.contract)
    return Bonus.objects.get(hold__funding_parts__funding=started)


def test_a_bonus_goes_to_the_freelancer_whole_and_once(work):
    work.connect()
    bonus = pay(work)

    assert (bonuses.release_due(), bonuses.release_due()) == (1, 0)
    work.work_off()

    bonus.hold.refresh_from_db()
    hold = bonus.hold
    assert (hold.status, hold.basis, hold.basis_detail) == ("released", Hold.Basis.RULE, "M14")
    assert Funding.objects.get().amount == eur("50.00")
    assert Transfer.objects.get().amount == eur("50.00")
    assert Transfer.objects.get().status == Transfer.Status.SENT
    assert ledger.balance(ledger.FEE_REVENUE, "EUR") == eur("0.00")
    assert [paper.kind for paper in Invoice.objects.all()] == ["work"]
    for kind in ("bonus_paid", "bonus_paid_out"):
        assert work.freelancer.notices.filter(kind=kind).count() == 1
    nothing_is_broken()


def test_a_bonus_is_seen_in_the_sums_the_history_and_the_payments_of_both(work):
    pay(work)
    url = work.contract.get_absolute_url()

    for who in (work.as_client, work.as_freelancer):
        page = who.get(url).content.decode()
        assert "Bonus, on top" in page
        assert "paid a bonus of €50.00" in page
        assert "Thank you." in who.get(f"{url}payments/").content.decode()
    assert "Bonus: Booking site" in work.as_freelancer.get("/earnings/").content.decode()


def test_a_double_click_on_a_bonus_is_one_checkout_and_another_amount_replaces_it(work):
    first = bonuses.give(work.contract, by=work.client, amount=eur("50.00"))
    again = bonuses.give(work.contract, by=work.client, amount=eur("50.00"))
    other = bonuses.give(work.contract, by=work.client, amount=eur("60.00"))

    assert first == again
    assert first != other
    assert list(Hold.objects.order_by("pk").values_list("status", flat=True)) == [
        "cancelled",
        "pending",
    ]


def test_a_bonus_may_be_paid_until_180_days_after_the_end(stripe_sandbox, db):
    work = Work.build(stripe_sandbox, "100.00")
    work.approved(1)
    work.contract.refresh_from_db()
    end = work.contract.ended_at

    with time_machine.travel(end + 179 * DAY):
        bonuses.give(work.contract, by=work.client, amount=eur("50.00"))
    with time_machine.travel(end + 181 * DAY), pytest.raises(DomainError, match="180 days"):
        bonuses.give(work.contract, by=work.client, amount=eur("51.00"))


def test_only_who_pays_for_the_client_gives_a_bonus_and_not_less_than_a_payment_is_worth(work):
    with pytest.raises(NotAllowed):
        bonuses.give(work.contract, by=work.freelancer, amount=eur("50.00"))
    with pytest.raises(InvalidInput):
        bonuses.give(work.contract, by=work.client, amount=eur("1.00"))
    url = f"{work.contract.get_absolute_url()}bonus/"
    assert work.as_freelancer.get(url).status_code == 403
    refused = work.as_client.post(url, {"amount": "1"})
    started = work.as_client.post(url, {"amount": "50", "note": "Thanks."})
    assert (refused.status_code, started.status_code) == (422, 303)
    assert started["Location"] == Funding.objects.get().session_url
    assert "has been started" in work.as_client.get(url).content.decode()


def test_a_bonus_waits_out_its_own_security_hold_and_says_so(stripe_sandbox, db):
    PlatformPolicy.objects.create(starts_at=clock.now())
    work = Work.build(stripe_sandbox)
    work.connect()
    work.approved(1)
    work.work_off()
    first = Transfer.objects.get()
    assert (first.wait, (first.due_at - clock.now()).days) == ("first", 9)
    page = work.as_freelancer.get(work.contract.get_absolute_url()).content.decode()
    assert "First payment of a new client" in page

    with time_machine.travel(first.due_at + DAY):
        transfers.run_due()
        work.work_off()
        bonus = pay(work)
        bonuses.release_due()
        transfer = bonus.hold.transfers.get()
        assert (transfer.wait, (transfer.due_at - clock.now()).days) == ("bonus", 4)
        nothing_is_broken()


@pytest.mark.django_db(transaction=True)
def test_r5_two_beats_release_a_bonus_once(stripe_sandbox):
    work = Work.build(stripe_sandbox)
    for amount in range(10, 20):
        pay(work, f"{amount}.00")

    released = [sum(together(bonuses.release_due, bonuses.release_due)) for _beat in range(12)]

    assert sum(released) == 10
    assert Transfer.objects.count() == 10
