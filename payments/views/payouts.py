"""Pages of payouts: where money goes, when, and what went."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.freshness import fresh_sign_in
from accounts.models import User
from marketplace.core.display import money_text
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to
from marketplace.core.ids import new_ref
from marketplace.core.limits import answered, limited, spend_for
from marketplace.core.money import Money
from payments.forms import (
    PayOutAtOnceForm,
    PayoutCountryForm,
    PayOutForm,
    PayoutScheduleForm,
)
from payments.models import BankDetails
from payments.selectors import overviews
from payments.selectors import payouts as payout_facts
from payments.services import bank_details, bank_payouts, instant, payouts, schedules
from payments.views.answers import pager

State = BankDetails.Status


@require_safe
@login_required
def payout_list(request: UserRequest) -> HttpResponse:
    """What went from the user's Stripe account to their bank, or came back."""
    rows, after = payout_facts.payouts_of(request.user, after=request.GET.get("after", ""))
    context = {"payouts": rows, **pager(request, after)}
    return render(request, "payments/payouts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@fresh_sign_in(posts_only=True)
def payout_setup(request: UserRequest) -> HttpResponse:
    """How the user stands with Stripe; POST leads to Stripe's own questions."""
    party = request.user.own_party
    account = payout_facts.payout_account_of(party)
    country = account.country if account and not account.is_lost else ""
    if request.method == "POST":
        form = PayoutCountryForm({"country": country or request.POST.get("country", "")})
    else:
        form = PayoutCountryForm(initial={"country": party.country})
    status, again_in = 422 if form.is_bound else 200, 0
    if form.is_bound and form.is_valid() and not (again_in := spend_for(form, "stripe", request)):
        try:
            return go_to(request, _onboarding(request, form.cleaned_data["country"]))
        except DomainError as error:
            form.add_error(error.field, str(error))
    banks = payout_facts.banks_of(account) if account else []
    context = {
        "form": form,
        "account": account,
        "banks": banks,
        "new_banks": [
            {"bank": bank, "token": payout_facts.link_token(bank)}
            for bank in banks
            if bank.status == bank.Status.COOLING
        ],
        "overdue": payout_facts.overdue(account) if account else [],
        "why_disabled": payout_facts.why_disabled(account) if account else "",
        "missing": payout_facts.missing(account) if account else [],
        "waiting": overviews.earnings(request.user),
        "pause": payout_facts.pause_of(account) if account and account.stripe_id else None,
        "ready": payout_facts.ready_for_bank(account) if account else [],
        "at_once": instant.offers(account) if account and account.stripe_id else [],
        # Names this offer, so that a second click is the same payout.
        "offer": new_ref(),
    }
    answer = render(request, "payments/payout_setup.html", context, status=status)
    return answered(answer, again_in)


@require_POST
@login_required
@fresh_sign_in(back_to="payments:payout-setup")
@limited("stripe")
def pay_out(request: UserRequest) -> HttpResponse:
    """Send the amount the page offered to the bank now."""
    account = payout_facts.payout_account_to_manage(request.user)
    form = PayOutForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose an amount on this page."))
        return go_to(request, reverse("payments:payout-setup"))
    asked = form.cleaned_data
    amount = Money(asked["amount"], asked["currency"])
    try:
        bank_payouts.pay_out(account, by=request.user, amount=amount, key=asked["key"])
    except DomainError as error:
        messages.error(request, str(error))
        return go_to(request, reverse("payments:payout-setup"))
    said = _("%(amount)s is on its way. Here you see how far it is.")
    messages.success(request, said % {"amount": money_text(amount)})
    return go_to(request, reverse("payments:payouts"))


@require_POST
@login_required
@fresh_sign_in(back_to="payments:payout-setup")
@limited("stripe")
def pay_out_at_once(request: UserRequest) -> HttpResponse:
    """Send what the page offered within minutes, for the fee the page showed."""
    account = payout_facts.payout_account_to_manage(request.user)
    form = PayOutAtOnceForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose an amount on this page."))
        return go_to(request, reverse("payments:payout-setup"))
    asked = form.cleaned_data
    amount, fee = (Money(asked[name], asked["currency"]) for name in ("amount", "fee"))
    try:
        bank_payouts.pay_out_at_once(
            account, by=request.user, amount=amount, fee=fee, key=asked["key"]
        )
    except DomainError as error:
        messages.error(request, str(error))
        return go_to(request, reverse("payments:payout-setup"))
    said = _("%(amount)s is on its way. Here you see how far it is.")
    messages.success(request, said % {"amount": money_text(amount)})
    return go_to(request, reverse("payments:payouts"))


@require_POST
@login_required
@limited("stripe")
def payout_look(request: UserRequest) -> HttpResponse:
    """Ask Stripe how everything stands now."""
    account = payout_facts.payout_account_to_manage(request.user)
    try:
        payouts.look(account)
    except DomainError as error:
        messages.error(request, str(error))
    return go_to(request, reverse("payments:payout-setup"))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@fresh_sign_in()
def payout_schedule(request: UserRequest) -> HttpResponse:
    """When the user wants to be paid out."""
    account = payout_facts.payout_account_to_manage(request.user)
    form = PayoutScheduleForm(
        request.POST if request.method == "POST" else None,
        account=account,
        currency=payout_facts.currency_of(account),
    )
    if form.is_bound and form.is_valid():
        try:
            schedules.choose(account, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field, str(error))
        else:
            messages.success(request, _("Saved. It holds from the next payout on."))
            return go_to(request, reverse("payments:payout-setup"))
    status = 422 if form.is_bound else 200
    return render(request, "payments/payout_schedule.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def bank_report(request: HttpRequest, token: str) -> HttpResponse:
    """Say "it was not me" from a mail, without signing in: the account may be somebody else's."""
    bank = payout_facts.bank_to_report(token)
    if request.method == "POST":
        by = request.user if isinstance(request.user, User) else None
        try:
            bank_details.report(bank, by=by)
        except DomainError as error:
            messages.error(request, str(error))
        return go_to(request, request.path)
    called_off = payout_facts.called_off(bank.account) if bank.status == State.REPORTED else None
    context = {"bank": bank, "called_off": called_off}
    return render(request, "payments/bank_report.html", context)


@require_safe
@login_required
@fresh_sign_in()
@limited("stripe")
def payout_refresh(request: UserRequest) -> HttpResponse:
    """Stripe sends people here whose link was old: they get a new one.

    A lost account makes room for another one only when they press for it.
    """
    account = payout_facts.payout_account_of(request.user.own_party)
    if account and account.country and not account.is_lost:
        try:
            return go_to(request, _onboarding(request, account.country))
        except DomainError as error:
            messages.error(request, str(error))
    return redirect("payments:payout-setup")


@require_safe
@login_required
@limited("stripe")
def payout_return(request: UserRequest) -> HttpResponse:
    """Back from Stripe, finished or not: look how the account stands now."""
    account = payout_facts.payout_account_of(request.user.own_party)
    if account:
        try:
            payouts.refresh(account)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            if account.can_receive:
                messages.success(request, _("You can be paid now."))
    return redirect("payments:payout-setup")


def _onboarding(request: UserRequest, country: str) -> str:
    return payouts.onboarding_url(
        request.user.own_party,
        by=request.user,
        country=country,
        refresh_url=settings.SITE_URL + reverse("payments:payout-refresh"),
        return_url=settings.SITE_URL + reverse("payments:payout-return"),
    )
