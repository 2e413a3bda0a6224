"""Stored checks of VAT ids (I3): no reverse charge without one."""

import datetime as dt
import http.server
import json
import threading

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.services import parties
from marketplace.core import clock
from marketplace.core.errors import NotAllowed
from marketplace.core.models import AuditRow
from payments import vies
from payments.models import Invoice, VatCheck
from payments.selectors import tax
from payments.services import due, holds, vat_checks
from payments.services.vat_checks import CheckedJustNow
from tests.factories import StaffFactory, UserFactory
from tests.payments.tax import charge_vat, prove, settle_in
from tests.payments.test_verify_ledger import proof as ledger_proof
from tests.payments.world import eur

pytestmark = pytest.mark.django_db(transaction=True)
GOOD, UNKNOWN, SILENT = "FR12345678901", "FR12345678000", "FR12345678999"
DAY = dt.timedelta(days=1)


def change_details(user, **changes):
    details = {"legal_name": "", "address": "Rue 1", "country": "FR", "vat_id": GOOD} | changes
    parties.update_details(user.party, by=user, **details)
    user.party.refresh_from_db()


def fee_of(hold):
    return Invoice.objects.get(hold=hold, kind="client_fee")


def released(market, amount="600.00"):
    hold = market.held(amount)
    holds.release(hold, by=market.client, basis="approval")
    return hold


def test_a_new_vat_id_is_checked_by_itself_and_the_answer_kept():
    user = UserFactory(side="hire")
    change_details(user)
    check = VatCheck.objects.get()
    assert (check.party, check.vat_id, check.status) == (user.party, GOOD, "valid")
    assert (check.source, check.consultation) == ("test", f"TEST-{GOOD}")
    assert len(check.answer_sha256) == 64
    assert tax.proof_of(user.party) == check
    actions = AuditRow.objects.filter(action__startswith="vat_check").values_list("action")
    assert [action for (action,) in actions.order_by("pk")] == [
        "vat_check.asked",
        "vat_check.valid",
    ]

    change_details(user, address="Rue 2")
    assert VatCheck.objects.count() == 1  # nothing a register knows has changed
    change_details(user, vat_id="FR12345678902")
    assert tax.proof_of(user.party).vat_id == "FR12345678902"


def test_the_register_is_asked_so_often_a_day_and_not_more():
    user = UserFactory(side="hire")
    for number in range(12):
        change_details(user, vat_id=f"FR{number:011d}")

    assert VatCheck.objects.count() == vat_checks.MOST_A_DAY
    with pytest.raises(CheckedJustNow, match="tomorrow"):
        vat_checks.ask_again(user.party, by=user)
    with time_machine.travel(clock.now() + DAY):
        vat_checks.ask_again(user.party, by=user)
    assert VatCheck.objects.count() == vat_checks.MOST_A_DAY + 1


def test_ids_no_register_of_the_union_knows_are_not_asked_about():
    user = UserFactory(side="hire")
    change_details(user, country="GB", vat_id="GB123456789")
    change_details(user, country="", vat_id="")
    assert not VatCheck.objects.exists()


def test_an_id_the_register_does_not_know_is_no_proof_and_the_person_is_told():
    user = UserFactory(side="hire")
    change_details(user, vat_id=UNKNOWN)
    assert VatCheck.objects.get().status == "invalid"
    assert tax.proof_of(user.party) is None
    assert user.notices.get(kind="vat_invalid").url == reverse(
        "payments:tax", args=[user.party.ref]
    )


def test_I3_while_the_register_is_silent_there_is_no_reverse_charge(market, settings):
    charge_vat(settings)
    settle_in(market.client.party, "FR", SILENT)
    check = prove(market.client.party)
    assert (check.status, check.failure) == ("asked", "TEST_SILENCE")
    paper = fee_of(released(market))
    assert (paper.tax_kind, paper.tax_rate_bps, paper.total) == ("destination", 2000, eur("18.00"))
    assert (paper.net, paper.tax) == (eur("15.00"), eur("3.00"))
    assert paper.document["vat_check"] == {}

    with time_machine.travel(clock.now() + 2 * DAY):
        market.work()
        check.refresh_from_db()
        assert check.status == "unavailable"
        assert tax.proof_of(market.client.party) is None
        assert fee_of(released(market)).tax_kind == "destination"


