"""From a hire to a contract, and to its end."""

import datetime as dt
import hashlib

import pytest
from django.db import IntegrityError, transaction

from marketplace.core.models import AuditRow
from payments.services import policies
from projects import signals
from projects.models import Contract, Milestone, Project
from projects.services import approvals, ending
from projects.services.contracts import MilestonePlan, plan_problem
from tests.projects.work import Work, eur


def test_a_contract_keeps_what_both_agreed_to_in_words_with_a_fingerprint(work):
    contract = work.contract

    assert contract.terms_sha256 == hashlib.sha256(contract.terms.encode()).hexdigest()
    for said in ("€2,400.00", "Step 2: €1,100.00", "14 days to approve", "2 rounds", "72 hours"):
        assert said in contract.terms
    assert "escrow" not in contract.terms.lower()
    assert contract.freelancer_agreed_by == work.freelancer
    assert contract.client_agreed_by == work.client
    assert [m.amount_minor for m in contract.milestones.all()] == [600_00, 1100_00, 700_00]
    assert contract.events.get().kind == "contract.agreed"
    assert AuditRow.objects.filter(action="contract.agreed", subject_id=contract.pk).exists()


def test_milestones_that_miss_the_price_are_refused_with_the_gap(db):
    price = eur("2400.00")
    plan = [MilestonePlan("All of it", eur("2300.00"))]

    said = plan_problem(price, plan, policies.current())

    assert said == (
        "Milestones add up to €2,300.00. The agreed price is €2,400.00, so €100.00 is missing"
    )


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        ([], "between 1 and 20"),
        ([MilestonePlan("", eur("2400.00"))], "title"),
        ([MilestonePlan("Cheap", eur("1.00")), MilestonePlan("Rest", eur("2399.00"))], "€5.00"),
        ([MilestonePlan("Late", eur("2400.00"), dt.date(2020, 1, 1))], "today or later"),
    ],
)
def test_a_plan_that_cannot_work_says_why(db, plan, word):
    assert word in str(plan_problem(eur("2400.00"), plan, policies.current()))


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_milestones_that_do_not_sum_to_the_price(stripe_sandbox):
    work = Work.build(stripe_sandbox)

    with pytest.raises(IntegrityError, match="do not sum"), transaction.atomic():
        Milestone.objects.filter(contract=work.contract, position=1).update(amount_minor=1)
    with pytest.raises(IntegrityError, match="do not sum"), transaction.atomic():
        Milestone.objects.filter(contract=work.contract, position=3).delete()


def test_the_history_cannot_be_rewritten(work):
    event = work.contract.events.get()

    with pytest.raises(Exception, match="written once"), transaction.atomic():
        type(event).objects.filter(pk=event.pk).update(kind="milestone.approved")


def test_a_contract_is_completed_when_its_last_milestone_is_approved(work):
    heard = []
    signals.contract_ended.connect(lambda contract, **_rest: heard.append(contract.ref), weak=False)
    for n in (1, 2, 3):
        work.approved(n)
    contract = Contract.objects.get(pk=work.contract.pk)

    assert contract.status == Contract.Status.COMPLETED
    assert contract.project.status == Project.Status.COMPLETED
    assert heard == [contract.ref]
    assert {n.kind for n in work.freelancer.notices.all()} >= {"contract_ended"}


def test_ending_early_drops_what_was_never_funded_and_nothing_else(work):
    work.approved(1)

    ending.end_early(work.contract, by=work.freelancer)

    contract = Contract.objects.get(pk=work.contract.pk)
    assert contract.status == Contract.Status.ENDED_EARLY
    assert [m.status for m in contract.milestones.all()] == ["approved", "cancelled", "cancelled"]
    assert contract.project.status == Project.Status.COMPLETED


def test_a_contract_with_held_money_cannot_simply_end(work):
    work.funded(1)

    answer = work.as_client.post(f"{work.contract.get_absolute_url()}end/")

    assert answer.status_code == 409
    assert "Money is still held" in answer.content.decode()
    assert Contract.objects.get(pk=work.contract.pk).status == Contract.Status.ACTIVE


def test_the_last_approval_of_a_contract_that_dropped_milestones_ends_it_early(work):
    work.delivered(1)
    Milestone.objects.filter(contract=work.contract, position__gt=1).update(status="cancelled")

    approvals.approve(work.step(1), by=work.client)

    assert Contract.objects.get(pk=work.contract.pk).status == Contract.Status.ENDED_EARLY
