"""What the role that serves the product may do: S(elect), I(nsert), U(pdate), D(elete).

A new table fails here until somebody has thought about it.
"""

import pytest
from django.db import connection

from marketplace.core.grants import APP_ROLE

VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE", "T": "TRUNCATE"}

MAY = """
account_emailaddress SIUD
account_emailconfirmation SIUD
accounts_formeraddress SIUD
accounts_membership SIUD
accounts_notice SIUD
accounts_noticepreference SIUD
accounts_party SIUD
accounts_portfolioitem SIUD
accounts_profile SIUD
accounts_profileskill SIUD
accounts_skill SIUD
accounts_skillalias SIUD
accounts_skillcode SIUD
accounts_skilllink SIUD
accounts_user SIUD
accounts_user_groups SIUD
accounts_user_user_permissions SIUD
auth_group SIUD
auth_group_permissions SIUD
auth_permission SIUD
core_auditrow SI
core_auditseal SI
core_draft SIUD
core_idempotentcall SIUD
core_outboxmessage SIUD
core_storedfile SIUD
django_admin_log SIUD
django_content_type SIUD
django_migrations SIUD
django_session SIUD
matching_attention SIUD
matching_biasaudit SI
matching_countednight SIUD
matching_dismissedskill SIUD
matching_finishedprice SIUD
matching_match SIUD
matching_matchappeal SIU
matching_matcherswitch SI
matching_matchmodel SIU
matching_matchrun SID
matching_matchwishes SIUD
matching_modelact SI
matching_promotion SIU
matching_shadowfigure SI
matching_skillmonth SIUD
matching_skillpair SIUD
matching_skillreading SIUD
matching_skillyear SIUD
matching_taglesson SIUD
matching_textvector SIUD
matching_usualmilestone SIUD
matching_whynot SIUD
mfa_authenticator SIUD
payments_account SI
payments_balance S
payments_bankdetails SIU
payments_break SIU
payments_chargeback SIU
payments_chargebackmovement SI
payments_chargebackpart SI
payments_entry SI
payments_eventpoll SIUD
payments_fraudwarning SIU
payments_funding SIU
payments_fundingpart SIU
payments_giveback SIU
payments_hold SIU
payments_invoice SIU
payments_invoicecounter SIU
payments_journal SI
payments_payout SIU
payments_payoutaccount SIU
payments_payoutalert SIU
payments_placement SIU
payments_platformpolicy SIU
payments_postingstop SIU
payments_purchaseorder SIU
payments_refund SIU
payments_reversal SIU
payments_rollup SIU
payments_sellerdetails SIUD
payments_stripeevent SIUD
payments_taxrequest SIU
payments_transfer SIU
payments_transferreversal SIU
payments_vatcheck SIU
payments_vatrate SI
payments_writeoff SIU
projects_amendment SI
projects_bid SIUD
projects_bidmilestone SIUD
projects_bonus SIU
projects_cancellation SIU
projects_changeorder SIU
projects_changerequest SIUD
projects_contract SIU
projects_contractevent SIU
projects_decision SI
projects_delivery SIUD
projects_delivery_files SIUD
projects_dispute SIU
projects_disputestatement SIU
projects_disputestatement_files SIUD
projects_message SIUD
projects_message_files SIUD
projects_messageread SIUD
projects_milestone SIU
projects_project SIUD
projects_project_files SIUD
projects_project_skills SIUD
projects_proposal SIU
projects_review SIUD
"""


def rights():
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        found = {}
        for table in sorted(tables):
            may = ""
            for letter, verb in VERBS.items():
                cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [APP_ROLE, table, verb])
                may += letter if cursor.fetchone()[0] else ""
            found[table] = may
    return found


@pytest.mark.django_db(transaction=True)
def test_mo_04_the_serving_role_may_do_with_each_table_what_is_written_here(app_role):
    expected = dict(line.split() for line in MAY.strip().splitlines())
    assert rights() == expected


def test_nothing_about_money_can_be_deleted_by_the_serving_role():
    expected = dict(line.split() for line in MAY.strip().splitlines())
    deletable = {t for t, may in expected.items() if t.startswith("payments_") and "D" in may}
    assert deletable == {
        # What a payee told the tax office goes when they are erased.
        "payments_sellerdetails",
        # Read events are forgotten.
        "payments_stripeevent",
        "payments_eventpoll",
    }
