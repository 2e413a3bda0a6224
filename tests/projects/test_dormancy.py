"""Held money nobody does anything about (rule M11): told twice, asked in turn, never surprised."""

import datetime as dt
import itertools

import pytest
import time_machine

from marketplace.core import clock
from marketplace.core.errors import InvalidTransition, NotAllowed
from payments.models import Hold, PlatformPolicy, Refund, Transfer
from projects.models import Milestone
from projects.services import custody, deliveries, dormancy, ending, messages
from tests.payments.threads import together
from tests.projects.proofs import nothing_is_broken
from tests.projects.work import Work, eur

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
Stage = Milestone.Dormancy


@pytest.fixture
def work(db, stripe_sandbox) -> Work:
    """A contract under a policy without the custody stop in the way."""
    PlatformPolicy.objects.create(
        starts_at=clock.now(),
        dormant_days=45,
        deposit_max_days=300,
        custody_first_warning_days=280,
        custody_last_warning_days=290,
    )
    return Work.build(stripe_sandbox)


def falls_asleep(step):
    """45 days after the end of the due date."""
    return dt.datetime.combine(step.due_on + DAY, dt.time.min, tzinfo=dt.UTC) + 45 * DAY


def asleep(work, stage=Stage.CLIENT, n=1):
    """Let the silence come to that stage; the moment it did."""
    step = work.step(n)
    if step.status == Milestone.Status.PLANNED:
        step = work.funded(n)
    at = falls_asleep(step)
    for moment in (at - 14 * DAY, at - 7 * DAY, at, at + 7 * DAY):
        with time_machine.travel(moment + MINUTE):
            assert dormancy.run_due() == 1
        if work.step(n).dormant == stage:
            return moment + MINUTE
    raise AssertionError(work.step(n).dormant)


def told(user, kind):
    return user.notices.filter(kind=kind).count()


def test_both_are_told_14_and_7_days_before_and_then_the_client_is_asked(work):
    step = work.funded(1)
    at = falls_asleep(step)

    with time_machine.travel(at - 14 * DAY - MINUTE):
        assert dormancy.run_due() == 0
    for before, so_far in ((14, 1), (13, 1), (7, 2), (6, 2)):
        with time_machine.travel(at - before * DAY + MINUTE):
            dormancy.run_due()
        assert told(work.client, "dormant_warning") == so_far
        assert told(work.freelancer, "dormant_warning") == so_far
    with time_machine.travel(at + MINUTE):
        assert (dormancy.run_due(), dormancy.run_due()) == (1, 0)

    step = work.step(1)
    assert step.dormant == Stage.CLIENT
    assert step.dormant_due_at == at + 7 * DAY
    assert told(work.client, "dormant_client") == told(work.freelancer, "dormant_client") == 1
    nothing_is_broken()


def test_nobody_asks_and_nothing_was_delivered_so_it_goes_back_to_the_client_once(work):
    at = asleep(work, Stage.FREELANCER)

    with time_machine.travel(at + 7 * DAY - 2 * MINUTE):
        assert dormancy.run_due() == 0
    with time_machine.travel(at + 7 * DAY + MINUTE):
        assert (dormancy.run_due(), dormancy.run_due()) == (1, 0)

    step = work.step(1)
    assert step.status == Milestone.Status.CANCELLED
    assert (step.hold.basis, step.hold.basis_detail) == (Hold.Basis.RULE, "M11")
    assert Refund.objects.get().amount == eur("618.00")
    assert told(work.client, "dormant_returned") == told(work.freelancer, "dormant_returned") == 1
    nothing_is_broken()


def test_the_freelancer_asks_and_silence_of_14_days_releases_it(work):
    at = asleep(work, Stage.FREELANCER)
    with time_machine.travel(at + DAY):
        dormancy.ask_for_release(work.step(1), by=work.freelancer)
    assert told(work.client, "dormant_asked") == 1

    with time_machine.travel(at + 15 * DAY - MINUTE):
        assert dormancy.run_due() == 0
    with time_machine.travel(at + 15 * DAY + MINUTE):
        assert (dormancy.run_due(), dormancy.run_due()) == (1, 0)

    step = work.step(1)
    assert step.status == Milestone.Status.SETTLED
    assert (step.hold.status, step.hold.basis) == (Hold.Status.RELEASED, Hold.Basis.RULE)
    assert Transfer.objects.get().amount == eur("552.00")
    nothing_is_broken()


