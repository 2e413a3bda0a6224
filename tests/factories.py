"""Objects for tests, made through the services, so that every one is as in life."""

import factory
from factory.django import DjangoModelFactory

# --- accounts -------------------------------------------------------------------------------


class UserFactory(DjangoModelFactory):
    """A person who joined: `UserFactory(side="hire", name="Kai Berg")`."""

    class Meta:
        model = "accounts.User"

    email = factory.Sequence(lambda n: f"person{n}@example.test")
    name = factory.Sequence(lambda n: f"Robin Example{n}")

    @classmethod
    def _create(cls, model_class, *args, **fields):
        from accounts.services import people

        return people.join(fields.pop("email"), **fields)


class StaffFactory(UserFactory):
    """A moderator with every permission."""

    @classmethod
    def _create(cls, model_class, *args, **fields):
        user = super()._create(model_class, *args, **fields)
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
        return user


class CompanyFactory(DjangoModelFactory):
    """A company; `by` founded it and may do everything for it."""

    class Meta:
        model = "accounts.Party"

    by = factory.SubFactory(UserFactory, side="hire")
    name = factory.Sequence(lambda n: f"Museum {n}")
    country = "DE"

    @classmethod
    def _create(cls, model_class, *args, **fields):
        from accounts.services import people

        return people.found_company(fields.pop("by"), **fields)


class ProfileFactory(DjangoModelFactory):
    """A filled-in profile: `ProfileFactory(headline=…, skills={"Django": 3})`."""

    class Meta:
        model = "accounts.Profile"

    user = factory.SubFactory(UserFactory)
    headline = "Front-end developer for museums"
    bio = "I build accessible checkouts."
    rate_min = None
    rate_max = None
    availability = "now"
    available_from = None
    hours_per_week = None
    languages = ""
    is_visible = True
    skills: dict[str, int] = {}

    @classmethod
    def _create(cls, model_class, *args, **fields):
        from accounts.services import profiles
        from accounts.services import skills as skill_list

        user, levels = fields.pop("user"), fields.pop("skills")
        profile = user.party.profile
        profiles.save_profile(profile, by=user, **fields)
        found = skill_list.find_or_propose(levels)
        profiles.set_skills(profile, by=user, skills=list(zip(found, levels.values(), strict=True)))
        profile.refresh_from_db()
        return profile


# --- projects: market -----------------------------------------------------------------------


class ProjectFactory(DjangoModelFactory):
    """An open project; `published=False` leaves it a draft, `by` posts it for whom they hire."""

    class Meta:
        model = "projects.Project"

    by = factory.SubFactory(UserFactory, side="hire")
    title = factory.Sequence(lambda n: f"Accessible ticket checkout {n}")
    description = "Our ticket shop works with a mouse and badly with nothing else. Help us. " * 2
    budget = (3000, 4500)
    currency = "EUR"
    skills = ("Django", "Accessibility")
    ai_policy = "ask"
    deliver_by = None
    published = True

    @classmethod
    def _create(cls, model_class, *args, **fields):
        from accounts.selectors import hiring_party
        from marketplace.core.money import Money
        from projects.services import posting
        from projects.services.wanted import Wanted

        by, published, budget = fields.pop("by"), fields.pop("published"), fields.pop("budget")
        low, high = (Money(end * 100, fields["currency"]) for end in budget or (0, 0))
        wanted = Wanted(**fields, budget_min=low if budget else None, budget_max=high or None)
        project = posting.save_draft(hiring_party(by), by=by, wanted=wanted)
        return posting.publish(project, by=by) if published else project


class BidFactory(DjangoModelFactory):
    """A bid somebody sent: `BidFactory(project=…, by=…, price=Money(…))`."""

    class Meta:
        model = "projects.Bid"

    project = factory.SubFactory(ProjectFactory)
    by = factory.SubFactory(UserFactory)
    price = factory.LazyAttribute(lambda bid: _eur(3600))
    days = 30
    message = "I rebuilt the booking flow of a bike workshop and would begin with your date picker."
    ai_use = "no"
    milestones = ()

    @classmethod
    def _create(cls, model_class, *args, **fields):
        from projects.services import bidding

        return bidding.send_bid(fields.pop("project"), **fields)


def _eur(amount):
    from marketplace.core.money import Money

    return Money(amount * 100, "EUR")
