"""Connected accounts: where payees receive money."""

from dataclasses import dataclass

import stripe

from payments.gateway import connection


@dataclass(frozen=True)
class Account:
    """A payee's connected account; `requirements` names what Stripe still wants to know."""

    id: str
    transfers_active: bool
    payouts_enabled: bool
    details_submitted: bool
    requirements: list[str]
    country: str
    disabled_reason: str | None = None


def create_account(*, key: str, email: str, country: str, reference: str) -> Account:
    """A connected account for a payee: Stripe asks the questions, we carry fees and losses."""
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


def retrieve_account(account_id: str) -> Account:
    """The account as it is now."""
    with connection.our_errors():
        return _account(connection.client().v1.accounts.retrieve(account_id))


def account_link(account_id: str, *, refresh_url: str, return_url: str) -> str:
    """An address where the payee answers Stripe's questions. It works once, for minutes.

    Coming back to `return_url` does not mean that all is answered; an old link leads to
    `refresh_url`, which should make a new one.
    """
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
    )
