"""More than was agreed (rule M7): extra rounds and extra work, offered, agreed, paid, in force."""

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction

from marketplace.core import clock
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from payments.models import Hold, Invoice, Refund, Transfer
from payments.services import funding as payments_funding
from projects.models import Amendment, ChangeOrder, Contract, Milestone
from projects.services import approvals, deliveries, disputes, ending, funding
from projects.services.change_orders import offers
from tests.projects.proofs import nothing_is_broken
from tests.projects.test_approvals import rounds, together
from tests.projects.work import Work, eur

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
Status = ChangeOrder.Status


def used_up(work, n=1, included=0):
    """Milestone `n` in review, its included rounds used."""
    Contract.objects.filter(pk=work.contract.pk).update(change_rounds=included)
    work.delivered(n)
    for _round in range(included):
        deliveries.ask_for_changes(work.step(n), by=work.client, points="More blue.")
        deliveries.deliver(work.step(n), by=work.freelancer, note="Bluer.")
    return work.step(n)


def wanted(work, n=1):
    return offers.want_round(work.step(n), by=work.client, points="The menu jumps.")


def priced(work, n=1, amount="120.00", days=3):
    order = wanted(work, n)
    offers.price_round(order, by=work.freelancer, amount=eur(amount), days=days)
    order.refresh_from_db()
    return order


def offered(work, by=None, **changes):
    given = {
        "title": "A second language",
        "body": "The same pages in Dutch.",
        "amount": eur("250.00"),
        "due_on": clock.now().date() + 20 * DAY,
    }
    return offers.offer_work(work.contract, by=by or work.freelancer, **(given | changes))


def refreshed(order):
    return ChangeOrder.objects.get(pk=order.pk)


def test_an_extra_round_is_asked_for_priced_agreed_paid_delivered_and_approved(work):
    work.connect()
    used_up(work, included=2)
    here = work.contract.get_absolute_url()

    refused = work.as_client.post(f"{here}milestones/1/changes/", {"points": "Once more."})
    asked = work.as_client.post(f"{here}milestones/1/extra-round/", {"points": "The menu jumps."})
    order = ChangeOrder.objects.get()
    url = f"{here}extra/{order.ref}/"
    to_price = work.as_freelancer.get(url).content.decode()
    answered = work.as_freelancer.post(
        f"{url}price/", {"how": "round", "amount": "120", "days": "3"}
    )
    offer = work.as_client.get(url).content.decode()
    agreed = work.as_client.post(f"{url}answer/", {"answer": "yes"})

    assert (refused.status_code, asked.status_code, answered.status_code) == (422, 303, 303)
    assert "Do it without extra pay" in to_price
    for said in ("€123.60", "€110.40", "Agree and go on to pay €123.60", "3 days after"):
        assert said in offer
    assert agreed["Location"] == f"{here}fund/4/"
    assert work.step(1).status == Milestone.Status.SUBMITTED
    assert work.step(4).status == Milestone.Status.PLANNED
    work.contract.refresh_from_db()
    assert work.contract.price == eur("2520.00")
    nothing_is_broken()

    paid = work.funded(4)

    assert paid.due_on == clock.now().date() + 3 * DAY
    assert refreshed(order).status == Status.IN_FORCE
    back = work.step(1)
    assert (back.status, back.changes_asked) == (Milestone.Status.CHANGES_REQUESTED, 3)
    assert back.deliveries.latest("round").change_request.points == "The menu jumps."
    assert work.held(paid.hold) == eur("120.00")
    nothing_is_broken()

    deliveries.deliver(work.step(1), by=work.freelancer, note="It stands still now.")
    assert {work.step(n).status for n in (1, 4)} == {Milestone.Status.SUBMITTED}
    assert work.client.notices.filter(kind="milestone_delivered").count() == 4
    with pytest.raises(DomainError) as no_rounds_of_its_own:
        deliveries.ask_for_changes(work.step(4), by=work.client, points="And again.")
    assert no_rounds_of_its_own.value.code == "rounds_used"
    for n in (1, 4):
        approvals.approve(work.step(n), by=work.client)

    assert Transfer.objects.get(hold=work.step(4).hold).amount == eur("110.40")
    totals = Invoice.objects.filter(hold=work.step(4).hold).values_list("total_minor", flat=True)
    assert set(totals) == {12000, 360, 960}
    nothing_is_broken()


