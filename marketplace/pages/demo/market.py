"""Build the demo market: people first, then what they ask for, then what they did together.

Everything goes through the services a user would use. Business time is moved for acts of the past;
Stripe is asked in real time, because its pages do not open in the past.
"""

import datetime as dt
import random
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import transaction

from accounts.models import Party, User
from accounts.selectors import hiring_party
from accounts.services import people as joining
from accounts.services import profiles, skills
from marketplace.core import clock, outbox
from marketplace.core.money import Money
from marketplace.pages.demo.people import CLIENTS, FREELANCERS, STAFF_EMAIL, STAFF_NAME
from marketplace.pages.demo.people import Client as ClientText
from marketplace.pages.demo.people import Freelancer as FreelancerText
from marketplace.pages.demo.work import (
    DELIVERY_NOTE,
    MESSAGES,
    OPEN,
    PITCHES,
    STORIES,
    Posting,
    Story,
)
from matching.insight.services.nightly import count_night
from payments.services import funding as paying
from payments.services import payouts
from projects.models import Bid, Contract, Milestone, Project
from projects.services import (
    approvals,
    bidding,
    choosing,
    deliveries,
    disputes,
    ending,
    giving_back,
    messages,
    orders,
    posting,
    reviews,
)
from projects.services import funding as funding_milestones
from projects.services.change_orders import offers
from projects.services.contracts import MilestonePlan
from projects.services.wanted import Wanted

PASSWORD = "try-bidwell-now"  # noqa: S105 - printed for everyone who runs the demo
CURRENCY = "EUR"
GOOD_CARD = "4242424242424242"


def euros(amount: int) -> Money:
    """Whole euros."""
    return Money(amount * 100, CURRENCY)