def test_what_was_submitted_never_goes_back_to_the_client_without_a_decision(work):
    step = work.delivered(1)
    deliveries.ask_for_changes(step, by=work.client, points="More blue.")
    at = asleep(work, Stage.FREELANCER)

    with time_machine.travel(at + 7 * DAY + MINUTE):
        assert (dormancy.run_due(), dormancy.run_due()) == (1, 0)

    step = work.step(1)
    assert (step.status, step.dormant) == (Milestone.Status.CHANGES_REQUESTED, Stage.OPEN)
    assert work.held(step.hold) == eur("600.00")
    assert told(work.client, "dormant_open") == told(work.freelancer, "dormant_open") == 1
    nothing_is_broken()


def test_a_client_who_declines_ends_every_default(work):
    at = asleep(work, Stage.FREELANCER)
    with time_machine.travel(at + DAY):
        dormancy.ask_for_release(work.step(1), by=work.freelancer)
        dormancy.decline(work.step(1), by=work.client)
    with time_machine.travel(at + 60 * DAY):
        assert dormancy.run_due() == 0

    assert work.step(1).dormant == Stage.OPEN
    assert work.held(work.step(1).hold) == eur("600.00")


@pytest.mark.parametrize("answer", ["none", "no", "taken back"])
def test_a_client_who_asks_to_call_it_off_has_answered_and_silence_pays_nobody(work, answer):
    deliveries.ask_for_changes(work.delivered(1), by=work.client, points="More blue.")
    at = asleep(work, Stage.FREELANCER)
    with time_machine.travel(at + DAY):
        dormancy.ask_for_release(work.step(1), by=work.freelancer)
    with time_machine.travel(at + 14 * DAY):
        ending.call_off(work.step(1), by=work.client, reason="Nothing ever came.")
        if answer == "no":
            ending.answer(work.step(1), by=work.freelancer, accept=False)
        elif answer == "taken back":
            ending.take_back(work.step(1), by=work.client)
    with time_machine.travel(at + 16 * DAY):
        assert dormancy.run_due() == 0

    assert work.step(1).dormant == Stage.OPEN
    assert work.held(work.step(1).hold) == eur("600.00")
    nothing_is_broken()


def test_a_client_who_pays_pays_without_waiting(work):
    at = asleep(work)

    with time_machine.travel(at + DAY):
        dormancy.pay(work.step(1), by=work.client)

    assert work.step(1).hold.basis == Hold.Basis.APPROVAL
    assert Transfer.objects.count() == 1
    nothing_is_broken()


@pytest.mark.parametrize("sign", ["message", "go_on", "deliver"])
def test_a_sign_of_life_starts_the_silence_anew(work, sign):
    step = work.funded(1)
    at = falls_asleep(step)
    with time_machine.travel(at - 14 * DAY + MINUTE):
        dormancy.run_due()

    with time_machine.travel(at - 10 * DAY):
        if sign == "message":
            messages.send(work.contract, by=work.freelancer, body="Back from parental leave.")
        elif sign == "deliver":
            deliveries.deliver(work.step(1), by=work.freelancer, note="Done.")
        else:
            with pytest.raises(InvalidTransition):
                dormancy.go_on(work.step(1), by=work.freelancer)
            messages.send(work.contract, by=work.client, body="It goes on.")
    with time_machine.travel(at + MINUTE):
        dormancy.run_due()

    step = work.step(1)
    assert step.dormant == Stage.AWAKE
    if sign != "deliver":
        assert abs(step.dormant_due_at - (at + 21 * DAY)) < MINUTE


def test_an_asked_side_may_say_that_it_goes_on_but_the_client_cannot_dodge_an_asked_question(work):
    at = asleep(work)
    with time_machine.travel(at + DAY):
        dormancy.go_on(work.step(1), by=work.client)
    assert work.step(1).dormant == Stage.AWAKE
    assert told(work.freelancer, "dormant_goes_on") == 1

    other = asleep(work, Stage.FREELANCER, n=2)
    with time_machine.travel(other + DAY):
        dormancy.ask_for_release(work.step(2), by=work.freelancer)
        with pytest.raises(NotAllowed):
            dormancy.go_on(work.step(2), by=work.client)
        with pytest.raises(NotAllowed):
            dormancy.decline(work.step(2), by=work.freelancer)


