"""When the two disagree: pause, hear both, settle or decide."""

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction

from accounts.models import Membership
from marketplace.core import clock, files
from marketplace.core.errors import DomainError, InvalidInput, InvalidTransition, NotAllowed
from marketplace.core.models import AuditRow
from payments.models import Hold, Refund, Transfer
from projects.models import Decision, Dispute, Milestone
from projects.services import disputes, messages
from projects.services.disputes.deadlines import after_working_days
from tests.factories import UserFactory
from tests.projects.work import REASON, Work, download, eur, moderator, signed_in, upload

DAY = dt.timedelta(days=1)


# --- Opening --------------------------------------------------------------------------------


def test_opening_pauses_the_money_at_once_and_stops_the_review_clock(work):
    before = work.delivered(1)

    dispute = open_it(work)

    step = work.step(1)
    assert (step.status, step.review_due_at, step.remind_at) == ("disputed", None, None)
    assert step.hold.status == Hold.Status.PAUSED
    assert work.held(step.hold) == eur("0.00")
    assert work.paused(step.hold) == eur("600.00")
    assert dispute.paused == eur("600.00")
    left = before.review_due_at - dispute.opened_at
    assert abs(dispute.review_left - left.total_seconds()) < 2
    assert work.freelancer.notices.filter(kind="dispute_opened").exists()
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "€600.00 of “Step 1” is paused" in page


def open_it(work, **changes):
    said = {
        "by": work.client,
        "reason": "not_as_agreed",
        "body": "Two of six pages are missing.",
        "to_freelancer": eur("0.00"),
    }
    return disputes.open_dispute(work.step(1), **(said | changes))


def test_the_four_steps_keep_what_was_typed_and_end_in_a_dispute(work):
    work.delivered(1)
    me = work.as_client
    base = f"{work.contract.get_absolute_url()}milestones/1/dispute/"

    assert me.get(f"{base}4/")["Location"].endswith("/dispute/1/")
    assert "Have you asked Ines?" in me.get(f"{base}1/").content.decode()
    assert me.post(f"{base}1/", {"reason": "", "body": ""}).status_code == 422
    me.post(f"{base}1/", {"reason": "not_as_agreed", "body": "Two pages are missing."})
    assert "Two pages are missing." in me.get(f"{base}1/").content.decode()
    me.post(f"{base}2/", {"files": [upload("screenshot.png")]})
    assert me.post(f"{base}3/", {"fair": "split", "amount": "700"}).status_code == 422
    me.post(f"{base}3/", {"fair": "split", "amount": "400"})
    check = me.get(f"{base}4/").content.decode()
    for said in ("screenshot.png", "We pause €600.00 now.", "€400.00", "€200.00", "€368.00"):
        assert said in check
    assert Dispute.objects.count() == 0
    sent = me.post(f"{base}4/")

    dispute = Dispute.objects.get()
    assert sent["Location"] == dispute.get_absolute_url()
    statement = dispute.statements.get()
    assert (statement.to_freelancer_minor, statement.body) == (400_00, "Two pages are missing.")
    assert [file.name for file in statement.files.all()] == ["screenshot.png"]
    assert me.get(f"{base}4/")["Location"].endswith("/dispute/1/")


def test_only_held_money_can_be_disputed_and_only_once_at_a_time(work):
    with pytest.raises(InvalidTransition):
        open_it(work)
    work.delivered(1)
    open_it(work)
    with pytest.raises(InvalidTransition):
        open_it(work, by=work.freelancer)

    assert Dispute.objects.count() == 1


def test_evidence_must_be_ones_own_or_from_the_contract(work):
    work.delivered(1)
    other = UserFactory()
    foreign = files.store(upload("foreign.pdf"), by=other)

    with pytest.raises(InvalidInput, match="Only your own files"):
        open_it(work, files=[foreign])
    assert work.step(1).status == Milestone.Status.SUBMITTED


@pytest.mark.parametrize("part", ["-0.01", "600.01"])
def test_a_proposal_stays_within_the_paused_amount(work, part):
    work.delivered(1)
    amount = eur(part.removeprefix("-"))

    with pytest.raises(InvalidInput, match=r"between €0\.00 and €600\.00"):
        open_it(work, to_freelancer=-amount if part.startswith("-") else amount)