def test_the_terms_get_a_version_both_agreed_to_that_nobody_can_change(work):
    order = offered(work)

    offers.answer(order, by=work.client, accept=True)

    amendment = Amendment.objects.get()
    assert (amendment.version, amendment.order) == (2, order)
    assert amendment.client_agreed_by == work.client
    assert amendment.freelancer_agreed_by == work.freelancer
    page = work.as_freelancer.get(f"{work.contract.get_absolute_url()}terms/").content.decode()
    for said in ("The same pages in Dutch.", amendment.text_sha256, "VERSION 2"):
        assert said in page
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        Amendment.objects.update(text="Something else.")


def test_nothing_starts_before_it_is_paid_and_unpaid_it_is_off_after_seven_days_once(work):
    due = used_up(work).review_due_at
    order = offers.answer(priced(work), by=work.client, accept=True)

    with pytest.raises(DomainError) as unpaid:
        deliveries.deliver(work.step(4), by=work.freelancer, note="Done already.")
    assert unpaid.value.code == "not_funded"
    with time_machine.travel(clock.now() + 7 * DAY - HOUR):
        assert offers.end_due() == 0
    with time_machine.travel(clock.now() + 7 * DAY + HOUR):
        assert (offers.end_due(), offers.end_due()) == (1, 0)

    assert refreshed(order).status == Status.UNPAID
    assert work.step(4).status == Milestone.Status.CANCELLED
    assert (work.step(1).status, work.step(1).review_due_at) == (Milestone.Status.SUBMITTED, due)
    for person in (work.client, work.freelancer):
        assert person.notices.filter(kind="change_order_unpaid").count() == 1
    work.contract.refresh_from_db()
    assert work.contract.status == Contract.Status.ACTIVE
    nothing_is_broken()


def test_a_payment_that_is_on_its_way_when_the_time_is_up_still_counts(work):
    order = offers.answer(offered(work), by=work.client, accept=True)
    started = funding.fund_milestone(work.step(4), by=work.client)
    assert payments_funding.checkout_url(started)

    with time_machine.travel(clock.now() + 7 * DAY + HOUR):
        assert offers.end_due() == 0
    work.stripe.pay(started.session_id)
    payments_funding.confirm(started)

    assert refreshed(order).status == Status.IN_FORCE
    assert work.step(4).status == Milestone.Status.FUNDED
    nothing_is_broken()


def test_added_work_that_nobody_paid_does_not_make_a_contract_end_early(stripe_sandbox, db):
    work = Work.build(stripe_sandbox, "100.00")
    used_up(work)
    order = offers.answer(priced(work, amount="20.00"), by=work.client, accept=True)

    approvals.approve(work.step(1), by=work.client)

    assert refreshed(order).status == Status.OVERTAKEN
    assert work.step(2).status == Milestone.Status.CANCELLED
    work.contract.refresh_from_db()
    assert work.contract.status == Contract.Status.COMPLETED
    nothing_is_broken()


def test_a_payment_that_never_comes_keeps_nobody_waiting(stripe_sandbox, db):
    first = Work.build(stripe_sandbox, "100.00")
    used_up(first)
    order = offers.answer(priced(first, amount="20.00"), by=first.client, accept=True)
    started = funding.fund_milestone(first.step(2), by=first.client)
    assert payments_funding.checkout_url(started)
    due = refreshed(order).due_at
    second = Work.build(stripe_sandbox, "100.00")
    wish = offered(second)
    ChangeOrder.objects.filter(pk=wish.pk).update(due_at=due + HOUR)

    with time_machine.travel(due + 2 * HOUR, tick=False):
        assert (offers.end_due(limit=1), refreshed(wish).status) == (1, Status.LAPSED)
        assert approvals.approve_due() == 0
    Milestone.objects.filter(pk=first.step(1).pk).update(review_due_at=due)
    with time_machine.travel(due + DAY - HOUR, tick=False):
        assert approvals.approve_due() == 0
    with time_machine.travel(due + DAY + HOUR, tick=False):
        page = first.as_client.get(first.contract.get_absolute_url()).content.decode()
        assert "silence pays nothing" not in page
        assert approvals.approve_due() == 1
    assert first.step(1).status == Milestone.Status.APPROVED


def test_a_contract_older_than_extra_rounds_keeps_its_rule_of_silence(work):
    Contract.objects.filter(pk=work.contract.pk).update(terms_version=1)
    due = used_up(work).review_due_at
    page = work.as_client.get(f"{work.contract.get_absolute_url()}milestones/1/extra-round/")
    assert "silence releases the money" in page.content.decode()
    with time_machine.travel(due - HOUR, tick=False):
        wanted(work)
        page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
        assert "is released if you do not reply" in page

    with time_machine.travel(due + HOUR, tick=False):
        assert approvals.approve_due() == 1
    nothing_is_broken()


