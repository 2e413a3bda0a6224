"""Payees set up their accounts on the sandbox's pages."""

import pytest

from payments import gateway

REFRESH_URL, RETURN_URL = "http://127.0.0.1:8000/refresh/", "http://127.0.0.1:8000/payouts/"


@pytest.fixture(params=["v1", "v2"])
def account(request, settings, stripe_sandbox) -> gateway.Account:
    """Opened by either of Stripe's APIs: from then on there is no difference."""
    settings.STRIPE_ACCOUNTS_API = request.param
    return gateway.create_account(
        key="account-1", email="payee@example.org", country="PL", reference="party-1"
    )


@pytest.fixture
def link(account) -> str:
    return gateway.account_link(account.id, refresh_url=REFRESH_URL, return_url=RETURN_URL)


def test_a_new_account_can_receive_nothing_and_says_what_is_missing(account):
    assert not account.transfers_active
    assert not account.payouts_enabled
    assert not account.details_submitted
    assert "external_account" in account.requirements
    assert account.country == "PL"


def test_completing_the_set_up_lets_money_arrive(stripe_sandbox, account, link):
    visit = stripe_sandbox.open(link).headers["Location"]
    assert "Set up payouts" in stripe_sandbox.open(visit).text

    answer = stripe_sandbox.submit(visit, outcome="complete")

    assert (answer.status_code, answer.headers["Location"]) == (303, RETURN_URL)
    ready = gateway.retrieve_account(account.id)
    assert ready.transfers_active
    assert ready.payouts_enabled
    assert ready.requirements == []
    told = stripe_sandbox.drain()[-1].event
    assert (told["type"], told["account"]) == ("account.updated", account.id)


def test_coming_back_does_not_mean_that_all_is_answered(stripe_sandbox, account, link):
    visit = stripe_sandbox.open(link).headers["Location"]

    answer = stripe_sandbox.submit(visit, outcome="later")

    assert answer.headers["Location"] == RETURN_URL
    unfinished = gateway.retrieve_account(account.id)
    assert not unfinished.transfers_active
    assert "individual.first_name" not in unfinished.requirements
    assert "external_account" in unfinished.requirements


def test_a_link_works_once(stripe_sandbox, link):
    stripe_sandbox.open(link)

    assert stripe_sandbox.open(link).headers["Location"] == REFRESH_URL


def test_a_link_works_for_five_minutes(stripe_sandbox, link):
    stripe_sandbox.move_clock(5 * 60 + 1)

    assert stripe_sandbox.open(link).headers["Location"] == REFRESH_URL


def test_leaving_a_finished_account_unfinished_changes_nothing(stripe_sandbox, account, link):
    stripe_sandbox.complete_onboarding(account.id)
    visit = stripe_sandbox.open(link).headers["Location"]

    stripe_sandbox.submit(visit, outcome="later")

    assert gateway.retrieve_account(account.id).transfers_active


def test_a_restricted_account_says_why(stripe_sandbox, account):
    stripe_sandbox.complete_onboarding(account.id)
    stripe_sandbox.restrict(account.id)

    restricted = gateway.retrieve_account(account.id)

    assert not restricted.transfers_active
    assert restricted.requirements == ["individual.verification.document"]
    assert restricted.disabled_reason == "requirements.past_due"


def test_an_unknown_country_is_refused(stripe_sandbox):
    with pytest.raises(gateway.Refused) as refused:
        gateway.create_account(key="a", email="a@example.org", country="XX", reference="r")

    assert refused.value.code == "country_unsupported"


def test_a_guessed_visit_leads_nowhere(stripe_sandbox, account):
    assert stripe_sandbox.open(f"/connect/visit/{account.id}/guess").status_code == 404
    assert stripe_sandbox.submit(f"/connect/visit/{account.id}/guess").status_code == 404
    assert stripe_sandbox.open("/connect/setup/acct_nobody/guess").status_code == 404


def test_the_setting_says_which_api_opens_and_leads(stripe_sandbox, account, link, settings):
    asked = [r["path"] for r in stripe_sandbox.requests if r["method"] == "POST"]
    v1 = ["/v1/accounts", "/v1/account_links"]
    v2 = ["/v2/core/accounts", "/v2/core/account_links"]
    assert asked == (v1 if settings.STRIPE_ACCOUNTS_API == "v1" else v2)


def test_by_v2_as_by_v1_the_same_key_opens_one_account(account):
    again = gateway.create_account(
        key="account-1", email="payee@example.org", country="PL", reference="party-1"
    )
    assert again.id == account.id


def test_v2_answers_as_its_types_say(stripe_sandbox, settings):
    settings.STRIPE_ACCOUNTS_API = "v2"
    opened = gateway.create_account(key="k", email="a@example.org", country="DE", reference="r")
    shown = gateway.client().v2.core.accounts.retrieve(opened.id)
    assert (shown.contact_email, shown.dashboard) == ("a@example.org", "express")
    assert list(shown.applied_configurations) == ["recipient"]
    assert stripe_sandbox.misfits == []