# --- Talking and settling -------------------------------------------------------------------


def test_accepting_the_other_sides_proposal_settles_it_at_once(work):
    work.connect()
    dispute = work.disputed(2, to_freelancer="800.00")

    page = work.as_freelancer.get(f"{dispute.get_absolute_url()}settle/").content.decode()
    answer = work.as_freelancer.post(
        f"{dispute.get_absolute_url()}settle/", {"seen": dispute.statements.get().ref}
    )

    assert answer.status_code == 303
    for said in ("€800.00", "€300.00", "€736.00", "€309.00"):
        assert said in page
    step = work.step(2)
    assert (step.status, step.hold.status) == ("settled", "split")
    assert step.hold.basis == Hold.Basis.SETTLEMENT
    assert Transfer.objects.get().amount == eur("736.00")
    assert Refund.objects.get().amount == eur("309.00")
    dispute.refresh_from_db()
    assert dispute.status == Dispute.Status.SETTLED
    assert dispute.accepted_id == dispute.statements.get().pk


def test_nobody_accepts_a_proposal_that_has_changed_meanwhile(work):
    dispute = work.disputed(1, to_freelancer="500.00")
    seen = dispute.statements.get().ref
    disputes.add_statement(
        dispute, by=work.client, body="On reflection.", to_freelancer=eur("100.00")
    )

    answer = work.as_freelancer.post(f"{dispute.get_absolute_url()}settle/", {"seen": seen})

    assert answer.status_code == 409
    assert "Here is the current version" in answer.content.decode()
    assert work.paused(work.step(1).hold) == eur("600.00")


def test_ones_own_proposal_cannot_be_accepted_by_oneself(work):
    dispute = work.disputed(1)

    with pytest.raises(InvalidTransition):
        disputes.settle(dispute, by=work.client)


def test_withdrawing_gives_the_rest_of_the_review_time_back(work):
    dispute = work.disputed(1)
    later = clock.now() + 3 * DAY

    with time_machine.travel(later, tick=False):
        disputes.withdraw(dispute, by=work.client)

    step = work.step(1)
    assert (step.status, step.hold.status) == ("submitted", "held")
    assert step.review_due_at == later + dt.timedelta(seconds=dispute.review_left)
    assert work.held(step.hold) == eur("600.00")


def test_only_the_side_that_opened_it_withdraws(work):
    dispute = work.disputed(1)

    with pytest.raises(NotAllowed):
        disputes.withdraw(dispute, by=work.freelancer)
    assert work.step(1).hold.status == Hold.Status.PAUSED


def test_statements_stay_as_they_were_made(work):
    statement = work.disputed(1).statements.get()

    with pytest.raises(Exception, match="written once"), transaction.atomic():
        type(statement).objects.filter(pk=statement.pk).update(body="I never said that.")


def test_strangers_learn_nothing_about_a_dispute(work):
    url = work.disputed(1).get_absolute_url()

    for stranger in (UserFactory(), moderator()):
        assert signed_in(stranger).get(url).status_code == 404


# --- Deciding -------------------------------------------------------------------------------


def test_a_moderator_splits_and_everything_follows_in_one_transaction(work):
    work.connect()
    dispute = work.disputed(2)
    work.answered(dispute)
    judge = moderator()

    decision = disputes.decide(dispute, by=judge, to_freelancer=eur("800.00"), reason=REASON)

    step = work.step(2)
    assert (step.status, step.hold.status) == ("settled", "split")
    assert step.hold.basis == Hold.Basis.DECISION
    assert step.hold.basis_detail == f"decision:{decision.pk}"
    assert Transfer.objects.get().amount == eur("736.00")
    assert Refund.objects.get().amount == eur("309.00")
    assert AuditRow.objects.get(action="dispute.decided").actor == judge
    for person, page in ((work.client, work.as_client), (work.freelancer, work.as_freelancer)):
        assert person.notices.filter(kind="dispute_decided").exists()
        shown = page.get(dispute.get_absolute_url()).content.decode()
        assert "Ayşe D. (moderator) decided on" in shown
        assert REASON in shown
    body = work.client.notices.get(kind="dispute_decided").facts
    assert body["reason"] == REASON


