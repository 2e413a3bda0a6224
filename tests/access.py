"""Who gets what: every address, for every kind of person.

One row per URL name. A row says how to fill the address from the world below and which status
each actor gets on GET, and on POST (with an empty body) where POST exists. `tests/test_access.py`
fails when an address is missing here, and asks every row.

Actors, in this order:
    visitor      nobody signed in
    freelancer   has bid on the world's project and works on its contract
    rival        another freelancer, in no contract
    client       posted the project and signed the contract
    stranger     another client
    staff        a moderator with every permission

Statuses: OK 200, GO 302/303 somewhere allowed, LOGIN 302 to the sign-in page (401 in the API),
NO 403 for what you may see and not do, MISSING 404 for what you must not even know, METHOD 405,
BAD 400/409/422 for a body that was refused without effect.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from payments.selectors.payouts import link_token

OK, GO, LOGIN, NO, MISSING, METHOD, BAD = "ok", "go", "login", "no", "missing", "method", "bad"
ACTORS = ("visitor", "freelancer", "rival", "client", "stranger", "staff")

EVERYONE = (OK,) * 6
MEMBERS = (LOGIN, OK, OK, OK, OK, OK)
POST_ONLY = (METHOD,) * 6


@dataclass(frozen=True)
class Row:
    """Expected answers of one address."""

    get: tuple[str, ...]
    post: tuple[str, ...] | None = None
    kwargs: Callable[[Any], dict[str, Any]] = field(default=lambda world: {})
    query: str = ""


ACCESS: dict[str, Row] = {}

# --- pages ----------------------------------------------------------------------------------

ACCESS |= {
    "api-schema": Row(get=EVERYONE),
    "api-docs": Row(get=EVERYONE),
    "healthz": Row(get=EVERYONE),
    "readyz": Row(get=EVERYONE),
    "home": Row(get=MEMBERS),
}

ACCESS |= {
    "pages:landing": Row(get=EVERYONE),
    "pages:how-it-works": Row(get=EVERYONE),
    "pages:fees": Row(get=EVERYONE),
    "pages:matching": Row(get=EVERYONE),
    "pages:matching-card": Row(get=EVERYONE),
    "pages:matching-card-json": Row(get=EVERYONE),
    "pages:help": Row(get=EVERYONE),
    "pages:help-article": Row(get=EVERYONE, kwargs=lambda world: {"slug": "reviews"}),
    "pages:contact": Row(get=EVERYONE, post=(BAD,) * 6),
    "pages:terms": Row(get=EVERYONE),
    "pages:privacy": Row(get=EVERYONE),
    "pages:imprint": Row(get=EVERYONE),
    "pages:status": Row(get=EVERYONE),
    "pages:counts": Row(get=(LOGIN, GO, GO, GO, GO, GO)),
    "pages:theme": Row(get=POST_ONLY, post=(GO,) * 6),
    "pages:styleguide": Row(get=(MISSING, MISSING, MISSING, MISSING, MISSING, OK)),
    "pages:offline": Row(get=EVERYONE),
    "pages:worker": Row(get=EVERYONE),
    "pages:manifest": Row(get=EVERYONE),
    "pages:robots": Row(get=EVERYONE),
}

# --- accounts -------------------------------------------------------------------------------

NEWCOMERS = (OK, GO, GO, GO, GO, GO)  # whoever is in already is sent on
ALL_IN = (LOGIN, GO, GO, GO, GO, GO)
NOBODY = (LOGIN, *(MISSING,) * 5)
OWN_COMPANY = (LOGIN, MISSING, MISSING, OK, MISSING, MISSING)
GONE = ("410",) * 6


def _invitation(world):
    from django.core import signing

    from accounts.services.memberships import SALT

    company, by = world.client.hires_for, world.client
    said = {"party": company.ref, "by": by.ref, "email": world.rival.email, "rights": ["post"]}
    return {"token": signing.dumps(said, salt=SALT, compress=True)}


def _sign_off(world):
    from accounts.services.notices import sign_off

    return {"token": sign_off(world.rival, "matches")}


ACCESS |= {
    # Signing in
    "account_signup": Row(NEWCOMERS, NEWCOMERS),
    "account_login": Row(NEWCOMERS, NEWCOMERS),
    "account_request_login_code": Row(NEWCOMERS, NEWCOMERS),
    "account_login_password": Row(NEWCOMERS, NEWCOMERS),
    "account_confirm_login_code": Row(ALL_IN, ALL_IN),
    "account_email_verification_sent": Row(ALL_IN, ALL_IN),
    "account_login_link": Row(GONE, GONE, lambda world: {"token": "made-up"}),
    "account_inactive": Row(EVERYONE),
    "account_logout": Row((GO, *(OK,) * 5), (GO,) * 6),
    "account_reset_password": Row(EVERYONE, EVERYONE),
    "account_reset_password_done": Row(EVERYONE),
    "account_reset_password_from_key": Row(
        EVERYONE, EVERYONE, lambda world: {"uidb36": "1", "key": "made-up"}
    ),
    "account_reset_password_from_key_done": Row(EVERYONE),
    "mfa_authenticate": Row(ALL_IN, ALL_IN),
    "mfa_login_webauthn": Row(ALL_IN, ALL_IN),
    # Security
    "account_set_password": Row(MEMBERS, MEMBERS),
    "account_change_password": Row(ALL_IN, ALL_IN),
    "account_email": Row(MEMBERS, ALL_IN),
    "account_reauthenticate": Row((LOGIN, *(NO,) * 5), (LOGIN, *(NO,) * 5)),
    "account_confirm_by_mail": Row(MEMBERS, MEMBERS),
    "mfa_reauthenticate": Row((LOGIN, *(NO,) * 5), (LOGIN, *(NO,) * 5)),
    "mfa_reauthenticate_webauthn": Row((LOGIN, *(NO,) * 5), (LOGIN, *(NO,) * 5)),
    "mfa_index": Row(MEMBERS),
    "mfa_activate_totp": Row(MEMBERS, MEMBERS),
    "mfa_deactivate_totp": Row(NOBODY, NOBODY),
    "mfa_view_recovery_codes": Row(NOBODY),
    "mfa_generate_recovery_codes": Row(MEMBERS, MEMBERS),
    "mfa_download_recovery_codes": Row(NOBODY),
    "mfa_list_webauthn": Row(MEMBERS),
    "mfa_add_webauthn": Row(MEMBERS, MEMBERS),
    "mfa_remove_webauthn": Row(NOBODY, NOBODY, lambda world: {"pk": 1}),
    "mfa_edit_webauthn": Row(NOBODY, NOBODY, lambda world: {"pk": 1}),
    # What everybody may see
    "accounts:people": Row(EVERYONE, POST_ONLY),
    "accounts:person": Row(
        EVERYONE, POST_ONLY, lambda world: {"handle": world.freelancer.party.profile.handle}
    ),
    "accounts:portfolio-image": Row(
        (MISSING,) * 6, POST_ONLY, lambda world: {"ref": world.sample.ref}
    ),
    "accounts:skill-index": Row(EVERYONE, POST_ONLY),
    "accounts:unsubscribe": Row(EVERYONE, EVERYONE, _sign_off),
    # One's own
    "accounts:profile": Row(MEMBERS, MEMBERS),
    "accounts:skills": Row(MEMBERS, MEMBERS),
    "accounts:samples": Row(MEMBERS, POST_ONLY),
    "accounts:add-sample": Row(MEMBERS, MEMBERS),
    "accounts:edit-sample": Row(
        (LOGIN, OK, MISSING, MISSING, MISSING, MISSING),
        None,
        lambda world: {"ref": world.sample.ref},
    ),
    "accounts:move-sample": Row(
        POST_ONLY,
        (LOGIN, GO, MISSING, MISSING, MISSING, MISSING),
        lambda world: {"ref": world.sample.ref},
    ),
    "accounts:remove-sample": Row(
        (LOGIN, OK, MISSING, MISSING, MISSING, MISSING),
        (LOGIN, GO, MISSING, MISSING, MISSING, MISSING),
        lambda world: {"ref": world.sample.ref},
    ),
    "accounts:settings": Row(MEMBERS, MEMBERS),
    "accounts:mail": Row(MEMBERS, MEMBERS),
    "accounts:switch-side": Row(POST_ONLY, ALL_IN),
    "accounts:notices": Row(MEMBERS, POST_ONLY),
    "accounts:read-notices": Row(POST_ONLY, ALL_IN),
    "accounts:open-notice": Row(
        POST_ONLY,
        (LOGIN, GO, MISSING, MISSING, MISSING, MISSING),
        lambda world: {"ref": world.notice.ref},
    ),
    # Companies
    "accounts:company": Row(MEMBERS),
    "accounts:new-company": Row(MEMBERS, MEMBERS),
    "accounts:hire-for": Row(POST_ONLY, NOBODY),
    "accounts:members": Row(MEMBERS, MEMBERS),
    "accounts:member": Row(OWN_COMPANY, None, lambda world: {"ref": world.client.ref}),
    "accounts:remove-member": Row(
        OWN_COMPANY,
        (LOGIN, MISSING, MISSING, GO, MISSING, MISSING),
        lambda world: {"ref": world.client.ref},
    ),
    "accounts:accept-invitation": Row(MEMBERS, (LOGIN, NO, GO, NO, NO, NO), _invitation),
    # API
    "api:me": Row(MEMBERS),
    "api:profile": Row(MEMBERS),
    "api:people": Row(EVERYONE),
    "api:person": Row(
        EVERYONE, None, lambda world: {"handle": world.freelancer.party.profile.handle}
    ),
    "api:skills": Row(EVERYONE),
    "api:skills-meant": Row(EVERYONE),
    "api:notices": Row(MEMBERS),
    "api:notices-read": Row((LOGIN, *(METHOD,) * 5), MEMBERS),
}

# --- payments -------------------------------------------------------------------------------

PAPER = (LOGIN, OK, MISSING, OK, MISSING, MISSING)  # who issued it and who got it
PAYER = (LOGIN, MISSING, MISSING, OK, MISSING, MISSING)
READ_API = (LOGIN, *(METHOD,) * 5)
EARNER = (LOGIN, OK, MISSING, MISSING, MISSING, MISSING)


def _paper(world):
    return {"ref": world.invoice.ref}


def _paid(world):
    return {"ref": world.funding.ref}


def _bank_link(world):
    return {"token": link_token(world.freelancer.party.payout_account.banks.get())}


def _earner(world):
    return {"ref": world.freelancer.party.ref}


def _earned_in(world):
    return {"ref": world.freelancer.party.ref, "period": f"{world.invoice.year}"}


ACCESS |= {
    "payments:earnings": Row(MEMBERS, POST_ONLY),
    "payments:payments": Row(MEMBERS, POST_ONLY),
    "payments:spending": Row(MEMBERS, POST_ONLY),
    "payments:spending-csv": Row(MEMBERS, POST_ONLY),
    "payments:stops": Row(MEMBERS, (LOGIN, *(MISSING,) * 5)),
    "payments:quote": Row(EVERYONE, POST_ONLY, query="?amount=600&side=hire"),
    "payments:invoices": Row(MEMBERS, POST_ONLY),
    "payments:ledgers": Row(ALL_IN, POST_ONLY),
    "payments:ledger": Row(EARNER, POST_ONLY, _earner),
    "payments:ledger-csv": Row(EARNER, POST_ONLY, _earner),
    "payments:ledger-json": Row(EARNER, POST_ONLY, _earner),
    "payments:statements": Row(EARNER, POST_ONLY, _earner),
    "payments:statement": Row(EARNER, POST_ONLY, _earned_in),
    "payments:statement-pdf": Row(EARNER, POST_ONLY, _earned_in),
    "payments:statement-csv": Row(EARNER, POST_ONLY, _earned_in),
    "payments:invoices-csv": Row(MEMBERS, POST_ONLY),
    "payments:tax": Row(EARNER, POST_ONLY, _earner),
    "payments:check-vat-id": Row(POST_ONLY, (LOGIN, GO, *(MISSING,) * 4), _earner),
    "payments:invoice": Row(PAPER, POST_ONLY, _paper),
    "payments:invoice-pdf": Row(PAPER, POST_ONLY, _paper),
    "payments:payouts": Row(MEMBERS, POST_ONLY),
    # Who has the link from the mail needs no account; reporting twice changes nothing.
    "payments:bank-report": Row(EVERYONE, (GO,) * 6, _bank_link),
    # Only the freelancer has an account at Stripe.
    "payments:pay-out": Row(POST_ONLY, (LOGIN, GO, *(MISSING,) * 4)),
    "payments:pay-out-at-once": Row(POST_ONLY, (LOGIN, GO, *(MISSING,) * 4)),
    "payments:payout-look": Row(POST_ONLY, (LOGIN, GO, *(MISSING,) * 4)),
    "payments:payout-schedule": Row(EARNER, (LOGIN, BAD, *(MISSING,) * 4)),
    # The freelancer has an account at Stripe already; the others have to name a country.
    "payments:payout-setup": Row(MEMBERS, (LOGIN, GO, BAD, BAD, BAD, BAD)),
    "payments:seller-details": Row(MEMBERS, (LOGIN, *(BAD,) * 5)),
    # Nobody's payouts wait.
    "payments:tax-appeal": Row(NOBODY, NOBODY),
    "payments:payout-refresh": Row(ALL_IN, POST_ONLY),
    "payments:payout-return": Row(ALL_IN, POST_ONLY),
    "payments:webhook": Row(POST_ONLY, (BAD,) * 6),
    "api:quote": Row(EVERYONE, POST_ONLY, query="?amount=600.00"),
    "api:fundings": Row(MEMBERS, READ_API),
    "api:funding": Row(PAYER, READ_API, _paid),
    "api:payouts": Row(MEMBERS, (LOGIN, BAD, BAD, BAD, BAD, BAD)),
    "api:spending": Row(MEMBERS, READ_API),
    "api:invoices": Row(MEMBERS, READ_API),
    "api:statements": Row(EARNER, READ_API, _earner),
    "api:statement": Row(EARNER, READ_API, _earned_in),
    "api:ledgers": Row(MEMBERS, READ_API),
    "api:ledger": Row(EARNER, READ_API, _earner),
    "api:ledger-csv": Row(EARNER, READ_API, _earner),
    "api:invoice": Row(PAPER, READ_API, _paper),
    "api:invoice-pdf": Row(PAPER, READ_API, _paper),
}

# --- projects: market -----------------------------------------------------------------------

# Pages of the client's own people, and what posting nothing to them answers.
HIRING = (LOGIN, MISSING, MISSING, OK, MISSING, MISSING)
HIRING_DONE = (LOGIN, MISSING, MISSING, GO, MISSING, MISSING)
HIRING_BAD = (LOGIN, MISSING, MISSING, BAD, MISSING, MISSING)
# Pages of a bid's freelancer.
BIDDER = (LOGIN, OK, MISSING, MISSING, MISSING, MISSING)
# Whoever may write a bid: everybody but the client's people.
BIDDERS = (OK, OK, OK, MISSING, OK, OK)
NO_GET_API = (LOGIN, *(METHOD,) * 5)


def _project(world: Any) -> dict[str, Any]:
    return {"slug": world.project.slug, "ref": world.project.ref}


def _draft_project(world: Any) -> dict[str, Any]:
    return {"slug": world.draft.slug, "ref": world.draft.ref}


def _bid(world: Any) -> dict[str, Any]:
    return {"ref": world.bid.ref}


def _bid_of_project(world: Any) -> dict[str, Any]:
    return _project(world) | {"bid": world.bid.ref}


def _project_ref(world: Any) -> dict[str, Any]:
    return {"ref": world.project.ref}


def _draft_ref(world: Any) -> dict[str, Any]:
    return {"ref": world.draft.ref}


ACCESS |= {
    "projects:list": Row(get=EVERYONE, post=POST_ONLY),
    "projects:post": Row(get=(GO,) * 6, post=POST_ONLY),
    "projects:post-draft": Row(get=POST_ONLY, post=EVERYONE),
    "projects:post-skills": Row(get=(GO,) * 6, post=POST_ONLY),
    "projects:post-done": Row(get=(LOGIN, *(GO,) * 5), post=POST_ONLY),
    "projects:post-step": Row(get=EVERYONE, post=(BAD,) * 6, kwargs=lambda world: {"step": 1}),
    "projects:mine": Row(get=MEMBERS, post=POST_ONLY),
    "projects:detail": Row(get=EVERYONE, post=POST_ONLY, kwargs=_project),
    # Who has bid already is sent on to their bid.
    "projects:bid": Row(
        get=(OK, GO, GO, MISSING, OK, OK), post=(BAD, GO, GO, MISSING, BAD, BAD), kwargs=_project
    ),
    "projects:bid-quote": Row(get=BIDDERS, post=POST_ONLY, kwargs=_project),
    "projects:bid-draft": Row(get=POST_ONLY, post=BIDDERS, kwargs=_project),
    "projects:manage": Row(get=HIRING, post=POST_ONLY, kwargs=_project),
    "projects:names": Row(
        get=POST_ONLY,
        post=(LOGIN, MISSING, MISSING, GO, MISSING, MISSING),
        kwargs=_project,
    ),
    "projects:compare": Row(get=HIRING, post=POST_ONLY, kwargs=_project),
    "projects:hire": Row(get=HIRING, post=HIRING_BAD, kwargs=_bid_of_project),
    "projects:edit": Row(get=HIRING, post=HIRING_BAD, kwargs=_project),
    "projects:close": Row(get=HIRING, post=HIRING_DONE, kwargs=_project),
    "projects:publish": Row(get=POST_ONLY, post=HIRING_DONE, kwargs=_draft_project),
    "projects:files": Row(get=HIRING, post=HIRING_BAD, kwargs=_project),
    "projects:remove-file": Row(
        get=POST_ONLY,
        post=HIRING_DONE,
        kwargs=lambda world: _project(world) | {"file": world.file.ref},
    ),
    "projects:bids": Row(get=MEMBERS, post=POST_ONLY),
    "projects:bid-detail": Row(
        get=(LOGIN, OK, MISSING, OK, MISSING, MISSING), post=POST_ONLY, kwargs=_bid
    ),
    "projects:edit-bid": Row(
        get=BIDDER, post=(LOGIN, BAD, MISSING, MISSING, MISSING, MISSING), kwargs=_bid
    ),
    "projects:withdraw-bid": Row(
        get=BIDDER, post=(LOGIN, GO, MISSING, MISSING, MISSING, MISSING), kwargs=_bid
    ),
    "projects:read-bid": Row(get=POST_ONLY, post=HIRING, kwargs=_bid),
    "projects:shortlist": Row(get=POST_ONLY, post=HIRING_DONE, kwargs=_bid),
    "projects:unshortlist": Row(get=POST_ONLY, post=HIRING_DONE, kwargs=_bid),
    "projects:decline": Row(get=HIRING, post=HIRING_BAD, kwargs=_bid),
    "projects:reconsider": Row(get=POST_ONLY, post=HIRING_DONE, kwargs=_bid),
    "projects:file": Row(
        get=(LOGIN, OK, MISSING, OK, MISSING, MISSING),
        post=POST_ONLY,
        kwargs=lambda world: {"ref": world.file.ref},
    ),
    "api:projects": Row(get=EVERYONE, post=(LOGIN, *(BAD,) * 5)),
    "api:project": Row(get=EVERYONE, post=NO_GET_API, kwargs=_project_ref),
    "api:publish": Row(get=NO_GET_API, post=HIRING, kwargs=_draft_ref),
    "api:close": Row(get=NO_GET_API, post=HIRING, kwargs=_project_ref),
    "api:project-bids": Row(
        get=HIRING, post=(LOGIN, BAD, BAD, MISSING, BAD, BAD), kwargs=_project_ref
    ),
    "api:bids": Row(get=MEMBERS, post=NO_GET_API),
    "api:bid": Row(get=(LOGIN, OK, MISSING, OK, MISSING, MISSING), post=NO_GET_API, kwargs=_bid),
    "api:withdraw-bid": Row(get=NO_GET_API, post=BIDDER, kwargs=_bid),
    "api:shortlist": Row(get=NO_GET_API, post=HIRING, kwargs=_bid),
    "api:unshortlist": Row(get=NO_GET_API, post=HIRING, kwargs=_bid),
    "api:reconsider": Row(get=NO_GET_API, post=HIRING_BAD, kwargs=_bid),
    "api:decline": Row(get=NO_GET_API, post=HIRING_BAD, kwargs=_bid),
    "api:hire": Row(get=NO_GET_API, post=HIRING_BAD, kwargs=_bid),
}

# --- projects: work -------------------------------------------------------------------------

SIDES = (LOGIN, OK, MISSING, OK, MISSING, MISSING)
CLIENT_ONLY = (LOGIN, NO, MISSING, OK, MISSING, MISSING)
FREELANCER_ONLY = (LOGIN, OK, MISSING, NO, MISSING, MISSING)
NOT_GET = (LOGIN, METHOD, METHOD, METHOD, METHOD, METHOD)
BAD_FOR_BOTH = (LOGIN, BAD, MISSING, BAD, MISSING, MISSING)
BAD_FOR_CLIENT = (LOGIN, NO, MISSING, BAD, MISSING, MISSING)
BAD_FOR_FREELANCER = (LOGIN, BAD, MISSING, NO, MISSING, MISSING)


def _contract(world: Any) -> dict[str, Any]:
    return {"ref": world.contract.ref}


def _ended(world: Any) -> dict[str, Any]:
    return {"ref": world.ended_contract.ref}


def _in_review(world: Any) -> dict[str, Any]:
    return {"ref": world.contract.ref, "n": 2}


def _planned(world: Any) -> dict[str, Any]:
    return {"ref": world.contract.ref, "n": 3}


def _proposal(world: Any) -> dict[str, Any]:
    return {"ref": world.contract.ref, "proposal": world.proposal.ref}


def _order(world: Any) -> dict[str, Any]:
    return {"ref": world.contract.ref, "order": world.order.ref}


def _dispute(world: Any) -> dict[str, Any]:
    return {"ref": world.dispute.ref}


ACCESS |= {
    "projects:contracts": Row(get=MEMBERS, post=POST_ONLY),
    "projects:contract": Row(get=SIDES, post=POST_ONLY, kwargs=_contract),
    "projects:contract-messages": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_contract),
    "projects:contract-read": Row(
        get=POST_ONLY, post=(LOGIN, GO, MISSING, GO, MISSING, MISSING), kwargs=_contract
    ),
    "projects:contract-files": Row(get=SIDES, post=POST_ONLY, kwargs=_contract),
    "projects:contract-payments": Row(get=SIDES, post=POST_ONLY, kwargs=_contract),
    "projects:contract-terms": Row(get=SIDES, post=POST_ONLY, kwargs=_contract),
    "projects:contract-end": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_contract),
    "projects:review": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_ended),
    "projects:review-reply": Row(
        get=POST_ONLY, post=(LOGIN, MISSING, MISSING, MISSING, MISSING, MISSING), kwargs=_ended
    ),
    "projects:keep": Row(
        get=POST_ONLY, post=SIDES, kwargs=lambda world: {**_contract(world), "kind": "message"}
    ),
    "projects:keep-of-milestone": Row(
        get=POST_ONLY, post=SIDES, kwargs=lambda world: {**_in_review(world), "kind": "deliver"}
    ),
    "projects:fund": Row(
        get=CLIENT_ONLY, post=(LOGIN, NO, MISSING, GO, MISSING, MISSING), kwargs=_planned
    ),
    "projects:fund-together": Row(
        get=CLIENT_ONLY, post=(LOGIN, NO, MISSING, GO, MISSING, MISSING), kwargs=_contract
    ),
    "projects:fund-return": Row(get=CLIENT_ONLY, post=POST_ONLY, kwargs=_planned),
    "projects:fund-confirm": Row(
        get=POST_ONLY, post=(LOGIN, NO, MISSING, GO, MISSING, MISSING), kwargs=_planned
    ),
    "projects:ask-to-fund": Row(
        get=POST_ONLY, post=(LOGIN, GO, MISSING, NO, MISSING, MISSING), kwargs=_planned
    ),
    "projects:deliver": Row(get=FREELANCER_ONLY, post=BAD_FOR_FREELANCER, kwargs=_in_review),
    "projects:changes": Row(get=CLIENT_ONLY, post=BAD_FOR_CLIENT, kwargs=_in_review),
    "projects:approve": Row(get=CLIENT_ONLY, post=BAD_FOR_CLIENT, kwargs=_in_review),
    "projects:call-off": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_in_review),
    "projects:answer-call-off": Row(
        get=POST_ONLY, post=(LOGIN, GO, MISSING, BAD, MISSING, MISSING), kwargs=_in_review
    ),
    "projects:extend": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_planned),
    "projects:release-part": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_in_review),
    "projects:return-part": Row(get=FREELANCER_ONLY, post=BAD_FOR_FREELANCER, kwargs=_planned),
    "projects:return-money": Row(get=FREELANCER_ONLY, post=BAD_FOR_FREELANCER, kwargs=_planned),
    "projects:dormant": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_in_review),
    "projects:give-back": Row(get=FREELANCER_ONLY, post=BAD_FOR_FREELANCER, kwargs=_planned),
    "projects:answer-proposal": Row(
        get=POST_ONLY, post=(LOGIN, GO, MISSING, GO, MISSING, MISSING), kwargs=_proposal
    ),
    "projects:offer-work": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_contract),
    "projects:extra-round": Row(get=CLIENT_ONLY, post=BAD_FOR_CLIENT, kwargs=_in_review),
    "projects:change-order": Row(get=SIDES, post=POST_ONLY, kwargs=_order),
    "projects:price-order": Row(get=POST_ONLY, post=BAD_FOR_BOTH, kwargs=_order),
    "projects:answer-order": Row(
        get=POST_ONLY, post=(LOGIN, GO, MISSING, GO, MISSING, MISSING), kwargs=_order
    ),
    "projects:bonus": Row(get=CLIENT_ONLY, post=BAD_FOR_CLIENT, kwargs=_contract),
    "projects:purchase-order": Row(
        get=CLIENT_ONLY, post=(LOGIN, NO, MISSING, GO, MISSING, MISSING), kwargs=_contract
    ),
    "projects:bonus-confirm": Row(
        get=POST_ONLY, post=(LOGIN, NO, MISSING, GO, MISSING, MISSING), kwargs=_contract
    ),
    "projects:dispute-new": Row(
        get=SIDES, post=BAD_FOR_BOTH, kwargs=lambda world: {**_in_review(world), "step": 1}
    ),
    "projects:split": Row(get=SIDES, post=POST_ONLY, kwargs=_in_review),
    "projects:dispute": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_dispute),
    "projects:settle": Row(
        get=(LOGIN, OK, MISSING, GO, MISSING, MISSING), post=BAD_FOR_BOTH, kwargs=_dispute
    ),
    "projects:withdraw-dispute": Row(
        get=(LOGIN, GO, MISSING, OK, MISSING, MISSING),
        post=(LOGIN, GO, MISSING, GO, MISSING, MISSING),
        kwargs=_dispute,
    ),
    "projects:messages": Row(get=MEMBERS, post=POST_ONLY),
    "projects:person-reviews": Row(
        get=EVERYONE, post=POST_ONLY, kwargs=lambda world: {"handle": world.profile.handle}
    ),
    "api:contracts": Row(get=MEMBERS),
    "api:contract": Row(get=SIDES, kwargs=_contract),
    "api:messages": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_contract),
    "api:review": Row(get=SIDES, post=BAD_FOR_BOTH, kwargs=_ended),
    "api:fund": Row(get=NOT_GET, post=CLIENT_ONLY, kwargs=_planned),
    "api:fund-together": Row(get=NOT_GET, post=CLIENT_ONLY, kwargs=_contract),
    "api:deliver": Row(get=NOT_GET, post=BAD_FOR_FREELANCER, kwargs=_in_review),
    "api:ask-changes": Row(get=NOT_GET, post=BAD_FOR_CLIENT, kwargs=_in_review),
    "api:approve": Row(get=NOT_GET, post=BAD_FOR_CLIENT, kwargs=_in_review),
    "api:call-off": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_in_review),
    "api:answer-call-off": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_in_review),
    "api:ask-to-end": Row(get=NOT_GET, post=BAD_FOR_CLIENT, kwargs=_contract),
    "api:extend": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_planned),
    "api:release-part": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_in_review),
    "api:return-part": Row(get=NOT_GET, post=BAD_FOR_FREELANCER, kwargs=_planned),
    "api:return-money": Row(get=NOT_GET, post=BAD_FOR_FREELANCER, kwargs=_planned),
    "api:dormant": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_in_review),
    "api:give-back": Row(get=NOT_GET, post=BAD_FOR_FREELANCER, kwargs=_planned),
    "api:answer-proposal": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_proposal),
    "api:offer-work": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_contract),
    "api:extra-round": Row(get=NOT_GET, post=BAD_FOR_CLIENT, kwargs=_in_review),
    "api:change-order": Row(get=SIDES, kwargs=_order),
    "api:price-order": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_order),
    "api:answer-order": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_order),
    "api:bonus": Row(get=NOT_GET, post=BAD_FOR_CLIENT, kwargs=_contract),
    "api:open-dispute": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_in_review),
    "api:dispute": Row(get=SIDES, kwargs=_dispute),
    "api:statements": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_dispute),
    "api:settle": Row(get=NOT_GET, post=BAD_FOR_BOTH, kwargs=_dispute),
    "api:withdraw": Row(
        get=NOT_GET, post=(LOGIN, NO, MISSING, OK, MISSING, MISSING), kwargs=_dispute
    ),
}

# --- matching -------------------------------------------------------------------------------

ACCESS |= {
    "matching:for-you": Row(get=MEMBERS, post=POST_ONLY),
    "matching:project-people": Row(
        get=(LOGIN, MISSING, MISSING, OK, MISSING, MISSING),
        post=POST_ONLY,
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "matching:project-reasons": Row(
        get=(LOGIN, OK, OK, MISSING, OK, OK),
        post=POST_ONLY,
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "matching:open-person": Row(
        get=(LOGIN, MISSING, MISSING, GO, MISSING, MISSING),
        post=POST_ONLY,
        kwargs=lambda world: {
            "slug": world.project.slug,
            "ref": world.project.ref,
            "person": world.profile.party.ref,
        },
    ),
    "matching:why-not": Row(
        get=(LOGIN, OK, OK, MISSING, OK, OK),
        post=(LOGIN, GO, BAD, MISSING, BAD, BAD),
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "matching:appeal-against": Row(
        get=(LOGIN, GO, OK, OK, OK, OK),
        post=(LOGIN, *(BAD,) * 5),
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "matching:appeal": Row(
        get=(LOGIN, OK, MISSING, MISSING, MISSING, MISSING),
        post=POST_ONLY,
        kwargs=lambda world: {"ref": world.match_appeal.ref},
    ),
    "matching:settings": Row(get=MEMBERS, post=(LOGIN, *(BAD,) * 5)),
    "matching:forget": Row(get=MEMBERS, post=(LOGIN, *(GO,) * 5)),
    "matching:project-skills": Row(get=(GO,) * 6, post=(GO,) * 6),
    "matching:profile-skills": Row(get=MEMBERS, post=ALL_IN),
    "matching:draft-price": Row(get=EVERYONE, post=POST_ONLY),
    "matching:project-price": Row(
        get=EVERYONE,
        post=POST_ONLY,
        kwargs=lambda world: {"slug": world.project.slug, "ref": world.project.ref},
    ),
    "matching:contract-outlook": Row(
        get=(LOGIN, OK, MISSING, OK, MISSING, MISSING),
        post=POST_ONLY,
        kwargs=lambda world: {"ref": world.contract.ref},
    ),
    "matching:market": Row(get=EVERYONE, post=POST_ONLY),
    "matching:market-csv": Row(get=EVERYONE, post=POST_ONLY),
    "matching:market-skill": Row(
        get=EVERYONE, post=POST_ONLY, kwargs=lambda world: {"slug": world.skill.slug}
    ),
    "matching:market-skill-csv": Row(
        get=EVERYONE, post=POST_ONLY, kwargs=lambda world: {"slug": world.skill.slug}
    ),
    "matching:skill-gaps": Row(get=MEMBERS, post=ALL_IN),
    "api:price-range": Row(get=MEMBERS, query="?skill=Django"),
    "api:project-price-range": Row(get=EVERYONE, kwargs=lambda world: {"ref": world.project.ref}),
    "api:contract-outlook": Row(
        get=(LOGIN, OK, MISSING, OK, MISSING, MISSING),
        kwargs=lambda world: {"ref": world.contract.ref},
    ),
    "api:market": Row(get=EVERYONE),
    "api:market-skill": Row(get=EVERYONE, kwargs=lambda world: {"slug": world.skill.slug}),
    "api:skill-gaps": Row(get=MEMBERS),
    "api:dismiss-skill": Row(
        get=NOT_GET, post=MEMBERS, kwargs=lambda world: {"slug": world.skill.slug}
    ),
    "api:restore-skill": Row(
        get=NOT_GET, post=MEMBERS, kwargs=lambda world: {"slug": world.skill.slug}
    ),
    "api:skills-suggested": Row(get=NOT_GET, post=(LOGIN, *(BAD,) * 5)),
    "api:matches": Row(get=MEMBERS),
    "api:match-wishes": Row(get=MEMBERS, post=(LOGIN, *(BAD,) * 5)),
    "api:why-not": Row(
        get=(LOGIN, OK, OK, MISSING, OK, OK),
        post=(LOGIN, OK, BAD, MISSING, BAD, BAD),
        kwargs=lambda world: {"ref": world.project.ref},
    ),
    "api:match-appeals": Row(
        get=NOT_GET,
        post=(LOGIN, *(BAD,) * 5),
        kwargs=lambda world: {"ref": world.project.ref},
    ),
    "api:match-appeal": Row(
        get=(LOGIN, OK, MISSING, MISSING, MISSING, MISSING),
        kwargs=lambda world: {"ref": world.match_appeal.ref},
    ),
    "api:project-matches": Row(
        get=(LOGIN, MISSING, MISSING, OK, MISSING, MISSING),
        kwargs=lambda world: {"ref": world.project.ref},
    ),
}
