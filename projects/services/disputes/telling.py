"""What every step of a dispute needs: its locks, and the people to tell."""

from django.contrib.auth.models import Permission
from django.db.models import Q

from accounts.models import User
from marketplace.core.errors import InvalidTransition
from marketplace.core.money import Money
from projects.models import Contract, Dispute
from projects.models.contracts import Side
from projects.services import locks, news

PERMISSION = "projects.decide_dispute"


def open_and_locked(dispute: Dispute) -> tuple[Dispute, Contract]:
    """The open dispute, fresh, behind the locks of its milestone."""
    milestone = locks.milestone(dispute.milestone_id)
    fresh = Dispute.objects.select_related("opened_for").get(pk=dispute.pk)
    fresh.milestone = milestone
    if fresh.status != Dispute.Status.OPEN:
        raise InvalidTransition
    return fresh, milestone.contract


def tell(
    dispute: Dispute,
    contract: Contract,
    side: Side,
    kind: str,
    *,
    key: str,
    amount: Money | None = None,
    **facts: object,
) -> None:
    """Tell the people of one side; the notice leads to the dispute."""
    news.tell(
        contract,
        side,
        kind,
        key=key,
        group=news.MONEY,
        milestone=dispute.milestone,
        url=dispute.get_absolute_url(),
        amount=dispute.paused if amount is None else amount,
        **facts,
    )


def judges() -> list[User]:
    """Everybody who may decide disputes."""
    app, codename = PERMISSION.split(".")
    may = Permission.objects.filter(codename=codename, content_type__app_label=app)
    return list(
        User.objects.filter(
            Q(is_superuser=True) | Q(user_permissions__in=may) | Q(groups__permissions__in=may),
            is_active=True,
            is_staff=True,
        ).distinct()
    )
