"""The pages of money: true sums, no strangers, few queries."""

import pytest
from django.urls import reverse

from payments import ledger
from payments.models import Hold, Invoice, Journal, PayoutAccount
from payments.services import holds
from tests.factories import UserFactory
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_freelancer(client, market):
    client.force_login(market.freelancer, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def as_client(client, market):
    client.force_login(market.client, "django.contrib.auth.backends.ModelBackend")
    return client


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


def test_the_fees_on_a_price_are_those_that_will_be_charged(client):
    page = text_of(client.get(reverse("payments:quote"), {"amount": "1,200.50", "side": "hire"}))
    for amount in ("€1,200.50", "€36.02", "€1,236.52"):
        assert amount in page
    part = text_of(
        client.get(
            reverse("payments:quote"),
            {"amount": "1200.50", "side": "work"},
            headers={"HX-Request": "true"},
        )
    )
    assert "<html" not in part
    assert "€1,104.46" in part


@pytest.mark.parametrize("amount", ["", "x", "-5", "0", "NaN", "1e9", "12.345", "9" * 20])
def test_s3_a_quote_of_nonsense_says_how_to_write_an_amount(client, amount):
    response = client.get(reverse("payments:quote"), {"amount": amount})
    assert "sums" not in text_of(response)


def test_earnings_say_what_is_held_on_its_way_and_paid(as_freelancer, market):
    market.held("100.00")
    waiting = market.held("200.00")
    holds.release(waiting, by=market.client, basis="approval")
    page = text_of(as_freelancer.get(reverse("payments:earnings")))
    assert "€92.00" in page  # held, less the fee
    assert "€184.00 waits for your payout details" in page
    assert page.count("In your bank in 2 to 5 days") == 1
    assert "€0.00" in page  # nothing is on its way before Stripe knows where to

    market.connect()
    page = text_of(as_freelancer.get(reverse("payments:earnings")))
    assert "waits for your payout details" not in page
    assert "Paid out, last 12 months" in page


def test_payments_show_one_bar_that_sums_to_what_was_agreed(as_client, market):
    market.refill()
    market.held("100.00")
    back = market.held("200.00")
    holds.refund(back, by=market.client, basis="settlement")
    page = text_of(as_client.get(reverse("payments:payments")))
    assert "Of €300.00: €100.00 held, €200.00 returned to the client" in page
    assert "€206.00" in page


def test_lists_are_paged_by_cursor_without_losing_or_repeating_a_row(as_client, market):
    for _number in range(22):
        ref = market.open().ref
        Hold.objects.filter(ref=ref).update(status="held", held_at="2026-01-01T00:00Z", label=ref)
    seen, url = [], reverse("payments:payments")
    while url:
        response = as_client.get(url)
        seen += [row.hold.ref for row in response.context["rows"]]
        url = response.context["next_url"]
    assert len(seen) == len(set(seen)) == 22


def test_pages_cost_the_same_few_queries_however_long_the_list(
    as_client, market, django_assert_max_num_queries
):
    for count in (1, 10):
        for _number in range(count):
            hold = market.held("100.00")
            holds.release(hold, by=market.client, basis="approval")
        for name in ("payments", "earnings", "invoices"):
            with django_assert_max_num_queries(8):
                text_of(as_client.get(reverse(f"payments:{name}")))


def test_I5_an_invoice_is_rendered_to_the_same_bytes_each_time(as_freelancer, market):
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    receipt = Invoice.objects.get(kind="work")
    url = reverse("payments:invoice-pdf", args=[receipt.ref])
    first, second = as_freelancer.get(url), as_freelancer.get(url)
    assert first.content == second.content
    assert first.content.startswith(b"%PDF-")
    assert first["Content-Disposition"] == f'attachment; filename="{receipt.number}.pdf"'
    page = text_of(as_freelancer.get(reverse("payments:invoice", args=[receipt.ref])))
    assert "Receipt for work" in page
    assert "€600.00" in page


def test_I5_a_name_without_a_glyph_is_an_error_and_never_a_box(as_freelancer, market):
    party = market.freelancer.party
    party.legal_name = "株式会社"
    party.save()
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    receipt = Invoice.objects.get(kind="work")
    response = as_freelancer.get(reverse("payments:invoice-pdf", args=[receipt.ref]), follow=True)
    assert "cannot be set in our fonts" in text_of(response)


def test_nobody_else_reads_an_invoice_or_sees_that_there_is_one(as_client, market):
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    for invoice in Invoice.objects.all():
        expected = 200 if market.client.party in (invoice.seller, invoice.buyer) else 404
        url = reverse("payments:invoice", args=[invoice.ref])
        assert as_client.get(url).status_code == expected
        as_client.force_login(UserFactory(), "django.contrib.auth.backends.ModelBackend")
        assert as_client.get(url).status_code == 404
        as_client.force_login(market.client, "django.contrib.auth.backends.ModelBackend")


def test_a_freelancer_sets_up_payouts_and_comes_back(as_freelancer, market):
    url = reverse("payments:payout-setup")
    assert "Continue to Stripe" in text_of(as_freelancer.get(url))
    assert as_freelancer.post(url, {"country": ""}).status_code == 422
    away = as_freelancer.post(url, {"country": "DE"})
    assert away.status_code == 303
    assert away["Location"].startswith(market.stripe.base_url)

    account = PayoutAccount.objects.get()
    assert "Stripe needs a little more" in text_of(as_freelancer.get(url))
    again = as_freelancer.get(reverse("payments:payout-refresh"))
    assert again["Location"] not in {away["Location"], url}

    market.stripe.complete_onboarding(account.stripe_id)
    back = as_freelancer.get(reverse("payments:payout-return"), follow=True)
    assert "You can be paid" in text_of(back)


def test_s4_no_get_moves_money(as_client, market):
    hold = market.held("100.00")
    before = Journal.objects.count()
    for name in ("payments", "earnings", "invoices", "payout-setup", "payout-return", "quote"):
        as_client.get(reverse(f"payments:{name}"))
    assert Journal.objects.count() == before
    assert ledger.balance(ledger.held(hold), "EUR") == eur("100.00")


# --- API ------------------------------------------------------------------------------------


def test_the_api_quotes_in_canonical_amounts(client):
    answer = client.get("/api/v1/quote/", {"amount": "1200.50", "currency": "EUR"})
    assert answer.json()["client_pays"] == "1236.52"
    assert answer.json()["freelancer_gets"] == "1104.46"
    for amount in ("1,200.50", "12.345", "-1", "NaN", ""):
        refused = client.get("/api/v1/quote/", {"amount": amount})
        assert refused.status_code == 400
        assert "amount" in refused.json()["errors"]


def test_the_api_lists_fundings_and_invoices_of_the_caller_alone(as_client, market):
    hold = market.held("600.00")
    holds.release(hold, by=market.client, basis="approval")
    fundings = as_client.get("/api/v1/fundings/").json()["results"]
    assert [(one["status"], one["amount"]) for one in fundings] == [("paid", "618.00")]
    kinds = {one["kind"] for one in as_client.get("/api/v1/invoices/").json()["results"]}
    assert kinds == {"work", "client_fee"}