def test_a_third_of_an_odd_amount_is_paid_to_the_cent(stripe_sandbox, db):
    work = Work.build(stripe_sandbox, "100.01")
    dispute = work.disputed(1)
    work.answered(dispute, "100.01")

    disputes.decide(dispute, by=moderator(), to_freelancer=eur("33.00"), reason=REASON)

    hold = work.step(1).hold
    shares = hold.shares(eur("33.00"))
    assert hold.awarded == eur("33.00")
    assert Refund.objects.get().amount == shares.to_payer
    assert shares.to_payee + shares.fees + shares.to_payer == hold.client_pays
    assert Decision.objects.get().to_client_minor == 67_01
    assert work.paused(hold) == eur("0.00")


@pytest.mark.parametrize(("part", "status"), [("600.00", "released"), ("0.00", "refunded")])
def test_all_or_nothing_is_a_decision_too(work, part, status):
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")

    disputes.decide(dispute, by=moderator(), to_freelancer=eur(part), reason=REASON)

    assert work.step(1).hold.status == status


def test_staff_without_the_permission_cannot_decide(work):
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")
    plain = UserFactory()
    plain.is_staff = True
    plain.save(update_fields=["is_staff"])

    with pytest.raises(NotAllowed):
        disputes.decide(dispute, by=plain, to_freelancer=eur("1.00"), reason=REASON)
    plain.user_permissions.add(Permission.objects.get(codename="decide_dispute"))
    plain = type(plain).objects.get(pk=plain.pk)
    disputes.decide(dispute, by=plain, to_freelancer=eur("1.00"), reason=REASON)


def test_a_moderator_who_belongs_to_a_side_cannot_decide(work):
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")
    judge = moderator()
    Membership.objects.create(user=judge, party=work.client.party, can_post=True)

    with pytest.raises(NotAllowed, match="belong to one of the sides"):
        disputes.decide(dispute, by=judge, to_freelancer=eur("1.00"), reason=REASON)
    page = signed_in(judge).get(f"/admin/projects/dispute/{dispute.pk}/change/")
    assert page.status_code == 403
    assert Decision.objects.count() == 0


def test_nobody_decides_before_the_other_side_could_answer(work):
    dispute = work.disputed(1)
    judge = moderator()

    with pytest.raises(DomainError, match="has not answered yet"):
        disputes.decide(dispute, by=judge, to_freelancer=eur("1.00"), reason=REASON)
    with time_machine.travel(dispute.answer_due_at + DAY):
        disputes.decide(dispute, by=judge, to_freelancer=eur("1.00"), reason=REASON)


@pytest.mark.parametrize(
    ("part", "reason", "said"),
    [
        ("600.01", REASON, "between €0.00 and €600.00"),
        ("300.00", "Because.", "80 characters or more"),
        ("300.00", " " * 200, "80 characters or more"),
    ],
)
def test_a_decision_without_right_sums_or_reasons_is_refused(work, part, reason, said):
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")

    with pytest.raises(InvalidInput, match=said):
        disputes.decide(dispute, by=moderator(), to_freelancer=eur(part), reason=reason)
    assert work.paused(work.step(1).hold) == eur("600.00")


def test_the_database_refuses_a_decision_that_does_not_sum(work):
    dispute = work.disputed(1)

    with pytest.raises(IntegrityError, match="do not sum"), transaction.atomic():
        Decision.objects.create(
            dispute=dispute,
            decided_by=moderator(),
            to_freelancer_minor=300_00,
            to_client_minor=299_99,
            reason=REASON,
        )


def test_of_two_decisions_only_the_first_moves_money(work):
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")
    disputes.decide(dispute, by=moderator(), to_freelancer=eur("10.00"), reason=REASON)

    with pytest.raises(InvalidTransition):
        disputes.decide(dispute, by=moderator(), to_freelancer=eur("20.00"), reason=REASON)
    with pytest.raises(InvalidTransition):
        disputes.settle(dispute, by=work.client)
    assert Decision.objects.count() == Transfer.objects.count() == 1


