"""Staff see all of money and can press only what a service allows."""

import pytest
from django.urls import reverse

from marketplace.core.models import AuditRow, OutboxMessage
from payments.models import Account, Journal, PayoutAccount, PlatformPolicy, Transfer
from payments.services import holds, policies
from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = [
    "account", "bankdetails", "break", "chargeback", "fraudwarning", "funding", "hold",
    "invoice", "journal", "payout", "payoutaccount", "payoutalert", "platformpolicy",
    "purchaseorder", "refund", "reversal", "sellerdetails", "stripeevent", "transfer",
    "transferreversal", "vatcheck", "vatrate",
]  # fmt: skip


@pytest.fixture
def staff(client):
    client.force_login(StaffFactory(), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def released(market):
    market.refill()
    back = market.held()
    holds.refund(back, by=market.client, basis="settlement")
    hold = market.held()
    holds.release(hold, by=market.client, basis="approval")
    return hold


def test_every_list_opens_and_nothing_can_be_edited(staff, released, market):
    market.connect()
    for model in MODELS:
        page = staff.get(reverse(f"admin:payments_{model}_changelist"))
        assert page.status_code == 200, model
        assert page.context["cl"].model_admin.has_change_permission(page.wsgi_request) is False
    journal = Journal.objects.first()
    page = staff.get(reverse("admin:payments_journal_change", args=[journal.pk]))
    assert "stripe_balance" in page.content.decode()
    account = Account.objects.first()
    url = reverse("admin:payments_account_change", args=[account.pk])
    assert staff.post(url, {"floor": "-5"}).status_code == 403


def test_new_rules_are_added_and_hold_from_their_day_on(staff):
    old = policies.current()
    fields = {
        field.name: getattr(old, field.name)
        for field in PlatformPolicy._meta.fields
        if field.editable and field.name not in {"id", "starts_at"}
    }
    answer = staff.post(
        reverse("admin:payments_platformpolicy_add"),
        fields | {"starts_at_0": "2030-01-01", "starts_at_1": "00:00", "client_fee_bps": 500},
    )
    assert answer.status_code == 302
    assert policies.current() == old
    new = PlatformPolicy.objects.latest("id")
    assert policies.current(new.starts_at).client_fee_bps == 500
    assert new.set_by.is_superuser
    assert AuditRow.objects.filter(action="policy.announced", subject_id=new.pk).exists()
    page = staff.get(reverse("admin:payments_platformpolicy_changelist")).content.decode()
    assert str(new.set_by) in page

    past = fields | {"starts_at_0": "2021-01-01", "starts_at_1": "00:00"}
    refused = staff.post(reverse("admin:payments_platformpolicy_add"), past)
    assert "cannot start in the past" in refused.content.decode()
    assert PlatformPolicy.objects.count() == 2


def test_a_failed_transfer_is_sent_again(staff, market):
    account = market.connect()
    hold = market.held()
    PayoutAccount.objects.update(stripe_id="acct_gone")
    holds.release(hold, by=market.client, basis="approval")
    PayoutAccount.objects.update(stripe_id=account.stripe_id)
    transfer = Transfer.objects.get(status="failed")
    url = reverse("admin:payments_transfer_changelist")
    staff.post(url, {"action": "retry", "_selected_action": [transfer.pk]})
    transfer.refresh_from_db()
    assert transfer.status == "sent"


def test_a_parked_command_is_tried_again(staff, released):
    OutboxMessage.objects.filter(topic="stripe").update(state="parked", done_at=None)
    url = reverse("admin:core_outboxmessage_changelist")
    staff.post(
        url,
        {
            "action": "retry",
            "_selected_action": list(OutboxMessage.objects.values_list("pk", flat=True)),
        },
    )
    assert not OutboxMessage.objects.filter(state="parked").exists()
