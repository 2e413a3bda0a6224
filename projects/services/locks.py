"""Row locks, always taken top down: project, bids, contract, milestone; payments locks the hold.

NO KEY UPDATE is enough to make writers wait, and lets rows that only point here be written.
"""

from collections.abc import Sequence

from projects.models import Bid, Contract, Milestone, Project


def project(pk: int) -> Project:
    """The project as it is now; nobody else changes it until this transaction ends."""
    rows = Project.objects.select_related("client").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=pk)


def bid(pk: int) -> Bid:
    """The bid as it is now. Call `project` first."""
    rows = Bid.objects.select_related("freelancer", "sent_by")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def live_bids(of: Project) -> Sequence[Bid]:
    """Every bid that still waits for an answer. Call `project` first."""
    rows = Bid.objects.select_related("freelancer").filter(project=of, status__in=Bid.LIVE)
    return list(rows.order_by("pk").select_for_update(of=("self",), no_key=True))


def contract(pk: int) -> Contract:
    """The contract as it is now, after its project: every act in a contract starts here."""
    project(Contract.objects.values_list("project_id", flat=True).get(pk=pk))
    rows = Contract.objects.select_related("client", "freelancer", "policy", "project")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def contract_unless_busy(pk: int) -> Contract | None:
    """The same for a sweep: it does not wait. None while somebody else is at work on the project;
    the next beat finds what is still due.
    """
    of = Contract.objects.values_list("project_id", flat=True).get(pk=pk)
    free = Project.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=of)
    return contract(pk) if free.first() else None


def milestone_unless_busy(pk: int) -> Milestone | None:
    """The milestone for a sweep; None while somebody else is at work on the project."""
    of = Milestone.objects.values_list("contract_id", flat=True).get(pk=pk)
    return milestone(pk) if contract_unless_busy(of) else None


def milestones(of: Contract) -> list[Milestone]:
    """All milestones of a contract as they are now. Call `contract` first."""
    rows = Milestone.objects.select_related("hold").filter(contract=of).order_by("pk")
    found = list(rows.select_for_update(of=("self",), no_key=True))
    for step in found:
        step.contract = of
    return found


def milestone(pk: int) -> Milestone:
    """The milestone as it is now, after its project and contract; payments locks its hold."""
    of = contract(Milestone.objects.values_list("contract_id", flat=True).get(pk=pk))
    rows = Milestone.objects.select_related("hold")
    found = rows.select_for_update(of=("self",), no_key=True).get(pk=pk)
    found.contract = of
    return found
