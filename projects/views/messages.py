"""The thread of a contract, and the list of all threads."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.core.errors import DomainError
from marketplace.core.http import UserRequest, go_to, show, wants_part
from projects.forms.messages import MessageForm
from projects.forms.refusals import show_refusal
from projects.selectors.contracts import Seat, contract_to_read
from projects.selectors.messages import thread_of, threads_of
from projects.services import messages as service
from projects.views.contracts import page_context
from projects.views.keeping import forget, kept


@require_safe
@login_required
def messages(request: UserRequest) -> HttpResponse:
    """Every conversation of the person, the newest message first."""
    typed = request.GET.get("after", "")
    after = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
    rows, following = threads_of(request.user, after=after)
    context = {
        "rows": rows,
        "next_url": f"?after={following}" if following else "",
        "first_url": request.path if after else "",
    }
    return show(request, "projects/messages.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def thread(request: UserRequest, ref: str) -> HttpResponse:
    """Read and write in the thread of one contract."""
    seat = contract_to_read(request.user, ref)
    form = MessageForm(
        request.POST if request.method == "POST" else None,
        request.FILES or None,
        initial=kept(request, "message", seat.contract),
    )
    if request.method == "POST" and form.is_valid():
        try:
            sent = service.send(
                seat.contract,
                by=request.user,
                body=form.cleaned_data["body"],
                uploads=form.cleaned_data["files"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            forget(request, "message", seat.contract)
            if not wants_part(request):
                return go_to(request, f"{service.thread_url(seat.contract)}#m-{sent.ref}")
            form = MessageForm()
    return _page(request, seat, form)


def _page(request: UserRequest, seat: Seat, form: MessageForm) -> HttpResponse:
    context = page_context(seat, "projects:contract-messages") | {
        "thread": thread_of(seat, before=request.GET.get("before", "")),
        "form": form,
    }
    return show(
        request,
        "projects/contract_messages.html",
        context,
        part="projects/_conversation.html",
        status=422 if form.errors else 200,
    )


@require_POST
@login_required
def read(request: UserRequest, ref: str) -> HttpResponse:
    """Remember that the person has seen the thread to its end."""
    seat = contract_to_read(request.user, ref)
    service.mark_read(seat.contract, by=request.user)
    if wants_part(request):
        return HttpResponse(status=204)
    return go_to(request, service.thread_url(seat.contract))
