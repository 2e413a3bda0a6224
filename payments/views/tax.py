"""How a VAT id stands, and what tax offices are told."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import freshness
from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show
from payments.forms import AppealForm, SellerDetailsForm
from payments.models import SellerDetails
from payments.selectors import payouts as payout_facts
from payments.selectors import tax as tax_facts
from payments.selectors import tax_requests as selectors
from payments.services import sellers, tax_requests, vat_checks


@require_safe
@login_required
def tax(request: UserRequest, ref: str) -> HttpResponse:
    """How a party's VAT id stands, and what that means; a part for the page of its details."""
    standing = tax_facts.standing_to_read(request.user, ref)
    return show(
        request, "payments/tax.html", {"standing": standing}, part="payments/_vat_standing.html"
    )


@require_POST
@login_required
def check_vat_id(request: UserRequest, ref: str) -> HttpResponse:
    """Ask the register again."""
    standing = tax_facts.standing_to_read(request.user, ref)
    try:
        vat_checks.ask_again(standing.party, by=request.user)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("We are asking the register."))
    return go_to(request, reverse("payments:tax", args=[ref]))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def seller_details(request: UserRequest) -> HttpResponse:
    """What the tax office is told about the user as a payee.

    A form that was open for longer than the sign-in is fresh comes back as it was typed, with the
    way to confirm beside it: what it holds belongs into no session.
    """
    party = request.user.own_party
    here = reverse("payments:seller-details")
    confirm_url = freshness.confirmation_of(request)
    if confirm_url and request.method != "POST":
        return go_to(request, confirm_url)
    saved = payout_facts.seller_details_of(party)
    status = 200
    if request.method == "POST":
        form = SellerDetailsForm(request.POST, saved=saved)
        if confirm_url:
            form.add_error(None, freshness.too_old_text())
        if form.is_valid():
            try:
                sellers.save(party, by=request.user, **form.facts())
            except DomainError as error:
                form.add_error(error.field, str(error))
            else:
                messages.success(request, _("Your tax details are saved."))
                return go_to(request, here)
        status = 422
    else:
        known = {
            "legal_name": party.legal_name or party.name,
            "address": party.address,
            "country": party.country,
            "tax_country": saved.tax_country if saved else party.country,
        }
        form = SellerDetailsForm(initial=known | (_shown(saved) if saved else {}), saved=saved)
    context = {
        "form": form,
        "saved": saved,
        "confirm_url": confirm_url,
        "asked": selectors.open_request_of(party),
    }
    return render(request, "payments/seller_details.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def appeal_pause(request: UserRequest) -> HttpResponse:
    """The payee's side of why payouts should not wait for their tax details."""
    pause = selectors.pause_to_appeal(request.user)
    form = AppealForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            tax_requests.appeal(pause, by=request.user, **form.cleaned_data)
        except DomainError as error:
            form.add_error("said" if error.field == "said" else None, str(error))
        else:
            messages.success(request, _("Sent. A person of ours reads it and answers."))
            return go_to(request, reverse("payments:seller-details"))
    context = {"form": form, "pause": pause}
    status = 422 if form.errors else 200
    return render(request, "payments/tax_appeal.html", context, status=status)


def _shown(saved: SellerDetails) -> dict[str, str]:
    """What the form starts with; never the tax number, of which its end is enough."""
    told = saved.details
    return {"birth_date": told.birth_date, "birth_place": told.birth_place}
