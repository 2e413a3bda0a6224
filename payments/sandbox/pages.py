"""What a person sees: the checkout page, the payout set-up pages, and the stylesheet."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

from payments.sandbox import accounts, banks, checkout
from payments.sandbox.charges import CARDS, DECLINED_CARD, GOOD_CARD
from payments.sandbox.due import run_due
from payments.sandbox.errors import StripeRefusal
from payments.sandbox.state import Body
from payments.sandbox.world import World
from payments.stripe_units import from_stripe

STYLESHEET = Path(__file__).with_name("style.css")
STYLESHEET_PATH = "/sandbox.css"


@dataclass(frozen=True)
class Page:
    """What to send to the browser; `leads_to` is where its form may end."""

    status: int = 200
    text: str = ""
    location: str | None = None
    leads_to: str | None = None
    content_type: str = "text/html; charset=utf-8"

    @property
    def policy(self) -> str:
        """A content security policy that allows our stylesheet and our form, nothing else."""
        targets = ["'self'"]
        if self.leads_to:
            # Browsers apply form-action to the redirect that answers the form as well.
            parts = urlsplit(self.leads_to)
            targets.append(f"{parts.scheme}://{parts.netloc}")
        return (
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action {' '.join(targets)}"
        )


@dataclass(frozen=True)
class Visit:
    """A browser's request for a page."""

    world: World
    is_post: bool
    ids: tuple[str, ...]
    form: Mapping[str, str]


def answer(
    world: World, path: str, form: Mapping[str, str], *, is_post: bool, languages: str
) -> Page:
    """The page at a path, in the reader's language."""
    with translation.override(_language(languages)):
        for pattern, handler in ROUTES:
            if match := re.fullmatch(pattern, path):
                try:
                    with world.state.transaction():
                        run_due(world)
                        return handler(Visit(world, is_post, match.groups(), form))
                except StripeRefusal:
                    break
        return _message(404, _("There is nothing at this address"), back=settings.SITE_URL)


def _language(accepted: str) -> str:
    """The first language of an Accept-Language header that we speak."""
    for code, _quality in parse_accept_lang_header(accepted.lower()):
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


# --- Checkout --------------------------------------------------------------------------------


def checkout_page(visit: Visit) -> Page:
    """The page a payer pays on; after paying it leads back to the product."""
    session = visit.world.state.get("checkout.session", visit.ids[0])
    if session["status"] == "open" and visit.is_post:
        return _pay(visit, session)
    if session["status"] == "open":
        return _checkout_form(session)
    if session["status"] == "complete":
        return _paid(visit, session)
    return _message(
        410,
        _("This payment page has expired"),
        detail=_("Nothing was paid. Start the payment again to get a new page."),
        back=session["cancel_url"],
    )


def _pay(visit: Visit, session: Body) -> Page:
    declines = visit.form.get("outcome") == "decline"
    number = DECLINED_CARD if declines else re.sub(r"[\s-]", "", visit.form.get("card", ""))
    card = CARDS.get(number)
    if card is None or card.method not in session["payment_method_types"]:
        # What was typed is neither kept nor shown again: it might be a real card.
        wrong = _("Use one of the test cards below. Never type a real card here")
        return _checkout_form(session, status=422, error=wrong)
    attempt = checkout.pay(visit.world, session["id"], card)
    if attempt.declined:
        declined = _("The bank declined the test card. No money has moved. Try another card")
        return _checkout_form(session, status=402, error=declined)
    return _paid(visit, attempt.session)


def _paid(visit: Visit, session: Body) -> Page:
    onward = session["success_url"]
    if onward:
        onward = onward.replace("{CHECKOUT_SESSION_ID}", session["id"])
    if visit.is_post and onward:
        return Page(303, location=onward)
    return _message(200, _("This is paid, with test money"), back=onward)


def _checkout_form(session: Body, *, status: int = 200, error: str = "") -> Page:
    currency = session["currency"]
    lines = [
        {
            "name": line["name"],
            "quantity": line["quantity"],
            "amount": from_stripe(line["amount"] * line["quantity"], currency),
        }
        for line in session["_lines"]
    ]
    context = {
        "cards": [
            card for card in CARDS.values() if card.method in session["payment_method_types"]
        ],
        "error": error,
        "expires_at": dt.datetime.fromtimestamp(session["expires_at"], dt.UTC),
        "good_card": CARDS[GOOD_CARD],
        "lines": lines,
        "session": session,
        "total": from_stripe(session["amount_total"], currency),
    }
    return _render("checkout", context, status=status, leads_to=session["success_url"])


# --- Payout set-up ---------------------------------------------------------------------------


def setup_link(visit: Visit) -> Page:
    """An account link: the first to open it gets in, later visitors are sent for a new one."""
    account = visit.world.state.get("account", visit.ids[0])
    link = account["_links"].get(visit.ids[1])
    key = accounts.open_link(visit.world, account, visit.ids[1])
    if key is not None:
        return Page(303, location=f"/connect/visit/{account['id']}/{key}")
    if link is not None:
        return Page(303, location=link["refresh_url"])
    return _message(404, _("There is nothing at this address"), back=settings.SITE_URL)


def setup_page(visit: Visit) -> Page:
    """The page a payee sets up payouts on."""
    account = visit.world.state.get("account", visit.ids[0])
    link = accounts.link_of_visit(account, visit.ids[1])
    if link is None:
        return _message(404, _("There is nothing at this address"), back=settings.SITE_URL)
    if not visit.is_post:
        context = {
            "account": account,
            "bank": banks.in_use(visit.world, account["id"]),
            "numbers": list(banks.NUMBERS.values()),
            "return_url": link["return_url"],
        }
        return _render("payouts", context, leads_to=link["return_url"])
    if visit.form.get("outcome") == "complete":
        number = visit.form.get("number", "")
        accounts.complete(visit.world, account, number if number in banks.NUMBERS else "")
    else:
        accounts.leave_unfinished(visit.world, account)
    return Page(303, location=link["return_url"])


# --- The rest --------------------------------------------------------------------------------


def stylesheet(visit: Visit) -> Page:
    """The one file the pages need."""
    return Page(text=STYLESHEET.read_text(), content_type="text/css; charset=utf-8")


def front_page(visit: Visit) -> Page:
    """What somebody reads who opens the sandbox's own address."""
    return _message(
        200,
        _("This is the payment sandbox"),
        detail=_("It plays Stripe for this machine, with test money only."),
        back=settings.SITE_URL,
    )


def _message(status: int, title: str, *, detail: str = "", back: str | None) -> Page:
    return _render("message", {"title": title, "detail": detail, "back": back}, status=status)


def _render(
    template: str, context: Mapping[str, object], *, status: int = 200, leads_to: str | None = None
) -> Page:
    base = {"site_name": settings.SITE_NAME, "stylesheet": STYLESHEET_PATH}
    text = render_to_string(f"payments/sandbox/{template}.html", {**base, **context})
    return Page(status, text, leads_to=leads_to)


ROUTES: tuple[tuple[str, Callable[[Visit], Page]], ...] = (
    ("/", front_page),
    (re.escape(STYLESHEET_PATH), stylesheet),
    (r"/c/pay/([\w-]+)", checkout_page),
    (r"/connect/setup/([\w-]+)/([\w-]+)", setup_link),
    (r"/connect/visit/([\w-]+)/([\w-]+)", setup_page),
)