def test_silence_releases_nothing_while_a_wish_is_open_and_a_day_later_it_does(work):
    due = used_up(work).review_due_at
    with time_machine.travel(due - HOUR, tick=False):
        order = wanted(work)
    with time_machine.travel(due + HOUR, tick=False):
        assert approvals.approve_due() == 0
        assert not approvals.approve_by_silence(work.step(1))
        page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
        assert "is released if you do not reply" not in page

    with time_machine.travel(order.due_at + HOUR, tick=False):
        assert (offers.end_due(), offers.end_due()) == (1, 0)
        assert refreshed(order).status == Status.LAPSED
        assert approvals.approve_due() == 0
    with time_machine.travel(order.due_at + DAY + 2 * HOUR, tick=False):
        assert approvals.approve_due() == 1
    nothing_is_broken()


def test_one_wish_for_a_delivery_one_order_at_a_time_and_no_wish_while_rounds_are_left(work):
    work.delivered(1)
    with pytest.raises(DomainError) as free:
        wanted(work)
    assert free.value.code == "rounds_left"
    used_up(work, 2)
    order = wanted(work, 2)
    with pytest.raises(DomainError) as second:
        offered(work)
    assert second.value.code == "order_open"
    offers.answer(order, by=work.freelancer, accept=False)
    with pytest.raises(DomainError) as again:
        wanted(work, 2)
    assert again.value.code == "asked_already"

    other = offered(work)
    with pytest.raises(IntegrityError, match="change_order_one_open"), transaction.atomic():
        ChangeOrder.objects.filter(pk=order.pk).update(status="wanted", ended_at=None)
    assert refreshed(other).is_open


def test_the_freelancer_may_do_the_round_without_extra_pay(work):
    used_up(work)
    order = wanted(work)
    url = f"{work.contract.get_absolute_url()}extra/{order.ref}/price/"

    refused = work.as_client.post(url, {"how": "free"})
    done = work.as_freelancer.post(url, {"how": "free"})

    assert (refused.status_code, done.status_code) == (422, 303)
    assert refreshed(order).status == Status.GRANTED
    assert work.step(1).status == Milestone.Status.CHANGES_REQUESTED
    assert work.contract.milestones.count() == 3
    assert work.client.notices.filter(kind="change_order_granted").exists()
    nothing_is_broken()


def test_a_round_that_adds_scope_becomes_extra_work_and_the_review_goes_on(work):
    used_up(work)
    order = wanted(work)
    url = f"{work.contract.get_absolute_url()}extra/{order.ref}/price/"
    day = (clock.now().date() + 10 * DAY).isoformat()

    answered = work.as_freelancer.post(
        url,
        {
            "how": "work",
            "title": "A new menu",
            "body": "With a search field.",
            "amount": "300",
            "due_on": day,
        },
    )
    offers.answer(refreshed(order), by=work.client, accept=True)
    work.funded(4)

    assert answered.status_code == 303
    now = refreshed(order)
    assert (now.kind, now.status) == (ChangeOrder.Kind.SCOPE, Status.IN_FORCE)
    assert work.step(1).status == Milestone.Status.SUBMITTED
    assert work.step(4).due_on.isoformat() == day
    nothing_is_broken()


def test_the_side_that_spoke_last_cannot_agree_for_the_other_and_may_take_it_back(work):
    order = offered(work, by=work.client)

    with pytest.raises(NotAllowed):
        offers.answer(order, by=work.client, accept=True)
    with pytest.raises(NotAllowed):
        offers.take_back(order, by=work.freelancer)
    offers.take_back(order, by=work.client)
    with pytest.raises(InvalidTransition):
        offers.answer(order, by=work.freelancer, accept=True)
    offers.answer(offered(work), by=work.client, accept=False)

    assert work.contract.milestones.count() == 3
    assert not Amendment.objects.exists()
    nothing_is_broken()


def test_what_ends_the_milestone_takes_the_round_off_the_table_with_what_it_had_become(work):
    used_up(work, 1)
    first = priced(work, 1)
    approvals.approve(work.step(1), by=work.client)
    assert refreshed(first).status == Status.OVERTAKEN

    used_up(work, 2)
    second = offers.answer(priced(work, 2), by=work.client, accept=True)
    ending.return_money(work.step(2), by=work.freelancer)
    assert refreshed(second).status == Status.OVERTAKEN
    assert work.step(4).status == Milestone.Status.CANCELLED

    used_up(work, 3)
    third = priced(work, 3)
    disputes.open_dispute(
        work.step(3),
        by=work.freelancer,
        reason="not_as_agreed",
        body="All that was agreed is there.",
        to_freelancer=eur("700.00"),
    )
    assert refreshed(third).status == Status.OVERTAKEN
    nothing_is_broken()