class Market:
    """The demo market of one seed. `build()` fills an empty database."""

    def __init__(self, seed: int, *, say: Callable[[str], None]) -> None:
        self.random = random.Random(seed)  # noqa: S311 - sample data
        self.say = say
        self.now = clock.now()
        self.users: dict[str, User] = {}

    def build(self) -> None:
        """People, open projects with bids, and contracts in every state."""
        self._people()
        self.say(f"{len(self.users)} people")
        for text in OPEN:
            self._open_project(text)
        self.say(f"{len(OPEN)} open projects with bids")
        for story in STORIES:
            self._tell(story)
            self._let_money_arrive()
        self.say(f"{len(STORIES)} contracts")
        night = count_night()
        self.say(f"{night.prices} finished contracts counted")

    # --- People -----------------------------------------------------------------------------

    def _people(self) -> None:
        for freelancer in FREELANCERS:
            with self._days_ago(160):
                self.users[freelancer.email] = self._freelancer(freelancer)
        for client in CLIENTS:
            with self._days_ago(150):
                self.users[client.email] = self._client(client)
        self.users[STAFF_EMAIL] = self._moderator()

    @transaction.atomic
    def _freelancer(self, text: FreelancerText) -> User:
        user = joining.join(
            text.email, name=text.name, side="work", time_zone="Europe/Berlin", password=PASSWORD
        )
        party = user.party
        if party is None:
            raise LookupError(user)
        party.country = text.country
        party.save(update_fields=["country"])
        names = skills.find_or_propose(name for name, _level in text.skills)
        levels = [level for _name, level in text.skills]
        profiles.set_skills(party.profile, by=user, skills=list(zip(names, levels, strict=True)))
        profiles.save_profile(
            party.profile,
            by=user,
            headline=text.headline,
            bio=text.bio,
            rate_min=euros(text.rate[0]),
            rate_max=euros(text.rate[1]),
            availability=text.availability,
            available_from=(self.now + dt.timedelta(days=15)).date()
            if text.availability == "from"
            else None,
            hours_per_week=self.random.choice([15, 20, 25, 30]),
            languages=text.languages,
            is_visible=True,
        )
        for title, description in text.portfolio:
            profiles.add_sample(party.profile, by=user, title=title, description=description)
        return user

    @transaction.atomic
    def _client(self, text: ClientText) -> User:
        user = joining.join(
            text.email, name=text.name, side="hire", time_zone="Europe/Berlin", password=PASSWORD
        )
        if text.company:
            joining.found_company(
                user,
                name=text.company,
                country=text.country,
                vat_id=text.vat_id,
                about=text.about,
            )
        return user

    @transaction.atomic
    def _moderator(self) -> User:
        user = joining.join(STAFF_EMAIL, name=STAFF_NAME, side="hire", password=PASSWORD)
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        reads = Permission.objects.filter(
            content_type__app_label__in=["accounts", "projects", "payments", "core", "matching"],
            codename__startswith="view_",
        )
        user.user_permissions.set([*reads, Permission.objects.get(codename="decide_dispute")])
        return user

    # --- Open projects ----------------------------------------------------------------------

    def _open_project(self, text: Posting) -> None:
        published = self.now - dt.timedelta(days=text.days_ago, hours=3)
        with clock.moved_to(published), transaction.atomic():
            project = self._publish(
                text, budget=text.budget, ai=text.ai, deliver_in=text.deliver_in
            )
        bidders = self._bidders(text.skills, most=5)
        span = (self.now - published) * 0.8
        for number, bidder in enumerate(bidders, 1):
            with clock.moved_to(published + span * number / (len(bidders) + 1)):
                bid = self._bid(project, bidder, self._price(text.budget))
            if number == 1 and text.days_ago > 2:
                with clock.moved_to(self.now - dt.timedelta(hours=20)):
                    choosing.shortlist(bid, by=self.users[text.client])

    def _publish(
        self,
        text: Posting | Story,
        *,
        budget: tuple[int, int],
        ai: str,
        deliver_in: int,
    ) -> Project:
        user = self.users[text.client]
        wanted = Wanted(
            title=text.title,
            description=text.description,
            currency=CURRENCY,
            budget_min=euros(budget[0]),
            budget_max=euros(budget[1]),
            deliver_by=(self.now + dt.timedelta(days=deliver_in)).date(),
            ai_policy=ai,
            skills=text.skills,
        )
        project = posting.save_draft(hiring_party(user), by=user, wanted=wanted)
        return posting.publish(project, by=user)

    def _bidders(self, names: tuple[str, ...], *, most: int) -> list[User]:
        """Who has at least one of the skills, and sometimes somebody who only hopes."""
        able = [f for f in FREELANCERS if set(names) & {name for name, _level in f.skills}]
        hopeful = [f for f in FREELANCERS if f not in able]
        chosen = able[:most] + self.random.sample(hopeful, 1)
        return [self.users[f.email] for f in chosen[:most]]

    def _price(self, budget: tuple[int, int]) -> Money:
        low, high = budget
        return euros(self.random.randrange(int(low * 0.9), int(high * 1.05), 50))

    def _bid(self, project: Project, bidder: User, price: Money) -> Bid:
        return bidding.send_bid(
            project,
            by=bidder,
            price=price,
            days=self.random.choice([8, 10, 15, 20, 30]),
            message=self.random.choice(PITCHES),
            ai_use="no" if project.ai_policy == "no" else self.random.choice(["no", "assist"]),
        )

    # --- Contracts --------------------------------------------------------------------------

    def _tell(self, story: Story) -> None:
        contract = self._sign(story)
        with self._days_ago(story.started, plus_hours=5):
            self._talk(contract)
            if contract.client.kind == Party.Kind.ORGANISATION:
                number = f"PO-{4000 + story.started}"
                orders.set_number(contract, by=self.users[story.client], number=number)
        getattr(self, f"_{story.ends}")(story, contract)

    def _sign(self, story: Story) -> Contract:
        """Posting, rival bids and the hire, in one piece: no sweep may see a project half told."""
        total = sum(amount for _title, amount in story.steps)
        client = self.users[story.client]
        with transaction.atomic():
            with self._days_ago(story.started + 6):
                budget = (int(total * 0.8), int(total * 1.2))
                project = self._publish(story, budget=budget, ai="ask", deliver_in=30)
            with self._days_ago(story.started + 4):
                chosen = self.users[story.freelancer]
                bid = self._bid(project, chosen, euros(total))
                for rival in self._bidders(story.skills, most=3):
                    if rival != chosen:
                        self._bid(project, rival, euros(int(total * 1.15)))
            with self._days_ago(story.started):
                plans = [
                    MilestonePlan(title, euros(amount), self._due(story, number))
                    for number, (title, amount) in enumerate(story.steps, 1)
                ]
                return choosing.hire(bid, by=client, milestones=plans, seen_version=bid.version)

    def _due(self, story: Story, number: int) -> dt.date:
        signed = self.now - dt.timedelta(days=story.started)
        # Longer milestones would have to be split.
        length = min(60, max(45, story.started // len(story.steps)))
        return (signed + dt.timedelta(days=length * number)).date()

    def _talk(self, contract: Contract) -> None:
        for side, text in MESSAGES:
            messages.send(contract, by=self._user_of(contract, side), body=text)

    # --- Where a contract may stand ----------------------------------------------------------

    def _unfunded(self, story: Story, contract: Contract) -> None:
        """Signed; nobody has paid yet."""

    def _paying(self, story: Story, contract: Contract) -> None:
        """The client opened Stripe's page and has not paid."""
        funding = funding_milestones.fund_milestone(
            self._steps(contract)[0], by=self._user_of(contract, "client")
        )
        paying.checkout_url(funding)

    def _funded(self, story: Story, contract: Contract) -> None:
        self._fund(self._steps(contract)[0], days_ago=story.started - 1)

    def _in_review(self, story: Story, contract: Contract) -> None:
        first, second = self._steps(contract)[:2]
        self._set_up_payouts(contract)
        self._finish(first, delivered=story.started - 12)
        self._fund(second, days_ago=20)
        self._deliver(second, days_ago=3)

    def _changes(self, story: Story, contract: Contract) -> None:
        step = self._steps(contract)[0]
        self._fund(step, days_ago=story.started - 1)
        self._deliver(step, days_ago=6)
        with self._days_ago(4):
            deliveries.ask_for_changes(
                step,
                by=self._user_of(contract, "client"),
                points="The second film needs quieter music under the interview. "
                "In the first one the captions come a moment too late.",
            )
        with self._days_ago(1):
            offers.offer_work(
                contract,
                by=self._user_of(contract, "freelancer"),
                title="The same films with sign language",
                body="One interpreter in the corner of each film, filmed here. Not included: the "
                "interpreter's fee, which you pay directly.",
                amount=euros(450),
                due_on=clock.now().date() + dt.timedelta(days=30),
            )

    def _reviewed(self, story: Story, contract: Contract) -> None:
        self._set_up_payouts(contract)
        for number, step in enumerate(self._steps(contract), 1):
            self._finish(step, delivered=story.started - 14 * number)
        contract.refresh_from_db()
        with self._days_ago(story.started - 14 * len(story.steps) - 2):
            self._review(contract, story)
            if story.given_back:
                last = self._steps(contract)[-1]
                freelancer = self._user_of(contract, "freelancer")
                giving_back.give_back(last, by=freelancer, amount=euros(story.given_back))

    def _review(self, contract: Contract, story: Story) -> None:
        of_work, of_client = story.praise
        for side, text, stars in (("client", of_work, story.stars), ("freelancer", of_client, 5)):
            reviews.write(
                contract,
                by=self._user_of(contract, side),
                stars_work=stars,
                stars_communication=5,
                stars_fairness=stars,
                text=text,
            )

    def _disputed(self, story: Story, contract: Contract) -> None:
        step = self._steps(contract)[0]
        self._fund(step, days_ago=story.started - 1)
        self._deliver(step, days_ago=5)
        with self._days_ago(2):
            dispute = disputes.open_dispute(
                step,
                by=self._user_of(contract, "client"),
                reason="not_as_agreed",
                body="We agreed on figures for each restaurant and day of the week. What we got are "
                "totals per month, which we had before.",
                to_freelancer=euros(300),
            )
        with self._days_ago(1):
            disputes.add_statement(
                dispute,
                by=self._user_of(contract, "freelancer"),
                body="The delivery notes have no weekday before June. I said so in my second message "
                "and delivered the weekdays from June on; they are on the third sheet.",
                to_freelancer=euros(850),
            )

    def _decided(self, story: Story, contract: Contract) -> None:
        step = self._steps(contract)[0]
        self._set_up_payouts(contract)
        self._fund(step, days_ago=story.started - 1)
        self._deliver(step, days_ago=13)
        with self._days_ago(11):
            dispute = disputes.open_dispute(
                step,
                by=self._user_of(contract, "client"),
                reason="not_as_agreed",
                body="Twelve of the 45 pages are missing. The rest is beautiful.",
                to_freelancer=euros(500),
            )
        with self._days_ago(10):
            disputes.add_statement(
                dispute,
                by=self._user_of(contract, "freelancer"),
                body="True: I fell ill in the last week. The missing pages are in draft, and the term "
                "list covers the whole book.",
                to_freelancer=euros(600),
            )
        with self._days_ago(8):
            disputes.decide(
                dispute,
                by=self.users[STAFF_EMAIL],
                to_freelancer=euros(520),
                reason="Pages 34 to 45 were not delivered; 33 of 45 pages were, and both sides call "
                "them good. The freelancer keeps the share of the delivered pages, rounded up for the "
                "term list. The rest goes back to the client.",
            )

    def _called_off(self, story: Story, contract: Contract) -> None:
        step = self._steps(contract)[0]
        self._fund(step, days_ago=story.started - 1)
        with self._days_ago(9):
            ending.call_off(
                step,
                by=self._user_of(contract, "client"),
                reason="The room opens half a year later, and our curators cannot check texts before.",
            )
        with self._days_ago(8):
            ending.answer(step, by=self._user_of(contract, "freelancer"), accept=True)

    # --- Money ------------------------------------------------------------------------------

    def _fund(self, step: Milestone, *, days_ago: int) -> None:
        """Pay on the Checkout page as the client would, then let the payment be of that day."""
        client = self._user_of(step.contract, "client")
        funding = funding_milestones.fund_milestone(step, by=client)
        page = paying.checkout_url(funding)
        if page is None:
            raise ConnectionError("Stripe does not answer; the demo needs its sandbox.")
        _press(page, card=GOOD_CARD)
        with self._days_ago(days_ago):
            paying.confirm(funding)
        step.refresh_from_db()

    def _deliver(self, step: Milestone, *, days_ago: int) -> None:
        with self._days_ago(days_ago):
            deliveries.deliver(
                step,
                by=self._user_of(step.contract, "freelancer"),
                note=DELIVERY_NOTE,
                link="https://preview.example.com/step",
            )
        step.refresh_from_db()

    def _finish(self, step: Milestone, *, delivered: int) -> None:
        """Fund, deliver and approve. In one transaction: the review window is long over today."""
        self._fund(step, days_ago=delivered + 7)
        with transaction.atomic():
            self._deliver(step, days_ago=delivered)
            with self._days_ago(delivered - 2):
                approvals.approve(step, by=self._user_of(step.contract, "client"))
        with self._days_ago(delivered - 2):
            self._let_money_arrive()

    def _set_up_payouts(self, contract: Contract) -> None:
        user = self._user_of(contract, "freelancer")
        account = getattr(contract.freelancer, "payout_account", None)
        if account and account.can_receive:
            return
        page = payouts.onboarding_url(
            contract.freelancer,
            by=user,
            country=contract.freelancer.country,
            refresh_url=f"{settings.SITE_URL}/payouts/setup/",
            return_url=f"{settings.SITE_URL}/payouts/setup/",
        )
        _press(page, outcome="complete")
        account = contract.freelancer.payout_account
        payouts.refresh(account)
        contract.freelancer.refresh_from_db()

    def _let_money_arrive(self) -> None:
        """Carry out what is due at Stripe, as a worker would."""
        while outbox.deliver_due(topic="stripe"):
            pass

    # --- Helpers ----------------------------------------------------------------------------

    def _steps(self, contract: Contract) -> list[Milestone]:
        return list(contract.milestones.select_related("contract").order_by("position"))

    def _user_of(self, contract: Contract, side: str) -> User:
        party = contract.client if side == "client" else contract.freelancer
        return party.members.earliest("joined_at")

    @contextmanager
    def _days_ago(self, days: float, plus_hours: float = 0) -> Iterator[None]:
        with clock.moved_to(self.now - dt.timedelta(days=days) + dt.timedelta(hours=plus_hours)):
            yield


def _press(page: str, **form: str) -> None:
    """Send the form of a sandbox page and stay there: where it leads is the browser's business."""
    body = urllib.parse.urlencode(form).encode()
    _open(_open(page) or page, body)


def _open(page: str, body: bytes | None = None) -> str | None:
    """Request an address of the sandbox; where it would lead on, if anywhere."""
    if not page.startswith(settings.STRIPE_API_BASE):
        raise ValueError(f"{page} is not a page of the sandbox")
    try:
        _STAYING.open(page, body, timeout=10)
    except urllib.error.HTTPError as answer:
        if answer.code not in {302, 303}:
            raise
        return urllib.parse.urljoin(page, str(answer.headers["Location"]))
    return None


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are answers here, not roads."""

    def redirect_request(self, *_request: Any) -> None:
        return None


_STAYING = urllib.request.build_opener(_Stay)
