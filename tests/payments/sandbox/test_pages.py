"""The sandbox's pages in a real browser: readable, usable, and closed to everything foreign."""

import itertools
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from marketplace.core.money import Money
from payments import gateway

SCREENS = [
    {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    for scheme, width in itertools.product(("light", "dark"), (390, 1280))
]


@pytest.fixture
def leads_back(stripe_sandbox):
    """Addresses the pages lead to, answered by the sandbox itself."""
    return f"{stripe_sandbox.base_url}/?paid={{CHECKOUT_SESSION_ID}}"


def onboarding(stripe_sandbox) -> str:
    account = gateway.create_account(
        key="a", email="payee@example.org", country="DE", reference="party-1"
    )
    back = f"{stripe_sandbox.base_url}/?done"
    return gateway.account_link(account.id, refresh_url=back, return_url=back)


@pytest.mark.browser
def test_a_person_pays_without_javascript(new_context, checkout, leads_back):
    session = checkout(Money(700_00, "EUR"), Money(21_00, "EUR"), success_url=leads_back)
    page = new_context(java_script_enabled=False).new_page()
    page.goto(session.url)
    assert page.get_by_role("note").inner_text().startswith("Test money.")
    assert page.get_by_text("€721.00", exact=True).first.is_visible()
    assert page.get_by_label("Test card number").input_value() == "4242 4242 4242 4242"

    page.get_by_role("button", name="Pay €721.00 with test money").click()

    page.wait_for_url(re.compile(f"paid={session.id}"))
    assert gateway.retrieve_checkout(session.id).payment_status == "paid"
    page.goto(session.url or f"/c/pay/{session.id}")
    assert page.get_by_role("heading", name="This is paid, with test money").is_visible()


@pytest.mark.browser
def test_a_person_is_declined_reads_why_and_goes_back(
    new_context, complaints, checkout, leads_back
):
    complaints.expect("402")
    session = checkout(cancel_url=leads_back, success_url="http://127.0.0.1:8000/")
    page = new_context().new_page()
    page.goto(session.url)

    page.get_by_role("button", name="Let the bank decline the card").click()

    assert "No money has moved" in page.get_by_role("alert").inner_text()
    assert page.title().startswith("Error:")
    page.get_by_role("link", name="Back to Bidwell without paying").click()
    page.wait_for_url(re.compile("paid="))
    assert gateway.retrieve_checkout(session.id).status == "open"


@pytest.mark.browser
def test_a_person_sets_up_payouts(new_context, stripe_sandbox):
    page = new_context().new_page()
    page.goto(onboarding(stripe_sandbox))

    page.get_by_role("button", name="Complete the set-up").click()

    page.wait_for_url(re.compile("done"))


@pytest.mark.browser
@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_the_pages_are_accessible_and_fit_the_screen(
    new_context, complaints, stripe_sandbox, checkout, screen
):
    complaints.expect("410")
    complaints.expect("422")
    page = new_context(**screen).new_page()
    session, expired = checkout(Money(1_234_56, "EUR")), checkout()
    gateway.expire_checkout(expired.id, key="e")

    def declined() -> None:
        page.goto(session.url)
        page.get_by_label("Test card number").fill("4111 1111 1111 1111")
        page.get_by_role("button", name="Pay €1,234.56 with test money").click()
        page.get_by_text("Test cards and what they do").click()

    for arrive in (
        lambda: page.goto(session.url),
        declined,
        lambda: page.goto(expired.url),
        lambda: page.goto(onboarding(stripe_sandbox)),
        lambda: page.goto(stripe_sandbox.base_url),
    ):
        arrive()
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_pages_allow_their_own_stylesheet_and_their_own_form_only(stripe_sandbox, checkout):
    session = checkout(success_url="https://shop.example/ok?a=b")

    headers = stripe_sandbox.open(session.url).headers

    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self' https://shop.example"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert stripe_sandbox.open("/sandbox.css").headers["Content-Type"].startswith("text/css")


def test_texts_from_the_product_are_shown_as_text(stripe_sandbox, checkout):
    session = checkout(customer_email="a@example.org<script>")

    assert "<script>" not in stripe_sandbox.open(session.url).text


def test_a_form_from_another_site_is_refused(stripe_sandbox, checkout):
    session = checkout()

    answer = stripe_sandbox.http.post(
        f"{stripe_sandbox.base_url}/c/pay/{session.id}",
        data={"card": "4242424242424242"},
        headers={"Origin": "https://evil.example"},
    )

    assert answer.status_code == 403
    assert gateway.balance() == {}


def test_a_name_pointed_at_this_machine_is_refused(stripe_sandbox):
    answer = stripe_sandbox.http.get(stripe_sandbox.base_url, headers={"Host": "evil.example:1234"})

    assert answer.status_code == 421


def test_amounts_follow_the_reader_and_the_currency(stripe_sandbox, checkout, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    yen, dinar = checkout(Money(12_345, "JPY")), checkout(Money(12_340, "KWD"))

    def text(session: gateway.CheckoutSession, language: str) -> str:
        url = f"{stripe_sandbox.base_url}/c/pay/{session.id}"
        return stripe_sandbox.http.get(url, headers={"Accept-Language": language}).text

    assert "¥12,345" in text(yen, "en")
    assert "12.340" in text(dinar, "en-GB, en;q=0.5")
    german = text(dinar, "xx, de;q=0.8")
    assert 'lang="de"' in german
    assert "12,340" in german


def test_the_stylesheet_asks_for_nothing_from_elsewhere():
    style = Path("payments/sandbox/style.css").read_text()

    assert "url(" not in style
    assert "@import" not in style
