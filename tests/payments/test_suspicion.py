"""One person on both sides is looked for when money comes, when a bank changes and at hire (S1)."""

import datetime as dt

import pytest

from accounts.models import Membership
from marketplace.core import clock
from marketplace.core.errors import InvalidTransition
from marketplace.core.models import AuditRow
from payments.models import BankDetails, FraudWarning, Funding, PayoutAccount, Transfer
from payments.services import due, holds, payouts, suspicion, transfers, warnings
from tests.factories import StaffFactory
from tests.stripe_sandbox import GOOD_BANK, OTHER_BANK

pytestmark = pytest.mark.django_db(transaction=True)

REASON = "They are two partners, I have seen both of them."


def bank_of(party, fingerprint, stripe_id="ba_theirs"):
    """The party is paid to a bank account, too."""
    account = PayoutAccount.objects.create(party=party, stripe_id=f"acct_{party.ref}")
    return BankDetails.objects.create(
        account=account, stripe_id=stripe_id, currency="EUR", fingerprint=fingerprint
    )


def test_o10_a_bank_that_is_the_client_s_too_keeps_back_what_is_still_here(market, client):
    account = market.connect()
    hold = market.held("100.00")
    # The number both will have, by the only thing Stripe tells of it.
    market.stripe.change_bank(account.stripe_id, OTHER_BANK)
    payouts.refresh(account)
    number = BankDetails.objects.get(replaced_at=None).fingerprint
    assert not FraudWarning.objects.exists()
    bank_of(market.client.party, number)

    market.stripe.change_bank(account.stripe_id, GOOD_BANK)
    payouts.refresh(account)
    assert not FraudWarning.objects.exists()
    market.stripe.change_bank(account.stripe_id, OTHER_BANK)
    payouts.refresh(account)

    warning = FraudWarning.objects.get()
    assert (warning.fraud_type, warning.ours) == ("same_bank", True)
    holds.release(hold, by=market.client, basis="approval")
    with clock.moved_to(clock.now() + dt.timedelta(days=90)):
        due.run()
    assert Transfer.objects.get().status == "waiting"

    warnings.lift(warning, by=StaffFactory(), reason=REASON)
    with clock.moved_to(clock.now() + dt.timedelta(days=90)):
        due.run()
    assert Transfer.objects.get().status == "sent"


def test_o10_what_waits_for_an_account_is_not_sent_to_a_bank_of_the_client(market, client):
    hold = market.held("100.00")
    holds.release(hold, by=market.client, basis="approval")
    assert Transfer.objects.get().status == "blocked"
    Membership.objects.create(party=market.client.party, user=market.freelancer)
    market.connect()
    due.run()
    assert FraudWarning.objects.get().fraud_type == "same_person"
    assert Transfer.objects.get().status == "blocked"
    # Nor by hand, before somebody with the right has lifted the warning for a reason.
    with pytest.raises(InvalidTransition, match="has to be lifted first"):
        transfers.retry(Transfer.objects.get(), by=StaffFactory())


def test_a_lifted_warning_answers_for_its_own_reason_only(market):
    market.held("100.00")
    funding = Funding.objects.get()
    suspicion._keep(funding, suspicion.SAME_CARD)
    first = FraudWarning.objects.get()
    suspicion._keep(funding, suspicion.SAME_BANK)
    assert FraudWarning.objects.count() == 1
    warnings.lift(first, by=StaffFactory(), reason=REASON)
    suspicion._keep(funding, suspicion.SAME_CARD)
    assert FraudWarning.objects.count() == 1
    suspicion._keep(funding, suspicion.SAME_BANK)
    assert FraudWarning.objects.filter(status="open").get().fraud_type == "same_bank"


def test_o10_staff_hear_of_a_hire_between_two_who_look_like_one(market):
    staff = StaffFactory()
    asked = {"subject": market.freelancer.party, "url": "/admin/", "by": market.client}
    suspicion.look_at_hire(market.client.party, market.freelancer.party, **asked)
    assert not staff.notices.exists()
    bank_of(market.client.party, "same")
    bank_of(market.freelancer.party, "same", "ba_mine")
    suspicion.look_at_hire(market.client.party, market.freelancer.party, **asked)
    assert staff.notices.get(kind="hire_suspected").facts == {"reason": "same_bank"}
    assert AuditRow.objects.get(action="hire.suspected").facts["fraud_type"] == "same_bank"
