"""`/home/`: the half of the product this person used last."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.models import User
from marketplace.core.http import show
from marketplace.pages import dashboards


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To-dos first, then money, contracts, and what may be worth a look."""
    user: User = request.user  # type: ignore[assignment]
    if user.side == User.Side.WORK and user.party is not None:
        page, home = "pages/home_work.html", dashboards.work_home(user, user.party)
        return show(request, page, {"home": home}, part="pages/_todos.html")
    context = {"home": dashboards.hire_home(user)}
    return show(request, "pages/home_hire.html", context, part="pages/_todos.html")
