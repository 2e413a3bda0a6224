"""For any cent, on the finance officer's screen: whose, since when, why, and what happens next."""

import pytest
from django.test import Client
from django.urls import reverse

from payments.models import Account
from payments.selectors.trail import accounts_of, trail
from payments.services import funding as payments_funding
from projects.services import bonuses, deliveries
from tests.factories import StaffFactory
from tests.projects.work import Work, eur, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(stripe_sandbox):
    return Work.build(stripe_sandbox)


def trails():
    """The trails of all accounts of people that hold money now, by role."""
    accounts = Account.objects.filter(mode=Account.Mode.INLINE).exclude(balance__posted=0)
    return {account.role: trail(account) for account in accounts}


def texts(found):
    return [one.text for one in found.prospects]


def test_held_money_says_whose_it_is_since_when_why_and_what_ends_it(work):
    step = work.funded()
    found = trails()["held"]
    assert [party.name for party in found.owner.parties] == ["Kim Weber", "Ines Carvalho"]
    assert found.amount == step.amount
    assert found.since == found.steps[-1].journal.created_at
    assert found.why == "Paid in"
    assert texts(found) == [
        "Without a delivery Kim Weber may call it off alone and gets all of it back",
        "If nothing moves, both are asked what should become of it",
        "It may not stay with us longer: it goes back to Kim Weber",
        "Ines Carvalho delivers; then Kim Weber reviews it",
    ]
    assert found.prospects[2].at == step.custody_ends_at


def test_the_next_thing_to_happen_follows_the_work(work):
    step = work.delivered()
    found = trails()["held"]
    assert found.prospects[0].at == step.review_due_at
    assert texts(found)[0] == ("If Kim Weber does not answer, €600.00 is released to Ines Carvalho")
    deliveries.ask_for_changes(step, by=work.client, points="The title is wrong.")
    assert "Ines Carvalho delivers again; then the review starts anew" in texts(trails()["held"])


def test_disputed_money_names_the_dispute_and_its_deadline(work):
    dispute = work.disputed()
    found = trails()["dispute_hold"]
    assert found.prospects[0].at == dispute.decide_due_at
    assert all(dispute.ref in text for text in texts(found)[:1])
    assert "It may not stay with us longer: a person decides at once" in texts(found)


def test_released_money_waits_for_what_its_owner_must_do(work):
    work.approved()
    found = trails()
    assert set(found) == {"payable"}
    assert [party.name for party in found["payable"].owner.parties] == ["Ines Carvalho"]
    assert texts(found["payable"]) == [
        "It is sent as soon as Ines Carvalho has finished the payout details"
    ]


def test_since_when_starts_anew_when_an_account_was_empty_in_between(work):
    work.approved()
    first = trails()["payable"].since
    work.connect()
    work.work_off()
    assert "payable" not in trails()
    empty = trail(Account.objects.get(role="payable"))
    assert (empty.since, empty.why, empty.prospects) == (None, "", [])
    assert empty.steps[-1].journal.created_at == first


def test_a_bonus_says_when_it_is_released(work):
    started = bonuses.give(work.contract, by=work.client, amount=eur("50.00"), note="")
    assert payments_funding.checkout_url(started)
    work.stripe.pay(started.session_id)
    bonuses.look_again(work.contract)
    (prospect,) = trails()["held"].prospects
    assert prospect.text == "The bonus is released"
    assert prospect.at == work.contract.bonuses.get().release_due_at


def test_no_cent_of_people_is_without_a_next_step(work):
    work.disputed(1)
    work.funded(2)
    assert set(trails()) >= {"held", "client_fee_held", "dispute_hold"}
    for found in trails().values():
        assert found.owner.parties
        assert found.since
        assert found.why
        assert found.prospects


def test_staff_read_it_on_the_account_and_come_there_from_the_hold(work):
    step = work.delivered()
    staff = signed_in(StaffFactory())
    account = Account.objects.get(role="held")
    page = staff.get(reverse("admin:payments_account_change", args=[account.pk]))
    text = page.content.decode()
    for words in ("€600.00", "Kim Weber", "Ines Carvalho", "Paid in", "What happens next"):
        assert words in text
    hold = staff.get(reverse("admin:payments_hold_change", args=[step.hold_id])).content.decode()
    assert reverse("admin:payments_account_change", args=[account.pk]) in hold
    assert {found.role for found, _amount in accounts_of(step.hold)} >= {"held", "client_fee_held"}
    shared = Account.objects.get(role="stripe_balance")
    assert staff.get(reverse("admin:payments_account_change", args=[shared.pk])).status_code == 200
    assert (
        Client().get(reverse("admin:payments_account_change", args=[shared.pk])).status_code == 302
    )
