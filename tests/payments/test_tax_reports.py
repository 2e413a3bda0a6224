"""What tax offices are told: counted from the ledger's own holds, kept sealed, exported by name."""

import csv
import datetime as dt
import io
import json

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import Party, User
from marketplace.core.errors import InvalidInput
from marketplace.core.models import AuditRow
from marketplace.core.money import Money
from payments.models import Hold, SellerDetails
from payments.models.sellers import Details
from payments.selectors import tax_reports
from payments.services import givebacks, holds, sellers, tax_exports
from tests.factories import StaffFactory, UserFactory
from tests.payments.tax import prove, settle_in
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)

FEBRUARY, MAY = (dt.datetime(2026, month, 10, tzinfo=dt.UTC) for month in (2, 5))


def tell(user, **changes):
    told = {
        "legal_name": "Ines Carvalho",
        "address": "Rua do Sol 7\n1200-001 Lisboa",
        "country": "PT",
        "tax_country": "PT",
        "details": Details(tax_number="123456789", birth_date="1990-04-01"),
    }
    return sellers.save(user.party, by=user, **(told | changes))


def earn(market, amount, at):
    with time_machine.travel(at, tick=False):
        hold = market.open(amount)
        market.fund(hold)
        holds.release(hold, by=market.client, basis="approval")


@pytest.fixture
def year(market):
    """Two payments in the first quarter, one in the second."""
    tell(market.freelancer)
    for amount, at in (("600.00", FEBRUARY), ("100.00", FEBRUARY), ("50.00", MAY)):
        earn(market, amount, at)
    return market


def test_each_quarter_tells_consideration_fees_and_payments(year):
    (seller,) = tax_reports.sellers(tax_reports.DAC7, 2026)

    assert [(part.gross, part.fees, part.payments) for part in seller.quarters] == [
        (700_00, 56_00, 2),
        (50_00, 4_00, 1),
        (0, 0, 0),
        (0, 0, 0),
    ]
    assert seller.details.tax_number == "123456789"
    assert seller.missing == ["account"]
    assert tax_reports.sellers(tax_reports.DAC7, 2025) == []
    assert tax_reports.sellers(tax_reports.US_1099, 2026) == []


def test_what_nobody_told_is_named_as_missing(market):
    Party.objects.filter(pk=market.freelancer.party.pk).update(country="PT", address="")
    earn(market, "10.00", FEBRUARY)

    (seller,) = tax_reports.sellers(tax_reports.DAC7, 2026)

    assert seller.missing == ["address", "tax_number", "birth_date", "account"]


@pytest.mark.parametrize(
    ("gross", "payments", "forms"),
    [
        (1_999_99, 1, []),
        (2_000_00, 1, ["1099-NEC"]),
        (20_000_00, 201, ["1099-NEC"]),
        (20_000_01, 200, ["1099-NEC"]),
        (20_000_01, 201, ["1099-K", "1099-NEC"]),
    ],
)
def test_american_forms_are_due_above_the_limits_of_their_law(gross, payments, forms):
    seller = tax_reports.Seller(Party(), "USD", "US", Details(), "acct_1")
    seller.months[3] = tax_reports.Part(gross, 0, payments)

    assert tax_reports.forms_due(seller, 2026) == forms


def test_before_2026_work_was_told_from_600_dollars_on():
    seller = tax_reports.Seller(Party(), "USD", "US", Details(), "acct_1")
    seller.months[0] = tax_reports.Part(600_00, 0, 1)

    assert tax_reports.forms_due(seller, 2025) == ["1099-NEC"]
    assert tax_reports.forms_due(seller, 2026) == []


def test_the_number_rests_sealed_and_the_log_says_only_that_it_was_told(market):
    saved = tell(market.freelancer)

    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM payments_sellerdetails")
        (resting,) = cursor.fetchone()
    assert "123456789" not in resting
    assert "1990" not in resting
    row = AuditRow.objects.get(action="seller_details.saved")
    assert row.facts == {"tax_country": "PT", "told": ["birth_date", "tax_number"]}
    with pytest.raises(IntegrityError), transaction.atomic():
        SellerDetails.objects.filter(pk=saved.pk).update(sealed="123456789")


