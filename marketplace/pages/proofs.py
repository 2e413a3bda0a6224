"""Sentences about the market that must hold in every row, as SQL that finds who breaks them.

Constraints hold what one row can show; these hold what takes several tables to see.
"""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class Law:
    """A sentence, how many rows it speaks of, and a query for the ids that break it."""

    says: str
    counts: str
    breakers: str


LAWS = (
    Law(
        "a contract is an accepted bid of its own project, and what both agreed to add",
        "SELECT count(*) FROM projects_contract",
        """SELECT c.id FROM projects_contract c JOIN projects_bid b ON b.id = c.bid_id
           WHERE b.status <> 'accepted' OR b.project_id <> c.project_id
              OR b.freelancer_id <> c.freelancer_id
              OR c.price_minor <> b.price_minor + coalesce((
                  SELECT sum(o.amount_minor) FROM projects_changeorder o
                  WHERE o.contract_id = c.id AND o.milestone_id IS NOT NULL), 0)""",
    ),
    Law(
        "every accepted bid has its contract",
        "SELECT count(*) FROM projects_bid WHERE status = 'accepted'",
        """SELECT b.id FROM projects_bid b LEFT JOIN projects_contract c ON c.bid_id = b.id
           WHERE b.status = 'accepted' AND c.id IS NULL""",
    ),
    Law(
        "milestones sum to the price of their contract",
        "SELECT count(*) FROM projects_contract",
        """SELECT c.id FROM projects_contract c
           LEFT JOIN projects_milestone m ON m.contract_id = c.id
           GROUP BY c.id HAVING coalesce(
               sum(m.amount_minor + m.returned_minor + m.carried_minor), 0) <> c.price_minor""",
    ),
    Law(
        "a milestone says what its hold says",
        "SELECT count(*) FROM projects_milestone WHERE hold_id IS NOT NULL",
        """SELECT m.id FROM projects_milestone m JOIN payments_hold h ON h.id = m.hold_id
           WHERE (m.status, h.status) NOT IN (
               ('planned', 'pending'), ('funding', 'pending'), ('funded', 'held'),
               ('submitted', 'held'), ('changes_requested', 'held'), ('approved', 'released'),
               ('disputed', 'paused'), ('disputed', 'frozen'), ('frozen', 'frozen'),
               ('settled', 'released'), ('settled', 'refunded'),
               ('settled', 'split'), ('cancelled', 'cancelled'), ('cancelled', 'refunded'))
              OR m.amount_minor <> h.amount_minor OR m.returned_minor <> h.returned_minor
              OR m.carried_minor <> h.carried_minor""",
    ),
    Law(
        "a milestone is disputed exactly while a dispute about it is open",
        "SELECT count(*) FROM projects_milestone",
        """SELECT m.id FROM projects_milestone m
           LEFT JOIN projects_dispute d ON d.milestone_id = m.id AND d.status = 'open'
           WHERE (m.status = 'disputed') <> (d.id IS NOT NULL)""",
    ),
    Law(
        "money that is with us has the next date of its custody stop",
        "SELECT count(*) FROM projects_milestone",
        """SELECT m.id FROM projects_milestone m
           WHERE m.status IN ('funded', 'submitted', 'changes_requested')
             AND m.custody_due_at IS NULL""",
    ),
    Law(
        "a proposal is open only while its milestone can still follow it",
        "SELECT count(*) FROM projects_proposal WHERE status = 'open'",
        """SELECT p.id FROM projects_proposal p JOIN projects_milestone m ON m.id = p.milestone_id
           WHERE p.status = 'open' AND (
               (p.kind = 'part'
                AND m.status NOT IN ('funded', 'submitted', 'changes_requested'))
               OR (p.kind = 'extension' AND m.status NOT IN ('planned', 'funding', 'funded'))
               OR p.amount_minor >= m.amount_minor)""",
    ),
    Law(
        "extra work is in force exactly when it is paid, and its milestone is what was offered",
        "SELECT count(*) FROM projects_changeorder WHERE milestone_id IS NOT NULL",
        """SELECT o.id FROM projects_changeorder o
           JOIN projects_milestone m ON m.id = o.milestone_id
           LEFT JOIN projects_amendment a ON a.order_id = o.id
           WHERE a.id IS NULL OR a.contract_id <> o.contract_id OR m.contract_id <> o.contract_id
              OR m.amount_minor + m.returned_minor + m.carried_minor <> o.amount_minor
              OR (o.status = 'in_force') <> (m.funded_at IS NOT NULL)
              OR (o.status = 'agreed' AND m.status NOT IN ('planned', 'funding'))
              OR (o.status IN ('unpaid', 'overtaken') AND m.status <> 'cancelled')""",
    ),
    Law(
        "a wish for an extra round is open only while the work is in review",
        """SELECT count(*) FROM projects_changeorder
           WHERE about_id IS NOT NULL AND status IN ('wanted', 'offered')""",
        """SELECT o.id FROM projects_changeorder o JOIN projects_milestone m ON m.id = o.about_id
           WHERE o.status IN ('wanted', 'offered') AND m.status NOT IN ('submitted', 'frozen')""",
    ),
    Law(
        "nothing is added to a contract that is over",
        "SELECT count(*) FROM projects_changeorder WHERE status IN ('wanted', 'offered', 'agreed')",
        """SELECT o.id FROM projects_changeorder o JOIN projects_contract c ON c.id = o.contract_id
           WHERE o.status IN ('wanted', 'offered', 'agreed') AND c.status <> 'active'""",
    ),
    Law(
        "a bonus waits for its release exactly while its money is held, and costs no fee",
        "SELECT count(*) FROM projects_bonus",
        """SELECT b.id FROM projects_bonus b JOIN payments_hold h ON h.id = b.hold_id
           JOIN projects_contract c ON c.id = b.contract_id
           WHERE (b.release_due_at IS NOT NULL) <> (h.status = 'held') OR NOT h.fee_free
              OR h.payer_id <> c.client_id OR h.payee_id <> c.freelancer_id""",
    ),
    Law(
        "a decided dispute has a decision that splits the paused amount",
        "SELECT count(*) FROM projects_dispute WHERE status = 'decided'",
        """SELECT d.id FROM projects_dispute d
           LEFT JOIN projects_decision x ON x.dispute_id = d.id
           WHERE d.status = 'decided' AND (x.id IS NULL
              OR x.to_freelancer_minor + x.to_client_minor <> d.paused_minor)""",
    ),
    Law(
        "a contract is over exactly when all its milestones are",
        "SELECT count(*) FROM projects_contract",
        """SELECT c.id FROM projects_contract c
           WHERE (c.status = 'active') <> EXISTS (
               SELECT 1 FROM projects_milestone m WHERE m.contract_id = c.id
                 AND m.status NOT IN ('approved', 'settled', 'cancelled'))""",
    ),
    Law(
        "a project in progress has a contract, an open one has none",
        "SELECT count(*) FROM projects_project",
        """SELECT p.id FROM projects_project p
           WHERE (p.status = 'in_progress') > EXISTS (
                     SELECT 1 FROM projects_contract c WHERE c.project_id = p.id)
              OR (p.status IN ('draft', 'open', 'expired')
                  AND EXISTS (SELECT 1 FROM projects_contract c WHERE c.project_id = p.id))""",
    ),
    Law(
        "a project that takes no bids has none waiting",
        "SELECT count(*) FROM projects_project WHERE status NOT IN ('draft', 'open')",
        """SELECT p.id FROM projects_project p JOIN projects_bid b ON b.project_id = p.id
           WHERE p.status <> 'open' AND b.status IN ('sent', 'shortlisted')""",
    ),
    Law(
        "the number of bids shown is the number of bids there",
        "SELECT count(*) FROM projects_project",
        """SELECT p.id FROM projects_project p
           LEFT JOIN projects_bid b ON b.project_id = p.id AND b.status <> 'withdrawn'
           GROUP BY p.id HAVING count(b.id) <> p.bids_count""",
    ),
    Law(
        "reviews are by and about the two sides of an ended contract",
        "SELECT count(*) FROM projects_review",
        """SELECT r.id FROM projects_review r JOIN projects_contract c ON c.id = r.contract_id
           WHERE c.status = 'active'
              OR NOT ((r.author_id, r.subject_id) IN (
                  (c.client_id, c.freelancer_id), (c.freelancer_id, c.client_id)))""",
    ),
    Law(
        "every active person has a party they may act for",
        "SELECT count(*) FROM accounts_user WHERE is_active",
        """SELECT u.id FROM accounts_user u
           LEFT JOIN accounts_membership m ON m.user_id = u.id AND m.party_id = u.party_id
           WHERE u.is_active AND u.party_id IS NOT NULL AND m.id IS NULL""",
    ),
    Law(
        "weights of the matcher that staff put to use were confirmed by a second person",
        """SELECT count(*) FROM matching_matchmodel
           WHERE origin = 'entered' AND active_since IS NOT NULL""",
        """SELECT w.id FROM matching_matchmodel w
           WHERE w.origin = 'entered' AND w.active_since IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM matching_promotion p WHERE p.model_id = w.id AND p.status = 'done')""",
    ),
)


def broken_laws() -> tuple[int, list[str]]:
    """How many rows were looked at, and a line for every law some rows break."""
    looked_at, problems = 0, []
    with connection.cursor() as cursor:
        for law in LAWS:
            cursor.execute(law.counts)
            looked_at += cursor.fetchone()[0]
            cursor.execute(law.breakers)
            ids = [str(row[0]) for row in cursor.fetchall()]
            if ids:
                shown = ", ".join(ids[:10]) + (" …" if len(ids) > 10 else "")
                problems.append(f"not so: {law.says}. Ids: {shown}")
    return looked_at, problems
