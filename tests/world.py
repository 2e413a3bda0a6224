"""One of everything, made through the services, for tests that ask about every address."""

import datetime as dt
from types import SimpleNamespace

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Skill
from accounts.services import people, profiles
from marketplace.core import clock, files, outbox
from marketplace.core.money import Money
from matching import appeal_services
from payments.models import Invoice
from payments.services import funding as paying
from payments.services import payouts
from projects.services import (
    approvals,
    bidding,
    choosing,
    deliveries,
    disputes,
    messages,
    posting,
    proposals,
    reviews,
)
from projects.services import funding as funding_milestones
from projects.services.change_orders import offers
from projects.services.contracts import MilestonePlan
from projects.services.wanted import Wanted
from tests.factories import ProfileFactory, StaffFactory, UserFactory

DESCRIPTION = "We need careful work on our ticket shop, and somebody who asks first. " * 2
PRICE = Money(240000, "EUR")


def eur(amount: int) -> Money:
    return Money(amount * 100, "EUR")


class World(SimpleNamespace):
    """See `tests/access.py` for the actors. `project` is open; `contract` has a milestone in
    three states; `disputed_contract` has an open dispute; `ended_contract` is reviewed."""


def build_world(sandbox) -> World:
    w = World(stripe=sandbox)
    w.freelancer = UserFactory(name="Ines Carvalho", email="ines@example.test")
    w.rival = UserFactory(name="Tomasz Zielinski", email="tomasz@example.test")
    w.client = UserFactory(name="Jonas Weber", email="jonas@example.test", side="hire")
    people.found_company(w.client, name="Kiezrad", country="DE")
    w.stranger = UserFactory(name="Hanne Visser", email="hanne@example.test", side="hire")
    w.staff = StaffFactory(name="Ayse Demir", email="ayse@example.test", side="hire")
    w.profile = ProfileFactory(user=w.freelancer, skills={"Django": 3, "Accessibility": 2})
    profiles.add_sample(w.profile, by=w.freelancer, title="A booking flow")
    w.sample = w.profile.portfolio.get()
    w.skill = Skill.objects.get(name="Django")
    connect(w)

    w.draft = draft(w, "A draft nobody else may see")
    w.project = posting.publish(draft(w, "Accessible ticket checkout"), by=w.client)
    w.rival_bid = bid(w.project, w.rival, PRICE)
    w.bid = bid(w.project, w.freelancer, PRICE)

    w.contract = sign(w, "Booking site for a workshop")
    w.m1, w.milestone, w.m3 = w.contract.milestones.order_by("position")
    w.m2 = w.milestone
    fund(w, w.m1)
    deliver(w, w.m1)
    approvals.approve(w.m1, by=w.client)
    w.funding = fund(w, w.m2)
    w.delivery = deliver(w, w.m2)
    w.proposal = proposals.propose_extension(
        w.m3, by=w.freelancer, due_on=w.m3.due_on + dt.timedelta(days=1), reason="A holiday."
    )
    w.order = offers.offer_work(
        w.contract,
        by=w.freelancer,
        title="A second language",
        body="The same pages in Dutch.",
        amount=eur(200),
        due_on=clock.now().date() + dt.timedelta(days=30),
    )
    w.message = messages.send(w.contract, by=w.client, body="Looks good so far.")

    w.disputed_contract = sign(w, "Six short films")
    w.disputed_milestone = w.disputed_contract.milestones.earliest("position")
    fund(w, w.disputed_milestone)
    w.dispute = disputes.open_dispute(
        w.disputed_milestone,
        by=w.client,
        reason="not_as_agreed",
        body="The films have no captions, and we agreed on captions in two languages.",
        to_freelancer=eur(100),
    )

    w.ended_contract = sign(w, "A small repair", steps=(("All of it", 300),))
    step = w.ended_contract.milestones.get()
    fund(w, step)
    deliver(w, step)
    approvals.approve(step, by=w.client)
    w.ended_contract.refresh_from_db()
    w.review = reviews.write(
        w.ended_contract,
        by=w.client,
        stars_work=5,
        stars_communication=5,
        stars_fairness=5,
        text="Careful and quick.",
    )
    w.match_appeal = appeal_services.appeal(
        w.project, w.freelancer.own_party, by=w.freelancer, said="My Django work does not count."
    )
    while outbox.deliver_due():
        pass
    for name in ("m1", "milestone", "m3", "contract", "disputed_milestone", "project", "bid"):
        getattr(w, name).refresh_from_db()
    w.hold = w.milestone.hold
    w.invoice = Invoice.objects.earliest("id")
    w.notice = w.freelancer.notices.earliest("id")
    w.file = w.delivery.files.get()
    return w


def draft(w, title):
    wanted = Wanted(
        title=title,
        description=DESCRIPTION,
        currency="EUR",
        budget_min=eur(2000),
        budget_max=eur(3000),
        deliver_by=(clock.now() + dt.timedelta(days=60)).date(),
        skills=("Django", "Accessibility"),
    )
    return posting.save_draft(w.client.hires_for, by=w.client, wanted=wanted)


def bid(project, user, price):
    return bidding.send_bid(
        project, by=user, price=price, days=20, message="I would start with tests.", ai_use="no"
    )


def sign(w, title, steps=(("Discovery", 600), ("Build", 1100), ("Launch", 700))):
    project = posting.publish(draft(w, title), by=w.client)
    chosen = bid(project, w.freelancer, eur(sum(amount for _title, amount in steps)))
    today = clock.now().date()
    plans = [
        MilestonePlan(title, eur(amount), today + dt.timedelta(days=20 * number))
        for number, (title, amount) in enumerate(steps, 1)
    ]
    return choosing.hire(chosen, by=w.client, milestones=plans, seen_version=chosen.version)


def connect(w):
    payouts.onboarding_url(
        w.freelancer.party,
        by=w.freelancer,
        country="DE",
        refresh_url="http://127.0.0.1:8000/payouts/setup/",
        return_url="http://127.0.0.1:8000/payouts/setup/",
    )
    account = w.freelancer.party.payout_account
    w.stripe.complete_onboarding(account.stripe_id)
    payouts.refresh(account)


def fund(w, milestone):
    funding = funding_milestones.fund_milestone(milestone, by=w.client)
    assert paying.checkout_url(funding)
    w.stripe.pay(funding.session_id)
    paying.confirm(funding)
    milestone.refresh_from_db()
    assert milestone.status == "funded"
    return funding


def deliver(w, milestone):
    upload = SimpleUploadedFile("notes.pdf", b"%PDF-1.7 hand-over notes")
    delivery = deliveries.deliver(
        milestone,
        by=w.freelancer,
        note="All six pages are on staging.",
        files=[files.store(upload, by=w.freelancer)],
    )
    milestone.refresh_from_db()
    return delivery
