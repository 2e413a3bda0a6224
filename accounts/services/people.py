"""Joining, founding a company, and what people set for themselves."""

import secrets
from zoneinfo import available_timezones

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.models import Membership, Party, Profile, User
from accounts.names import clean_name
from accounts.services import parties, profiles
from accounts.signals import tax_details_changed
from marketplace.core import audit, mail, text
from marketplace.core.errors import InvalidInput
from marketplace.core.ids import ALPHABET, new_ref

ALL_RIGHTS = {"can_post": True, "can_hire": True, "can_pay": True, "can_manage": True}


@transaction.atomic
def join(
    email: str,
    *,
    name: str,
    side: str = "work",
    language: str = "en",
    time_zone: str = "UTC",
    password: str | None = None,
    email_verified: bool = True,
) -> User:
    """A new person with a party, all rights in it, and an empty profile.

    Pass `email_verified=False` when nobody has shown yet that the address is theirs: then a code
    or link must be used before the first sign-in. Raises InvalidInput for a taken address.
    """
    email = email.strip().lower()
    if User.objects.filter(email=email).exists():
        raise InvalidInput(_("There is an account with this address already"), field="email")
    user = User.objects.create_user(
        email,
        password,
        name=clean_name(name),
        side=User.Side(side),
        language=_language(language),
        time_zone=_time_zone(time_zone),
    )
    settle(user)
    if email_verified:
        EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    audit.record(user, "user.joined", user, side=side)
    return user


@transaction.atomic
def settle(user: User) -> None:
    """Give the person a party and a profile, if they have none (`createsuperuser` makes such)."""
    if user.party:
        return
    party = Party.objects.create(
        kind=Party.Kind.PERSON,
        name=user.name or user.email.partition("@")[0],
        currency=settings.DEFAULT_CURRENCY,
    )
    user.party = party
    user.save(update_fields=["party"])
    Membership.objects.create(party=party, user=user, **ALL_RIGHTS)
    _open_profile(user, party)


def _open_profile(user: User, party: Party) -> Profile:
    """Who comes to hire is not shown among freelancers until they say so."""
    wish = slugify(text.fold(party.name))[:50] or "person"
    handle = wish
    while True:
        try:
            with transaction.atomic():
                return Profile.objects.create(
                    party=party,
                    handle=handle,
                    currency=party.currency,
                    words=party.name,
                    is_visible=user.side == User.Side.WORK and not user.is_staff,
                )
        except IntegrityError:
            handle = f"{wish}-{''.join(secrets.choice(ALPHABET) for _ in range(4))}"


@transaction.atomic
def found_company(
    by: User,
    *,
    name: str,
    country: str,
    vat_id: str = "",
    legal_name: str = "",
    address: str = "",
    website: str = "",
    about: str = "",
    currency: str = "",
) -> Party:
    """A company that `by` may do everything for and hires for from now on.

    Raises InvalidInput for a country we do not know or a VAT id of the wrong shape.
    """
    details = parties.clean_details(
        legal_name=legal_name,
        address=address,
        country=country,
        vat_id=vat_id,
        website=website,
        about=about,
    )
    company = Party.objects.create(
        kind=Party.Kind.ORGANISATION,
        name=clean_name(name),
        currency=currency or settings.DEFAULT_CURRENCY,
        **details,
    )
    Membership.objects.create(party=company, user=by, **ALL_RIGHTS)
    by.hires_for = company
    by.save(update_fields=["hires_for"])
    audit.record(by, "party.founded", company)
    tax_details_changed.send(sender=Party, party=company, by=by)
    return company


@transaction.atomic
def hire_for(user: User, *, party: Party) -> None:
    """From now on this person posts and hires for the party, their own or a company."""
    selectors.party_to_act_for(user, party.ref)
    user.hires_for = None if party == user.party else party
    user.side = User.Side.HIRE
    user.save(update_fields=["hires_for", "side"])
    audit.record(user, "user.hires_for", user, party=party.ref)


@transaction.atomic
def switch_side(user: User, *, side: str) -> None:
    """Show the freelancing or the hiring half of the product. Nobody loses any right by it."""
    user.side = User.Side(side)
    user.save(update_fields=["side"])
    audit.record(user, "user.switched_side", user, side=side)


@transaction.atomic
def update_settings(user: User, *, name: str, language: str, time_zone: str) -> None:
    """Change how the person is called, and the language and time zone we speak to them in."""
    name = clean_name(name)
    changed = [
        field
        for field, new in (("name", name), ("language", language), ("time_zone", time_zone))
        if getattr(user, field) != new
    ]
    user.name, user.language, user.time_zone = name, _language(language), _time_zone(time_zone)
    user.save(update_fields=["name", "language", "time_zone"])
    if "name" in changed:
        party = user.own_party
        party.name = name
        party.save(update_fields=["name"])
        tax_details_changed.send(sender=Party, party=party, by=user)
        profiles.find_under_new_words(party.profile)
    if changed:
        audit.record(user, "user.settings_changed", user, fields=changed)


def _language(code: str) -> str:
    if code not in dict(settings.LANGUAGES):
        raise InvalidInput(_("Choose one of the languages in the list"), field="language")
    return code


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise InvalidInput(_("Choose a time zone from the list"), field="time_zone")
    return name


@transaction.atomic
def mail_confirmation_code(user: User, *, code: str) -> None:
    """Mail a code to the person's own address, with which they prove that it is still them."""
    mail.put(
        f"confirmation-code:{new_ref()}",
        to=user.email,
        template="account/email/confirmation_code",
        context={"code": code, "minutes": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT // 60},
        language=user.language,
        time_zone=user.time_zone,
    )
    audit.record(user, "user.confirmation_asked", user)


def confirm(user: User) -> None:
    """Keep on the record that the person has proved once more who they are."""
    audit.record(user, "user.confirmed", user)