def test_I3_with_a_stored_yes_there_is_and_the_paper_says_on_what_it_rests(market, settings):
    charge_vat(settings)
    settle_in(market.client.party, "FR", GOOD)
    check = prove(market.client.party)
    paper = fee_of(released(market))
    assert (paper.tax_kind, paper.tax, paper.net) == ("reverse_charge", eur("0"), eur("18.00"))
    assert "Article 196" in paper.document["tax_sentence"].replace("Articles 44 and", "Article")
    assert paper.document["tax_sentence"].startswith("Reverse charge")
    assert paper.document["vat_check"]["consultation"] == check.consultation
    assert paper.document["vat_check"]["checked_on"] == check.ended_at.date().isoformat()
    assert (paper.document["seller"]["vat_id"], paper.document["buyer"]["vat_id"]) == (
        "DE123456789",
        GOOD,
    )
    assert ledger_proof()[1] == ""


def test_I3_a_yes_about_another_id_or_one_that_is_too_old_counts_for_nothing(market, settings):
    charge_vat(settings)
    party = market.client.party
    settle_in(party, "FR", GOOD)
    check = prove(party)
    late = check.ended_at + 90 * DAY
    assert tax.proof_of(party, late - dt.timedelta(seconds=1)) == check
    assert tax.proof_of(party, late) is None
    settle_in(party, "FR", "FR12345678902")
    assert fee_of(released(market)).tax_kind == "destination"


def test_a_later_no_takes_the_proof_away_and_silence_does_not(market):
    party = market.client.party
    settle_in(party, "FR", GOOD)
    check = prove(party)
    answer = {"party": party, "vat_id": GOOD, "source": "test", "ended_at": clock.now()}
    VatCheck.objects.create(status="unavailable", **answer)
    assert tax.proof_of(party) == check
    VatCheck.objects.create(status="invalid", answer_sha256="x" * 64, **answer)
    assert tax.proof_of(party) is None


def test_what_the_stand_in_said_counts_for_nothing_once_there_is_a_register(market, settings):
    party = market.client.party
    settle_in(party, "FR", GOOD)
    prove(party)
    settings.VIES_URL = "http://127.0.0.1:9/"
    assert tax.proof_of(party) is None


def test_a_proof_is_renewed_before_it_is_too_old_once_by_two_sweeps(market):
    party = market.client.party
    settle_in(party, "FR", GOOD)
    first = prove(party)
    assert vat_checks.run_due() == 0
    with time_machine.travel(first.ended_at + 70 * DAY):
        due.run()
        due.run()
        assert VatCheck.objects.count() == 2
        assert tax.proof_of(party).asked_at > first.asked_at


def test_an_answer_is_written_once(market):
    settle_in(market.client.party, "FR", UNKNOWN)
    check = prove(market.client.party)
    for change in ({"status": "valid"}, {"vat_id": GOOD}, {"answer_sha256": "y" * 64}):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            VatCheck.objects.filter(pk=check.pk).update(**change)


def test_a_person_asks_again_but_not_twice_in_ten_minutes_and_only_who_manages(market):
    party = market.client.party
    settle_in(party, "FR", UNKNOWN)
    first = prove(party)
    with pytest.raises(CheckedJustNow):
        vat_checks.ask_again(party, by=market.client)
    with time_machine.travel(first.ended_at + dt.timedelta(minutes=11)):
        with pytest.raises(NotAllowed):
            vat_checks.ask_again(party, by=market.freelancer)
        vat_checks.ask_again(party, by=market.client)
        assert VatCheck.objects.count() == 2


