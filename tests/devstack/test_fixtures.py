"""What the shared fixtures promise to every other test."""

import psycopg2
import pytest

from accounts.models import User
from marketplace.core import audit, tasks
from marketplace.core.models import AuditRow, AuditSeal
from tests.devstack.processes import wait_until


def somebody():
    return User.objects.create(email="ada@bidwell.example")


@pytest.mark.django_db(transaction=True)
def test_the_app_role_adds_to_the_audit_log_but_cannot_change_it(app_role):
    user = somebody()
    audit.record(user, "user.joined", user)

    with app_role, app_role.cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM core_auditrow GROUP BY 1")
        assert cursor.fetchone() == ("bidwell_app", 1)
        cursor.execute(
            "INSERT INTO core_auditrow (at, action, subject_type, subject_id, facts) "
            "VALUES (now(), 'user.left', 'accounts.user', 1, '{}')"
        )
    for change in ("UPDATE core_auditrow SET action = 'x'", "DELETE FROM core_auditrow"):
        with app_role, app_role.cursor() as cursor:
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(change)


@pytest.mark.django_db(transaction=True)
def test_a_task_reaches_the_real_worker_through_valkey(celery_worker):
    user = somebody()
    row = audit.record(user, "user.joined", user)

    tasks.seal_audit.delay()

    wait_until(lambda: AuditSeal.objects.filter(last_row=row.pk).exists())


@pytest.mark.django_db(transaction=True)
def test_a_test_with_real_transactions_starts_empty():
    assert not AuditRow.objects.exists()
    assert not User.objects.exists()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_test_server_has_the_host_of_the_running_product(live_server, page):
    answer = page.goto(f"{live_server.url}/healthz")

    assert live_server.url.startswith("http://127.0.0.1:")
    assert answer.status == 200


@pytest.mark.browser
def test_a_browser_complains_of_script_errors_and_of_requests_to_strangers(new_context, complaints):
    page = new_context().new_page()
    page.goto("data:text/html,<script>console.error('broken'); missing()</script>")
    page.goto("data:text/html,<img src='http://stranger.invalid/pixel.gif'>")
    page.wait_for_load_state("networkidle")

    found = "\n".join(complaints.take())
    assert "console: broken" in found
    assert "missing is not defined" in found
    assert "request to a stranger: http://stranger.invalid/pixel.gif" in found


@pytest.mark.browser
def test_a_browser_forgives_what_a_test_expects(new_context, complaints):
    page = new_context().new_page()
    page.goto("data:text/html,<script>console.error('the answer was 422')</script>")

    complaints.expect("422")

    assert complaints.take() == []
