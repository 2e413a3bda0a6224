"""Connected accounts: where payees receive money.

They are opened and led through Stripe's questions by the API `STRIPE_ACCOUNTS_API` names, v1 or
v2. They are read by v1 in both cases: Stripe's v1 API knows accounts made by either, while an
account of v1 need not have a v2 side, and an operator may change the setting with accounts open.
"""

import datetime as dt
from dataclasses import dataclass, field

import stripe
from django.conf import settings

from payments.gateway import connection
from payments.gateway.answers import moment


@dataclass(frozen=True)
class Account:
    """A payee's connected account; `requirements` names what Stripe still wants to know.

    What is `past_due` among them stops payouts already; the rest will at the `deadline`.
    """

    id: str
    transfers_active: bool
    payouts_enabled: bool
    details_submitted: bool
    requirements: list[str]
    country: str
    disabled_reason: str | None = None
    past_due: list[str] = field(default_factory=list)
    deadline: dt.datetime | None = None


def create_account(*, key: str, email: str, country: str, reference: str) -> Account:
    """A connected account for a payee: Stripe asks the questions, we carry fees and losses."""
    if settings.STRIPE_ACCOUNTS_API == "v2":
        return _create_v2(key=key, email=email, country=country, reference=reference)
    with connection.our_errors():
        account = connection.client().v1.accounts.create(
            {
                "email": email,
                "country": country,
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "requirement_collection": "stripe",
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"reference": reference},
            },
            {"idempotency_key": key},
        )
    return _account(account)


def _create_v2(*, key: str, email: str, country: str, reference: str) -> Account:
    with connection.our_errors():
        made = connection.client().v2.core.accounts.create(
            {
                "contact_email": email,
                "identity": {"country": country},
                "dashboard": "express",
                "configuration": {
                    "recipient": {
                        "capabilities": {
                            "stripe_balance": {"stripe_transfers": {"requested": True}}
                        }
                    }
                },
                "defaults": {
                    "responsibilities": {
                        "fees_collector": "application",
                        "losses_collector": "application",
                    }
                },
                "metadata": {"reference": reference},
            },
            {"idempotency_key": key},
        )
    return retrieve_account(made.id)


def retrieve_account(account_id: str) -> Account:
    """The account as it is now."""
    with connection.our_errors():
        return _account(connection.client().v1.accounts.retrieve(account_id))


def account_link(account_id: str, *, refresh_url: str, return_url: str) -> str:
    """An address where the payee answers Stripe's questions. It works once, for minutes.

    Coming back to `return_url` does not mean that all is answered; an old link leads to
    `refresh_url`, which should make a new one.
    """
    if settings.STRIPE_ACCOUNTS_API == "v2":
        return _link_v2(account_id, refresh_url=refresh_url, return_url=return_url)
    with connection.our_errors():
        link = connection.client().v1.account_links.create(
            {
                "account": account_id,
                "type": "account_onboarding",
                "refresh_url": refresh_url,
                "return_url": return_url,
            }
        )
    return link.url


def _link_v2(account_id: str, *, refresh_url: str, return_url: str) -> str:
    with connection.our_errors():
        link = connection.client().v2.core.account_links.create(
            {
                "account": account_id,
                "use_case": {
                    "type": "account_onboarding",
                    "account_onboarding": {"refresh_url": refresh_url, "return_url": return_url},
                },
            }
        )
    return link.url


def _account(account: stripe.Account) -> Account:
    wanted = account.requirements
    due = {*(wanted.currently_due or ()), *(wanted.past_due or ())} if wanted else set()
    capabilities = account.capabilities
    return Account(
        id=account.id,
        transfers_active=bool(capabilities and capabilities.transfers == "active"),
        payouts_enabled=bool(account.payouts_enabled),
        details_submitted=bool(account.details_submitted),
        requirements=sorted(due),
        country=account.country or "",
        disabled_reason=wanted.disabled_reason if wanted else None,
        past_due=sorted(wanted.past_due or ()) if wanted else [],
        deadline=moment(wanted.current_deadline) if wanted and wanted.current_deadline else None,
    )