# --- The moderator's page -------------------------------------------------------------------


def test_the_case_file_opens_on_the_record_and_shows_everything(work):
    messages.send(work.contract, by=work.client, body="The Saturday slots look off.")
    dispute = work.disputed(1)
    disputes.add_statement(
        dispute,
        by=work.freelancer,
        body="The terms name four pages.",
        to_freelancer=eur("600.00"),
        uploads=[upload("terms.pdf")],
    )
    judge = moderator()
    desk = signed_in(judge)
    url = f"/admin/projects/dispute/{dispute.pk}/change/"

    closed = desk.get(url).content.decode()
    opened = desk.post(url, {"open": "1"}, follow=True).content.decode()

    assert "Saturday slots" not in closed
    sha = dispute.statements.last().files.get().sha256
    for said in (
        "Saturday slots",
        "Two of six pages are missing.",
        "The terms name four pages.",
        "All pages are on staging.",
        "14 days to approve",
        sha,
        work.contract.terms_sha256,
        "€600.00",
    ):
        assert said in opened
    assert AuditRow.objects.filter(action="dispute.read_by_staff", actor=judge).count() == 1
    file = dispute.statements.last().files.get()
    assert download(desk, file) == 200


def test_the_sums_can_be_looked_at_without_deciding_and_then_decided(work):
    dispute = work.disputed(1)
    work.answered(dispute, "600.00")
    desk = signed_in(moderator())
    url = f"/admin/projects/dispute/{dispute.pk}/change/"
    desk.post(url, {"open": "1"})

    live = desk.get(f"/admin/projects/dispute/{dispute.pk}/split/?to_freelancer=400")
    shown = desk.post(url, {"to_freelancer": "400", "sums": "1"})
    assert Decision.objects.count() == 0
    short = desk.post(url, {"to_freelancer": "400", "reason": "Fair.", "decide": "1"})
    too_much = desk.post(url, {"to_freelancer": "601", "reason": REASON, "decide": "1"})
    assert Decision.objects.count() == 0
    done = desk.post(url, {"to_freelancer": "400", "reason": REASON, "decide": "1"}, follow=True)

    for answer in (live, shown):
        page = answer.content.decode()
        assert all(amount in page for amount in ("€400.00", "€200.00", "€368.00", "€206.00"))
    assert "80 characters or more" in short.content.decode()
    assert "€600 or less" in too_much.content.decode()
    assert "Ayşe D. decided on" in done.content.decode()
    assert Decision.objects.get().to_client_minor == 200_00


def test_staff_without_the_permission_do_not_see_the_queue(work):
    dispute = work.disputed(1)
    plain = UserFactory()
    plain.is_staff = True
    plain.save(update_fields=["is_staff"])
    desk = signed_in(plain)

    assert desk.get("/admin/projects/dispute/").status_code == 403
    assert desk.get(f"/admin/projects/dispute/{dispute.pk}/change/").status_code == 403
    queue = signed_in(moderator()).get("/admin/projects/dispute/").content.decode()
    assert dispute.ref in queue


# --- Clocks ---------------------------------------------------------------------------------


def test_deadlines_are_told_once_each(work):
    dispute = work.disputed(1)
    judge = moderator()
    counts = []
    for at in (
        dispute.answer_due_at - DAY,
        dispute.answer_due_at,
        dispute.decide_due_at - DAY,
    ):
        with time_machine.travel(at + dt.timedelta(minutes=1)):
            disputes.notice_due()
            disputes.notice_due()
        counts.append(
            (
                work.freelancer.notices.filter(kind="dispute_answer_due").count(),
                work.client.notices.filter(kind="dispute_to_moderator").count(),
                judge.notices.filter(kind="dispute_waiting").count(),
                judge.notices.filter(kind="dispute_decision_due").count(),
            )
        )

    assert counts == [(1, 0, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1)]


def test_working_days_skip_weekends():
    friday = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)

    assert after_working_days(friday, 1).date() == dt.date(2026, 11, 30)
    assert after_working_days(friday, 5).date() == dt.date(2026, 12, 4)
