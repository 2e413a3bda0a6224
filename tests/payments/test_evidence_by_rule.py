"""Evidence nobody sent goes to the bank shortly before its deadline, once, and staff hear of it."""

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import Notice
from marketplace.core import clock
from marketplace.core.errors import InvalidTransition
from marketplace.core.models import AuditRow
from payments import gateway
from payments.models import Chargeback
from payments.services import due, evidence
from tests.factories import StaffFactory, UserFactory
from tests.payments.disputing import charge_back, read
from tests.payments.threads import together
from tests.projects.work import Work

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def work(stripe_sandbox):
    """A contract of €600, €1,100 and €700."""
    return Work.build(stripe_sandbox)


def disputed(work, **how):
    """The bank disputes the first milestone's payment; its dispute and our row."""
    dispute = charge_back(work.stripe, work.funded(1).hold, **how)
    return dispute, Chargeback.objects.get()


def sweep_at(work, moment):
    with time_machine.travel(moment, tick=True):
        due.run()
        work.work_off()


def test_a_day_before_the_deadline_it_goes_by_itself_once_and_staff_are_told(work):
    staff, stranger = StaffFactory(), UserFactory()
    dispute, row = disputed(work)
    sweep_at(work, row.due_by - 25 * HOUR)
    assert gateway.retrieve_dispute(dispute).submissions == 0
    assert Chargeback.objects.get().evidence_state == "staged"

    for _beat in range(2):
        sweep_at(work, row.due_by - 23 * HOUR)
    row = Chargeback.objects.get()
    assert (row.evidence_state, row.submitted_by) == ("submitted", None)
    assert row.submitted_at == row.sent_by_rule_at
    assert gateway.retrieve_dispute(dispute).submissions == 1
    trace = AuditRow.objects.get(action="chargeback.submitted")
    assert (trace.actor, trace.facts["rule"]) == (None, "C7")
    assert Notice.objects.filter(user=staff, kind="evidence_sent_by_rule").count() == 1
    assert not Notice.objects.filter(user=stranger, kind="evidence_sent_by_rule").exists()
    with pytest.raises(InvalidTransition):
        evidence.submit(row, by=staff)


def test_what_a_person_has_sent_does_not_go_again(work):
    dispute, row = disputed(work)
    evidence.submit(row, by=StaffFactory())
    sweep_at(work, row.due_by - HOUR)
    assert gateway.retrieve_dispute(dispute).submissions == 1
    assert Chargeback.objects.get().sent_by_rule_at is None
    assert not Notice.objects.filter(kind="evidence_sent_by_rule").exists()


def test_after_the_deadline_nothing_goes(work):
    dispute, row = disputed(work)
    sweep_at(work, row.due_by + HOUR)
    assert gateway.retrieve_dispute(dispute).submissions == 0
    assert Chargeback.objects.get().evidence_state == "staged"


def test_a_person_and_two_sweeps_at_the_same_moment_send_it_once(work):
    dispute, row = disputed(work)
    staff = StaffFactory()

    def act(number):
        if number:
            evidence.run_due()
        else:
            evidence.submit(row, by=staff)

    with time_machine.travel(row.due_by - HOUR, tick=True):
        outcomes = together(act, 3)
        work.work_off()
    assert outcomes[1:] == ["ok", "ok"]
    row = Chargeback.objects.get()
    by_person = outcomes[0] == "ok"
    assert (row.submitted_by == staff) is by_person
    assert (row.sent_by_rule_at is None) is by_person
    assert AuditRow.objects.filter(action="chargeback.submitted").count() == 1
    assert gateway.retrieve_dispute(dispute).submissions == 1


def test_each_time_the_bank_asks_it_goes_by_itself_once(work):
    dispute, row = disputed(work, inquiry=True)
    sweep_at(work, row.due_by - HOUR)
    read(dispute)
    assert Chargeback.objects.get().status == "warning_under_review"
    work.stripe.escalate(dispute)
    read(dispute)
    row = Chargeback.objects.get()
    assert (row.evidence_state, row.sent_by_rule_at) == ("staged", None)
    sweep_at(work, row.due_by - HOUR)
    assert gateway.retrieve_dispute(dispute).submissions == 2


def test_what_stripe_refuses_waits_for_a_person_and_is_not_tried_again(work):
    staff = StaffFactory()
    dispute, row = disputed(work)
    # The bank has decided, and we have not heard: Stripe takes no evidence any more.
    work.stripe.end_dispute(dispute, won=True)
    sweep_at(work, row.due_by - 3 * HOUR)
    row = Chargeback.objects.get()
    assert (row.evidence_state, row.submitted_at) == ("staged", None)
    sweep_at(work, row.due_by - 2 * HOUR)
    assert Notice.objects.filter(user=staff, kind="evidence_refused").count() == 1
    assert Notice.objects.filter(user=staff, kind="evidence_sent_by_rule").count() == 1
    assert AuditRow.objects.filter(action="chargeback.submission_refused").count() == 1


def test_the_database_wants_a_person_or_the_rule_behind_an_answer(work):
    _dispute, row = disputed(work)
    rows = Chargeback.objects.filter(pk=row.pk)
    with pytest.raises(IntegrityError, match="chargeback_answer_has_basis"), transaction.atomic():
        rows.update(evidence_state="submitted", submitted_at=clock.now())


def test_staff_read_on_its_page_that_it_will_go_and_that_it_went(work, client):
    client.force_login(StaffFactory(), "django.contrib.auth.backends.ModelBackend")
    _dispute, row = disputed(work)
    url = reverse("admin:payments_chargeback_change", args=[row.pk])
    assert "24 hours before the deadline" in client.get(url).content.decode()
    sweep_at(work, row.due_by - HOUR)
    assert "Nobody in time" in client.get(url).content.decode()
