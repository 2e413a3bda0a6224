"""A payee's account at Stripe: made when it is first needed, believed only as Stripe tells it."""

import logging
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Party
from accounts.selectors import people_of
from accounts.services.notices import notify
from marketplace.core import audit, clock
from marketplace.core.errors import DomainError, InvalidInput
from payments import gateway
from payments.models import PayoutAccount
from payments.services import transfers

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)


class StripeAway(DomainError):
    """Stripe does not answer; nothing was changed."""

    code = "stripe_away"
    status = 503
    default_message = _(
        "Stripe does not answer at the moment. Nothing was changed. Try again soon."
    )


def onboarding_url(
    party: Party, *, by: "User", country: str, refresh_url: str, return_url: str
) -> str:
    """Where the payee answers Stripe's questions; works once, so ask again for every visit.

    Talks to Stripe, so call it outside transactions. Raises StripeAway, and InvalidInput when
    Stripe does not serve the country.
    """
    account = _account_of(party, by=by)
    try:
        if not account.stripe_id:
            _open(account, by=by, country=country)
        return gateway.account_link(
            account.stripe_id, refresh_url=refresh_url, return_url=return_url
        )
    except gateway.Unavailable as error:
        raise StripeAway from error
    except gateway.Refused as error:
        log.error("payout account of %s refused: %s", party.ref, error)  # noqa: TRY400 - an answer
        raise InvalidInput(
            _("Stripe cannot pay out to this country yet. Choose another one or write to us."),
            field="country",
        ) from error


@transaction.atomic
def _account_of(party: Party, *, by: "User") -> PayoutAccount:
    account, created = PayoutAccount.objects.get_or_create(party=party)
    if created:
        audit.record(by, "payout_account.started", account)
    return account


def _open(account: PayoutAccount, *, by: "User", country: str) -> None:
    # The key names all we ask, so two clicks make one account, and another country after a refusal
    # is another question.
    try:
        opened = gateway.create_account(
            key=f"account:{account.party.ref}:{by.ref}:{country}:{account.opening}",
            email=by.email,
            country=country,
            reference=account.party.ref,
        )
    except gateway.Unavailable as error:
        if error.answered:
            # The next click asks under a new key. What this one may have opened stays empty.
            PayoutAccount.objects.filter(pk=account.pk, opening=account.opening).update(
                opening=account.opening + 1
            )
        raise
    _learn(account.pk, opened)
    account.refresh_from_db()


def refresh(account: PayoutAccount) -> None:
    """Ask Stripe how the account stands; what waited for it is sent. Repeating is harmless.

    Talks to Stripe, so call it outside transactions. Raises StripeAway.
    """
    if account.stripe_id:
        try:
            told = gateway.retrieve_account(account.stripe_id)
        except gateway.Unavailable as error:
            raise StripeAway from error
        _learn(account.pk, told)
        account.refresh_from_db()


@transaction.atomic
def _learn(pk: int, told: gateway.Account) -> None:
    account = PayoutAccount.objects.select_for_update().select_related("party").get(pk=pk)
    if account.stripe_id and account.stripe_id != told.id:
        log.error("a second account %s for %s is left unused", told.id, account.party.ref)
        return
    could = account.can_receive
    told_now = {
        "stripe_id": told.id,
        "country": told.country,
        "can_receive": told.transfers_active,
        "payouts_enabled": told.payouts_enabled,
        "details_submitted": told.details_submitted,
        "requirements": list(told.requirements),
    }
    if any(getattr(account, name) != value for name, value in told_now.items()):
        # Nothing new writes nothing: people look at this page more often than it changes.
        PayoutAccount.objects.filter(pk=pk).update(**told_now, changed_at=clock.now())
        account.refresh_from_db()
    if could != account.can_receive:
        audit.record(None, "payout_account.changed", account, rule="stripe", can=not could)
        _tell(account, "payout_ready" if account.can_receive else "payout_stopped")
    if account.can_receive:
        transfers.resume(account.party)


def _tell(account: PayoutAccount, kind: str) -> None:
    notify(
        people_of(account.party, "manage"),
        kind,
        key=f"{kind}:{account.changed_at:%Y-%m-%d}",
        url=reverse("payments:payout-setup"),
        group="money",
        facts={},
    )