def test_a_clock_that_stood_still_takes_nobody_by_surprise(work):
    step = work.funded(1)
    late = falls_asleep(step) + 30 * DAY

    moments = []
    for _sweep in range(100):
        with time_machine.travel(late):
            if dormancy.run_due():
                moments.append((work.step(1).dormant, late))
        late += DAY
        if work.step(1).status == Milestone.Status.CANCELLED:
            break

    stages = [stage for stage, _at in moments]
    assert stages[:4] == [Stage.FIRST, Stage.LAST, Stage.CLIENT, Stage.FREELANCER]
    gaps = [later - earlier for (_s, earlier), (_t, later) in itertools.pairwise(moments)]
    assert len(gaps) == 4
    assert all(gap >= 7 * DAY for gap in gaps)


def test_the_custody_stop_comes_first_when_it_is_earlier(stripe_sandbox, db):
    work = Work.build(stripe_sandbox, "600.00")
    step = work.funded(1)

    with time_machine.travel(step.custody_ends_at + MINUTE):
        custody.run_due()
        assert dormancy.run_due() == 0

    assert work.step(1).hold.basis_detail == "2.1 custody stop"


def test_both_read_the_clock_and_answer_with_buttons(work):
    work.funded(1)
    page = work.as_client.get(work.contract.get_absolute_url()).content.decode()
    assert "If nobody does anything about milestone 1, we ask Kim then" in page

    at = asleep(work, Stage.FREELANCER)
    url = f"{work.contract.get_absolute_url()}milestones/1/dormant/"
    with time_machine.travel(at + DAY):
        client_page = work.as_client.get(url).content.decode()
        mine = work.as_freelancer.get(url).content.decode()
        contract = work.as_freelancer.get(work.contract.get_absolute_url()).content.decode()
        nonsense = work.as_freelancer.post(url, {"answer": "x"})
        asked = work.as_freelancer.post(url, {"answer": "ask"})
        paid = work.as_client.post(
            f"/api/v1/contracts/{work.contract.ref}/milestones/1/dormant/",
            {"answer": "pay"},
            content_type="application/json",
            headers={"Idempotency-Key": "pay-1"},
        )

    assert "Release €600.00 to Ines" in client_page
    assert "Ask for the €600.00" in mine
    assert "What shall become of the €600.00" in contract
    assert "If nobody asks for the money of milestone 1, it goes back to Kim" in contract
    assert (nonsense.status_code, asked.status_code, paid.status_code) == (409, 303, 200)
    assert work.step(1).hold.status == Hold.Status.RELEASED


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_the_same_moment_take_every_step_once(stripe_sandbox):
    work = Work.build(stripe_sandbox, *["10.00"] * 6)
    work_steps = [work.funded(n) for n in range(1, 7)]
    Milestone.objects.update(dormant=Stage.ASKED, dormant_due_at=clock.now() - DAY)

    for _round in range(20):
        assert set(together(lambda _i: dormancy.run_due(), 2)) == {"ok"}

    assert Transfer.objects.count() == len(work_steps) == 6
    assert {step.status for step in work.contract.milestones.all()} == {"settled"}


@pytest.mark.django_db(transaction=True)
def test_of_silence_and_a_late_answer_at_the_same_moment_one_comes_first(stripe_sandbox):
    work = Work.build(stripe_sandbox, *["10.00"] * 20)
    for n in range(1, 21):
        work.funded(n)
        Milestone.objects.filter(pk=work.step(n).pk).update(
            dormant=Stage.ASKED, dormant_due_at=clock.now() - DAY
        )

        def act(which, n=n):
            if which:
                while dormancy.run_due():
                    pass
            else:
                dormancy.decline(work.step(n), by=work.client)

        outcomes = together(act, 2)

        step = work.step(n)
        declined = outcomes[0] == "ok"
        assert outcomes[1] == "ok"
        assert step.dormant == (Stage.OPEN if declined else "")
        assert step.status == ("funded" if declined else "settled")
        dormancy.run_due()
        assert Transfer.objects.filter(hold=step.hold).count() == (not declined)