def test_paid_after_all_when_the_milestone_had_ended_it_is_work_of_its_own(work):
    used_up(work)
    order = offers.answer(priced(work), by=work.client, accept=True)
    started = funding.fund_milestone(work.step(4), by=work.client)
    assert payments_funding.checkout_url(started)
    approvals.approve(work.step(1), by=work.client)
    assert refreshed(order).status == Status.AGREED

    work.stripe.pay(started.session_id)
    payments_funding.confirm(started)

    assert work.step(1).status == Milestone.Status.APPROVED
    assert work.step(4).status == Milestone.Status.FUNDED
    assert not Refund.objects.exists()
    nothing_is_broken()


def test_the_end_of_the_contract_ends_what_was_offered_or_agreed(stripe_sandbox, db):
    work = Work.build(stripe_sandbox, "100.00", "100.00")
    order = offered(work)
    ending.end_early(work.contract, by=work.client)
    assert refreshed(order).status == Status.OVERTAKEN

    work = Work.build(stripe_sandbox, "100.00")
    order = offers.answer(offered(work), by=work.client, accept=True)
    ending.end_early(work.contract, by=work.client)

    assert refreshed(order).status == Status.OVERTAKEN
    work.contract.refresh_from_db()
    assert work.contract.status == Contract.Status.ENDED_EARLY
    with pytest.raises(InvalidTransition):
        offered(work)
    nothing_is_broken()


def test_only_what_can_become_a_milestone_can_be_offered_and_agreed_to(work):
    for changes in (
        {"amount": eur("4.99")},
        {"title": " "},
        {"body": " "},
        {"due_on": dt.date(2000, 1, 1)},
        {"due_on": dt.date(9000, 1, 1)},
    ):
        with pytest.raises(InvalidInput) as refused:
            offered(work, **changes)
        assert refused.value.field in changes

    order = offered(work, due_on=clock.now().date() + 2 * DAY)

    with time_machine.travel(clock.now() + 3 * DAY), pytest.raises(DomainError, match="has passed"):
        offers.answer(order, by=work.client, accept=True)


def test_programs_ask_price_agree_and_read_the_same(work):
    used_up(work)
    api = f"/api/v1/contracts/{work.contract.ref}/"

    def post(client, path, body, key):
        return client.post(
            api + path, body, content_type="application/json", headers={"Idempotency-Key": key}
        )

    asked = post(work.as_client, "milestones/1/extra-round/", {"points": "It jumps."}, "a")
    ref = asked.json()["ref"]
    price = post(work.as_freelancer, f"extra/{ref}/price/", {"amount": "80.00", "days": 2}, "b")
    agreed = post(work.as_client, f"extra/{ref}/answer/", {"accept": True}, "c")
    again = post(work.as_client, f"extra/{ref}/answer/", {"accept": True}, "c")

    assert (asked.json()["status"], price.json()["status"]) == ("wanted", "offered")
    assert agreed.json()["status"] == "agreed"
    assert again.json() == agreed.json()
    read = work.as_freelancer.get(api).json()
    assert read["change_order"]["milestone"] == 4
    assert read["milestones"][3]["amount"] == "80.00"
    assert work.contract.milestones.count() == 4


@pytest.mark.django_db(transaction=True)
def test_of_two_answers_and_an_approval_at_the_same_moment_one_story_remains(stripe_sandbox):
    for work, n in rounds(stripe_sandbox, count=2, size=2):
        Contract.objects.filter(pk=work.contract.pk).update(change_rounds=0)
        order = priced(work, n, "10.00")
        results = together(
            lambda w=work, n=n: approvals.approve(w.step(n), by=w.client),
            lambda w=work, o=order: offers.answer(o, by=w.client, accept=True),
            lambda w=work, o=order: offers.take_back(o, by=w.freelancer),
        )

        assert results[0] is None, results
        now = refreshed(order)
        assert now.status in {Status.OVERTAKEN, Status.WITHDRAWN}
        step = work.step(n)
        assert step.hold.status == Hold.Status.RELEASED
        grown = work.contract.milestones.filter(position__gt=2)
        assert not grown.exclude(status=Milestone.Status.CANCELLED).exists()
    nothing_is_broken()
