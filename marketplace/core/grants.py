"""What the role that serves the product may do in the database."""

from django.db import connection

APP_ROLE = "bidwell_app"
# History is written once. The owner of the schema only migrates.
APPEND_ONLY = (
    "core_auditrow",
    "core_auditseal",
    "matching_biasaudit",
    "payments_account",
    "payments_journal",
    "payments_entry",
    "payments_chargebackmovement",
    "payments_chargebackpart",
    "payments_vatrate",
    "projects_amendment",
    "projects_decision",
    "matching_matcherswitch",
    "matching_modelact",
    "matching_shadowfigure",
)
# Written once, and forgotten after some time; a guard says after how long at the earliest.
FORGOTTEN = ("matching_matchrun",)
# Moves on, and stays: money, what two agreed about it, and what ranked people when.
KEPT = (
    "matching_matchappeal",
    "matching_matchmodel",
    "matching_promotion",
    "payments_bankdetails",
    "payments_break",
    "payments_chargeback",
    "payments_fraudwarning",
    "payments_funding",
    "payments_fundingpart",
    "payments_giveback",
    "payments_hold",
    "payments_invoice",
    "payments_invoicecounter",
    "payments_payout",
    "payments_payoutaccount",
    "payments_payoutalert",
    "payments_placement",
    "payments_platformpolicy",
    "payments_postingstop",
    "payments_purchaseorder",
    "payments_refund",
    "payments_reversal",
    "payments_rollup",
    "payments_taxrequest",
    "payments_transfer",
    "payments_transferreversal",
    "payments_vatcheck",
    "payments_writeoff",
    "projects_bonus",
    "projects_cancellation",
    "projects_changeorder",
    "projects_contract",
    "projects_contractevent",
    "projects_dispute",
    "projects_disputestatement",
    "projects_milestone",
    "projects_proposal",
)
# Written by guards alone, which act as the owner.
READ_ONLY = ("payments_balance",)


def grant_app_role() -> None:
    """Give the serving role its grants; repeat after every migration. Nothing if it is absent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        if not cursor.fetchone():
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}"
        )
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}")
        for table in APPEND_ONLY:
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {APP_ROLE}')
        for table in FORGOTTEN:
            cursor.execute(f'REVOKE UPDATE, TRUNCATE ON "{table}" FROM {APP_ROLE}')
        for table in KEPT:
            cursor.execute(f'REVOKE DELETE, TRUNCATE ON "{table}" FROM {APP_ROLE}')
        for table in READ_ONLY:
            cursor.execute(f'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON "{table}" FROM {APP_ROLE}')
