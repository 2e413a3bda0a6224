"""A page of the console that asks for a reason before it does something."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts import freshness
from marketplace.core.errors import DomainError
from marketplace.core.http import SeeOther
from payments.forms import ReasonForm


def ask_for_reason(
    admin: "ModelAdmin[Any]",
    request: HttpRequest,
    *,
    title: str,
    text: str,
    facts: Sequence[tuple[str, object]],
    buttons: dict[str, tuple[str, Callable[..., str]]],
    done_url: str,
    hidden: Sequence[tuple[str, str]] = (),
    refused: str = "",
    form_of: Callable[[Any], ReasonForm] = ReasonForm,
) -> HttpResponse:
    """Show the facts and a field for the reason; the pressed button's act gets what was typed.

    `buttons` maps the name of a button to its label and its act, which returns what to say
    afterwards. A DomainError is shown beside the field. With `refused` there are no buttons.
    """
    pressed = next((name for name in buttons if name in request.POST), "")
    form = form_of(request.POST if pressed else None)
    confirm_url = freshness.confirmation_of(request)
    if pressed and confirm_url:
        form.add_error(None, freshness.too_old_text())
    if pressed and not refused and form.is_valid():
        try:
            said = buttons[pressed][1](**form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, said)
            return SeeOther(done_url)
    context = {
        **admin.admin_site.each_context(request),
        "title": title,
        "opts": admin.model._meta,
        "text": text,
        "facts": facts,
        "form": form,
        "confirm_url": confirm_url,
        "buttons": [(name, label) for name, (label, _act) in buttons.items()],
        "hidden": hidden,
        "refused": refused,
        "back": done_url,
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/payments/reason.html", context, status=status)
