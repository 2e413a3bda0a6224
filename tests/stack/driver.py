"""A tireless market: fund, deliver and approve, whatever dies meanwhile.

Run as its own process against a running stack, with the serving role's rights. Every step is
repeated until it is done, exactly as a person would press the button again: what the product must
guarantee is that pressing again never does it twice.
"""

import os
import random
import sys
import threading
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.dev")
django.setup()

import requests  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.utils import InterfaceError, OperationalError  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.services import people  # noqa: E402
from marketplace.core.errors import DomainError  # noqa: E402
from marketplace.core.money import Money  # noqa: E402
from payments.services import funding as paying  # noqa: E402
from payments.services import payouts  # noqa: E402
from projects.models import Milestone  # noqa: E402
from projects.services import approvals, bidding, choosing, deliveries, posting  # noqa: E402
from projects.services import funding as funding_milestones  # noqa: E402
from projects.services.contracts import MilestonePlan  # noqa: E402
from projects.services.wanted import Wanted  # noqa: E402

AWAY = (OperationalError, InterfaceError, requests.RequestException)
CARD = "4242424242424242"
GIVE_UP_SECONDS = 240


def until_done(step):
    """Press again while something is away; a DomainError means somebody else was through first."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while True:
        try:
            return step()
        except AWAY:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def market(steps):
    """A client, a freelancer ready to be paid, and contracts with `steps` milestones in all."""
    client = people.join("kim@stack.test", name="Kim Weber", side="hire")
    freelancer = people.join("ines@stack.test", name="Ines Carvalho")
    page = payouts.onboarding_url(
        freelancer.party,
        by=freelancer,
        country="DE",
        refresh_url="http://127.0.0.1/a",
        return_url="http://127.0.0.1/b",
    )
    visit = requests.get(page, timeout=60)
    requests.post(visit.url, {"outcome": "complete"}, timeout=60, allow_redirects=False)
    payouts.refresh(freelancer.party.payout_account)
    while steps:
        part = min(steps, 20)
        steps -= part
        wanted = Wanted(
            title="Twenty small pieces of work",
            description="Each piece is small, well described, and paid by itself. " * 3,
            currency="EUR",
            skills=("Django",),
        )
        project = posting.publish(
            posting.save_draft(client.party, by=client, wanted=wanted), by=client
        )
        bid = bidding.send_bid(
            project,
            by=freelancer,
            price=Money(part * 1999, "EUR"),
            days=20,
            message="One after the other.",
            ai_use="no",
        )
        plans = [MilestonePlan(f"Piece {n}", Money(1999, "EUR")) for n in range(part)]
        choosing.hire(bid, by=client, milestones=plans, seen_version=bid.version)


def work(pk, client, freelancer, dice):
    """One milestone from planned to approved."""
    while True:
        milestone = until_done(lambda: Milestone.objects.select_related("contract").get(pk=pk))
        if milestone.status == Milestone.Status.APPROVED:
            return
        step = {
            Milestone.Status.PLANNED: pay,
            Milestone.Status.FUNDING: pay,
            Milestone.Status.FUNDED: deliver,
            Milestone.Status.SUBMITTED: approve,
        }[milestone.status]
        try:
            until_done(lambda m=milestone, s=step: s(m, client, freelancer, dice))
        except DomainError:
            time.sleep(0.1)


def pay(milestone, client, _freelancer, dice):
    funding = funding_milestones.fund_milestone(milestone, by=client)
    page = paying.checkout_url(funding)
    if page is None:
        time.sleep(0.2)
        return
    requests.post(page, {"card": CARD}, timeout=60, allow_redirects=False)
    if dice.random() < 0.5:
        paying.confirm(funding)  # the person came back; otherwise the webhook does it
    else:
        time.sleep(0.3)


def deliver(milestone, _client, freelancer, _dice):
    deliveries.deliver(milestone, by=freelancer, note="Done.")


def approve(milestone, client, _freelancer, _dice):
    approvals.approve(milestone, by=client)


def main(steps, threads):
    market(steps)
    client = User.objects.get(email="kim@stack.test")
    freelancer = User.objects.get(email="ines@stack.test")
    waiting = list(Milestone.objects.order_by("id").values_list("pk", flat=True))
    total, failures = len(waiting), []
    print(f"ready {total}", flush=True)

    def drain(seed):
        dice = random.Random(seed)
        try:
            while waiting:
                try:
                    pk = waiting.pop(0)
                except IndexError:
                    return
                work(pk, client, freelancer, dice)
                print(f"done {pk}", flush=True)
        except Exception as error:
            failures.append(repr(error))
            raise
        finally:
            connection.close()

    workers = [threading.Thread(target=drain, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        sys.exit(f"failed: {failures}")
    print(f"finished {total}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