def test_saying_it_again_replaces_it(market):
    tell(market.freelancer)
    saved = tell(market.freelancer, details=Details(birth_place="Faro", birth_date="1990-04-01"))

    assert SellerDetails.objects.get() == saved
    assert SellerDetails.objects.get().details.birth_place == "Faro"
    assert market.freelancer.party.__class__.objects.get(pk=saved.party_id).legal_name == (
        "Ines Carvalho"
    )


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (Details(birth_date="1990-04-01"), "tax_number"),
        (Details(tax_number="1", birth_date="1899-12-31"), "birth_date"),
        (Details(tax_number="1", birth_date="2999-01-01"), "birth_date"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(market, details, field):
    with pytest.raises(InvalidInput) as refused:
        tell(market.freelancer, details=details)

    assert refused.value.field == field
    assert not SellerDetails.objects.exists()


def test_a_proven_vat_id_does_not_move_to_another_country_with_the_tax_details(market, client):
    user = market.freelancer
    settle_in(user.party, "DE", "DE123456789")
    prove(user.party)

    with pytest.raises(InvalidInput) as refused:
        tell(user, country="FR")
    user.party.refresh_from_db()
    tell(user, country="DE")

    assert refused.value.field == "country"
    assert (user.party.country, user.party.vat_id) == ("DE", "DE123456789")
    row = AuditRow.objects.get(action="party.details_changed")
    assert row.facts == {"fields": ["legal_name", "address"]}


def test_the_files_say_what_programs_need(year):
    staff = StaffFactory()

    rows = list(csv.DictReader(io.StringIO(tax_exports.csv_report("dac7", 2026, by=staff))))
    made = json.loads(tax_exports.json_report("dac7", 2026, by=staff))

    assert [(row["period"], row["consideration"], row["fees"]) for row in rows] == [
        ("Q1", "644.00", "56.00"),
        ("Q2", "46.00", "4.00"),
        ("Q3", "0.00", "0.00"),
        ("Q4", "0.00", "0.00"),
    ]
    assert rows[0]["address"] == "Rua do Sol 7, 1200-001 Lisboa"
    assert made["sellers"][0]["periods"][0]["payments"] == 2
    assert AuditRow.objects.filter(action="tax_report.exported", actor_id=staff.pk).count() == 2


def test_the_american_report_is_gross_and_by_month(market):
    tell(market.freelancer, country="US", tax_country="US")
    earn(market, Money(3_000_00, "USD"), MAY)

    (row,) = json.loads(tax_exports.json_report("us-1099", 2026, by=StaffFactory()))["sellers"]

    assert row["forms"] == ["1099-NEC"]
    assert row["periods"][4] == {
        "period": "M5",
        "consideration": "3000.00",
        "fees": "240.00",
        "payments": 1,
    }


def test_a_payee_tells_it_on_a_page_and_sees_mistakes_beside_the_field(client):
    user = UserFactory()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    url = reverse("payments:seller-details")
    told = {
        "legal_name": "Ines Carvalho",
        "address": "Rua do Sol 7",
        "country": "PT",
        "tax_country": "PT",
        "birth_date": "1990-04-01",
    }

    refused = client.post(url, told)
    saved = client.post(url, told | {"tax_number": "123 456 789"}, follow=True)

    assert refused.status_code == 422
    assert "Enter your tax number, or your place of birth" in refused.content.decode()
    assert "Your tax details are saved." in saved.content.decode()
    # What it says of the number is its end.
    assert "123 456" not in saved.content.decode()
    assert "We have one that ends in 789. Leave this empty to keep it." in saved.content.decode()

    client.post(url, told | {"birth_place": "Faro"})
    kept = SellerDetails.objects.get().details
    assert (kept.tax_number, kept.birth_place) == ("123 456 789", "Faro")


def test_a_tax_number_does_not_become_one_of_another_country(market):
    tell(market.freelancer)
    with pytest.raises(InvalidInput, match="Enter your tax number"):
        tell(market.freelancer, tax_country="ES", details=Details(birth_date="1990-04-01"))


def test_staff_see_the_report_with_what_is_missing_and_download_it(client, year):
    staff = StaffFactory()
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:payments_sellerdetails_reports")

    page = client.get(url, {"kind": "dac7", "year": "2026"}).content.decode()
    nonsense = client.get(url, {"kind": "dac7", "year": "x"})
    file = client.post(url, {"kind": "dac7", "year": "2026", "csv": "1"})

    assert "Ines Carvalho" in page
    assert "€750.00" in page
    assert nonsense.status_code == 422
    assert file["Content-Disposition"] == 'attachment; filename="dac7-2026.csv"'
    assert b"644.00" in file.content


def test_staff_without_the_permission_get_neither(client, db):
    staff = UserFactory()
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")

    assert client.get(reverse("admin:payments_sellerdetails_reports")).status_code == 403


def test_what_was_given_back_is_no_consideration(year):
    hold = Hold.objects.earliest("pk")
    with time_machine.travel(MAY, tick=False):
        givebacks.give_back(hold, by=year.freelancer, amount=eur("600.00"))

    (seller,) = tax_reports.sellers(tax_reports.DAC7, 2026)

    assert [(part.gross, part.fees) for part in seller.quarters[:2]] == [
        (700_00, 56_00),
        (-550_00, -44_00),
    ]
    file = tax_exports.csv_report("dac7", 2026, by=StaffFactory())
    assert [row["consideration"] for row in csv.DictReader(io.StringIO(file))][:2] == [
        "644.00",
        "-506.00",
    ]


def test_the_report_costs_four_queries_however_many_payments(year, django_assert_num_queries):
    with django_assert_num_queries(4):
        tax_reports.sellers(tax_reports.DAC7, 2026)
    for _more in range(3):
        earn(year, "10.00", MAY)
    with django_assert_num_queries(4):
        tax_reports.sellers(tax_reports.DAC7, 2026)


def test_eur_is_not_judged_by_american_limits():
    seller = tax_reports.Seller(Party(), "EUR", "US", Details(), "acct_1")
    seller.months[0] = tax_reports.Part(eur("99999.00").minor, 0, 300)

    assert tax_reports.forms_due(seller, 2026) == []
