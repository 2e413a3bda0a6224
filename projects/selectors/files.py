"""Who may read which file. One query answers for every place a file can hang."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from marketplace.core.models import StoredFile
from projects.models import Delivery, Dispute, DisputeStatement, Message, Project
from projects.selectors.contracts import Seat
from projects.selectors.workspace import FileLink

SHOWN = 200


def file_to_read(user: User, ref: str) -> StoredFile:
    """A file that hangs somewhere the user may look, checked for viruses; 404 otherwise."""
    allowed = Q(uploaded_by=user) | _of_project(user) | _of_contract(user) | _of_case(user)
    readable = StoredFile.objects.filter(allowed, scan=StoredFile.Scan.CLEAN)
    file = readable.filter(ref=ref).first()
    if file is None:
        raise Http404
    return file


def _of_project(user: User) -> Q:
    """Attachments of a published project are for everybody, of a draft for the client's people."""
    mine = Membership.objects.filter(party=OuterRef("client"), user=user)
    seen = ~Q(status=Project.Status.DRAFT) | Exists(mine)
    return Q(Exists(Project.objects.filter(seen, files=OuterRef("pk"))))


def _of_contract(user: User) -> Q:
    """What was handed over, sent or brought as evidence is for the people of both sides."""
    parties = Membership.objects.filter(user=user).values("party")
    deliveries = Delivery.files.through.objects.filter(
        _side("delivery__milestone__contract", parties), storedfile=OuterRef("pk")
    )
    messages = Message.files.through.objects.filter(
        _side("message__contract", parties), storedfile=OuterRef("pk")
    )
    evidence = DisputeStatement.files.through.objects.filter(
        _side("disputestatement__dispute__milestone__contract", parties),
        storedfile=OuterRef("pk"),
    )
    return Q(Exists(deliveries)) | Q(Exists(messages)) | Q(Exists(evidence))


def _side(contract: str, parties: QuerySet[Membership, Any]) -> Q:
    return Q(**{f"{contract}__client__in": parties}) | Q(**{f"{contract}__freelancer__in": parties})


def _of_case(user: User) -> Q:
    """Moderators read the files of contracts with a dispute, unless they belong to a side."""
    if not (user.is_staff and user.has_perm("projects.decide_dispute")):
        return Q(pk__in=[])
    parties = Membership.objects.filter(user=user).values("party")
    disputed = (
        Dispute.objects.exclude(_side("milestone__contract", parties))
        .order_by()
        .values("milestone__contract")
    )
    deliveries = Delivery.files.through.objects.filter(
        delivery__milestone__contract__in=disputed, storedfile=OuterRef("pk")
    )
    messages = Message.files.through.objects.filter(
        message__contract__in=disputed, storedfile=OuterRef("pk")
    )
    evidence = DisputeStatement.files.through.objects.filter(
        disputestatement__dispute__milestone__contract__in=disputed, storedfile=OuterRef("pk")
    )
    return Q(Exists(deliveries)) | Q(Exists(messages)) | Q(Exists(evidence))


@dataclass(frozen=True)
class HungFile:
    """A file of a contract, and where it came up first."""

    file: FileLink
    sha256: str
    at: dt.datetime
    where: str


def files_of_contract(seat: Seat) -> list[HungFile]:
    """Everything handed over, sent or brought as evidence, newest first: one query."""
    contract = seat.contract
    delivered = Delivery.files.through.objects.filter(
        delivery__milestone__contract=contract, storedfile=OuterRef("pk")
    )
    sent = Message.files.through.objects.filter(
        message__contract=contract, storedfile=OuterRef("pk")
    )
    brought = DisputeStatement.files.through.objects.filter(
        disputestatement__dispute__milestone__contract=contract, storedfile=OuterRef("pk")
    )
    rows = (
        StoredFile.objects.filter(Exists(delivered) | Exists(sent) | Exists(brought))
        .annotate(
            step=Subquery(delivered.order_by("pk").values("delivery__milestone__position")[:1]),
            in_thread=Exists(sent),
        )
        .order_by("-pk")[:SHOWN]
    )
    return [
        HungFile(FileLink.of(vars(file)), file.sha256, file.uploaded_at, _where(vars(file)))
        for file in rows
    ]


def _where(known: dict[str, Any]) -> str:
    if known["step"] is not None:
        return _("Delivery of milestone %(n)s") % {"n": known["step"]}
    return _("Message") if known["in_thread"] else _("Evidence in a dispute")
