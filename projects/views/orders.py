"""The client's purchase order number for a contract."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show
from payments.selectors.tax import order_number
from projects.forms.orders import OrderForm
from projects.forms.refusals import show_refusal
from projects.selectors import contracts as selectors
from projects.services import orders


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def purchase_order(request: UserRequest, ref: str) -> HttpResponse:
    """Set the number that stands on the client's documents."""
    contract = selectors.contract_to_reward(request.user, ref).contract
    form = OrderForm(
        request.POST if request.method == "POST" else None,
        initial={"number": order_number(contract.ref)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            orders.set_number(contract, by=request.user, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, _("The purchase order number is saved."))
            return go_to(request, reverse("projects:contract-payments", args=[ref]))
    context = {"contract": contract, "form": form}
    status = 422 if form.errors else 200
    return show(request, "projects/purchase_order.html", context, status=status)