PAGES = {
    GOOD: ("Valid", "reckon it yourself", "Good until"),
    UNKNOWN: ("Not valid", "does not know it"),
    SILENT: ("Being checked", "does not answer at the moment"),
}


@pytest.mark.parametrize("vat_id", PAGES)
def test_a_person_sees_how_the_vat_id_stands_and_what_it_means(client, market, vat_id):
    settle_in(market.client.party, "FR", vat_id)
    prove(market.client.party)
    client.force_login(market.client, "django.contrib.auth.backends.ModelBackend")
    url = reverse("payments:tax", args=[market.client.party.ref])
    page = client.get(url).content.decode()
    for words in (vat_id, "this answer is made up" if vat_id != SILENT else "", *PAGES[vat_id]):
        assert words in page
    assert url in client.get(reverse("accounts:company")).content.decode()
    asked = client.post(reverse("payments:check-vat-id", args=[market.client.party.ref]))
    assert asked.status_code in {302, 303}


def test_staff_see_the_checks_and_add_rates_but_change_neither(client, market):
    settle_in(market.client.party, "FR", GOOD)
    check = prove(market.client.party)
    staff = StaffFactory()
    client.force_login(staff, "django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("admin:payments_vatcheck_change", args=[check.pk]))
    assert check.consultation in page.content.decode()
    new = {"country": "de", "starts_on": "2030-01-01", "rate_bps": 2100, "source": "A law of 2029"}
    url = reverse("admin:payments_vatrate_add")
    assert client.post(url, new).status_code == 302
    row = tax.rate_rows()[-1]
    assert (row.country, row.rate_bps, row.set_by) == ("DE", 2100, staff)
    assert AuditRow.objects.filter(action="vat_rate.added", subject_id=row.pk).exists()
    assert "Choose a country" in client.post(url, new | {"country": "ZZ"}).content.decode()
    change = reverse("admin:payments_vatrate_change", args=[row.pk])
    assert client.post(change, new | {"rate_bps": 1}).status_code == 403


# --- The register itself --------------------------------------------------------------------


class Register(http.server.BaseHTTPRequestHandler):
    """Says what the test wants, and remembers what it was asked."""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.asked.append(json.loads(self.rfile.read(length)))
        status, body = self.server.say
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

    def log_message(self, *_arguments):
        """Nothing on the screen of tests."""


@pytest.fixture
def register(settings):
    with http.server.HTTPServer(("127.0.0.1", 0), Register) as server:
        server.asked, server.say = [], (200, {})
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.VIES_URL = f"http://127.0.0.1:{server.server_port}/check"
        yield server
        server.shutdown()
        thread.join(120)


def test_vies_is_told_who_asks_and_its_number_is_kept(register, settings):
    charge_vat(settings)
    register.say = (200, {"valid": True, "requestIdentifier": "WAPI123", "name": "SARL X"})
    user = UserFactory(side="hire")
    change_details(user)
    check = VatCheck.objects.get()
    assert (check.status, check.source, check.consultation) == ("valid", "vies", "WAPI123")
    assert register.asked == [
        {
            "countryCode": "FR",
            "vatNumber": "12345678901",
            "requesterMemberStateCode": "DE",
            "requesterNumber": "123456789",
        }
    ]


NO_ANSWERS = [
    (500, {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}),
    (200, {"errorWrappers": [{"error": "TIMEOUT"}]}),
    (200, {"errorWrappers": "?"}),
    (200, {"valid": "true"}),
    (200, {}),
    (200, []),
    (502, b"<html>Bad gateway</html>"),
]


@pytest.mark.parametrize("say", NO_ANSWERS)
def test_anything_but_a_plain_yes_or_no_is_no_answer(register, say):
    register.say = say
    with pytest.raises(vies.Unavailable):
        vies.ask(GOOD)


def test_a_register_that_is_not_there_is_no_answer(settings):
    settings.VIES_URL = "http://127.0.0.1:9/check"
    with pytest.raises(vies.Unavailable):
        vies.ask(GOOD)
